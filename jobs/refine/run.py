"""refine: runs the plan on Spark and writes the stage once.

The stage is built beside its final name and renamed, so a worker that was thought dead and finishes
later cannot mix its files into a stage that was already audited.
"""

from __future__ import annotations

import shutil
import uuid
from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError
from jobs.delta import has_transaction, open_table
from jobs.refine.merge import Merge, merge_base
from jobs.refine.plan import BAD, RefinePlan, make_plan
from jobs.refine.rules_sql import identifier, quoted
from jobs.silver import stage_path
from jobs.spark import session
from jobs.stages import LandedBatch, RefinedBatch

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from contracts.model import Contract

#: Names the version under a merge stage; Spark and Delta pass over names that begin with "_".
_BASE: Final = "_base_version"


class RowsVanishedError(JingshuError, ArithmeticError):
    """The stage does not hold the rows that landed: a fault of ours, never published."""


def refine(
    home: Home, delivery: Delivery, landed: LandedBatch, root: Path, *, again: bool = False
) -> RefinedBatch:
    """Cast, check, dedupe and stage a landed batch; a stage that is there is taken as it is.

    ``again`` stages anew: for a ``merge_key`` batch whose table has moved. ``root`` is the
    contracts tree. Raises RowsVanishedError when the staged rows are not the landed ones.
    """
    contract = delivery.contract
    stage = stage_path(home, landed.table, landed.batch_id)
    base = merge_base(home, landed) if contract.load.mode == "merge_key" else None
    seen = base.current_version if base else None
    if _is_published(home, landed):
        return _counted(landed, stage, _base_of(stage))  # its files are visible: never replaced
    if again or not (stage / "_SUCCESS").exists() or _base_of(stage) != seen:
        plan = make_plan(contract, landed.business_date, root)
        rows = refined_rows(home, contract, landed, plan)
        if base is not None:
            rows = Merge(home, contract, landed.table, base, plan.masks).over(rows)
        write_stage(rows, stage, seen)
    return _counted(landed, stage, seen)


def _is_published(home: Home, landed: LandedBatch) -> bool:
    silver = open_table(home.table("silver", landed.table))
    return has_transaction(silver, f"publish:{landed.batch_id}")


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


def write_stage(rows: DataFrame, stage: Path, base: int | None = None) -> None:
    """Write rows to a stage, partitioned by ``_ok``; it appears, or is replaced, when it is whole.

    ``base`` is the silver version that a merge was laid over; it is written down in the stage.
    """
    building = stage.with_name(f".building-{stage.name}-{uuid.uuid4().hex[:8]}")
    try:
        rows.write.partitionBy("_ok").mode("overwrite").parquet(str(building))
        if base is not None:
            (building / _BASE).write_text(str(base), "utf-8")
        if stage.exists():
            stage.rename(stage.with_name(f".old-{stage.name}-{uuid.uuid4().hex[:8]}"))
        building.rename(stage)
    finally:
        shutil.rmtree(building, ignore_errors=True)
        for old in stage.parent.glob(f".old-{stage.name}-*"):
            shutil.rmtree(old, ignore_errors=True)


def _base_of(stage: Path) -> int | None:
    """Return the silver version that a merge stage was laid over."""
    try:
        return int((stage / _BASE).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None


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
