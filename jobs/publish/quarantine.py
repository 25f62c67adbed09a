"""Finds a batch's bad rows with their reasons, and appends them to quarantine, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from jobs.names import Step
from jobs.rules.plan import make_plan
from jobs.tables.bronze import statistics_only_on
from jobs.tables.delta import append_once, dataset, open_table
from jobs.tables.quarantine import OPEN, REASON, schema
from jobs.tables.silver import BAD, stage_path

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from jobs.rules.plan import RefinePlan


def bad_rows(home: Home, delivery: Delivery, batch_id: str) -> pa.Table:
    """Return a batch's bad rows: raw strings from bronze, reasons decoded from the stage's masks.

    Dropped duplicates are no bad rows. Sorted by source line.
    """
    contract, day = delivery.contract, delivery.business_date
    reasons = _reasons(stage_path(home, delivery.table, batch_id), make_plan(delivery))
    bronze = open_table(home.table("bronze", delivery.table))
    if not reasons or bronze is None:
        return schema(contract).empty_table()
    lines = pa.array(list(reasons), pa.int64())
    raw = dataset(bronze).to_table(
        filter=(pc.field("_batch_id") == batch_id) & pc.field("_source_line").isin(lines)
    )
    raw = raw.sort_by("_source_line")
    found = raw["_source_line"].to_pylist()
    made = (
        raw.append_column("_reasons", pa.array([reasons[n] for n in found], pa.list_(REASON)))
        .append_column("_status", pa.array([OPEN] * len(found), pa.string()))
        .append_column("_business_date", pa.array([day] * len(found), pa.date32()))
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
            {"rule_id": rule.id, "column": rule.column, "message": rule.message.stored()}
            for rule, mask, bit in errors
            if row[mask] & bit
        ]
        for row in staged.to_pylist()
    }


def append(home: Home, delivery: Delivery, batch_id: str) -> int:
    """Append a batch's bad rows to quarantine, once; return how many there are."""
    rows = bad_rows(home, delivery, batch_id)
    if rows.num_rows:
        append_once(
            home.table("quarantine", delivery.table),
            lambda: rows,
            Step.QUARANTINE.of(batch_id),
            partition_by=["_batch_id"],
            configuration=statistics_only_on(delivery.contract, "_source_line", "_business_date"),
        )
    return int(rows.num_rows)
