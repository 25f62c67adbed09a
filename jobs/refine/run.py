"""refine: casts, checks and deduplicates a landed batch, and writes its stage once.

A batch that fits is refined by the task itself; a large one, and one that is laid over what its
table holds, by a Spark job. Both put rows through the same functions.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from deltalake import DeltaTable

from contracts.errors import JingshuError, UsageError
from contracts.words import Words
from jobs.names import Step
from jobs.refine.merge import Merge, merge_base
from jobs.refine.stage import base_of, is_whole, write_frame, write_rows
from jobs.rules.count import count_stage
from jobs.rules.plan import make_plan
from jobs.seal import on_spark as sealing
from jobs.seal.rows import sealed_table
from jobs.spark.session import compile_plans, session
from jobs.stages import RefinedBatch
from jobs.tables.delta import has_transaction, open_table
from jobs.tables.silver import stage_path

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from jobs.refine.merge import MergeBase
    from jobs.rules.plan import RefinePlan
    from jobs.stages import LandedBatch

#: Up to so many rows a task refines a batch itself (docs/decisions/0022).
HERE_UP_TO_ROWS: Final = 1_000_000
_SETTING: Final = "JINGSHU_REFINE_HERE_ROWS"
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
        return _counted(landed, stage, base_of(stage), plan)  # visible files are never replaced
    if again or not is_whole(stage) or base_of(stage) != seen:
        if landed.rows_landed <= _here_up_to() and (base is None or base.is_empty):
            _stage_here(home, delivery, landed, plan, seen)
        else:
            _stage_on_spark(home, delivery, landed, plan, base)
    return _counted(landed, stage, seen, plan)


def _here_up_to() -> int:
    told = os.environ.get(_SETTING, "").strip() or str(HERE_UP_TO_ROWS)
    if not (told.isascii() and told.isdigit()):
        raise UsageError(
            Words(
                f"{_SETTING} 的值 {told!r} 不是行数。",
                f"{_SETTING} is {told!r}, no number of rows.",
            ),
            Words(
                "请写一个整数；0 表示都用 Spark。", "Write a whole number; 0 means always on Spark."
            ),
        )
    return int(told)


def _stage_here(
    home: Home, delivery: Delivery, landed: LandedBatch, plan: RefinePlan, base: int | None
) -> None:
    from jobs.refine import here

    contract = delivery.contract
    rows = here.landed_rows(home, delivery, _files(home, landed))
    rows = here.refined_rows(rows, plan, landed.batch_id)
    stored = sealed_table(home, contract, landed.table, rows)
    stage = stage_path(home, landed.table, landed.batch_id)
    write_rows(stored, contract.columns, stage, base)


def _stage_on_spark(
    home: Home, delivery: Delivery, landed: LandedBatch, plan: RefinePlan, base: MergeBase | None
) -> None:
    from jobs.refine import on_spark

    contract = delivery.contract
    compile_plans(session(), is_worth_it=landed.rows_landed >= _COMPILED_FROM_ROWS)
    rows = on_spark.landed_rows(home, delivery, _files(home, landed))
    rows = on_spark.refined_rows(rows, plan, landed.batch_id)
    if base is not None:
        rows = Merge(home, contract, landed.table, base, plan.masks).over(rows)
    rows = sealing.sealed(home, contract, landed.table, rows)
    stage = stage_path(home, landed.table, landed.batch_id)
    write_frame(rows, contract.columns, stage, base.current_version if base else None)


def _files(home: Home, landed: LandedBatch) -> list[str]:
    """Return the very files that bronze's log names for a batch."""
    bronze = DeltaTable(str(home.table("bronze", landed.table)))
    return list(bronze.file_uris(file_pruning_predicate=[("_batch_id", "=", landed.batch_id)]))


def _is_published(home: Home, landed: LandedBatch) -> bool:
    silver = open_table(home.table("silver", landed.table))
    return has_transaction(silver, Step.PUBLISH.of(landed.batch_id))


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
