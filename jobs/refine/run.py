"""refine: runs the plan on Spark and writes the stage once.

The stage is built beside its final name and renamed, so a worker that was thought dead and finishes
later cannot mix its files into a stage that was already audited.
"""

from __future__ import annotations

import shutil
import uuid
from typing import TYPE_CHECKING, Final

from deltalake import DeltaTable

from contracts.errors import JingshuError
from contracts.words import Words
from jobs.names import Step
from jobs.refine.merge import Merge, merge_base
from jobs.rules.count import count_stage
from jobs.rules.plan import RefinePlan, make_plan
from jobs.seal import on_spark
from jobs.seal.plan import is_sealed
from jobs.spark.session import compile_plans, parquet_writer, session
from jobs.spark.sql import identifier, quoted
from jobs.stages import LandedBatch, RefinedBatch
from jobs.tables.delta import has_transaction, open_table
from jobs.tables.silver import stage_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pyspark.sql import DataFrame

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from contracts.model import Column, Contract

#: Names the version under a merge stage; Spark and Delta pass over names that begin with "_".
_BASE: Final = "_base_version"
_SYSTEM_TEXTS: Final = ("_row_error", "_extra")
#: Below this many rows Spark interprets a plan sooner than it compiles one: every contract's plan
#: is another, and compiling takes a second or two.
_COMPILED_FROM_ROWS: Final = 50_000


class RowsVanishedError(JingshuError, ArithmeticError):
    """The stage does not hold the rows that landed: a fault of ours, never published."""


def refine(
    home: Home, delivery: Delivery, landed: LandedBatch, *, again: bool = False
) -> RefinedBatch:
    """Cast, check, dedupe and stage a landed batch; a stage that is there is taken as it is.

    ``again`` stages anew: for a ``merge_key`` batch whose table has moved. Raises
    RowsVanishedError when the staged rows are not the landed ones.
    """
    contract = delivery.contract
    stage = stage_path(home, landed.table, landed.batch_id)
    base = merge_base(home, landed.batch) if contract.load.mode == "merge_key" else None
    seen = base.current_version if base else None
    plan = make_plan(delivery)
    if _is_published(home, landed):
        return _counted(landed, stage, _base_of(stage), plan)  # visible files are never replaced
    if again or not (stage / "_SUCCESS").exists() or _base_of(stage) != seen:
        compile_plans(session(), is_worth_it=landed.rows_landed >= _COMPILED_FROM_ROWS)
        rows = refined_rows(home, contract, landed, plan)
        if base is not None:
            rows = Merge(home, contract, landed.table, base, plan.masks).over(rows)
        rows = on_spark.sealed(home, contract, landed.table, rows)
        write_stage(rows, contract.columns, stage, seen)
    return _counted(landed, stage, seen, plan)


def _is_published(home: Home, landed: LandedBatch) -> bool:
    silver = open_table(home.table("silver", landed.table))
    return has_transaction(silver, Step.PUBLISH.of(landed.batch_id))


def refined_rows(
    home: Home, contract: Contract, landed: LandedBatch, plan: RefinePlan
) -> DataFrame:
    """Return the batch's rows after the plan, in clear and not yet computed."""
    rows = landed_rows(home, contract, landed)
    for projection in plan.projections:
        rows = rows.selectExpr(*projection)
    return rows


def landed_rows(home: Home, contract: Contract, landed: LandedBatch) -> DataFrame:
    """Return the batch as it came, from the very files that bronze's log names.

    They are read with their schema given, as files: replaying the log is a job of its own, and
    costs Spark more than a bureau's daily batch does.
    """
    bronze = DeltaTable(str(home.table("bronze", landed.table)))
    files = bronze.file_uris(file_pruning_predicate=[("_batch_id", "=", landed.batch_id)])
    texts = (*(c.name for c in contract.columns), *_SYSTEM_TEXTS)
    rows = _read(home, contract, landed.batch.provider, files, texts)
    return rows.selectExpr("*", f"{quoted(landed.batch_id)} AS _batch_id")


def _read(
    home: Home, contract: Contract, provider: str, files: list[str], texts: tuple[str, ...]
) -> DataFrame:
    spark = session()
    named = ", ".join(f"{identifier(name)} STRING" for name in texts)
    schema = f"{named}, {on_spark.SOURCE_LINE} BIGINT"
    if not files:
        return spark.createDataFrame([], schema)
    if is_sealed(contract):
        return on_spark.landed(home, contract, provider, files, texts)
    return spark.read.schema(schema).parquet(*files)


def write_stage(
    rows: DataFrame, columns: Sequence[Column], stage: Path, base: int | None = None
) -> None:
    """Write rows to a stage, partitioned by ``_ok``; it appears, or is replaced, when it is whole.

    ``columns`` tells the level of each. ``base`` is the silver version that a merge was laid over;
    it is written down in the stage.
    """
    building = stage.with_name(f".building-{stage.name}-{uuid.uuid4().hex[:8]}")
    try:
        parquet_writer(rows, columns).partitionBy("_ok").parquet(str(building))
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


def _counted(landed: LandedBatch, stage: Path, seen: int | None, plan: RefinePlan) -> RefinedBatch:
    """Count what is really in the stage's files, and hold it against what landed."""
    counted = count_stage(stage, landed.batch_id, plan)
    if counted.total != landed.rows_landed:
        raise RowsVanishedError(
            Words(
                f"{landed.table} 的批次 {landed.batch_id}：入湖 {landed.rows_landed} 行，"
                f"暂存 {counted.total} 行。",
                f"Batch {landed.batch_id} of {landed.table}: {landed.rows_landed} rows landed and"
                f" {counted.total} are staged.",
            ),
            Words(
                "请连同批次编号报告：这是京枢自身的故障。未发布任何内容。",
                "Report this with the batch id: it is a fault of Jingshu. Nothing was published.",
            ),
        )
    return RefinedBatch(
        batch=landed.batch,
        rows_landed=landed.rows_landed,
        rows_good=counted.good,
        rows_bad=counted.bad,
        rows_duplicate=counted.duplicate,
        silver_version_seen=seen,
        findings=landed.findings,
        notes=landed.notes,
        bronze_version=landed.bronze_version,
    )
