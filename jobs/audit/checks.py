"""Cross-row checks on the staged rows: contract SQL and library metrics, on Spark.

Uniqueness is one group-by per distinct key set; all other library metrics share one aggregate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from contracts.errors import JingshuError
from jobs.audit.compare import holds, in_words
from jobs.refine.rules_sql import identifier, quoted
from jobs.stages import CheckResult

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from pyspark.sql import DataFrame, SparkSession

    from contracts.model import Contract, Quality

METRICS: Final = ("rowCount", "nullValues", "missingValues", "invalidValues", "duplicateValues")


class CheckError(JingshuError, ValueError):
    """A check that cannot be run as it is written."""


def read_only(query: str, view: str) -> str:
    """Return the query if it is one SELECT over ``view`` alone.

    Raises CheckError otherwise: contract SQL never writes and never reads another table.
    """
    try:
        statements = sqlglot.parse(query, dialect="spark")
    except SqlglotError as bad:
        raise CheckError(
            f"The query is not Spark SQL: {str(bad).splitlines()[0]}.", "Correct the query."
        ) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise CheckError("The query is not one SELECT.", "Write a single SELECT.")
    statement = statements[0]
    if any(statement.find(kind) for kind in (exp.Insert, exp.Update, exp.Delete, exp.Command)):
        raise CheckError("The query writes.", "Write a SELECT only.")
    own = {cte.alias for cte in statement.find_all(exp.CTE)} | {view}
    foreign = {t.sql(dialect="spark") for t in statement.find_all(exp.Table)} - own
    foreign = {t for t in foreign if t.split(" ")[0].strip("`") not in own}
    if foreign:
        raise CheckError(
            f"The query reads {min(foreign)}.", "Read {object} only: the contract's own table."
        )
    return query


def run(
    spark: SparkSession,
    accepted: DataFrame,
    view: str,
    contract: Contract,
    business_date: date,
    rows: int,
) -> list[CheckResult]:
    """Run a contract's sql and library checks over the accepted rows, seen as ``view``."""
    results = [
        _sql(spark, view, q, business_date, rows) for q in contract.quality if q.type == "sql"
    ]
    library = [q for q in contract.quality if q.type == "library"]
    return results + _library(accepted, contract, library, rows)


def _sql(
    spark: SparkSession, view: str, quality: Quality, business_date: date, rows: int
) -> CheckResult:
    query = (quality.query or "").replace("{object}", view).replace("${object}", view)
    query = query.replace("{business_date}", business_date.isoformat())
    try:
        found = spark.sql(read_only(query, view)).collect()
        value = float(found[0][0]) if found and found[0][0] is not None else 0.0
    except CheckError as refused:
        return result(quality, "error", str(refused), checked=rows)
    except Exception as error:  # noqa: BLE001  (any engine fault is this check's result)
        return result(quality, "error", _first_line(error), checked=rows)
    return measured(quality, value, rows)


def _library(
    accepted: DataFrame, contract: Contract, checks: Sequence[Quality], rows: int
) -> list[CheckResult]:
    results: list[CheckResult] = []
    sums: dict[str, str] = {}
    for quality in checks:
        if quality.metric not in METRICS:
            results.append(
                result(
                    quality,
                    "not_executable",
                    f"the metric {quality.metric!r} is not known; known: {', '.join(METRICS)}",
                )
            )
        elif quality.metric == "duplicateValues":
            results.append(measured(quality, float(_duplicates(accepted, quality)), rows))
        else:
            sums[quality.id] = _sum(quality, contract)
    if sums:
        row = accepted.selectExpr(*(f"{e} AS {identifier(i)}" for i, e in sums.items())).collect()[0]
        for quality in checks:
            if quality.id in sums:
                results.append(measured(quality, float(row[quality.id] or 0), rows))
    return results


def _duplicates(accepted: DataFrame, quality: Quality) -> int:
    """Count the rows that repeat another row's values: rows minus distinct values."""
    names = list(quality.arguments.get("properties") or ([quality.column] if quality.column else []))
    columns = ", ".join(identifier(str(n)) for n in names)
    row = accepted.selectExpr(f"count(*) - count(DISTINCT struct({columns})) AS repeated").collect()
    return int(row[0].repeated)


def _sum(quality: Quality, contract: Contract) -> str:
    if quality.metric == "rowCount":
        return "count(*)"
    column = identifier(quality.column or str(quality.arguments.get("property")))
    if quality.metric == "invalidValues":
        valid = quality.arguments.get("validValues") or contract.column(column.strip("`")).enum
        listed = ", ".join(quoted(str(v)) for v in valid) or "NULL"
        return f"count_if({column} IS NOT NULL AND CAST({column} AS STRING) NOT IN ({listed}))"
    return f"count_if({column} IS NULL)"


def measured(quality: Quality, value: float, rows: int) -> CheckResult:
    """Hold a measured count against the check's bound; ``percent`` is of the accepted rows."""
    is_percent = quality.unit == "percent"
    shown = 100.0 * value / rows if is_percent and rows else value
    is_met = holds(shown, quality.comparison, quality.bound)
    failed = 0 if is_met else (rows if quality.metric == "rowCount" else min(int(value), rows))
    words = f"{shown:g}{'%' if is_percent else ''}, {in_words(quality.comparison, quality.bound)}"
    return result(
        quality,
        "passed" if is_met else "failed",
        f"{quality.description or quality.id}: {words}",
        checked=rows,
        failed=failed,
    )


def result(
    quality: Quality,
    status: str,
    message: str,
    *,
    checked: int | None = None,
    failed: int | None = None,
    engine: str = "spark",
) -> CheckResult:
    """Return the result row of one quality entry."""
    return CheckResult.model_validate(
        {
            "rule_id": quality.id,
            "column": quality.column,
            "dimension": quality.dimension,
            "severity": quality.severity,
            "status": status,
            "checked": checked,
            "failed": failed,
            "threshold": None,
            "message": message,
            "engine": engine,
        }
    )


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
