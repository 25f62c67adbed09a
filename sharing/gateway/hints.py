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

from sharing.gateway.bounds import WHOLE, Bounds, Value, bounds_of, day, kinds_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sharing.tables.datafile import DataFile
    from sharing.tables.snapshot import Snapshot

#: What a predicate can be of some row of a file; None is SQL's unknown.
Outcomes = frozenset[Literal[True, False] | None]

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
#: A quote of identifiers here and of texts there; an escape or none; an escaped quote or two texts.
_AMBIGUOUS: Final = ('"', "\\", "''")
_INT32: Final = range(-(2**31), 2**31)
_JSON: Final = {
    "equal": "=",
    "lessThan": "<",
    "lessThanOrEqual": "<=",
    "greaterThan": ">",
    "greaterThanOrEqual": ">=",
}
#: Delta's types by those of JSON predicates: each is read as the other without a loss.
_JSON_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "bool": frozenset({"boolean"}),
    "int": WHOLE - {"long"},
    "long": WHOLE,
    "string": frozenset({"string"}),
    "date": frozenset({"date"}),
    "float": frozenset({"float"}),
    "double": frozenset({"double"}),
    "timestamp": frozenset({"timestamp"}),
}


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
    kinds = kinds_of(snapshot)
    physical = {real: name.lower() for name, real in snapshot.columns.items()}
    return tuple(
        file
        for file in files
        if all(True in holds(bounds_of(file, kinds, physical)) for holds in predicates)
    )


def _unknown(_bounds: Bounds) -> Outcomes:
    return _ANY


@dataclass(frozen=True)
class Column:
    """A column as a hint names it; ``kinds`` are the types it may have for that to be meant."""

    name: str
    qualifiers: tuple[str, ...] = ()
    kinds: frozenset[str] | None = None

    def found_in(self, known: Bounds) -> str:
        """Return the name of the one column that can be meant; the empty string: there is none.

        ``s.id`` is a field of ``s`` where that is a column, and a qualifier before ``id`` else.
        """
        name = self.name.lower()
        for part in self.qualifiers:
            before = part.lower()
            if any(n == before or n.startswith(before + ".") for n in known.kinds):
                return ""
        kind = known.kinds.get(name)
        return name if kind and (self.kinds is None or kind in self.kinds) else ""


def _compare(column: Column, operator: str, value: Value | None) -> Predicate:
    def outcomes(known: Bounds) -> Outcomes:
        name = column.found_in(known)
        wanted = _comparable(known.kinds.get(name, ""), value)
        if wanted is None:
            return _ANY
        if known.rows is not None and known.nulls.get(name) == known.rows:
            return frozenset({None})
        found = _of_range(operator, known.low.get(name), known.high.get(name), wanted)
        return found if known.nulls.get(name) == 0 else found | {None}

    return outcomes


def _comparable(kind: str, value: Value | None) -> Value | None:
    """Return the value as a column's type, where every engine compares the two in it."""
    if kind in WHOLE:
        return value if isinstance(value, int) else None
    if kind == "date":
        return day(value) if isinstance(value, str) else value if isinstance(value, date) else None
    return value if kind == "string" and isinstance(value, str) else None


def _of_range(operator: str, low: Any, high: Any, wanted: Any) -> Outcomes:
    """Say how ``x operator wanted`` can come out for x from low to high, where they are known."""
    if low is not None and high is not None and low > high:
        return _ANY
    below = low is None or low < wanted
    above = high is None or high > wanted
    equal = (low is None or low <= wanted) and (high is None or high >= wanted)
    cases = {"<": below, "=": equal, ">": above}
    return frozenset(sign in operator for sign, is_possible in cases.items() if is_possible)


def _is_null(column: Column) -> Predicate:
    def outcomes(known: Bounds) -> Outcomes:
        nulls = known.nulls.get(column.found_in(known))
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
    # Engines disagree on what these begin, end or stand for within a text.
    if any(mark in text for mark in _AMBIGUOUS):
        return _unknown
    try:
        return _sql(sqlglot.parse_one(text, dialect="spark"), 0)
    except (SqlglotError, RecursionError, ValueError):
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
            return _is_null(_named(column))
        case exp.In(this=exp.Column() as column) if node.args.get("expressions"):
            values = [_literal(value) for value in node.expressions]
            if len({type(value) for value in values}) > 1:
                return _unknown  # one of another type changes how all are compared
            return _any([_compare(_named(column), "=", value) for value in values])
    operator = _SQL.get(type(node), "")
    return _sql_comparison(node, operator) if operator else _unknown


def _sql_comparison(node: exp.Expr, operator: str) -> Predicate:
    left, right = node.this, node.expression
    if isinstance(right, exp.Column) and not isinstance(left, exp.Column):
        left, right, operator = right, left, _FLIPPED[operator]
    if not isinstance(left, exp.Column):
        return _unknown
    return _compare(_named(left), operator, _literal(right))


def _named(column: exp.Column) -> Column:
    *qualifiers, name = (part.name for part in column.parts)
    return Column(name, tuple(qualifiers))


def _literal(node: exp.Expr) -> Value | None:
    """Return a literal in its own type: text, whole number or date; None for anything else."""
    if isinstance(node, exp.Cast) and node.to.this is exp.DataType.Type.DATE:
        inner = node.this
        is_text = isinstance(inner, exp.Literal) and inner.is_string and not node.args.get("format")
        return day(str(inner.this)) if is_text else None
    if isinstance(node, exp.Neg):
        positive = _literal(node.this)
        return -positive if isinstance(positive, int) else None
    if not isinstance(node, exp.Literal):
        return None
    return str(node.this) if node.is_string else whole(str(node.this))


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
    columns = [_json_column(child) for child in children]
    if operator == "isNull" and len(children) == 1 and columns[0]:
        return _is_null(columns[0])
    if not isinstance(operator, str) or operator not in _JSON or len(children) != 2:  # noqa: PLR2004
        return _unknown
    column, literal, sign = columns[0], children[1], _JSON[operator]
    if column is None:
        column, literal, sign = columns[1], children[0], _FLIPPED[sign]
    return _unknown if column is None else _compare(column, sign, _json_literal(literal, column))


def _json_column(node: Any) -> Column | None:
    """Return a column, which its type must fit; a name with a dot may be a path."""
    if not isinstance(node, dict) or node.get("op") != "column":
        return None
    name, kinds = node.get("name"), _JSON_TYPES.get(str(node.get("valueType")))
    is_read = isinstance(name, str) and "." not in name and kinds is not None
    return Column(str(name), kinds=kinds) if is_read else None


def _json_literal(node: Any, column: Column) -> Value | None:
    """Return a literal in its own type; None where that is not the column's."""
    if not isinstance(node, dict) or node.get("op") != "literal":
        return None
    value, kind = node.get("value"), str(node.get("valueType"))
    kinds = _JSON_TYPES.get(kind)
    if not isinstance(value, str) or not kinds or not column.kinds or not kinds & column.kinds:
        return None
    if kinds <= WHOLE:
        number = whole(value)
        is_of_kind = number is not None and (kind == "long" or number in _INT32)
        return number if is_of_kind else None
    return day(value) if kind == "date" else value if kind == "string" else None
