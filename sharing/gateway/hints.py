"""Predicate hints: which files of a table cannot hold a row that a client asks for.

Best effort and never access control (Delta Sharing protocol §§ SQL Expressions for Filtering, JSON
predicates for Filtering). What is not understood may be true of any row, so no file is lost by it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sharing.datafile import DataFile
    from sharing.snapshot import Snapshot

#: What a predicate can be of some row of a file; None is SQL's unknown.
Outcomes = frozenset[Literal[True, False] | None]
Value = str | int | date

_ANY: Final[Outcomes] = frozenset({True, False, None})
_DEEPEST: Final = 64
_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_SQL: Final[Mapping[type[exp.Expr], str]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_JSON: Final = {
    "equal": "=",
    "lessThan": "<",
    "lessThanOrEqual": "<=",
    "greaterThan": ">",
    "greaterThanOrEqual": ">=",
}


@dataclass(frozen=True)
class Bounds:
    """What is known of one file's columns, by lower-case name: least, greatest, number of nulls."""

    kinds: Mapping[str, str]
    low: Mapping[str, Value]
    high: Mapping[str, Value]
    nulls: Mapping[str, int]
    rows: int | None


#: What a predicate can come out as for the rows of a file.
Predicate: TypeAlias = Callable[[Bounds], Outcomes]


def kept(
    files: Iterable[DataFile], snapshot: Snapshot, sql: Sequence[str], json_hint: str | None
) -> tuple[DataFile, ...]:
    """Return the files that may hold a row for which every hint is true."""
    predicates = [_from_sql(text) for text in sql]
    if json_hint:
        predicates.append(_from_json(json_hint))
    if not predicates:
        return tuple(files)
    kinds = _kinds(snapshot)
    physical = {real: name.casefold() for name, real in snapshot.columns.items()}
    return tuple(
        file
        for file in files
        if all(True in holds(_bounds(file, kinds, physical)) for holds in predicates)
    )


def _kinds(snapshot: Snapshot) -> dict[str, str]:
    fields = json.loads(snapshot.schema_json)["fields"]
    return {f["name"].casefold(): f["type"] for f in fields if isinstance(f["type"], str)}


def _bounds(file: DataFile, kinds: Mapping[str, str], physical: Mapping[str, str]) -> Bounds:
    stats = json.loads(file.stats) if file.stats else {}
    rows = stats.get("numRecords")
    low: dict[str, Value] = {}
    high: dict[str, Value] = {}
    for known, part in ((low, "minValues"), (high, "maxValues")):
        for real, value in stats.get(part, {}).items():
            name = physical.get(real, "")
            typed = _typed(kinds.get(name, ""), value)
            if typed is not None:
                known[name] = typed
    nulls = {physical.get(k, ""): n for k, n in stats.get("nullCount", {}).items()}
    for real, text in file.partition.items():
        name = physical.get(real, "")
        typed = None if text is None else _typed(kinds.get(name, ""), text)
        if typed is not None:
            low[name] = high[name] = typed
            nulls[name] = 0
        elif text is None and rows is not None:
            nulls[name] = rows
    # Rows that a deletion vector hides are still counted in nullCount, so it is no exact number.
    exact = {} if file.vector or file.inline_vector else nulls
    return Bounds(kinds, low, high, exact, rows)


def _typed(kind: str, value: object) -> Value | None:
    """Read a value as a column's type; None where it cannot be, or the type is not compared here.

    Floats are left out for NaN, times because Delta cuts their bounds to milliseconds.
    """
    try:
        if kind in ("long", "integer", "short", "byte"):
            return int(str(value))
        if kind == "date":
            return date.fromisoformat(str(value))
    except ValueError:
        return None
    return value if kind == "string" and isinstance(value, str) else None


def _unknown(_bounds: Bounds) -> Outcomes:
    return _ANY


def _compare(name: str, operator: str, value: object) -> Predicate:
    name = name.casefold()

    def outcomes(known: Bounds) -> Outcomes:
        wanted = _typed(known.kinds.get(name, ""), value)
        if wanted is None:
            return _ANY
        if known.rows is not None and known.nulls.get(name) == known.rows:
            return frozenset({None})
        found = _of_range(operator, known.low.get(name), known.high.get(name), wanted)
        return found if known.nulls.get(name) == 0 else found | {None}

    return outcomes


def _of_range(operator: str, low: Any, high: Any, wanted: Any) -> Outcomes:
    """Say how ``x operator wanted`` can come out for x from low to high, where they are known."""
    below = low is None or low < wanted
    above = high is None or high > wanted
    equal = (low is None or low <= wanted) and (high is None or high >= wanted)
    cases = {"<": below, "=": equal, ">": above}
    return frozenset(sign in operator for sign, is_possible in cases.items() if is_possible)


def _is_null(name: str) -> Predicate:
    name = name.casefold()

    def outcomes(known: Bounds) -> Outcomes:
        nulls = known.nulls.get(name)
        if nulls == 0:
            return frozenset({False})
        return frozenset({True}) if nulls is not None and nulls == known.rows else _ANY

    return outcomes


def _not(inner: Predicate) -> Predicate:
    return lambda known: frozenset(None if o is None else not o for o in inner(known))


def _all(parts: Sequence[Predicate]) -> Predicate:
    """Join by AND, in SQL's three values."""

    def outcomes(known: Bounds) -> Outcomes:
        each = [part(known) for part in parts]
        found: set[bool | None] = set()
        if all(True in o for o in each):
            found.add(True)
        if any(False in o for o in each):
            found.add(False)
        if any(None in o for o in each) and all(o & {True, None} for o in each):
            found.add(None)
        return frozenset(found)

    return outcomes


def _any(parts: Sequence[Predicate]) -> Predicate:
    return _not(_all([_not(part) for part in parts]))


def _from_sql(text: str) -> Predicate:
    try:
        return _sql(sqlglot.parse_one(text, dialect="spark"), 0)
    except (SqlglotError, RecursionError):
        return _unknown


def _sql(node: exp.Expr, depth: int) -> Predicate:
    if depth > _DEEPEST:
        return _unknown
    if isinstance(node, exp.Paren):
        return _sql(node.this, depth + 1)
    if isinstance(node, exp.Not):
        return _not(_sql(node.this, depth + 1))
    if isinstance(node, exp.And | exp.Or):
        sides = [_sql(node.left, depth + 1), _sql(node.right, depth + 1)]
        return _all(sides) if isinstance(node, exp.And) else _any(sides)
    return _sql_leaf(node)


def _sql_leaf(node: exp.Expr) -> Predicate:
    match node:
        case exp.Is(this=exp.Column() as column, expression=exp.Null()):
            return _is_null(column.name)
        case exp.In(this=exp.Column() as column) if node.args.get("expressions"):
            return _any([_compare(column.name, "=", _literal(v)) for v in node.expressions])
    operator = _SQL.get(type(node), "")
    return _sql_comparison(node, operator) if operator else _unknown


def _sql_comparison(node: exp.Expr, operator: str) -> Predicate:
    left, right = node.this, node.expression
    if isinstance(right, exp.Column) and not isinstance(left, exp.Column):
        left, right, operator = right, left, _FLIPPED[operator]
    if not isinstance(left, exp.Column) or isinstance(right, exp.Column):
        return _unknown
    return _compare(left.name, operator, _literal(right))


def _literal(node: exp.Expr) -> object:
    """Return a text or whole number, through a CAST to a date; None for anything else.

    Text and numbers are kept apart: SQL compares ``'03' = 3`` as numbers.
    """
    if isinstance(node, exp.Cast) and node.to.this is exp.DataType.Type.DATE:
        return _literal(node.this)
    if isinstance(node, exp.Neg):
        inner = _literal(node.this)
        return -inner if isinstance(inner, int) else None
    if not isinstance(node, exp.Literal):
        return None
    return str(node.this) if node.is_string else _whole(node.this)


def _whole(text: object) -> int | None:
    try:
        return int(str(text))
    except ValueError:
        return None


def _from_json(text: str) -> Predicate:
    try:
        return _json(json.loads(text), 0)
    except (ValueError, RecursionError):
        return _unknown


def _json(node: Any, depth: int) -> Predicate:
    children = node.get("children") if isinstance(node, dict) else None
    if depth > _DEEPEST or not isinstance(children, list) or not children:
        return _unknown
    if node.get("op") in ("and", "or", "not"):
        parts = [_json(child, depth + 1) for child in children]
        return _all(parts) if node["op"] == "and" else _json_not_or(node["op"], parts)
    return _json_leaf(node.get("op"), children)


def _json_not_or(operator: str, parts: list[Predicate]) -> Predicate:
    if operator == "or":
        return _any(parts)
    return _not(parts[0]) if len(parts) == 1 else _unknown


def _json_leaf(operator: object, children: list[Any]) -> Predicate:
    if operator == "isNull" and len(children) == 1 and _column(children[0]):
        return _is_null(_column(children[0]))
    if isinstance(operator, str) and operator in _JSON and len(children) == 2:  # noqa: PLR2004
        return _json_comparison(children[0], children[1], _JSON[operator])
    return _unknown


def _json_comparison(left: Any, right: Any, operator: str) -> Predicate:
    if not _column(left):
        left, right, operator = right, left, _FLIPPED[operator]
    if not _column(left) or not isinstance(right, dict) or right.get("op") != "literal":
        return _unknown
    value = right.get("value")
    is_number = right.get("valueType") in ("int", "long")
    return _compare(_column(left), operator, _whole(value) if is_number else value)


def _column(node: Any) -> str:
    if isinstance(node, dict) and node.get("op") == "column" and isinstance(node.get("name"), str):
        return str(node["name"])
    return ""
