"""Cross-row checks on the staged rows: contract SQL and library metrics, on Spark.

Uniqueness is one group-by per distinct key set; all other library metrics share one aggregate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from contracts.checks import placeholders
from contracts.errors import JingshuError
from contracts.rules import BatchRule, batch_rules
from contracts.words import Words
from jobs.checks.compare import holds, in_words
from jobs.checks.shown import may_be_shown
from jobs.faults import cause
from jobs.spark.sql import identifier, quoted
from jobs.stages import CheckResult, CheckStatus, Engine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from pyspark.sql import DataFrame, SparkSession

    from contracts.model import Contract, Quality

#: Functions of Spark that run any Java method.
_REACHING_OUT: Final = frozenset({"reflect", "java_method", "try_reflect"})
METRICS: Final = ("rowCount", "nullValues", "missingValues", "invalidValues", "duplicateValues")


class CheckError(JingshuError, ValueError):
    """A check that cannot be run as it is written."""


def read_only(query: str, view: str) -> str:
    """Return the query if it is one SELECT over ``view`` alone.

    Raises CheckError otherwise: contract SQL never writes and never reads another table.
    """
    statement = _select(query)
    if any(statement.find(kind) for kind in (exp.Insert, exp.Update, exp.Delete, exp.Command)):
        raise CheckError(
            Words("该查询会写入。", "The query writes."),
            Words("请只写 SELECT。", "Write a SELECT only."),
        )
    called = {f.name.lower() for f in statement.find_all(exp.Anonymous)}
    if called & _REACHING_OUT:
        name = min(called & _REACHING_OUT)
        raise CheckError(
            Words(f"该查询调用了 {name}。", f"The query calls {name}."),
            Words("请只用 SQL 函数。", "Use SQL functions only."),
        )
    own = {cte.alias for cte in statement.find_all(exp.CTE)} | {view}
    foreign = {t.sql(dialect="spark") for t in statement.find_all(exp.Table)} - own
    foreign = {t for t in foreign if t.split(" ")[0].strip("`") not in own}
    if foreign:
        other = min(foreign)
        raise CheckError(
            Words(f"该查询读取了 {other}。", f"The query reads {other}."),
            Words(
                "请只读 {object}：契约自己的表。", "Read {object} only: the contract's own table."
            ),
        )
    return query


def _select(query: str) -> exp.Query:
    """Return the one SELECT that a query is."""
    try:
        statements = sqlglot.parse(query, dialect="spark")
    except SqlglotError as bad:
        why = str(bad).splitlines()[0]
        raise CheckError(
            Words(f"该查询不是 Spark SQL：{why}。", f"The query is not Spark SQL: {why}."),
            Words("请更正该查询。", "Correct the query."),
        ) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise CheckError(
            Words("该查询不是单个 SELECT。", "The query is not one SELECT."),
            Words("请写一个 SELECT。", "Write a single SELECT."),
        )
    return statements[0]


@dataclass(frozen=True)
class Audited:
    """The rows that a contract's checks look at: the exact staged ones, seen as ``view``."""

    contract: Contract
    frame: DataFrame
    view: str
    rows: int
    business_date: date


def run(spark: SparkSession, audited: Audited) -> list[CheckResult]:
    """Run a contract's sql and library checks over the accepted rows."""
    quality = audited.contract.quality
    results = [_sql(spark, audited, q) for q in quality if q.type == "sql"]
    results += _library(audited, [q for q in quality if q.type == "library"])
    results += [_unique(audited, rule) for rule in batch_rules(audited.contract)]
    return results


def _unique(audited: Audited, rule: BatchRule) -> CheckResult:
    """Count the rows that repeat a column's value; empty cells repeat nothing."""
    column = identifier(rule.column)
    found = audited.frame.selectExpr(
        f"count({column}) AS filled", f"count(DISTINCT {column}) AS different"
    ).collect()[0]
    repeated = int(found.filled) - int(found.different)
    return CheckResult(
        rule_id=rule.id,
        column=rule.column,
        dimension=rule.dimension,
        severity="error",
        status="failed" if repeated else "passed",
        checked=int(found.filled),
        failed=repeated,
        threshold=0.0,
        message=Words(f"{rule.message.zh}：{repeated}", f"{rule.message.en}: {repeated}").stored(),
        engine="spark",
    )


def _sql(spark: SparkSession, audited: Audited, quality: Quality) -> CheckResult:
    view, rows = audited.view, audited.rows
    column = identifier(quality.column) if quality.column else None
    day = audited.business_date.isoformat()
    query = placeholders(quality.query or "", view, column, day)
    try:
        found = spark.sql(read_only(query, view)).collect()
        if not found or found[0][0] is None:
            raise CheckError(  # noqa: TRY301
                Words("该查询没有度量出任何值。", "The query measured nothing."),
                Words("请让它总是返回一个数。", "Make it return one number, always."),
            )
        value = float(found[0][0])
    except CheckError as refused:
        return result(quality, "error", refused.words, checked=rows)
    except Exception as error:  # noqa: BLE001  (any engine fault is this check's result)
        return result(quality, "error", cause(error), checked=rows)
    is_shown = may_be_shown(query, audited.contract)
    return measured(quality, value, rows, is_shown=is_shown)


def _library(audited: Audited, checks: Sequence[Quality]) -> list[CheckResult]:
    why_not = {q.id: _unmeasurable(q, audited.contract) for q in checks}
    known = [q for q in checks if why_not[q.id] is None]
    results = [
        result(q, "not_executable", why, engine="none")
        for q in checks
        if (why := why_not[q.id]) is not None
    ]
    repeated = [q for q in known if q.metric == "duplicateValues"]
    results += [measured(q, _duplicates(audited.frame, q), audited.rows) for q in repeated]
    summed = [q for q in known if q not in repeated]
    if summed:
        sums = (f"{_sum(q, audited.contract)} AS {identifier(q.id)}" for q in summed)
        row = audited.frame.selectExpr(*sums).collect()[0]
        results += [measured(q, float(row[q.id] or 0), audited.rows) for q in summed]
    return results


def _column(quality: Quality) -> str:
    asked = quality.arguments.get("property") or (quality.arguments.get("properties") or [""])[0]
    return quality.column or str(asked)


def _valid_values(quality: Quality, contract: Contract) -> tuple[str, ...]:
    listed = quality.arguments.get("validValues") or contract.column(_column(quality)).enum
    return tuple(str(v) for v in listed)


def _unmeasurable(quality: Quality, contract: Contract) -> Words | None:
    """Tell why a library check measures nothing: no check that did not run is green."""
    if quality.metric not in METRICS:
        known = ", ".join(METRICS)
        return Words(
            f"没有度量 {quality.metric!r}；可用：{known}",
            f"the metric {quality.metric!r} is not known; known: {known}",
        )
    is_bare = not quality.arguments.get("pattern")
    if quality.metric == "invalidValues" and is_bare and not _valid_values(quality, contract):
        return Words(
            "既无 validValues 也无 pattern，列也没有 enum",
            "there are no validValues and no pattern, and the column has no enum",
        )
    return None


def _duplicates(accepted: DataFrame, quality: Quality) -> float:
    """Count the rows that repeat another row's values: rows minus distinct values."""
    own = [quality.column] if quality.column else []
    columns = ", ".join(identifier(str(n)) for n in quality.arguments.get("properties") or own)
    expression = f"count(*) - count(DISTINCT struct({columns})) AS repeated"
    return float(accepted.selectExpr(expression).collect()[0].repeated)


def _sum(quality: Quality, contract: Contract) -> str:
    if quality.metric == "rowCount":
        return "count(*)"
    column = identifier(_column(quality))
    text = f"CAST({column} AS STRING)"
    if quality.metric == "invalidValues":
        listed = ", ".join(quoted(v) for v in _valid_values(quality, contract))
        pattern = quality.arguments.get("pattern")
        wrong = [f"{text} NOT IN ({listed})"] if listed else []
        wrong += [f"NOT {text} RLIKE {quoted(str(pattern))}"] if pattern else []
        return f"count_if({column} IS NOT NULL AND ({' OR '.join(wrong)}))"
    missing = [str(v) for v in quality.arguments.get("missingValues") or () if v is not None]
    if quality.metric == "missingValues" and missing:
        words = ", ".join(quoted(v) for v in missing)
        return f"count_if({column} IS NULL OR {text} IN ({words}))"
    return f"count_if({column} IS NULL)"


def measured(quality: Quality, value: float, rows: int, *, is_shown: bool = True) -> CheckResult:
    """Hold a measured count against the check's bound; ``percent`` is of the accepted rows.

    What may be a value of a column above L2 is held against it and not shown.
    """
    is_percent = quality.unit == "percent"
    shown = 100.0 * value / rows if is_percent and rows else value
    is_met = holds(shown, quality.comparison, quality.bound)
    is_whole = quality.metric == "rowCount" or not is_shown
    failed = 0 if is_met else (rows if is_whole else min(int(value), rows))
    shown_as = f"{shown:g}{'%' if is_percent else ''}"
    number = Words(shown_as, shown_as) if is_shown else Words("不显示", "not shown")
    label, bound = quality.description or quality.id, in_words(quality.comparison, quality.bound)
    return result(
        quality,
        "passed" if is_met else "failed",
        Words(f"{label}: {number.zh}, {bound}", f"{label}: {number.en}, {bound}"),
        checked=rows,
        failed=failed,
    )


def result(
    quality: Quality,
    status: CheckStatus,
    message: Words,
    *,
    checked: int | None = None,
    failed: int | None = None,
    engine: Engine = "spark",
) -> CheckResult:
    """Return the result row of one quality entry."""
    return CheckResult(
        rule_id=quality.id,
        column=quality.column,
        dimension=quality.dimension,
        severity=quality.severity,
        status=status,
        checked=checked,
        failed=failed,
        threshold=None,
        message=message.stored(),
        engine=engine,
    )
