"""Traces the columns of a product's SQL to the fields of the views it reads.

Spark SQL is parsed with sqlglot; every output column is followed through CTEs, subqueries, joins,
set operations and aggregates. Pure: no file, clock or engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from contracts.words import Words
from lineage.columns import LITERAL, Field, Graph, Input, Subtype, Transformation, declared
from lineage.errors import LineageError
from lineage.query import (
    OWN_ALIAS,
    branches,
    clauses,
    grouping,
    named_windows,
    placeholders,
    qualified,
    selects,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    _PlainView = tuple[str, tuple[tuple[str, tuple[Field, ...]], ...], tuple[str, ...]]

#: The placeholders that a build fills in; each is a declared constant.
PLACEHOLDERS: Final = frozenset({"k", "business_date"})
#: Aggregates in whose result no single row's value can be seen (``max`` and ``first`` show one).
SUMMARISING: Final = (
    exp.Count,
    exp.CountIf,
    exp.ApproxDistinct,
    exp.Sum,
    exp.Avg,
    exp.Stddev,
    exp.StddevPop,
    exp.StddevSamp,
    exp.Variance,
    exp.VariancePop,
    exp.Corr,
    exp.CovarPop,
    exp.CovarSamp,
)
#: Functions after which the values of their argument cannot be seen.
MASKING: Final = (exp.Count, exp.CountIf, exp.ApproxDistinct, exp.MD5, exp.SHA, exp.SHA2)
#: Our own SQL functions that do the same, under a key.
KEYED: Final = ("hmac_sm3", "sm4")
_CLOCK_AND_CHANCE: Final = (
    exp.CurrentDate,
    exp.CurrentTimestamp,
    exp.CurrentTime,
    exp.CurrentUser,
    exp.Rand,
    exp.Randn,
    exp.Uuid,
)
_CONSTANT: Final = (exp.Literal, exp.Boolean, exp.Null)
_RANKING: Final = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile)
_CHANGED: Final = Transformation(subtype="TRANSFORMATION")
_NO_INPUT: Final = Words("找不到它的输入", "no input can be found for it")
_NOWHERE_KNOWN: Final = Words(
    "其值来自时钟、随机数或未知之处",
    "its value comes from the clock, from chance or from nowhere known",
)
_NO_TABLE: Final = Words("它没有指明 FROM 中的表", "it names no table of the FROM")
_NOT_FILLED_IN: Final = Words("没有构建会填入此占位符", "no build fills this placeholder in")
_NOT_FOLLOWED: Final = Words("其子查询无法追溯", "its subquery cannot be followed")
_FROM_NAMED: Final = Words(
    "请用写明的列、字面值或 {business_date} 与 {k} 书写。",
    "Write it from named columns, literals or {business_date} and {k}.",
)


@dataclass(frozen=True)
class View:
    """What a name in a product's FROM stands for.

    ``columns`` maps a column to the stored fields it reads (several for a union of providers);
    ``key`` names the columns that tell its rows apart, which is what counting rows counts.
    """

    columns: Mapping[str, tuple[Field, ...]]
    key: tuple[str, ...]


def trace(what: str, sql: str, views: Mapping[str, View]) -> Graph:
    """Return the column graph of one SELECT over ``views``.

    ``what`` names the plan in messages. Raises LineageError naming the untraceable column.
    """
    plain = tuple((n.lower(), tuple(v.columns.items()), v.key) for n, v in views.items())
    return _trace(what, sql, plain)


@lru_cache(maxsize=256)
def _trace(what: str, sql: str, plain: tuple[_PlainView, ...]) -> Graph:
    views = {n: View({c.lower(): f for c, f in columns}, key) for n, columns, key in plain}
    known = {n: dict.fromkeys(v.columns, "string") for n, v in views.items()}
    return _Tracer(what, qualified(what, sql, known), views).graph()


def filter_inputs(what: str, predicate: str, columns: Mapping[str, Field]) -> tuple[Input, ...]:
    """Return the fields a row predicate reads, as INDIRECT FILTER inputs."""
    view = View({name: (stored,) for name, stored in columns.items()}, ())
    query = f"SELECT 1 AS one FROM this WHERE {predicate}"  # noqa: S608  (parsed, never executed)
    return trace(what, query, {"this": view}).dataset


class _Tracer:
    """One query's scopes; ``_done`` keeps what was traced, ``_open`` stops recursive CTEs."""

    def __init__(self, what: str, root: Scope, views: Mapping[str, View]) -> None:
        self.what = what
        self.root = root
        self.views = views
        self._done: dict[tuple[int, str], tuple[Input, ...]] = {}
        self._open: set[tuple[int, str]] = set()

    def graph(self) -> Graph:
        columns: dict[str, tuple[Input, ...]] = {}
        for projection in selects(self.root.expression):
            name = projection.alias_or_name
            if name in columns:
                raise LineageError(
                    Words(
                        f"{self.what}：名称 {name!r} 有两个输出列使用。",
                        f"{self.what}: an output column has the name {name!r} twice.",
                    ),
                    OWN_ALIAS,
                )
            columns[name] = self.output(self.root, name)
            if not columns[name]:
                raise self.untraced(name, _NO_INPUT)
        return Graph(columns, self.deciding())

    def untraced(self, name: str, why: Words) -> LineageError:
        return LineageError(
            Words(
                f"{self.what}：列 {name!r} 不能追溯：{why.zh}。",
                f"{self.what}: the column {name!r} cannot be traced: {why.en}.",
            ),
            _FROM_NAMED,
        )

    # -- values ---------------------------------------------------------------------------------

    def output(self, scope: Scope, name: str) -> tuple[Input, ...]:
        """Return the inputs of one output column of a scope."""
        key = (id(scope), name)
        if key in self._open:
            return ()  # a recursive CTE: its anchor holds the inputs
        if key not in self._done:
            self._open.add(key)
            self._done[key] = _tidy(self._output(scope, name))
            self._open.discard(key)
        return self._done[key]

    def _output(self, scope: Scope, name: str) -> Iterator[Input]:
        expression = scope.expression
        if isinstance(expression, exp.SetOperation):
            place = [s.alias_or_name for s in selects(expression)].index(name)
            shown = branches(scope)  # EXCEPT shows nothing of what it takes away
            for branch in shown[:1] if isinstance(expression, exp.Except) else shown:
                columns = [s.alias_or_name for s in selects(branch.expression)]
                yield from self.output(branch, columns[place])
        elif isinstance(expression, exp.Query):
            for projection in selects(expression):
                if projection.alias_or_name == name:
                    yield from self.projection(projection, scope)
        elif isinstance(expression, exp.Values):
            yield Input(declared(LITERAL))
        else:  # LATERAL VIEW, UNNEST: made from columns of the query it stands in
            parts = [expression.this, *expression.expressions]
            for part in (p for p in parts if isinstance(p, exp.Expr)):
                for inner in self.value(part, scope.parent or scope):
                    yield inner.through(_CHANGED)

    def projection(self, e: exp.Expr, scope: Scope) -> Iterator[Input]:
        """Yield a projection's inputs; the outermost one that computes anything describes them."""
        plain = isinstance(e.unalias(), exp.Column | exp.Literal | exp.Placeholder)
        computed = Transformation(description="" if plain else text_of(e))
        for i in self.value(e, scope):
            yield i.through(computed) if i.type == "DIRECT" else i

    def value(self, e: exp.Expr, scope: Scope) -> Iterator[Input]:  # noqa: C901, PLR0912
        """Yield what an expression's value is computed from."""
        if isinstance(e, exp.Alias | exp.Paren):
            yield from self.value(e.this, scope)
        elif isinstance(e, exp.Column):
            yield from self.column(e, scope)
        elif isinstance(e, _CONSTANT):
            yield from self.constant(e)
        elif isinstance(e, exp.Placeholder):
            yield self.placeholder(e.name)
        elif isinstance(e, exp.Subquery | exp.Query):
            yield from self.subquery(e, scope)
        elif isinstance(e, exp.Case | exp.If):
            yield from self.branching(e, scope)
        elif isinstance(e, exp.Window):
            yield from self.window(e, scope)
        elif isinstance(e, exp.Filter):
            yield from self.value(e.this, scope)
            yield from self.indirect("CONDITIONAL", e.expression, scope)
        elif isinstance(e, exp.ArgMin | exp.ArgMax):
            for i in self.value(e.this, scope):
                yield i.through(Transformation(subtype="AGGREGATION"))
            yield from self.indirect("SORT", e.expression, scope)
        elif isinstance(e, exp.AggFunc):
            yield from self.aggregate(e, scope, summarised=isinstance(e, SUMMARISING))
        elif isinstance(e, exp.Exists):
            yield from self.exists(e, scope)
        elif isinstance(e, _CLOCK_AND_CHANCE) or (
            isinstance(e, exp.Anonymous) and not e.expressions
        ):
            raise self.untraced(text_of(e), _NOWHERE_KNOWN)
        else:
            how = Transformation(subtype="TRANSFORMATION", masking=_is_masking(e))
            for child in e.iter_expressions():
                for i in self.value(child, scope):
                    yield i.through(how)

    def column(self, e: exp.Column, scope: Scope) -> Iterator[Input]:
        """Yield the inputs of a reference, following it into the scope or view it names."""
        at: Scope | None = scope
        while at is not None and e.table not in at.sources:
            at = at.parent
        if at is None:
            raise self.untraced(e.sql("spark"), _NO_TABLE)
        source = at.sources[e.table]
        if isinstance(source, Scope):
            yield from self.output(source, e.name)
            return
        fields = self.view(source).columns.get(e.name.lower())
        if fields is None:
            table = source.name
            why = Words(f"{table} 没有这个列", f"{table} has no such column")
            raise self.untraced(e.sql("spark"), why)
        yield from (Input(f) for f in fields)

    def view(self, table: exp.Table) -> View:
        return self.views[table.name.lower()]

    def constant(self, e: exp.Expr) -> Iterator[Input]:
        names = placeholders(e.name) if isinstance(e, exp.Literal) and e.is_string else ()
        if names:
            yield from (self.placeholder(n) for n in names)
        else:
            yield Input(declared(LITERAL))

    def placeholder(self, name: str) -> Input:
        if name not in PLACEHOLDERS:
            raise self.untraced(f"{{{name}}}", _NOT_FILLED_IN)
        return Input(declared(name))

    def branching(self, e: exp.Case | exp.If, scope: Scope) -> Iterator[Input]:
        """Yield a CASE's or IF's results as DIRECT, and its conditions as CONDITIONAL."""
        branches = e.args.get("ifs") or [e]
        if isinstance(e, exp.Case) and e.this is not None:
            yield from self.indirect("CONDITIONAL", e.this, scope)
        for branch in branches:
            yield from self.indirect("CONDITIONAL", branch.this, scope)
        results = [b.args.get("true") for b in branches]
        results += [e.args.get("default"), e.args.get("false")]
        for result in results:
            if result is not None:
                yield from (i.through(_CHANGED) for i in self.value(result, scope))

    def window(self, e: exp.Window, scope: Scope) -> Iterator[Input]:
        """Yield a window function's argument, and what partitions and orders it.

        Never ``summarised``: a frame may hold a single row.
        """
        function = e.this.this if isinstance(e.this, exp.IgnoreNulls | exp.RespectNulls) else e.this
        if isinstance(function, exp.AggFunc) and not isinstance(function, _RANKING):
            yield from self.aggregate(function, scope, summarised=False)
        elif not isinstance(function, _RANKING):
            yield from self.value(function, scope)
        for named in (e, *named_windows(e, scope.expression)):
            for part in (*(named.args.get("partition_by") or ()), named.args.get("order")):
                if part is not None:
                    yield from self.indirect("WINDOW", part, scope)

    def aggregate(self, e: exp.AggFunc, scope: Scope, *, summarised: bool) -> Iterator[Input]:
        how = Transformation(
            subtype="AGGREGATION", masking=isinstance(e, MASKING), summarised=summarised
        )
        arguments = [
            i
            for child in e.iter_expressions()
            if not isinstance(child, exp.Star)
            for i in self.value(child, scope)
        ]
        if all(i.field == declared(LITERAL) for i in arguments):  # COUNT(*), SUM(1): counts rows
            arguments = list(self.rows(scope))
        yield from (i.through(how) for i in arguments)

    def subquery(self, e: exp.Expr, scope: Scope) -> Iterator[Input]:
        inner = self.inner(e, scope)
        for projection in selects(inner.expression):
            yield from self.output(inner, projection.alias_or_name)

    def exists(self, e: exp.Exists, scope: Scope) -> Iterator[Input]:
        how = Transformation("INDIRECT", "CONDITIONAL")
        yield from (i.through(how) for i in self.rows(self.inner(e.this, scope)))

    def inner(self, e: exp.Expr, scope: Scope) -> Scope:
        query = e.unnest() if isinstance(e, exp.Subquery) else e
        for candidate in scope.subquery_scopes:
            if candidate.expression is query:
                return candidate
        raise self.untraced(text_of(e), _NOT_FOLLOWED)

    def indirect(self, subtype: Subtype, e: exp.Expr, scope: Scope) -> Iterator[Input]:
        how = Transformation("INDIRECT", subtype)
        yield from (i.through(how) for i in self.value(e, scope))

    # -- rows -----------------------------------------------------------------------------------

    def rows(self, scope: Scope) -> Iterator[Input]:
        """Yield what tells a scope's rows apart: grouping keys, or the keys of what it reads."""
        expression = scope.expression
        if isinstance(expression, exp.SetOperation):
            for branch in branches(scope):
                yield from self.rows(branch)
            return
        if keys := grouping(expression):
            for key in keys:
                yield from self.value(key, scope)
            return
        for _, source in scope.selected_sources.values():
            if isinstance(source, Scope):
                yield from self.rows(source)
            else:
                view = self.view(source)
                for name in view.key or tuple(view.columns):
                    yield from (Input(f) for f in view.columns[name.lower()])

    def deciding(self) -> tuple[Input, ...]:
        """Return what decides which rows there are, in any scope of the query."""
        found: list[Input] = []
        for scope in self.root.traverse():
            select = scope.expression
            if not isinstance(select, exp.Query):
                continue
            for subtype, expressions in clauses(select):
                for e in expressions:
                    found += self.indirect(subtype, e, scope)
            if isinstance(select, exp.SetOperation):
                found += self.compared(select, scope)
        return tuple(i for i in _tidy(found) if i.field != declared(LITERAL))

    def compared(self, e: exp.SetOperation, scope: Scope) -> Iterator[Input]:
        """Yield what UNION, INTERSECT and EXCEPT hold rows against each other by: all of them."""
        if isinstance(e, exp.Union) and not e.args.get("distinct"):
            return
        how = Transformation("INDIRECT", "GROUP_BY" if isinstance(e, exp.Union) else "FILTER")
        for branch in branches(scope):
            for projection in selects(branch.expression):
                for i in self.output(branch, projection.alias_or_name):
                    yield i.through(how)


def _tidy(inputs: Iterable[Input]) -> tuple[Input, ...]:
    """Return inputs once each, sorted; a literal is kept only where nothing else is DIRECT."""
    unique = {i for i in inputs if i.type == "DIRECT" or i.field != declared(LITERAL)}
    real = {i for i in unique if i.field != declared(LITERAL)}
    return tuple(sorted(real if any(i.type == "DIRECT" for i in real) else unique))


def _is_masking(e: exp.Expr) -> bool:
    return isinstance(e, MASKING) or (isinstance(e, exp.Anonymous) and e.name.lower() in KEYED)
