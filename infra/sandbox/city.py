"""Plays the city's providers for a day: files into the drop folder, the truth beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from contracts.errors import UsageError
from contracts.loading import load_tree
from contracts.words import Words
from infra.sandbox import deliveries, expectation
from infra.sandbox.dataset import Day
from infra.sandbox.datasets import DATASETS
from infra.sandbox.datasets.thread import HEAT_WAVE_DAYS
from infra.sandbox.dirt import normal
from infra.sandbox.layouts import Layout
from infra.sandbox.planting import Dose, Row, plant
from infra.sandbox.population import build_city
from infra.sandbox.rendering import Rendered, render
from infra.sandbox.truth import DayTruth, DeliveryTruth, Faults, RowTruth, find_truth, truth_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from contracts.layout import Home
    from contracts.tree import Feed
    from infra.sandbox.planting import Verdict
    from infra.sandbox.population import City
    from infra.sandbox.truth import DeliveryFault

MARKER = ".jingshu-sandbox.json"
#: Contract id → the column that names its persons, where the truth states how they join.
_PERSONS: Final = {"health.disease_case": "person_id", "civil.elder_service": "elder_id"}


@dataclass(frozen=True)
class Marker:
    """What the drop root says of itself, so that everyone knows that it is simulated.

    ``first`` is the date of each feed's initial load: the first delivery that could be taken in.
    """

    seed: int
    scale: int
    first: Mapping[str, date] = field(default_factory=dict)

    @classmethod
    def read(cls, drop: Path) -> Marker | None:
        """Read the marker of a drop root, or return None."""
        file = drop / MARKER
        if not file.is_file():
            return None
        data = json.loads(file.read_text("utf-8"))
        first = {feed: date.fromisoformat(day) for feed, day in data["first"].items()}
        return cls(data["seed"], data["scale"], first)

    def write(self, home: Home) -> None:
        """Write the marker, unless it stands there already."""
        data = {
            "origin": "simulated",
            "seed": self.seed,
            "scale": self.scale,
            "truth": "../truth",
            "first": {feed: str(day) for feed, day in sorted(self.first.items())},
        }
        _write_text(home.drop / MARKER, json.dumps(data, indent=2) + "\n")


def generate_day(
    home: Home,
    business_date: date,
    *,
    scale: int = 1,
    seed: int = 1,
    providers: set[str] | None = None,
    faults: Faults | None = None,
) -> DayTruth:
    """Write a date's deliveries and its truth file, and return the truth.

    Only what is due comes, and what never came yet. Idempotent: the same call leaves every file as
    it is, its time too. Without ``faults`` a date keeps those it was made with, or gets the default
    ones.
    Raises UsageError where the drop folder is not the sandbox's, or another seed's.
    """
    marker = _marker(home, seed, scale)
    before = find_truth(home, business_date)
    feeds = _feeds(providers)
    due = [f for f in feeds if _is_due(f, business_date, marker.first)]
    since_first = (business_date - min(marker.first.values(), default=business_date)).days
    plan = _plan(before, faults, _default(home, due, business_date, since_first, seed), feeds)
    due += [f for f in feeds if f not in due and _name(f) in plan.deliveries]
    first = dict(marker.first)
    for feed in due:
        if deliveries.is_taken_in(plan.deliveries.get(_name(feed))):
            first.setdefault(_name(feed), business_date)
    Marker(seed, scale, first).write(home)
    maker = _Maker(home, build_city(seed, scale), business_date, first, plan)
    made = {_name(feed): maker.make(feed) for feed in due}
    truth = DayTruth(
        business_date=business_date,
        seed=seed,
        scale=scale,
        plan=plan,
        effects=_effects(maker.city, first),
        join_rates={**(before.join_rates if before else {}), **maker.join_rates()},
        deliveries={**(before.deliveries if before else {}), **made},
    )
    cells = expectation.heat_readiness([*_earlier(home, business_date), truth], business_date)
    truth = truth.model_copy(update={"heat_readiness": cells})
    _write_text(truth_file(home, business_date), truth.model_dump_json(indent=1) + "\n")
    return truth


def _marker(home: Home, seed: int, scale: int) -> Marker:
    drop = home.drop
    marker = Marker.read(drop)
    if marker is None:
        if drop.is_dir() and any(drop.iterdir()):
            raise UsageError(
                Words(
                    f"{drop} 中有不是由沙盘生成的文件。",
                    f"{drop} holds files that the sandbox did not make.",
                ),
                Words(
                    "请为沙盘准备一个空文件夹：取消设置 JINGSHU_DROP，或改指另一个。",
                    "Give the sandbox an empty folder: unset JINGSHU_DROP, or name another.",
                ),
            )
        return Marker(seed, scale)
    if (marker.seed, marker.scale) != (seed, scale):
        raise UsageError(
            Words(
                f"{drop} 是以种子 {marker.seed}、规模 {marker.scale} 生成的，"
                f"不是以 {seed}、{scale}。",
                f"{drop} was made with seed {marker.seed} and scale {marker.scale},"
                f" not with {seed} and {scale}.",
            ),
            Words(
                "请使用这些值，或另用一个 JINGSHU_HOME。",
                "Use these, or another JINGSHU_HOME.",
            ),
        )
    return marker


def _feeds(providers: set[str] | None) -> list[Feed]:
    """Return the feeds of the tree in force that the sandbox can play."""
    chosen = None if providers is None else frozenset(providers)
    return [f for f in load_tree().feeds(chosen) if f.contract.id in DATASETS]


def _name(feed: Feed) -> str:
    return f"{feed.provider}/{feed.contract.dataset}"


def _is_due(feed: Feed, business_date: date, first: Mapping[str, date]) -> bool:
    """Tell whether a feed's cycle owes the date, or its initial load is still to come."""
    if feed.contract.schedule.is_due(business_date):
        return True
    return business_date <= first.get(_name(feed), business_date)


def _default(
    home: Home, feeds: list[Feed], business_date: date, since_first: int, seed: int
) -> Faults:
    """Return the day's own faults, as far as its feeds can suffer them."""
    plan = deliveries.default_plan(since_first, [_name(f) for f in feeds], seed)
    by_name = {_name(f): f for f in feeds}
    yesterday = business_date - timedelta(1)
    before = next((t for t in _earlier(home, business_date) if t.business_date == yesterday), None)
    suffered = before.plan.deliveries if before else {}
    can = {
        n: deliveries.can_suffer(home.drop, by_name.get(n), business_date, k)
        # What was refused or rejected, sent again, is no duplicate of anything that was taken in.
        and (k != "duplicate" or deliveries.is_taken_in(suffered.get(n)))
        for n, k in plan.items()
    }
    return Faults(deliveries={name: fault for name, fault in plan.items() if can[name]})


def _plan(
    before: DayTruth | None, faults: Faults | None, default: Faults, feeds: list[Feed]
) -> Faults:
    """Choose what goes wrong: as told, else as before, else the default of the day."""
    if faults is None:
        return before.plan if before else default
    known = {_name(f) for f in feeds}
    unknown = set(faults.deliveries) - known
    if unknown:
        lacking, there = min(unknown), sorted(known)
        raise UsageError(
            Words(f"没有交付 {lacking!r}。", f"There is no feed {lacking!r}."),
            Words(f"请从中选择：{'、'.join(there)}。", f"There are: {', '.join(there)}."),
        )
    kept = before.plan.deliveries if before else {}
    return Faults(
        rows=faults.rows,
        deliveries={**{f: k for f, k in kept.items() if f not in known}, **faults.deliveries},
    )


def _earlier(home: Home, business_date: date) -> Iterable[DayTruth]:
    for file in sorted(truth_file(home, business_date).parent.glob("*.json")):
        if date.fromisoformat(file.stem) < business_date:
            yield DayTruth.model_validate_json(file.read_bytes())


def _effects(city: City, first: Mapping[str, date]) -> dict[str, object]:
    return {
        "heat_cases_per_day": dict(sorted(city.heat_per_day.items())),
        "heat_wave_days_before_first_load": HEAT_WAVE_DAYS,
        "first_dates": {feed: str(day) for feed, day in sorted(first.items())},
        "k": expectation.K,
        "reach_km": expectation.REACH_KM,
    }


@dataclass
class _Maker:
    """Makes the deliveries of one date, one feed after the other."""

    home: Home
    city: City
    business_date: date
    first: Mapping[str, date]
    plan: Faults
    people: dict[str, set[str]] = field(default_factory=dict)
    """Contract id → the persons that its good rows speak of."""

    def make(self, feed: Feed) -> DeliveryTruth:
        """Deliver one feed and return what is true of it."""
        fault = self.plan.deliveries.get(_name(feed))
        if fault == "corrected":
            self.send(feed, None, revision=1)
            return self.send(feed, fault, revision=2)
        return self.send(feed, fault, revision=1)

    def send(self, feed: Feed, fault: DeliveryFault | None, revision: int) -> DeliveryTruth:
        contract = feed.contract
        truth = self.blank(feed, fault, revision)
        if fault == "missing":
            return truth
        rows = self.rows(feed, fault)
        layout = Layout.of(
            contract, feed.provider, drifted=fault == "drifted", secret=fault == "secret"
        )
        file = render(layout, rows, self.business_date, revision)
        content = self.repeated(feed) if fault == "duplicate" else file.content
        sent = deliveries.sent_at(contract, self.business_date, fault)
        parcel = deliveries.Parcel(file.name, content, len(rows), revision, sent)
        if fault == "truncated":
            parcel = deliveries.truncated(parcel)
        deliveries.deliver(
            deliveries.folder_of(self.home.drop, feed, self.business_date),
            parcel,
            has_manifest=contract.server(feed.provider).export.manifest == "required",
        )
        truth = truth.model_copy(update={"file": file.name})
        if truth.batch_status not in ("published", "held"):
            return truth
        return self.described(feed, truth, rows, file)

    def blank(self, feed: Feed, fault: DeliveryFault | None, revision: int) -> DeliveryTruth:
        state, status = deliveries.OUTCOMES[fault]
        return DeliveryTruth(
            contract_id=feed.contract.id,
            provider=feed.provider,
            dataset=feed.contract.dataset,
            business_date=self.business_date,
            is_initial=self.business_date <= self.first_of(feed),
            fault=fault,
            file=None,
            revision=revision,
            delivery_state=state,
            batch_status=status,
        )

    def first_of(self, feed: Feed) -> date:
        """Return the date of a feed's initial load: this one, until a load could be taken in."""
        return self.first.get(_name(feed), self.business_date)

    def rows(self, feed: Feed, fault: DeliveryFault | None) -> list[Row]:
        """Generate the day's rows and put the dirt in; a correction has none."""
        contract = feed.contract
        day = Day(self.city, feed.provider, self.business_date, self.first_of(feed))
        dataset = DATASETS[contract.id]
        clean = dataset.rows(day)
        columns = [c.name for c in contract.columns]
        if not clean or set(columns) != set(clean[0]):
            raise UsageError(
                Words(
                    f"沙盘不能生成 {contract.id} {contract.version}：列不相同。",
                    f"The sandbox cannot play {contract.id} {contract.version}: its columns"
                    " differ.",
                ),
                Words(
                    "请为该契约另取标识，或使用随附的契约。",
                    "Give the contract an id of its own, or use the packaged one.",
                ),
            )
        bad_percent = contract.thresholds.bad_rows_percent
        is_ragged = contract.server(feed.provider).is_ragged
        dose = None
        if fault == "held":
            dose = Dose.held(len(clean), bad_percent, is_ragged=is_ragged)
        elif self.plan.rows and fault != "corrected":
            dose = Dose.healthy(len(clean), bad_percent, is_ragged=is_ragged)
        key = tuple(c.name for c in contract.key)
        return plant(dataset.catalogue, key, clean, dose, day.rng("dirt"))

    def described(
        self, feed: Feed, truth: DeliveryTruth, rows: list[Row], file: Rendered
    ) -> DeliveryTruth:
        """Say of every touched row where it stands and what must come of it."""
        good = [r.cells for r in rows if r.mark.verdict in ("clean", "near_miss")]
        if person := _PERSONS.get(feed.contract.id):
            self.people[feed.contract.id] = {normal(cells[person]) for cells in good}
        marker = feed.contract.load.delete_marker
        keys: dict[str, list[str]] = {"upserted_keys": [], "deleted_keys": []}
        if marker is not None:
            key = feed.contract.key[0].name
            for cells in good:
                is_deleted = cells[marker.column] in marker.values
                keys["deleted_keys" if is_deleted else "upserted_keys"].append(cells[key])
        return truth.model_copy(
            update={
                "rows": len(rows),
                "good": len(good),
                "faults": _touched(rows, file, "bad"),
                "exact_duplicates": _touched(rows, file, "duplicate"),
                "near_misses": _touched(rows, file, "near_miss"),
                "facts": expectation.facts_of(feed.contract.id, good),
                **{name: tuple(values) for name, values in keys.items()},
            }
        )

    def repeated(self, feed: Feed) -> bytes:
        """Return yesterday's bytes."""
        content = deliveries.yesterdays(self.home.drop, feed, self.business_date)
        if content is None:
            name, day = _name(feed), self.business_date
            raise UsageError(
                Words(
                    f"{name}：{day} 的前一天没有交付，无可重复。",
                    f"{name}: nothing came the day before {day} to come again.",
                ),
                Words("请先生成前一天。", "Make the day before first."),
            )
        return content

    def join_rates(self) -> dict[str, float]:
        """Return the share of patients who are also served by civil affairs, where both came."""
        patients = self.people.get("health.disease_case")
        elders = self.people.get("civil.elder_service")
        if not patients or not elders:
            return {}
        name = "health.disease_case.person_id in civil.elder_service.elder_id"
        return {name: round(len(patients & elders) / len(patients), 6)}


def _touched(rows: list[Row], file: Rendered, verdict: Verdict) -> tuple[RowTruth, ...]:
    return tuple(
        RowTruth(line=line, kind=r.mark.kind, rule_ids=r.mark.rule_ids, column=r.mark.column)
        for r, line in zip(rows, file.lines, strict=True)
        if r.mark.verdict == verdict
    )


def _write_text(file: Path, text: str) -> None:
    if file.is_file() and file.read_text("utf-8") == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    part.write_text(text, "utf-8")
    part.replace(file)
