"""Conditions that people write (``rows``): one boolean expression over named columns, no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from contracts.errors import UsageError
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Collection

#: What a condition is made of; a function, a subquery or a star is not among it.
_ALLOWED: Final = (
    exp.And,
    exp.Between,
    exp.Boolean,
    exp.Cast,
    exp.Column,
    exp.DataType,
    exp.EQ,
    exp.GT,
    exp.GTE,
    exp.Identifier,
    exp.In,
    exp.Is,
    exp.LT,
    exp.LTE,
    exp.Like,
    exp.Literal,
    exp.NEQ,
    exp.Neg,
    exp.Not,
    exp.Null,
    exp.Or,
    exp.Paren,
)
_TRUTHS: Final = (
    exp.And,
    exp.Between,
    exp.EQ,
    exp.GT,
    exp.GTE,
    exp.In,
    exp.Is,
    exp.LT,
    exp.LTE,
    exp.Like,
    exp.NEQ,
    exp.Not,
    exp.Or,
)


def condition(text: str, columns: Collection[str], where: str) -> str:
    """Return a condition as Spark SQL, written anew from its parts.

    Raises:
        UsageError: It is no comparison of the named columns with constants.
    """
    if "{" in text:
        why = Words("不得用花括号", "the build fills in what stands in braces")
        raise _refused(where, text, why)
    try:
        parsed = sqlglot.parse_one(f"SELECT 1 WHERE {text}", dialect="spark").args["where"].this
        whole = sqlglot.parse(f"SELECT 1 WHERE {text}", dialect="spark")
    except (SqlglotError, AttributeError, KeyError) as bad:
        raise _refused(where, text, Words("读不懂", "it cannot be read")) from bad
    clauses = {k for k, v in (whole[0].args if whole[0] else {}).items() if v}
    if len(whole) > 1 or clauses - {"expressions", "where", "kind"}:
        raise _refused(where, text, Words("不止一个条件", "it is more than a condition"))
    if not isinstance(parsed.unnest(), _TRUTHS):
        raise _refused(where, text, Words("不是真假判断", "it is neither true nor false"))
    for part in parsed.walk():
        if not isinstance(part, _ALLOWED):
            said = part.sql("spark")[:60]
            raise _refused(where, text, Words(f"{said} 不是比较", f"{said} is no comparison"))
        if isinstance(part, exp.Column) and (part.table or part.name not in columns):
            named = part.sql("spark")
            raise _refused(where, text, Words(f"没有 {named} 列", f"there is no column {named}"))
    return str(parsed.sql("spark", comments=False))


def _refused(where: str, text: str, why: Words) -> UsageError:
    return UsageError(
        Words(
            f"{where} 的行条件 {text!r} 不可用：{why.zh}。",
            f"{where}: the condition {text!r} is refused: {why.en}.",
        ),
        Words(
            "请用 AND、OR、NOT 连接列与常量的比较。",
            "Compare its columns with constants, joined by AND, OR and NOT.",
        ),
    )
