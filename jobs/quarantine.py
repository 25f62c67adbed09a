"""Quarantine: every bad row as it came, with its line, its reasons and a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from contracts.delivery import Delivery
from jobs import governance
from jobs.delta import append_once, dataset, open_table, rewrite_partition
from jobs.land import bronze_schema, statistics_only_on, system_fields
from jobs.refine.plan import BAD, make_plan
from jobs.silver import stage_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from contracts.delivery import BatchStatus
    from contracts.layout import Home
    from contracts.model import Contract
    from jobs.refine.plan import RefinePlan
    from jobs.stages import Batch

#: The status of a bad row whose batch is what its table shows.
OPEN: Final = "open"
_REASON = pa.struct(
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
            pa.field("_reasons", pa.list_(_REASON), metadata=level),
            pa.field("_status", pa.string(), metadata=level),
        ]
    )


def bad_rows(home: Home, contract: Contract, batch: Batch, root: Path) -> pa.Table:
    """Return a batch's bad rows: raw strings from bronze, reasons decoded from the stage's masks.

    Dropped duplicates are no bad rows. Sorted by source line.
    """
    plan = make_plan(Delivery(contract, batch.provider, batch.business_date), root)
    reasons = _reasons(stage_path(home, batch.table, batch.batch_id), plan)
    bronze = open_table(home.table("bronze", batch.table))
    if not reasons or bronze is None:
        return schema(contract).empty_table()
    lines = pa.array(list(reasons), pa.int64())
    raw = dataset(bronze).to_table(
        filter=(pc.field("_batch_id") == batch.batch_id) & pc.field("_source_line").isin(lines)
    )
    raw = raw.sort_by("_source_line")
    found = raw["_source_line"].to_pylist()
    made = (
        raw.append_column("_reasons", pa.array([reasons[n] for n in found], pa.list_(_REASON)))
        .append_column("_status", pa.array([OPEN] * len(found), pa.string()))
        .append_column("_business_date", pa.array([batch.business_date] * len(found), pa.date32()))
    )
    return made.select(schema(contract).names).cast(schema(contract))


def _reasons(stage: Path, plan: RefinePlan) -> dict[int, list[dict[str, Any]]]:
    """Decode the masks of a stage's bad rows: line → reasons, error rules only."""
    folder = stage / f"_ok={BAD}"
    if not folder.is_dir():
        return {}
    staged = ds.dataset(folder, format="parquet").to_table(
        columns=["_source_line", "_duplicate", *plan.masks], filter=~pc.field("_duplicate")
    )
    errors = [(r, *plan.bit(r)) for r in plan.rules if r.severity == "error"]
    return {
        row["_source_line"]: [
            {"rule_id": rule.id, "column": rule.column, "message": rule.message}
            for rule, mask, bit in errors
            if row[mask] & bit
        ]
        for row in staged.to_pylist()
    }


def append(home: Home, contract: Contract, batch: Batch, root: Path) -> int:
    """Append a batch's bad rows to quarantine, once; return how many there are."""
    rows = bad_rows(home, contract, batch, root)
    if rows.num_rows:
        append_once(
            home.table("quarantine", batch.table),
            lambda: rows,
            f"quarantine:{batch.batch_id}",
            partition_by=["_batch_id"],
            configuration=statistics_only_on(contract, "_source_line", "_business_date"),
        )
    return int(rows.num_rows)


def mark(home: Home, table: str, batch_id: str, status: BatchStatus) -> None:
    """Say in a batch's bad rows what became of it.

    Rows of a published batch are ``open``; of another (superseded, withdrawn) they bear its status,
    so that whoever reads the table itself can leave them out.
    """
    said = OPEN if status == "published" else status

    def marked(rows: pa.Table) -> pa.Table | None:
        if all(known == said for known in rows["_status"].unique().to_pylist()):
            return None
        at = rows.schema.get_field_index("_status")
        column = pa.array([said] * rows.num_rows, pa.string())
        return rows.set_column(at, rows.schema.field(at), column)

    name = f"quarantine:{batch_id}:{said}"
    rewrite_partition(home.table("quarantine", table), ("_batch_id", batch_id), marked, name)


def of_batches(home: Home, table: str, batch_ids: Sequence[str] | None = None) -> pa.Table | None:
    """Return the quarantined rows of some batches of one table, or of all."""
    found = open_table(home.table("quarantine", table))
    if found is None:
        return None
    only = None if batch_ids is None else governance.among("_batch_id", batch_ids)
    return dataset(found).to_table(filter=only)
