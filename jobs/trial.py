"""trial: takes one file through the stages in a throw-away home; nothing is published.

What ``./jingshu try`` and ``./jingshu land`` do: the same code as a delivery's, judged by a
contract that may still be a draft.
"""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import pyarrow as pa

from contracts.crosscheck import check_across
from contracts.delivery import Delivery
from contracts.errors import JingshuError, UsageError
from contracts.layout import Home
from contracts.model import CITY_TZ
from contracts.moment import utc_now
from contracts.reading import read_contract
from contracts.words import Words
from jobs.checks.landing import rows_differ
from jobs.faults import wordless
from jobs.files.decode import naming, sniff
from jobs.files.raw import opened_raw
from jobs.land.parsed import Parsed
from jobs.land.run import land
from jobs.names import Step
from jobs.publish import quarantine
from jobs.pull.drop import SANDBOX_MARK, ManifestError, check_manifest, found_at, origin_of
from jobs.pull.run import pull
from jobs.seal.rows import sealed_rows
from jobs.tables.bronze import bronze_schema, statistics_only_on
from jobs.tables.delta import append_once, open_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contracts.delivery import Origin
    from contracts.model import Contract
    from contracts.tree import Tree
    from jobs.stages import CheckResult, RawBatch

#: Levels whose values may be shown to whoever runs the command.
OPEN: Final = ("L1", "L2")


class OutputError(JingshuError, OSError):
    """A folder that cannot take the landed rows."""


@dataclass(frozen=True)
class Given:
    """A file, and the delivery it is taken for."""

    delivery: Delivery
    file: Path
    origin: Origin


@dataclass(frozen=True)
class Reason:
    """Why a row is bad; ``value`` only where its column may be shown.

    ``message`` is as ``Words.stored`` writes it.
    """

    rule_id: str
    column: str | None
    message: str
    value: str | None


@dataclass(frozen=True)
class BadRow:
    """A bad row by its line in the file, with every rule it breaks."""

    line: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Trial:
    """What one file would come to."""

    given: Given
    batch_id: str
    rows_landed: int
    rows_good: int
    rows_bad: int
    rows_duplicate: int
    findings: tuple[str, ...]
    notes: tuple[str, ...]
    decision: Literal["publish", "hold", "reject"]
    reason: str
    results: tuple[CheckResult, ...]
    bad_rows: tuple[BadRow, ...]
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class Landing:
    """What one file landed as: the all-string table in ``out``."""

    given: Given
    batch_id: str
    out: Path
    kind: str
    encoding: str | None
    rows: int
    rows_ragged: int
    findings: tuple[str, ...]
    notes: tuple[str, ...]


def given(
    tree: Tree,
    file: Path,
    contract: str,
    *,
    provider: str | None = None,
    business_date: date | None = None,
    is_simulated: bool = False,
) -> Given:
    """Take a file for a delivery of a contract (its id, or a contract file).

    What is not given is read from the file's folders (``<provider>/<dataset>/<date>/``), otherwise
    it is the first provider and yesterday. Raises UsageError for what does not exist.
    """
    tree, found = _contract(tree, contract)
    folders = [p.name for p in file.resolve().parents]
    providers = [s.provider for s in found.servers]
    if not providers:
        raise UsageError(
            Words(f"{found.id} 没有服务器。", f"{found.id} has no servers."),
            Words("请给出源契约，不是产品。", "Name a source contract, not a product."),
        )
    chosen = provider or next((n for n in folders if n in providers), providers[0])
    if chosen not in providers:
        raise UsageError(
            Words(
                f"{found.id} 没有提供方 {chosen!r} 的服务器。",
                f"{found.id} has no server of provider {chosen!r}.",
            ),
            Words(f"现有：{'、'.join(providers)}。", f"It has: {', '.join(providers)}."),
        )
    today = utc_now().astimezone(CITY_TZ).date()
    day = business_date or next(filter(None, map(_date, folders)), today - timedelta(days=1))
    if day > today:
        raise UsageError(
            Words(f"{day} 在未来。", f"{day} lies in the future."),
            Words("请给出已过去的业务日期。", "Give a business date that has been."),
        )
    in_sandbox = any(origin_of(p) == "simulated" for p in file.resolve().parents)
    origin: Origin = "simulated" if is_simulated or in_sandbox else "real"
    return Given(Delivery(found, chosen, day, tree.root), file, origin)


def _date(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=CITY_TZ).date()
    except ValueError:
        return None


def _contract(tree: Tree, text: str) -> tuple[Tree, Contract]:
    if not text.endswith((".yaml", ".yml")):
        return tree, tree.contract(text)
    file = Path(text).resolve()
    # An absolute source also names a file outside the tree, so that errors find its lines.
    found = read_contract(file, tree.root).model_copy(update={"source": str(file)})
    check_across(tree, found)
    return dataclasses.replace(tree, sources={**tree.sources, found.id: found}), found


@dataclass
class Clock:
    """Seconds by what they were spent on, in order."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the block's seconds."""
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 3)


@contextmanager
def _pulled(given: Given) -> Iterator[tuple[Home, RawBatch]]:
    """Pull the file into a home of its own, which goes away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="jingshu-try-"))
    try:
        drop = folder / "drop"
        drop.mkdir()
        if given.origin == "simulated":
            (drop / SANDBOX_MARK).write_text('{"origin": "simulated"}', "utf-8")
        home = Home(folder / "home")
        found = found_at(given.delivery, given.file)
        raw = pull(home, given.delivery, drop, found)
        check_manifest(given.delivery, raw.batch, found)
        yield home, raw
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@wordless
def try_file(given: Given, clock: Clock | None = None) -> Trial:
    """Take a file through pull, land, refine and audit on Spark; publish nothing.

    ``clock`` goes on counting where the caller began. Raises PullStopped for what would be refused,
    ManifestError for bytes that are not those announced beside the file, and DecodeError for a
    layout that is not the contract's.
    """
    clock, delivery = clock or Clock(), given.delivery
    with clock.stage("connect"):
        from jobs.audit.run import audit
        from jobs.refine.run import refine
        from jobs.spark.session import session

        session()
    began = time.perf_counter()
    with _pulled(given) as (home, raw):
        clock.seconds["pull"] = round(time.perf_counter() - began, 3)
        with clock.stage("land"):
            landed = land(home, delivery, raw)
        with clock.stage("refine"):
            refined = refine(home, delivery, landed)
        with clock.stage("audit"):
            verdict = audit(home, delivery, refined)
        bad = bad_rows(home, delivery, verdict.batch_id)
    return Trial(
        given=given,
        batch_id=verdict.batch_id,
        rows_landed=verdict.rows_landed,
        rows_good=verdict.rows_good,
        rows_bad=verdict.rows_bad,
        rows_duplicate=verdict.rows_duplicate,
        findings=landed.findings,
        notes=landed.notes,
        decision=verdict.decision,
        reason=verdict.reason,
        results=verdict.results,
        bad_rows=bad,
        seconds=clock.seconds,
    )


def bad_rows(home: Home, delivery: Delivery, batch_id: str) -> tuple[BadRow, ...]:
    """Return a staged batch's bad rows by line, with values of L1 and L2 columns only."""
    return shown_rows(delivery.contract, quarantine.bad_rows(home, delivery, batch_id))


def shown_rows(contract: Contract, rows: pa.Table) -> tuple[BadRow, ...]:
    """Return quarantined rows as people may see them: values of L1 and L2 columns only."""
    open_columns = {c.name for c in contract.columns if c.effective_level in OPEN}
    return tuple(
        BadRow(
            row["_source_line"],
            tuple(
                Reason(**r, value=row[r["column"]] if r["column"] in open_columns else None)
                for r in row["_reasons"]
            ),
        )
        for row in rows.to_pylist()
    )


@wordless
def land_file(given: Given, out: Path) -> Landing:
    """Land a file as an all-string Delta table in ``out``, offline and without Spark, once.

    Raises what ``try_file`` raises, and OutputError for a folder that holds something else.
    """
    contract, provider = given.delivery.contract, given.delivery.provider
    wanted = bronze_schema(contract)
    _check_output(out, wanted, contract)
    with _pulled(given) as (home, raw), naming(given.delivery.name, given.file.name):
        with opened_raw(home, raw) as kept:
            sniffed = sniff(kept)
            parsed = Parsed(contract, contract.server(provider), raw.batch_id)
            data = pa.Table.from_batches(list(parsed.batches(kept)), wanted)
        _check_rows(given.delivery, raw, parsed.rows)
        stored = sealed_rows(Home.from_env(), given.delivery, data)
        append_once(
            out,
            lambda: stored,
            Step.LAND.of(raw.batch_id),
            configuration=statistics_only_on(contract, "_source_line"),
            metadata={"jingshu.rows": str(data.num_rows), "jingshu.sha256": raw.batch.sha256},
        )
    return Landing(
        given=given,
        batch_id=raw.batch_id,
        out=out,
        kind=sniffed.kind,
        encoding=sniffed.encoding,
        rows=parsed.rows,
        rows_ragged=data.num_rows - data["_row_error"].null_count,
        findings=tuple(one.stored() for one in parsed.findings),
        notes=tuple(one.stored() for one in parsed.notes),
    )


def _check_output(out: Path, wanted: pa.Schema, contract: Contract) -> None:
    table = open_table(out) if out.is_dir() else None
    if table is not None and {f.name for f in table.schema().fields} != set(wanted.names):
        raise OutputError(
            Words(
                f"{out} 中的表与 {contract.id} 的列不同。",
                f"{out} holds a table of other columns than {contract.id}.",
            ),
            Words("请换一个文件夹。", "Name another folder."),
        )
    if table is None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(
            Words(f"{out} 中有别的内容。", f"{out} holds something else."),
            Words("请给出空的或新的文件夹。", "Name an empty or a new folder."),
        )


def _check_rows(delivery: Delivery, raw: RawBatch, rows: int) -> None:
    """Raise ManifestError when a file has other rows than its manifest announced."""
    told = rows_differ(raw.batch.rows_announced, rows)
    if told:
        raise ManifestError(
            Words(
                f"{delivery.name}，{raw.batch.file_name}：{told.zh}。",
                f"{delivery.name}, {raw.batch.file_name}: {told.en}.",
            ),
            Words(
                "请重新完整交付该文件，并附同一次导出的清单。",
                "Deliver the file again, whole, with the manifest of the same export.",
            ),
        )
