"""Rates of sharing, each with its numerator and denominator, a provider and a month.

No official formula was found; these are the domain reference's (§4, CDO). A rate of nothing is no
rate. What rests on simulated data says so, and is never the city's performance (invariant 8).
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from contracts.model import CITY_TZ
from jobs import governance
from sharing.grants import list_grants
from sharing.requests.corrections import list_corrections
from sharing.requests.parties import parties_of
from sharing.requests.states import HOLDING
from sharing.requests.tables import read_asks
from sharing.requests.timers import deadlines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from contracts.layout import Home
    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.requests.corrections import Correction
    from sharing.requests.tables import Ask

Name = Literal[
    "sharing_rate",
    "demand_satisfied",
    "answered_on_time",
    "delivered_on_time",
    "corrected_on_time",
]
WORDS: dict[Name, str] = {
    "sharing_rate": "数据共享率 entries shared",
    "demand_satisfied": "需求满足率 requests delivered",
    "answered_on_time": "按时答复率 answers on time",
    "delivered_on_time": "按时交付率 deliveries on time",
    "corrected_on_time": "异议处理率 corrections on time",
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
        """The share, 0 to 1; None of nothing."""
        return self.numerator / self.denominator if self.denominator else None


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
    issues = list_corrections(control)
    batches = governance.latest_batches(home)
    simulated = {b.provider for b in batches if b.origin == "simulated"}
    granted = {g.table.rpartition(".")[2] for g in list_grants(control) if g.state == "active"}
    mounted = {b.table for b in batches if b.status == "published"}
    found = [*_shared(tree, mounted, granted, asks), *_answered(tree, asks, issues, at)]
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
    products = {
        name
        for product in tree.products.values()
        if any(
            f"{product.product_table}__{p.name}" in granted for p in product.product_plan.policies
        )
        for name in product.product_plan.inputs
    }
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
        is_had = sharing.attribute == "unconditional" or feed.contract.id in products or others
        counted[feed.provider].append(feed.table in mounted and is_had)
    for provider, each in counted.items():
        yield "sharing_rate", provider, None, sum(each), len(each)


def _answered(
    tree: Tree, asks: Sequence[Ask], issues: Sequence[Correction], at: datetime
) -> Iterator[_Row]:
    counted: dict[tuple[Name, str, str], list[bool]] = defaultdict(list)
    for ask in asks:
        parties = parties_of(ask.asked, tree)
        for deadline in deadlines(ask, parties):
            if deadline.due_at is None or (deadline.done_at is None and deadline.due_at > at):
                continue  # it is not due yet, or nobody can say when it is
            name: Name = "answered_on_time" if deadline.what == "answer" else "delivered_on_time"
            for provider in parties.providers:
                in_time = not deadline.is_overdue(at)
                counted[name, provider, _month(deadline.due_at)].append(in_time)
                if deadline.what == "answer":
                    is_met = ask.last("deliver") is not None
                    counted["demand_satisfied", provider, _month(deadline.due_at)].append(is_met)
    for issue in issues:
        if issue.due_at is not None and (issue.answered_at or issue.due_at <= at):
            in_time = not issue.is_overdue(at)
            counted["corrected_on_time", issue.provider, _month(issue.due_at)].append(in_time)
    for (name, provider, month), each in counted.items():
        yield name, provider, month, sum(each), len(each)


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
