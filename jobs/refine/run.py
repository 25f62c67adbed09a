"""refine: runs the plan on Spark and writes the stage once.

The stage is built beside its final name and renamed, so a worker that was thought dead and finishes
later cannot mix its files into a stage that was already audited.
"""

from __future__ import annotations

import shutil
import uuid
from typing import TYPE_CHECKING

from contracts.errors import JingshuError
from jobs.refine.plan import BAD, CARRIED, GOOD, OUTDATED, TOMBSTONE, RefinePlan, make_plan
from jobs.refine.rules_sql import identifier, quoted
from jobs.silver import MergeBase, merge_base, stage_path
from jobs.spark import session
from jobs.stages import LandedBatch, RefinedBatch

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from contracts.model import Contract

class RowsVanishedError(JingshuError, ArithmeticError):
    """The stage does not hold the rows that landed: a fault of ours, never published."""


def refine(
    home: Home, delivery: Delivery, landed: LandedBatch, root: Path, *, again: bool = False
) -> RefinedBatch:
    """Cast, check, dedupe and stage a landed batch; a stage that is there is taken as it is.

    ``again`` stages anew: for a ``merge_key`` batch whose table has moved. ``root`` is the contracts
    tree. Raises RowsVanishedError when the staged rows are not the landed ones.
    """
    contract = delivery.contract
    stage = stage_path(home, landed.table, landed.batch_id)
    base = merge_base(home, landed) if contract.load.mode == "merge_key" else None
    seen = base.current_version if base else None
    if again or not (stage / "_SUCCESS").exists():
        plan = make_plan(contract, landed.business_date, root)
        rows = refined_rows(home, contract, landed, plan)
        if base is not None:
            rows = _merged(home, contract, landed, rows, base, plan)
        _write(rows, stage)
    return _counted(landed, stage, seen)


def refined_rows(
    home: Home, contract: Contract, landed: LandedBatch, plan: RefinePlan
) -> DataFrame:
    """Return the batch's rows after the plan, not yet computed."""
    bronze = home.table("bronze", landed.table)
    names = ", ".join(identifier(c.name) for c in contract.columns)
    rows = session().sql(
        f"SELECT {names}, _source_line, _row_error, _extra, _batch_id FROM delta.`{bronze}`"  # noqa: S608
        f" WHERE _batch_id = {quoted(landed.batch_id)}"
    )
    rows = rows.selectExpr(*plan.normalise).selectExpr(*plan.cast).selectExpr(*plan.check)
    if plan.conflict:
        rows = rows.selectExpr(*plan.conflict)
    return rows.selectExpr(*plan.output)


def _merged(
    home: Home,
    contract: Contract,
    landed: LandedBatch,
    rows: DataFrame,
    base: MergeBase,
    plan: RefinePlan,
) -> DataFrame:
    """Lay the batch over the table: one window decides, per key, which row counts.

    The newest business date wins, then the newest batch. What loses is outdated (the batch's) or
    superseded (the table's); deletions stay as tombstones, so that an older row cannot come back.
    """
    spark = session()
    silver = home.table("silver", landed.table)
    kept = [identifier(c.name) for c in contract.columns] + [
        "_source_line",
        "_batch_id",
        "_business_date",
    ]
    masks = [f"0L AS {m}" for m in plan.masks]
    marker = contract.load.delete_marker
    deleted = "false"
    if marker is not None:
        values = ", ".join(quoted(v) for v in marker.values)
        deleted = f"coalesce(CAST({identifier(marker.column)} AS STRING) IN ({values}), false)"

    def tagged(frame: DataFrame, priority: int, gone: str) -> DataFrame:
        return frame.selectExpr(
            *kept, "false AS _duplicate", *masks, f"{gone} AS _gone", f"{priority} AS _priority"
        )

    union = rows.selectExpr(
        *kept,
        "_duplicate",
        *plan.masks,
        f"{deleted} AS _gone",
        f"CASE WHEN _ok = '{BAD}' THEN -1 ELSE 0 END AS _priority",
    )
    for age, replayed in enumerate(reversed(base.replay), start=1):
        stage = stage_path(home, landed.table, replayed)
        again = spark.read.parquet(str(stage)).where(
            f"_ok IN ('{GOOD}', '{TOMBSTONE}', '{OUTDATED}') AND _batch_id = {quoted(replayed)}"
        )
        union = union.unionByName(tagged(again, age, deleted))
    oldest = len(base.replay) + 1
    if base.version is not None:
        table = spark.sql(f"SELECT * FROM delta.`{silver}` VERSION AS OF {base.version}")  # noqa: S608
        union = union.unionByName(tagged(table, oldest, "false"))
    if base.tombstones is not None:
        gone = spark.read.parquet(str(silver / base.tombstones))
        union = union.unionByName(tagged(gone, oldest, "true"))
    key = ", ".join(identifier(c.name) for c in contract.key)
    ranked = union.selectExpr(
        "*",
        f"row_number() OVER (PARTITION BY _priority < 0, {key}"
        " ORDER BY _business_date DESC, _priority ASC, _source_line ASC) AS _rank",
    )
    state = (
        f"CASE WHEN _priority < 0 THEN '{BAD}'"
        f" WHEN _rank > 1 AND _priority = 0 THEN '{OUTDATED}'"
        " WHEN _rank > 1 THEN NULL"
        f" WHEN _gone THEN '{TOMBSTONE}'"
        f" WHEN _priority = 0 THEN '{GOOD}' ELSE '{CARRIED}' END"
    )
    return ranked.selectExpr(
        *kept, "_duplicate", *plan.masks, f"{state} AS _ok"
    ).where("_ok IS NOT NULL")


def _write(rows: DataFrame, stage: Path) -> None:
    building = stage.with_name(f".building-{stage.name}-{uuid.uuid4().hex[:8]}")
    try:
        rows.write.partitionBy("_ok").mode("overwrite").parquet(str(building))
        if stage.exists():
            stage.rename(stage.with_name(f".old-{stage.name}-{uuid.uuid4().hex[:8]}"))
        building.rename(stage)
    finally:
        shutil.rmtree(building, ignore_errors=True)
        for old in stage.parent.glob(f".old-{stage.name}-*"):
            shutil.rmtree(old, ignore_errors=True)


def _counted(landed: LandedBatch, stage: Path, seen: int | None) -> RefinedBatch:
    """Count what is really in the stage's files, and hold it against what landed."""
    counted = (
        session()
        .read.parquet(str(stage))
        .where(f"_batch_id = {quoted(landed.batch_id)}")
        .selectExpr(
            f"count_if(_ok <> '{BAD}') AS good",
            f"count_if(_ok = '{BAD}' AND NOT _duplicate) AS bad",
            "count_if(_duplicate) AS duplicate",
        )
        .collect()[0]
    )
    total = counted.good + counted.bad + counted.duplicate
    if total != landed.rows_landed:
        raise RowsVanishedError(
            f"Batch {landed.batch_id} of {landed.table}: {landed.rows_landed} rows landed and"
            f" {total} are staged.",
            "Report this with the batch id: it is a fault of Jingshu. Nothing was published.",
        )
    fields = {
        k: getattr(landed, k)
        for k in type(landed).model_fields
        if k not in ("kind", "bronze_version")
    }
    return RefinedBatch(
        **fields,
        rows_good=counted.good,
        rows_bad=counted.bad,
        rows_duplicate=counted.duplicate,
        silver_version_seen=seen,
    )
