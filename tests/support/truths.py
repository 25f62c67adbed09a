"""Holds a lake against what the sandbox knows of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc
from deltalake import DeltaTable

from jobs.record import governance
from jobs.tables.delta import dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home
    from infra.sandbox.truth import DayTruth, DeliveryTruth
    from jobs.record.governance import BatchRow


def differences(home: Home, truth: DayTruth) -> list[str]:
    """Return what of a day came out otherwise than the truth says: nothing, if all is well."""
    day = truth.business_date
    states = {f"{d.provider}/{d.dataset}": d.state for d in governance.latest_deliveries(home, day)}
    batches: dict[str, BatchRow] = {}
    for row in governance.latest_batches(home, day):
        feed = f"{row.provider}/{row.dataset}"
        if feed not in batches or batches[feed].revision < row.revision:
            batches[feed] = row
    found = []
    for feed, delivery in truth.deliveries.items():
        if states.get(feed) != delivery.delivery_state:
            found.append(f"{feed}: {states.get(feed)}, not {delivery.delivery_state}")
        found += [f"{feed}: {what}" for what in _batch(home, delivery, batches.get(feed))]
    return found


def _batch(home: Home, delivery: DeliveryTruth, row: BatchRow | None) -> Iterator[str]:
    status = row.status if row else None
    if status != delivery.batch_status:
        yield f"the batch is {status}, not {delivery.batch_status}: {row.reason if row else ''}"
    if row is None or status != "published" or delivery.batch_status != "published":
        return
    counts = (row.rows_landed, row.rows_published, row.rows_quarantined, row.rows_duplicate)
    wanted = (delivery.rows, delivery.good, delivery.quarantined, delivery.duplicates)
    if counts != wanted:
        yield f"landed, published, quarantined, duplicate: {counts}, not {wanted}"
    reasons = _reasons(home, row)
    planted = {f.line: sorted(f.rule_ids) for f in delivery.faults}
    for line in sorted(planted.keys() | reasons.keys()):
        if planted.get(line) != reasons.get(line):
            yield f"line {line}: {reasons.get(line)}, not {planted.get(line)}"


def _reasons(home: Home, row: BatchRow) -> dict[int, list[str]]:
    """Return source line → rule ids of a batch's rows in quarantine."""
    path = home.table("quarantine", row.table)
    if not path.exists():
        return {}
    mine = pc.field("_batch_id") == row.batch_id
    rows = dataset(DeltaTable(str(path))).to_table(["_source_line", "_reasons"], mine)
    return {
        r["_source_line"]: sorted(reason["rule_id"] for reason in r["_reasons"])
        for r in rows.to_pylist()
    }
