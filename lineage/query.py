"""Parses a product's Spark SQL with sqlglot, and names the parts of it that lineage reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from contracts.words import Words
from lineage.errors import LineageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lineage.columns import Subtype

#: Strings, quoted names and comments, in which a brace is text; else a build's placeholder.
_LEXEME: Final = re.compile(
    r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|--[^\n]*|/\*.*?\*/)|\{(\w+)\}""", re.DOTALL
)
_QUOTED: Final = re.compile(r"\{(\w+)\}")
#: The remedy where output columns cannot be told apart.
OWN_ALIAS: Final = Words("请为每个输出列取各自的别名。", "Give every output column its own alias.")


def qualified(what: str, sql: str, columns: Mapping[str, Mapping[str, str]]) -> Scope:
    """Return the root scope of one SELECT with every column resolved to its table.

    ``columns`` lists each view's columns. Raises LineageError for SQL that is no single SELECT, or
    that reads a table or column which ``columns`` does not have.
    """
    query = _parse(what, sql)
    for output in query.selects:
        if not output.alias_or_name:
            sql_text = text_of(output)
            raise LineageError(
                Words(
                    f"{what}：有一个输出列没有名称：{sql_text}。",
                    f"{what}: an output column has no name: {sql_text}.",
                ),
                OWN_ALIAS,
            )
    for name in _tables(_scope(what, query)):
        if name not in columns:
            raise LineageError(
                Words(
                    f"{what}：SQL 读取 {name}，而它不在所声明的输入之中。",
                    f"{what}: the SQL reads {name}, which is not among the declared inputs.",
                ),
                Words(
                    f"请将其契约声明为输入，或改读以下之一：{'、'.join(columns)}。",
                    f"Declare its contract as an input, or read one of: {', '.join(columns)}.",
                ),
            )
    try:
        resolved = qualify(query, schema=dict(columns), dialect="spark", quote_identifiers=False)
    except SqlglotError as unresolved:
        why = _first_line(unresolved)
        raise LineageError(
            Words(f"{what}：{why}", f"{what}: {why}"),
            Words("请写明列所属的表，或更正列名。", "Qualify the column, or correct its name."),
        ) from None
    return _scope(what, resolved)


def table_names(what: str, sql: str) -> tuple[str, ...]:
    """Return the names of the views a query reads, without its own CTEs, in lower case."""
    return _tables(_scope(what, _parse(what, sql)))


def placeholders(text: str) -> list[str]:
    """Return the names of the placeholders inside a string literal."""
    return _QUOTED.findall(text)


def selects(query: exp.Expr) -> list[exp.Expr]:
    """Return a query's output expressions; of anything else, none."""
    return list(query.selects) if isinstance(query, exp.Query) else []


def branches(scope: Scope) -> list[Scope]:
    """Return the scopes that a UNION, INTERSECT or EXCEPT puts together."""
    return list(scope.set_operation_scopes)


def clauses(select: exp.Expr) -> Iterator[tuple[Subtype, list[exp.Expr]]]:
    """Yield the expressions that decide which rows a query has, by kind."""
    args = select.args
    yield "JOIN", [j.args["on"] for j in args.get("joins") or () if j.args.get("on") is not None]
    conditions = [args.get(name) for name in ("where", "having", "qualify")]
    yield "FILTER", [c.this for c in conditions if c is not None]
    yield "GROUP_BY", grouping(select)
    if isinstance(select, exp.Select) and args.get("distinct") is not None:
        yield "GROUP_BY", selects(select)
    orders = [args.get(name) for name in ("order", "sort", "cluster", "distribute")]
    yield "SORT", [e for o in orders if o is not None for e in o.expressions]


def grouping(select: exp.Expr) -> list[exp.Expr]:
    """Return what a query groups by; GROUP BY ALL means every output without an aggregate."""
    group = select.args.get("group")
    if group is None:
        return []
    if group.args.get("all"):
        return [s for s in selects(select) if s.find(exp.AggFunc) is None]
    return list(group.expressions)


def named_windows(window: exp.Expr, select: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the definitions behind ``OVER name``, following one that builds on another."""
    name = window.text("alias")
    for known in select.args.get("windows") or () if name else ():
        if known.name.lower() == name.lower():
            yield known
            yield from named_windows(known, select)


def text_of(e: exp.Expr) -> str:
    """Write an expression as the author's Spark SQL, without its alias."""
    bare = e.unalias().transform(
        lambda n: exp.var(f"{{{n.name}}}") if isinstance(n, exp.Placeholder) else n
    )
    return bare.sql("spark", comments=False)


def _parse(what: str, sql: str) -> exp.Query:
    marked = _LEXEME.sub(lambda m: m[1] or f":{m[2]}", sql)
    try:
        statements = [s for s in sqlglot.parse(marked, dialect="spark") if s is not None]
    except SqlglotError as broken:
        why = _first_line(broken)
        raise LineageError(
            Words(f"{what}：不能解析 SQL：{why}", f"{what}: the SQL cannot be parsed: {why}"),
            Words("请按 Spark SQL 书写。", "Write it as Spark SQL."),
        ) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise LineageError(
            _not_one(what),
            Words("请只保留一个查询，不要有写入语句。", "Keep one query, and nothing that writes."),
        )
    return statements[0]


def _scope(what: str, query: exp.Expr) -> Scope:
    root = build_scope(query)
    if root is None:
        raise LineageError(
            _not_one(what), Words("文件中请只保留一个查询。", "Keep one query in the file.")
        )
    return root


def _not_one(what: str) -> Words:
    return Words(f"{what}：SQL 不是一个 SELECT。", f"{what}: the SQL is not one SELECT.")


def _first_line(error: Exception) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".") + "."


def _tables(root: Scope) -> tuple[str, ...]:
    found = {
        ".".join(part.name for part in source.parts).lower()
        for scope in root.traverse()
        for source in scope.sources.values()
        if isinstance(source, exp.Table)
    }
    return tuple(sorted(found))
