"""A city day from end to end: the sandbox's exports, the stack, the dates, the pages."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from contracts.errors import JingshuError
from contracts.requested import city_tree
from contracts.words import Words, reader, text
from infra.stack.airflow import USER, passwords_file
from infra.stack.day import Day, abandon_leftovers
from infra.stack.outcome import Outcome, read_outcome
from infra.stack.stack import Stack
from sharing.endpoint import endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from contracts.layout import Home
    from infra.stack.plan import Step
    from infra.stack.rest import AirflowApi


#: What sending notices may take of a run; what is left waits for the next one.
_NOTICES_S: Final = 20.0


class Display(Protocol):
    """Where progress goes."""

    def say(self, line: str) -> None:
        """Tell one thing that happened."""

    def show(self, steps: Sequence[Step]) -> None:
        """Show where every DAG of the day stands."""


@dataclass(frozen=True)
class Summary:
    """What a run came to, day by day, and where to look at it."""

    days: tuple[Outcome, ...]
    addresses: dict[str, str]
    seconds: float

    @property
    def is_complete(self) -> bool:
        """Tell whether every date completed."""
        return all(day.is_complete for day in self.days)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "complete": self.is_complete,
            "days": [day.to_dict() for day in self.days],
            "addresses": self.addresses,
            "seconds": self.seconds,
        }


class CityRun:
    """Some business dates of one home, for all providers or for some."""

    def __init__(
        self,
        home: Home,
        dates: Sequence[date],
        providers: frozenset[str] | None,
        *,
        scale: int,
        seed: int,
    ) -> None:
        self._home = home
        self._dates = dates
        self._providers = providers
        self._scale = scale
        self._seed = seed

    def run(self, display: Display) -> Summary:
        """Run every date in order and stop all that was started, whatever happens.

        Raises:
            StackError: the stack did not start, or did not last.
        """
        began = time.monotonic()
        stack = Stack(self._home, "manual", display.say)
        is_kept = stack.adopt()
        try:
            if not is_kept:
                stack.begin()
            self._deliver(self._dates[0], display)
            if not is_kept:
                stack.wait_ready()
            days = self._run_dates(stack, display, is_kept=is_kept)
            self._follow_requests(display)
            self._notify(display)
            self._witness(display)
            page = self._build_page()
            addresses = self._addresses(stack, page, is_kept=is_kept)
        finally:
            if not is_kept:
                display.say(text("正在停止服务。", "Stopping the stack."))
                stack.stop()
        return Summary(tuple(days), addresses, round(time.monotonic() - began, 1))

    def _run_dates(self, stack: Stack, display: Display, *, is_kept: bool) -> list[Outcome]:
        days = []
        with stack.api() as api:
            if not is_kept and (left := abandon_leftovers(api)):
                display.say(
                    text(
                        f"先前服务的 {left} 个未完成的运行作废。",
                        f"{left} unfinished runs of an earlier stack given up.",
                    )
                )
            for business_date in self._dates:
                if business_date != self._dates[0]:
                    self._deliver(business_date, display)
                days.append(self._run_date(stack, api, business_date, display))
        return days

    def _run_date(
        self, stack: Stack, api: AirflowApi, business_date: date, display: Display
    ) -> Outcome:
        began = time.monotonic()
        display.say(text(f"业务日期 {business_date}", f"business date {business_date}"))
        day = Day(stack, api, business_date.isoformat())
        steps = day.complete(city_tree(self._home), self._providers, display.show)
        return read_outcome(self._home, business_date, steps, time.monotonic() - began)

    def _deliver(self, business_date: date, display: Display) -> None:
        """Let the simulated city deliver, unless somebody's own drop folder is in force."""
        if os.environ.get("JINGSHU_DROP"):
            return
        from infra.sandbox.city import generate_day

        display.say(
            text(
                f"沙盘城市交付 {business_date} 的数据。",
                f"The sandbox city delivers {business_date}.",
            )
        )
        generate_day(
            self._home,
            business_date,
            scale=self._scale,
            seed=self._seed,
            providers=set(self._providers) if self._providers else None,
        )

    def _follow_requests(self, display: Display) -> None:
        """Seed the requests of ``demo``, and take what time and use bring to all of them."""
        from contracts.moment import utc_now
        from sharing.control import Control
        from sharing.grants.grants import granted_tables
        from sharing.grants.recipients import NotItsRecipientError, ensure_profile
        from sharing.grants.returned import grant_returned
        from sharing.joined.make import retire_ended
        from sharing.requests import flow, seeds

        tree, at = city_tree(self._home), utc_now()
        with Control(self._home) as control:
            try:
                grant_returned(control, tree)
            except NotItsRecipientError as problem:  # one district's; the rest of the day goes on
                told = problem.words
                display.say(text(f"回流：{told.zh}", f"return: {told.en}"))
            seeds.seed(control, tree, at)
            flow.sweep(control, tree, at)
            retire_ended(self._home, control)
            if granted_tables(control, seeds.DEMO):
                ensure_profile(control, seeds.DEMO, self._profile)

    def _notify(self, display: Display) -> None:
        """Collect notices, and send them where addresses are configured; a day fails by neither."""
        from sharing.notices.rounds import collect_and_send

        try:
            told = collect_and_send(self._home, _NOTICES_S)
        except JingshuError as problem:
            why = problem.words
            display.say(text(f"通知：{why.zh}", f"notices: {why.en}"))
            return
        if told.new or told.sent or told.failed:
            display.say(text(f"通知：{told.words.zh}。", f"notices: {told.words.en}."))

    def _witness(self, display: Display) -> None:
        """Hand the log's newest checkpoint to the witnesses; a day fails by none that is away."""
        from lineage.evidence.witnesses import hand_over_all

        try:
            for witness, found in hand_over_all(self._home):
                display.say(_cosigned(witness.name, found).to(reader()))
        except JingshuError as problem:
            told = problem.words
            display.say(text(f"见证：{told.zh}", f"witnesses: {told.en}"))

    @property
    def _profile(self) -> Path:
        return self._home.root / "demo.share"

    def _build_page(self) -> Path:
        from portal.site import build_site

        return build_site(self._home, self._dates[-1])

    def _addresses(self, stack: Stack, page: Path, *, is_kept: bool) -> dict[str, str]:
        """Return where to look; servers that stop with this run are named by how to start them."""
        addresses = {
            "page": str(page),
            "lake": str(self._home.root / "lake"),
        }
        if self._profile.exists():
            addresses["profile"] = str(self._profile)
        if is_kept:
            addresses |= {
                "airflow": f"{stack.airflow.url} ({USER}, {passwords_file(self._home)})",
                "gateway": endpoint(),
            }
        else:
            addresses["servers"] = "./jingshu up"
        return addresses


def _cosigned(name: str, found: int | JingshuError) -> Words:
    """Say what came of handing the log's head to a witness."""
    if isinstance(found, JingshuError):
        return Words(f"见证：{found.words.zh}", f"witness: {found.words.en}")
    return Words(
        f"见证者 {name} 已联署 {found:,} 条。", f"The witness {name} cosigned {found:,} leaves."
    )
