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

    It holds none if it names no such column, or if what it selects is counted. What is not certain
    is not shown.
    """
    statement = sqlglot.parse_one(query, dialect="spark")
    closed = {c.name.lower() for c in contract.columns if c.effective_level not in _OPEN}
    named = {c.name.lower() for c in statement.find_all(exp.Column)}
    has_star = any(not isinstance(s.parent, exp.Count) for s in statement.find_all(exp.Star))
    if not closed or (not has_star and not named & closed):
        return True
    return not _tells(statement)


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
