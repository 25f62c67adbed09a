"""Rates of sharing, each with its numerator and denominator, a provider and a month.

No official formula was found; these are the domain reference's (§4, CDO). A rate of nothing is no
rate. What each counts of what, and in which month:

- ``sharing_rate``: entries that are mounted and that another body has, of those that may be shared;
  now. A table that is returned to a district (回流) is had by it, but not of what it delivered.
- ``demand_satisfied``, ``answered_on_time``, ``delivered_on_time``: requests, of those whose answer
  or delivery was due; the month in which it was.
- ``corrected_on_time``: corrections answered in time, of those answered or due; the month when due.
- ``correction_days``: working days that answers to corrections took, over the corrections that were
  answered; the month in which they were. A mean, and no rate.
- ``fixed_in_time``: issues fixed and tested again within 10 working days, of those fixed or due;
  the month when due. An issue is a batch that was held or rejected, or a correction. A batch is
  fixed by a publication of its delivery whose checks passed (``sharing.kpis.issues``), a correction
  by the answer "corrected"; one that its provider rejects counts as raised and not as fixed.
- ``recurred``: fixed batches of which a failed check stopped the same table again within 30 days,
  of those fixed at least 30 days ago; the month in which the 30 days ended. A batch that was
  rejected before it was checked names no check, and is not among them.
- ``disposal_overdue``: shares that ended and whose data nobody proved to be disposed of (Art. 27),
  of all shares that ended; the month of the end.

What rests on simulated data says so, and is never the city's performance (invariant 8).
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from contracts.model import CITY_TZ
from contracts.words import Words
from jobs.record import governance
from jobs.record.governance import BatchRow, CheckRow
from jobs.tables.delta import among
from sharing.grants.grants import end_of, list_grants
from sharing.kpis.issues import issues_of, recurred
from sharing.requests.corrections import list_corrections
from sharing.requests.parties import parties_of
from sharing.requests.states import HOLDING
from sharing.requests.tables import read_asks
from sharing.requests.timers import deadlines
from sharing.workdays import CalendarMissingError, workdays_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from contracts.layout import Home
    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.kpis.issues import Issue
    from sharing.requests.corrections import Correction
    from sharing.requests.tables import Ask

Name = Literal[
    "sharing_rate",
    "demand_satisfied",
    "answered_on_time",
    "delivered_on_time",
    "corrected_on_time",
    "correction_days",
    "fixed_in_time",
    "recurred",
    "disposal_overdue",
]
WORDS: dict[Name, Words] = {
    "sharing_rate": Words("数据共享率", "entries shared"),
    "demand_satisfied": Words("需求满足率", "requests delivered"),
    "answered_on_time": Words("按时答复率", "answers on time"),
    "delivered_on_time": Words("按时交付率", "deliveries on time"),
    "corrected_on_time": Words("异议处理率", "corrections on time"),
    "correction_days": Words("异议平均处理工作日", "workdays a correction"),
    "fixed_in_time": Words("质量问题整改率", "issues fixed in time"),
    "recurred": Words("复发率", "issues that came back"),
    "disposal_overdue": Words("超期未处置", "ended, not disposed of"),
}


@dataclass(frozen=True)
class Kpi:
    """One rate of one provider; ``month`` (YYYY-MM) None where it is of now."""

    name: Name
    provider: str
    month: str | None
    numerator: int
    denominator: int
    is_simulated: bool

    @property
    def rate(self) -> float | None:
        """The share, 0 to 1, or the mean in days; None of nothing."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def shown(self) -> str:
        """The rate as people read it: per cent, or days."""
        if self.rate is None:
            return "—"
        return f"{self.rate:.1f} d" if self.name == "correction_days" else f"{self.rate:.1%}"


@dataclass(frozen=True)
class Efficiency:
    """How long it takes from a request to its first read: median seconds over ``requests``."""

    median_s: float | None
    requests: int
    baseline_s: float | None

    @property
    def ratio(self) -> float | None:
        """How many times as fast as the baseline; the plan's target is 4."""
        if self.median_s and self.baseline_s:
            return self.baseline_s / self.median_s
        return None


def kpis(home: Home, tree: Tree, control: Control, at: datetime) -> list[Kpi]:
    """Return every rate, the providers in order, the months in order."""
    with control.read() as session:
        asks = read_asks(session)
    corrections = list_corrections(control)
    issues = _issues(home)
    batches = governance.latest_batches(home)
    simulated = {b.provider for b in batches if b.origin == "simulated"}
    granted = {g.table.rpartition(".")[2] for g in list_grants(control) if g.state == "active"}
    mounted = {b.table for b in batches if b.status == "published"}
    found = [
        *_shared(tree, mounted, granted, asks),
        *_answered(tree, asks, corrections, at),
        *_counted(_fixed(issues, corrections, at)),
        *_counted(_recurred(issues, at)),
        *_counted(_days(corrections)),
        *_counted(_disposed(tree, asks, at)),
    ]
    return sorted(
        (Kpi(n, p, m, x, y, p in simulated) for n, p, m, x, y in found),
        key=lambda k: (k.provider, k.name, k.month or ""),
    )


def efficiency(control: Control, baseline_s: float | None) -> Efficiency:
    """Return how long requests took from submission to their first read."""
    with control.read() as session:
        asks = read_asks(session)
    took = [
        (read.at - next(s.at for s in ask.steps if s.action == "submit")).total_seconds()
        for ask in asks
        if (read := ask.last("note_first_read"))
    ]
    return Efficiency(statistics.median(took) if took else None, len(took), baseline_s)


_Row = tuple[Name, str, "str | None", int, int]


def _shared(
    tree: Tree, mounted: set[str], granted: set[str], asks: Sequence[Ask]
) -> Iterator[_Row]:
    """Yield 数据共享率: mounted entries that another body has, of those that may be shared."""
    had = set(_granted_inputs(tree, granted))
    districts = {p.id for p in tree.providers.values() if p.kind == "district"}
    joined = {
        (s.contract, ask.asked.body)
        for ask in asks
        if ask.state in HOLDING
        for s in ask.asked.sources
    }
    counted: dict[str, list[bool]] = defaultdict(list)
    for feed in tree.feeds():
        sharing = feed.contract.sharing
        if sharing is None or sharing.attribute == "not_shared":
            continue
        others = any(c == feed.contract.id and body != feed.provider for c, body in joined)
        is_had = sharing.attribute == "unconditional" or others or (feed.contract.id, False) in had
        # What a district delivers comes back to that district alone: no other body has it (回流).
        is_had |= feed.provider not in districts and (feed.contract.id, True) in had
        counted[feed.provider].append(feed.table in mounted and is_had)
    for provider, each in counted.items():
        yield "sharing_rate", provider, None, sum(each), len(each)


def _granted_inputs(tree: Tree, granted: set[str]) -> Iterator[tuple[str, bool]]:
    """Yield what products with a granted table read, and whether that table is a returned one."""
    for product in tree.products.values():
        plan = product.product_plan
        for policy in plan.policies:
            if f"{product.product_table}__{policy.name}" in granted:
                yield from ((name, policy.name in plan.returned_to) for name in plan.inputs)


def _answered(
    tree: Tree, asks: Sequence[Ask], issues: Sequence[Correction], at: datetime
) -> Iterator[_Row]:
    counted: dict[tuple[Name, str, str], list[bool]] = defaultdict(list)
    for ask in asks:
        parties = parties_of(ask.asked, tree)
        for deadline in deadlines(ask, parties):
            if deadline.what == "calendar":
                continue  # the data authority's, and no provider's
            ends_at = deadline.ends_at
            if ends_at is None or (deadline.done_at is None and ends_at > at):
                continue  # it is not due yet
            name: Name = "answered_on_time" if deadline.what == "answer" else "delivered_on_time"
            for provider in parties.providers:
                in_time = not deadline.is_overdue(at)
                counted[name, provider, _month(ends_at)].append(in_time)
                if deadline.what == "answer":
                    is_met = ask.last("deliver") is not None
                    counted["demand_satisfied", provider, _month(ends_at)].append(is_met)
    for issue in issues:
        if issue.answered_at or issue.ends_at <= at:
            in_time = not issue.is_overdue(at)
            counted["corrected_on_time", issue.provider, _month(issue.ends_at)].append(in_time)
    for (name, provider, month), each in counted.items():
        yield name, provider, month, sum(each), len(each)


def _issues(home: Home) -> list[Issue]:
    """Read the city's issues; of the checks, those of stopped batches alone."""
    batches = governance.read(home, BatchRow)
    stopped = {r.batch_id for r in batches if r.status in ("held", "rejected")}
    checks = governance.read(home, CheckRow, among("batch_id", stopped))
    return issues_of(batches, checks)


#: One of what a rate counts: its name, its provider, the moment whose month it is of, its count.
_One = tuple[Name, str, "datetime", int]


def _counted(each: Iterable[_One]) -> Iterator[_Row]:
    """Sum what is counted, over a provider and a month."""
    counts: dict[tuple[Name, str, str], list[int]] = defaultdict(list)
    for name, provider, at, count in each:
        counts[name, provider, _month(at)].append(count)
    for (name, provider, month), numbers in counts.items():
        yield name, provider, month, sum(numbers), len(numbers)


def _fixed(
    issues: Iterable[Issue], corrections: Iterable[Correction], at: datetime
) -> Iterator[_One]:
    """Yield 质量问题整改率: whether each issue that is fixed or due was fixed in time."""
    for issue in issues:
        if issue.due_at is not None and (issue.fixed_at or issue.due_at <= at):
            yield "fixed_in_time", issue.provider, issue.due_at, issue.is_fixed_in_time
    for correction in corrections:
        if correction.answered_at or correction.ends_at <= at:
            is_fixed = correction.state == "corrected" and not correction.is_overdue(at)
            yield "fixed_in_time", correction.provider, correction.ends_at, is_fixed


def _recurred(issues: Sequence[Issue], at: datetime) -> Iterator[_One]:
    """Yield 复发率: whether each fault came back, once its time to come back is over."""
    for issue in issues:
        until = issue.watched_until
        if until is not None and until <= at and issue.rules:
            yield "recurred", issue.provider, until, recurred(issue, issues)


def _days(corrections: Iterable[Correction]) -> Iterator[_One]:
    """Yield the working days from each correction to its answer, where the calendar has them."""
    for correction in corrections:
        if correction.answered_at is None:
            continue
        try:
            days = workdays_between(correction.asked_at, correction.answered_at)
        except CalendarMissingError:
            continue
        yield "correction_days", correction.provider, correction.answered_at, days


def _disposed(tree: Tree, asks: Iterable[Ask], at: datetime) -> Iterator[_One]:
    """Yield 超期未处置: whether the proof is owed, for each share that ended (Art. 27)."""
    for ask in asks:
        ended_at = _ended_at(ask)
        if ask.last("deliver") is None or ended_at > at:
            continue
        for provider in parties_of(ask.asked, tree).providers:
            yield "disposal_overdue", provider, ended_at, ask.last("destroy") is None


def _ended_at(ask: Ask) -> datetime:
    """Return when a share ended, or will: its last day's end, or before that when it was closed."""
    closed = next((s for s in ask.steps if s.state == "closed"), None)
    ends = (end_of(ask.asked.ends_on), closed.at if closed else None)
    return min(end for end in ends if end is not None)


def _month(at: datetime) -> str:
    return f"{at.astimezone(CITY_TZ):%Y-%m}"


def totals(rows: Iterable[Kpi]) -> list[Kpi]:
    """Return each rate over all providers and months, as sums of numerators and denominators."""
    sums: dict[Name, list[Kpi]] = defaultdict(list)
    for row in rows:
        sums[row.name].append(row)
    return [
        Kpi(
            name,
            "*",
            None,
            sum(r.numerator for r in each),
            sum(r.denominator for r in each),
            any(r.is_simulated for r in each),
        )
        for name, each in sorted(sums.items())
    ]
