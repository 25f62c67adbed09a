"""What other dates left open: a held date blocks no other, so someone must remember. No I/O."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from contracts.words import Words
from jobs.record.governance import BatchRow
from portal.decisions import (
    LEVEL,
    OF_FINDING,
    OF_STATE,
    OF_STATUS,
    Decision,
    Kind,
    batch_commands,
    delivery_commands,
    finding_commands,
    finding_sentence,
    gravest_first,
    owner_of,
)
from portal.deliveries import current_batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from contracts.tree import Tree
    from jobs.record.governance import DeliveryRow, FindingRow

_STILL_OPEN: Final = ("refused", "held", "failed", "rejected")
#: What is to be delivered anew: a newer full snapshot holds all that it would have.
_TO_COME: Final = ("missing", "refused", "rejected")


def still_open(
    tree: Tree,
    deliveries: Iterable[DeliveryRow],
    batches: Sequence[BatchRow],
    besides: date,
    findings: Iterable[FindingRow] = (),
) -> tuple[Decision, ...]:
    """Return what all dates but one left open: one item a feed and kind, with all its dates.

    ``deliveries``, ``batches`` and ``findings`` are the newest rows of every date.
    """
    current = current_batches(b for b in batches if b.business_date != besides)
    newest = _newest_published(batches)
    rows: dict[tuple[Kind, str, str], list[DeliveryRow | BatchRow]] = defaultdict(list)
    for batch in current:
        is_moot = batch.status in _TO_COME and _is_replaced(tree, newest, batch)
        if batch.status in _STILL_OPEN and not is_moot:
            rows[OF_STATUS[batch.status], batch.provider, batch.dataset].append(batch)
    for delivery in deliveries:
        is_elsewhere = delivery.business_date != besides
        if is_elsewhere and _is_open(delivery) and not _is_replaced(tree, newest, delivery):
            kind = OF_STATE[delivery.state]
            rows[kind, delivery.provider, delivery.dataset].append(delivery)
    carried = (_carried(tree, kind, found) for (kind, _, _), found in rows.items())
    return gravest_first([*carried, *_above_their_level(tree, batches, besides, findings)])


def _above_their_level(
    tree: Tree, batches: Iterable[BatchRow], besides: date, findings: Iterable[FindingRow]
) -> Iterator[Decision]:
    """Yield what the newest batch of a feed holds above its level, if it is another date's."""
    above: dict[tuple[str, str | None], list[FindingRow]] = defaultdict(list)
    for finding in findings:
        if OF_FINDING[finding.status] is LEVEL:
            above[finding.table_name, finding.batch_id].append(finding)
    newest: dict[str, BatchRow] = {}
    for batch in sorted(current_batches(batches), key=lambda b: b.business_date):
        newest[batch.table] = batch
    for batch in newest.values():
        found = above.get((batch.table, batch.batch_id))
        if found and batch.business_date != besides:
            yield replace(
                _carried(tree, LEVEL, [batch]),
                why=tuple(finding_sentence(f) for f in found),
                commands=finding_commands(batch),
            )


def _is_replaced(
    tree: Tree, newest: Mapping[tuple[str, str], date], row: DeliveryRow | BatchRow
) -> bool:
    """Tell whether a newer full snapshot of the same feed is published."""
    contract = tree.sources.get(row.contract_id)
    later = newest.get((row.provider, row.dataset), row.business_date)
    is_snapshot = contract is not None and contract.load.mode == "full_snapshot"
    return is_snapshot and later > row.business_date


def _is_open(delivery: DeliveryRow) -> bool:
    refused_unread = delivery.state == "refused" and delivery.batch_id is None
    return delivery.state == "missing" or refused_unread


def _newest_published(batches: Iterable[BatchRow]) -> dict[tuple[str, str], date]:
    newest: dict[tuple[str, str], date] = {}
    for b in batches:
        if b.status == "published":
            feed = (b.provider, b.dataset)
            newest[feed] = max(b.business_date, newest.get(feed, b.business_date))
    return newest


def _carried(tree: Tree, kind: Kind, rows: Sequence[DeliveryRow | BatchRow]) -> Decision:
    oldest = min(rows, key=lambda r: r.business_date)
    contract = tree.sources.get(oldest.contract_id)
    provider = tree.provider(oldest.provider)
    return Decision(
        kind=kind,
        provider=provider,
        dataset=oldest.dataset,
        title=contract.title if contract else oldest.dataset,
        dates=tuple(sorted({r.business_date for r in rows})),
        why=(Words.read(oldest.reason),) if oldest.reason else (),
        more=0,
        since=min(r.finished_at if isinstance(r, BatchRow) else r.due_at for r in rows),
        owner=owner_of(contract, provider),
        commands=batch_commands(oldest)
        if isinstance(oldest, BatchRow)
        else delivery_commands(oldest, None),
        is_simulated=any(isinstance(r, BatchRow) and r.origin == "simulated" for r in rows),
        anchor=None,
    )
