"""Refines a batch as a Spark job: for batches that do not fit a task, and for merges.

Spark's workers check rows as a task does (``jobs.rules.rows``); what is about several rows is one
window each: exact duplicates, and rows that share a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

from contracts.rules import KEY_CONFLICT
from jobs.rules.rows import checked_rows, checked_schema
from jobs.seal import on_spark
from jobs.seal.plan import is_sealed
from jobs.spark.session import session
from jobs.spark.sql import identifier, quoted
from jobs.spark.types import spark_type
from jobs.tables.silver import BAD, GOOD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyspark.sql import DataFrame

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from jobs.rules.plan import RefinePlan

    Parts = Iterator[pa.RecordBatch]

_SYSTEM_TEXTS: Final = ("_row_error", "_extra")
_KEPT: Final = (on_spark.SOURCE_LINE, "_duplicate")


def landed_rows(home: Home, delivery: Delivery, files: Sequence[str]) -> DataFrame:
    """Return a batch as it came, in clear, from bronze's files.

    They are read with their schema given, as files: replaying the log is a job of its own, and
    costs Spark more than a bureau's daily batch does.
    """
    spark, contract = session(), delivery.contract
    texts = (*(c.name for c in contract.columns), *_SYSTEM_TEXTS)
    named = ", ".join(f"{identifier(name)} STRING" for name in texts)
    schema = f"{named}, {on_spark.SOURCE_LINE} BIGINT"
    if not files:
        return spark.createDataFrame([], schema)
    if is_sealed(contract):
        return on_spark.landed(home, contract, delivery.provider, files, texts)
    return spark.read.schema(schema).parquet(*files)


def refined_rows(rows: DataFrame, plan: RefinePlan, batch_id: str) -> DataFrame:
    """Return the batch's rows as a stage has them, in clear and not yet computed, with ``_ok``."""
    contract = plan.contract
    raw = ", ".join(identifier(c.name) for c in contract.columns)
    first = f"PARTITION BY {raw}, _row_error, _extra ORDER BY {on_spark.SOURCE_LINE}"
    marked = rows.selectExpr(
        *(identifier(c.name) for c in contract.columns),
        "_row_error",
        on_spark.SOURCE_LINE,
        f"row_number() OVER ({first}) > 1 AS _duplicate",
    )
    checked = marked.mapInArrow(_checking(plan), _schema(plan))
    conflicts = checked.selectExpr(*_with_conflicts(plan))
    bad = f"_duplicate OR {quarantining(plan)}"
    return conflicts.selectExpr(
        *(identifier(c.name) for c in contract.columns),
        on_spark.SOURCE_LINE,
        f"{quoted(batch_id)} AS _batch_id",
        f"DATE '{plan.business_date}' AS _business_date",
        "_duplicate",
        *plan.masks,
        f"CASE WHEN {bad} THEN '{BAD}' ELSE '{GOOD}' END AS _ok",
    )


def quarantining(plan: RefinePlan) -> str:
    """Return the predicate of a row that some ``error`` rule breaks."""
    parts = (f"({mask} & {bits}L) != 0L" for mask, bits in plan.quarantining.items())
    return f"({' OR '.join(parts)})"


def _schema(plan: RefinePlan) -> str:
    typed = (f"{identifier(c.name)} {spark_type(c)}" for c in plan.contract.columns)
    masks = (f"{mask} BIGINT" for mask in plan.masks)
    return ", ".join((*typed, *masks, f"{on_spark.SOURCE_LINE} BIGINT", "_duplicate BOOLEAN"))


def _checking(plan: RefinePlan) -> Callable[[Parts], Parts]:
    """Return what Spark's workers do; the plan crosses with it."""
    kept = pa.schema([pa.field(_KEPT[0], pa.int64()), pa.field(_KEPT[1], pa.bool_())])

    def run(parts: Parts) -> Parts:
        schema = pa.unify_schemas([checked_schema(plan), kept])
        for part in parts:
            checked = checked_rows(part, plan)
            columns = [*checked.columns, *(part[name] for name in _KEPT)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return run


def _with_conflicts(plan: RefinePlan) -> tuple[str, ...]:
    """Set the bit of otherwise good rows whose key another such row has."""
    if not plan.contract.key:
        return ("*",)
    [rule] = [rule for rule in plan.rules if rule.id == KEY_CONFLICT]
    mask, bit = plan.bit(rule)
    good = f"(NOT _duplicate AND NOT {quarantining(plan)})"
    key = ", ".join(identifier(c.name) for c in plan.contract.key)
    others = f"sum(CASE WHEN {good} THEN 1 ELSE 0 END) OVER (PARTITION BY {key})"
    flagged = f"{mask} + CASE WHEN {good} AND {others} > 1 THEN {bit}L ELSE 0L END AS {mask}"
    names = (identifier(c.name) for c in plan.contract.columns)
    return (*names, *_KEPT, *(m for m in plan.masks if m != mask), flagged)
