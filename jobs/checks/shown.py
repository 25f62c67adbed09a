"""Whether the number that a contract's SQL measures may be shown: a count may, a cell may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlglot
from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.model import Contract

_OPEN: Final = ("L1", "L2")
#: What gives a number of rows, or a yes or no, whatever it reads.
_COUNTS: Final = (exp.Count, exp.CountIf, exp.ApproxDistinct, exp.Predicate)


def may_be_shown(query: str, contract: Contract) -> bool:
    """Tell whether a query's answer holds no value of a column above L2.

    It holds none if all that it names are open columns, by their own names or by names that it
    gives to what is made of them; or if what it selects is counted. What is not certain is not
    shown.
    """
    statement = sqlglot.parse_one(query, dialect="spark")
    open_ = {c.name.lower() for c in contract.columns if c.effective_level in _OPEN}
    closed = {c.name.lower() for c in contract.columns} - open_
    return not closed or _names_only(statement, open_, closed) or not _tells(statement)


def _names_only(statement: exp.Expr, open_: set[str], closed: set[str]) -> bool:
    """Tell whether every column that is read is read by its name, and is an open one."""
    named = {c.name.lower() for c in statement.find_all(exp.Column)}
    given = {a.alias.lower() for a in statement.find_all(exp.Alias)}
    has_star = any(not isinstance(s.parent, exp.Count) for s in statement.find_all(exp.Star))
    by_place = any(alias.args.get("columns") for alias in statement.find_all(exp.TableAlias))
    return not has_star and not by_place and not named & closed and named <= open_ | given


def _tells(node: exp.Expr) -> bool:
    """Tell whether an expression's result can be a cell."""
    if isinstance(node, exp.Column | exp.Star | exp.Anonymous):
        return True
    if isinstance(node, _COUNTS):
        return False
    return any(_tells(part) for part in _parts(node))


def _parts(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield what an expression's result is made of: not what is only asked on the way."""
    match node:
        case exp.SetOperation():
            yield from (node.this, node.expression)
        case exp.Select():
            yield from node.expressions
        case exp.Subquery() | exp.Paren() | exp.Alias():
            yield node.this
        case exp.Case() | exp.If():
            yield from (i.args["true"] for i in node.args.get("ifs") or ())
            yield from (a for k in ("true", "default", "false") if (a := node.args.get(k)))
        case _:
            yield from node.iter_expressions()
