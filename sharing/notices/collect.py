"""Looks at what happened lately and puts a notice of each fact into the outbox, once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from contracts.errors import UsageError
from contracts.model import CITY_TZ
from contracts.requested import city_tree
from jobs import governance
from lineage.index import ask
from lineage.names import find
from lineage.walk import Walk
from sharing.impact import reached
from sharing.notices import facts, outbox
from sharing.notices.owed import timers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from contracts.layout import Home
    from jobs.governance import BatchRow
    from lineage.store import Store
    from lineage.walk import Node
    from sharing.control import Control
    from sharing.impact import Impact
    from sharing.notices.notice import Notice

#: What was longer ago was told, or is no news.
DAYS: Final = 7


def collect(control: Control, at: datetime, days: int = DAYS) -> int:
    """Put a notice of each fact of the last days and each deadline; return how many are new.

    A withdrawal is looked for by when it was recorded: the batch may be of any date.
    """
    found = [*notices(control.home, at, days)]
    found += facts.of_timers(timers(control, city_tree(control.home), at))
    return outbox.put(control, found, at)


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
