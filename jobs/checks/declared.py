"""Cross-row checks on the staged rows: contract SQL and library metrics, on Spark.

Queries are asked together, and so are metrics: two Spark jobs a batch, however many it declares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

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
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from pyspark.sql import DataFrame, SparkSession

    from contracts.model import Contract, Quality

#: Functions of Spark that run any Java method.
_REACHING_OUT: Final = frozenset({"reflect", "java_method", "try_reflect"})
_NOTHING: Final = Words(
    "该查询没有度量出任何值。请让它总是返回一个数。",
    "The query measured nothing. Make it return one number, always.",
)
#: So many queries are worth asking as one.
_SEVERAL: Final = 2
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
    """Run a contract's sql and library checks over the accepted rows, in two Spark jobs."""
    quality = audited.contract.quality
    return [
        *_queries(spark, audited, [q for q in quality if q.type == "sql"]),
        *_metrics(audited, [q for q in quality if q.type == "library"]),
    ]


def _queries(
    spark: SparkSession, audited: Audited, checks: Sequence[Quality]
) -> Iterator[CheckResult]:
    """Ask all queries as one; where that fails, each alone, to know which it was."""
    asked = {q.id: _query(audited, q) for q in checks}
    good = {name: query for name, query in asked.items() if not isinstance(query, CheckError)}
    values = _all_at_once(spark, good)
    for quality in checks:
        query = asked[quality.id]
        if isinstance(query, CheckError):
            yield result(quality, "error", query.words, checked=audited.rows)
        elif quality.id in values:
            yield _judged(audited, quality, query, values[quality.id])
        else:
            yield _alone(spark, audited, quality, query)


def _query(audited: Audited, quality: Quality) -> str | CheckError:
    column = identifier(quality.column) if quality.column else None
    day = audited.business_date.isoformat()
    try:
        return read_only(placeholders(quality.query or "", audited.view, column, day), audited.view)
    except CheckError as refused:
        return refused


def _all_at_once(spark: SparkSession, queries: Mapping[str, str]) -> dict[str, Any]:
    """Return what each query measured; nothing where one of them is more than one number."""
    if len(queries) < _SEVERAL:
        return {}
    terms = (f"({query.rstrip().rstrip(';')})" for query in queries.values())
    try:
        [row] = spark.sql(f"SELECT {', '.join(terms)}").collect()
    except Exception:  # noqa: BLE001  (each is asked alone then, and says what is wrong with it)
        return {}
    return dict(zip(queries, row, strict=True))


def _alone(spark: SparkSession, audited: Audited, quality: Quality, query: str) -> CheckResult:
    try:
        found = spark.sql(query).collect()
    except Exception as error:  # noqa: BLE001  (any engine fault is this check's result)
        return result(quality, "error", cause(error), checked=audited.rows)
    return _judged(audited, quality, query, found[0][0] if found else None)


def _judged(audited: Audited, quality: Quality, query: str, value: Any) -> CheckResult:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        told = _NOTHING if value is None else cause(error)
        return result(quality, "error", told, checked=audited.rows)
    is_shown = may_be_shown(query, audited.contract)
    return measured(quality, number, audited.rows, is_shown=is_shown)


def _metrics(audited: Audited, checks: Sequence[Quality]) -> list[CheckResult]:
    """Measure every metric, and what columns declare of all rows together, in one aggregate."""
    why_not = {q.id: _unmeasurable(q, audited.contract) for q in checks}
    known = [q for q in checks if why_not[q.id] is None]
    unique = batch_rules(audited.contract)
    sums = {q.id: _sum(q, audited.contract) for q in known}
    for rule in unique:
        column = identifier(rule.column)
        sums[rule.id] = f"count({column}) - count(DISTINCT {column})"
        sums[f"{rule.id}.filled"] = f"count({column})"
    named = (f"{expression} AS {identifier(name)}" for name, expression in sums.items())
    row: Mapping[str, Any] = {}
    if sums:
        row = audited.frame.selectExpr(*named).collect()[0].asDict()
    return [
        *(
            result(q, "not_executable", why, engine="none")
            for q in checks
            if (why := why_not[q.id]) is not None
        ),
        *(measured(q, float(row[q.id] or 0), audited.rows) for q in known),
        *(_unique(rule, int(row[rule.id]), int(row[f"{rule.id}.filled"])) for rule in unique),
    ]


def _unique(rule: BatchRule, repeated: int, filled: int) -> CheckResult:
    """Judge the rows that repeat a column's value; empty cells repeat nothing."""
    return CheckResult(
        rule_id=rule.id,
        column=rule.column,
        dimension=rule.dimension,
        severity="error",
        status="failed" if repeated else "passed",
        checked=filled,
        failed=repeated,
        threshold=0.0,
        message=Words(f"{rule.message.zh}：{repeated}", f"{rule.message.en}: {repeated}").stored(),
        engine="spark",
    )


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


def _sum(quality: Quality, contract: Contract) -> str:
    if quality.metric == "rowCount":
        return "count(*)"
    if quality.metric == "duplicateValues":  # rows that repeat another row's values
        own = [quality.column] if quality.column else []
        named = quality.arguments.get("properties") or own
        values = ", ".join(identifier(str(name)) for name in named)
        return f"count(*) - count(DISTINCT struct({values}))"
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
