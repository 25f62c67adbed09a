"""The chief data officer's day: facts from the governance tables, worked out for one date.

The same tables give the same report: nothing here asks the clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jobs.record import governance
from portal.backlog import still_open
from portal.decisions import Decision, decisions
from portal.deliveries import Counts, Line, count, lines
from portal.products import Publication, publications
from portal.scores import ScoreRow, score_rows
from portal.words import CHECK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from contracts.layout import Home
    from contracts.tree import Feed, Tree
    from jobs.record.governance import BatchRow, CheckRow, DeliveryRow, FindingRow, PublicationRow
    from sharing.grants.grants import GrantView


@dataclass(frozen=True)
class Tables:
    """The newest rows that a page is made of.

    Deliveries, batches and findings of every date, since what another date left open is still to be
    decided; checks and publications of the page's date. ``grants`` is None where none are
    kept yet.
    """

    deliveries: Sequence[DeliveryRow]
    batches: Sequence[BatchRow]
    checks: Sequence[CheckRow]
    publications: Sequence[PublicationRow]
    grants: Sequence[GrantView] | None = None
    findings: Sequence[FindingRow] = ()


@dataclass(frozen=True)
class Report:
    """Everything the page says about one date."""

    business_date: date | None
    as_of: datetime | None
    """The newest moment (UTC) that the date's rows know of."""
    lines: tuple[Line, ...]
    counts: Counts
    decisions: tuple[Decision, ...]
    still_open: tuple[Decision, ...]
    """What every other date, earlier or later, left open."""
    open_as_of: datetime | None
    """The newest moment (UTC) that the rows of any date know of."""
    scores: tuple[ScoreRow, ...]
    publications: tuple[Publication, ...]
    checks: Mapping[str, tuple[CheckRow, ...]]
    """The results of each line's batch, by the line's anchor; what failed first."""
    silent: tuple[Feed, ...]
    """Feeds of the contracts that have no record on the date."""
    dates: tuple[date, ...]
    """Every date that has deliveries, newest first."""

    @property
    def urgent(self) -> tuple[Decision, ...]:
        """What waits for somebody's decision."""
        return tuple(d for d in self.decisions if d.is_urgent)

    @property
    def to_follow_up(self) -> tuple[Decision, ...]:
        """What is in use, and whose cause needs fixing."""
        return tuple(d for d in self.decisions if not d.is_urgent)

    @property
    def is_newest(self) -> bool:
        """Tell whether no later date has deliveries."""
        return self.business_date is None or self.later is None

    @property
    def earlier(self) -> date | None:
        """The date with deliveries before this one."""
        day = self.business_date
        return next((d for d in self.dates if day is not None and d < day), None)

    @property
    def later(self) -> date | None:
        """The date with deliveries after this one."""
        day = self.business_date
        return next((d for d in reversed(self.dates) if day is not None and d > day), None)

    @property
    def is_simulated(self) -> bool:
        """Tell whether anything on the page came from the simulated city."""
        return (
            any(line.is_simulated for line in self.lines)
            or any(p.is_simulated for p in self.publications)
            or any(d.is_simulated for d in self.still_open)
        )


def read_tables(home: Home, business_date: date | None) -> tuple[Tables, date | None]:
    """Read what a page for ``business_date`` needs, and which date that is by default."""
    tables = read_history(home)
    day = business_date or max((d.business_date for d in tables.deliveries), default=None)
    return of_date(home, tables, day), day


def read_history(home: Home) -> Tables:
    """Read what the pages of all dates need, and nothing of one date."""
    return Tables(
        deliveries=governance.latest_deliveries(home),
        batches=governance.latest_batches(home),
        checks=(),
        publications=(),
        findings=governance.findings(home),
    )


def of_date(home: Home, history: Tables, day: date | None) -> Tables:
    """Add to the rows of all dates what a page for ``day`` needs of its own."""
    of_day = sorted({b.batch_id for b in history.batches if b.business_date == day})
    tables = replace(
        history,
        checks=governance.check_results(home, of_day) if of_day else (),
        publications=governance.latest_publications(home, day) if day else (),
    )
    as_of = _as_of(tables, day)
    return replace(tables, grants=_grants(home, as_of) if as_of else None)


def _grants(home: Home, as_of: datetime) -> Sequence[GrantView] | None:
    from sharing.control import Control, has_control
    from sharing.grants.grants import list_grants

    if not has_control(home):
        return None

    with Control(home) as control:
        return list_grants(control, as_of)


def make_report(tree: Tree, tables: Tables, business_date: date | None) -> Report:
    """Work out one date's report. Pure: no clock, no I/O."""
    of_day = lines(
        tree,
        [d for d in tables.deliveries if d.business_date == business_date],
        tables.batches,
    )
    current = {
        (b.provider, b.dataset, b.batch_id): line.anchor
        for line in of_day
        if (b := line.own_batch) is not None
    }
    checks = [c for c in tables.checks if (c.provider, c.dataset, c.batch_id) in current]
    heard = {(line.delivery.provider, line.delivery.dataset) for line in of_day}
    return Report(
        business_date=business_date,
        as_of=_as_of(tables, business_date),
        open_as_of=max(
            (r.recorded_at for r in (*tables.deliveries, *tables.batches)), default=None
        ),
        lines=of_day,
        counts=count(of_day),
        decisions=decisions(
            of_day, checks, [f for f in tables.findings if f.business_date == business_date]
        ),
        still_open=still_open(
            tree, tables.deliveries, tables.batches, business_date, tables.findings
        )
        if business_date
        else (),
        scores=score_rows(of_day, checks),
        publications=publications(tree, tables.publications, tables.grants)
        if business_date
        else (),
        checks={
            anchor: tuple(sorted((c for c in checks if _key(c) == key), key=_gravity))
            for key, anchor in current.items()
        },
        silent=tuple(f for f in tree.feeds() if (f.provider, f.contract.dataset) not in heard),
        dates=tuple(sorted({d.business_date for d in tables.deliveries}, reverse=True)),
    )


def _key(check: CheckRow) -> tuple[str, str, str]:
    return (check.provider, check.dataset, check.batch_id)


def _gravity(check: CheckRow) -> tuple[int, int, str]:
    order = list(CHECK)
    place = order.index(check.status) if check.status in order else 0
    return (place, -(check.failed or 0), check.rule_id)


def _as_of(tables: Tables, day: date | None) -> datetime | None:
    known = (
        *((r.business_date, r.recorded_at) for r in tables.deliveries),
        *((r.business_date, r.recorded_at) for r in tables.batches),
        *((r.business_date, r.recorded_at) for r in tables.checks),
        *((r.business_date, r.recorded_at) for r in tables.publications),
    )
    return max((at for of, at in known if of == day), default=None)
