"""Looks at what happened lately and puts a notice of each fact into the outbox, once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from contracts.errors import UsageError
from contracts.model import CITY_TZ
from contracts.requested import city_tree
from jobs.record import governance
from lineage.index import ask
from lineage.names import find
from lineage.walk import Walk
from sharing.grants.grants import list_grants
from sharing.grants.impact import reached
from sharing.notices import facts, outbox, seen
from sharing.notices.owed import timers
from sharing.notices.shape import breaks, shapes
from sharing.tables.names import SHARE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from contracts.layout import Home
    from jobs.record.governance import BatchRow
    from lineage.store import Store
    from lineage.walk import Node
    from sharing.control import Control
    from sharing.grants.impact import Impact
    from sharing.notices.facts import BreakingChange
    from sharing.notices.notice import Notice
    from sharing.notices.seen import Change

#: What was longer ago was told, or is no news.
DAYS: Final = 7


def collect(control: Control, at: datetime, days: int = DAYS) -> int:
    """Put a notice of each fact, deadline and breaking change; return how many are new.

    Facts are those of the last days; a withdrawal is looked for by when it was recorded, for the
    batch may be of any date. What shared tables look like is remembered for the next time.
    """
    tree = city_tree(control.home)
    changed = seen.changes(control, shapes(tree))
    found = [*notices(control.home, at, days)]
    found += facts.of_timers(timers(control, tree, at))
    for change in breaking(control, changed, at):
        found += facts.of_breaking_change(change)
    new = outbox.put(control, found, at)
    seen.remember(control, changed, at)
    return new


def breaking(control: Control, changed: Iterable[Change], at: datetime) -> Iterator[BreakingChange]:
    """Yield each change that breaks what the holders of an active grant do.

    The first sight of a table, or of one that is made again, is no change of what they read.
    """
    readers: dict[str, list[str]] = {}
    for grant in list_grants(control, at):
        share, _, rest = grant.table.partition(".")
        if grant.state == "active" and share == SHARE:  # others' tables have no contract
            readers.setdefault(rest.rpartition(".")[2], []).append(grant.recipient)
    for change in changed:
        found = breaks(change.before, change.after) if change.before else ()
        if change.before and found and change.table in readers:
            yield facts.BreakingChange(
                table=change.table,
                number=change.seq,
                contract=change.before.contract,
                before=change.before.version,
                after=change.after.version if change.after else None,
                breaks=found,
                readers=tuple(sorted(set(readers[change.table]))),
            )


def notices(home: Home, at: datetime, days: int) -> Iterator[Notice]:
    """Yield a notice of each fact; the same facts give the same notices."""
    since = at.astimezone(CITY_TZ).date() - timedelta(days=days)
    yield from facts.of_deliveries(
        r for r in governance.latest_deliveries(home) if r.business_date >= since
    )
    batches = governance.latest_batches(home)
    yield from facts.of_batches(r for r in batches if r.business_date >= since)
    for row in batches:
        if row.status == "withdrawn" and row.recorded_at >= at - timedelta(days=days):
            fed = shared_of(home, row)
            tables = sorted({s.table.partition("/")[2] for s in fed.shared}) if fed else []
            yield from facts.of_withdrawal(row, fed.recipients if fed else (), tables)


def shared_of(home: Home, row: BatchRow) -> Impact | None:
    """Return what is shared of a batch's table; None where no event speaks of it."""

    def downward(store: Store) -> Node | None:
        try:
            dataset, column = find(store, f"silver/{row.table}")
        except UsageError:
            return None
        return Walk(store, "down", None).begin(dataset, column)

    root = ask(home, downward)
    return None if root is None else reached(home, root)
