"""The quarantine table of a feed: bad rows as they came, with their reasons and their state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

from jobs.names import Step
from jobs.tables.bronze import bronze_schema, system_fields
from jobs.tables.delta import among, dataset, open_table, rewrite_partition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.delivery import BatchStatus
    from contracts.layout import Home
    from contracts.model import Contract

#: The status of a bad row whose batch is what its table shows.
OPEN: Final = "open"
REASON = pa.struct(
    [
        pa.field("rule_id", pa.string()),
        pa.field("column", pa.string()),
        pa.field("message", pa.string()),
    ]
)


def schema(contract: Contract) -> pa.Schema:
    """Return quarantine's Arrow schema: bronze's strings, the reasons and the row's status."""
    own = {f.name: f for f in system_fields(contract)}
    columns = [f for f in bronze_schema(contract) if f.name not in own]
    level = {"jingshu.level": "L1"}
    return pa.schema(
        [
            *columns,
            own["_extra"],
            pa.field("_source_line", pa.int64(), metadata=level),
            pa.field("_batch_id", pa.string(), metadata=level),
            pa.field("_business_date", pa.date32(), metadata=level),
            pa.field("_reasons", pa.list_(REASON), metadata=level),
            pa.field("_status", pa.string(), metadata=level),
        ]
    )


def mark(home: Home, table: str, batch_id: str, status: BatchStatus) -> None:
    """Say in a batch's bad rows what became of it.

    Rows of a published batch are ``open``; of another (superseded, withdrawn) they bear its status,
    so that whoever reads the table itself can leave them out.
    """
    new_status = OPEN if status == "published" else status

    def marked(rows: pa.Table) -> pa.Table | None:
        if all(known == new_status for known in rows["_status"].unique().to_pylist()):
            return None
        at = rows.schema.get_field_index("_status")
        column = pa.array([new_status] * rows.num_rows, pa.string())
        return rows.set_column(at, rows.schema.field(at), column)

    name = Step.QUARANTINE.of(batch_id, new_status)
    rewrite_partition(home.table("quarantine", table), ("_batch_id", batch_id), marked, name)


def of_batches(home: Home, table: str, batch_ids: Sequence[str] | None = None) -> pa.Table | None:
    """Return the quarantined rows of some batches of one table, or of all."""
    found = open_table(home.table("quarantine", table))
    if found is None:
        return None
    only = None if batch_ids is None else among("_batch_id", batch_ids)
    return dataset(found).to_table(filter=only)
