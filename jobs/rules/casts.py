"""Casts of normalised texts to the contract's types, a whole column at once.

A text that is not written as its type is NULL, and so is one that the type cannot hold without
changing it: nothing is rounded and nothing is guessed.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts.model import EXCEL_SERIAL
from jobs.rules import moments
from jobs.spark.types import spark_type

if TYPE_CHECKING:
    from contracts.model import Column

_INTEGER: Final = "^[+-]?[0-9]+$"
NUMBER: Final = "^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$"
#: Longer texts may be beyond what 64 bits hold; they are looked at one by one.
_SAFE_DIGITS: Final = 18
_LARGEST: Final = 2**63
_SAFE_NUMBER: Final = "^[+-]?([0-9]{1,300}([.][0-9]*)?|[.][0-9]+)$"
_DECIMAL: Final = re.compile(r"decimal\((\d+)(?:,(\d+))?\)")
_TRUE: Final = pa.array(["是", "1", "true", "TRUE", "Y"])
_FALSE: Final = pa.array(["否", "0", "false", "FALSE", "N"])
#: No power of ten beyond it comes back from a decimal of 38 digits.
_MAX_EXPONENT: Final = 10_000
_TYPES: Final = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "boolean": pa.bool_(),
}


def arrow_type(column: Column) -> pa.DataType:
    """Return the Arrow type of a column: its decimal if it names one, else by logical type."""
    if found := _DECIMAL.fullmatch(spark_type(column)):
        return pa.decimal128(int(found.group(1)), int(found.group(2) or 0))
    return _TYPES[column.type]


def cast(texts: pa.Array, column: Column) -> pa.Array:  # noqa: PLR0911  (one a type)
    """Return the values that normalised texts stand for, as the column's Arrow type."""
    form = column.options.format
    match column.type:
        case "string":
            return texts
        case "integer":
            return _integers(texts)
        case "number":
            kind = arrow_type(column)
            return doubles(texts) if pa.types.is_floating(kind) else _decimals(texts, kind)
        case "date" if form == EXCEL_SERIAL:
            return moments.serial_dates(doubles(texts))
        case "date":
            return moments.dates(texts, form or "yyyy-MM-dd")
        case "timestamp":
            return moments.timestamps(texts, form or "yyyy-MM-dd HH:mm:ss")
        case "boolean":
            return _booleans(texts)


def doubles(texts: pa.Array) -> pa.Array:
    """Return the numbers that texts are, as 64-bit floats; what reads as infinity is none."""
    plain = _only(texts, pc.match_substring_regex(texts, _SAFE_NUMBER))
    values = pc.cast(pc.utf8_ltrim(plain, characters="+"), pa.float64())
    rest = pc.and_(pc.is_null(values), pc.match_substring_regex(texts, NUMBER))
    return _filled(values, rest, [_finite(t) for t in _those(texts, rest)])


def _integers(texts: pa.Array) -> pa.Array:
    whole = _only(texts, pc.match_substring_regex(texts, _INTEGER))
    is_short = pc.less_equal(pc.binary_length(whole), _SAFE_DIGITS)
    short = pc.utf8_ltrim(_only(whole, is_short), characters="+")
    values = pc.cast(short, pa.int64())
    rest = pc.invert(is_short)
    return _filled(values, rest, [_in_64_bits(t) for t in _those(texts, rest)])


def _decimals(texts: pa.Array, kind: pa.Decimal128Type) -> pa.Array:
    before, after = kind.precision - kind.scale, kind.scale
    shape = f"^[+-]?([0-9]{{1,{before}}}([.][0-9]{{0,{after}}})?)$" if before else "^$"
    plain = _only(texts, pc.match_substring_regex(texts, shape))
    values = pc.cast(pc.utf8_rtrim(plain, characters="."), kind)
    rest = pc.and_(pc.is_null(values), pc.match_substring_regex(texts, NUMBER))
    return _filled(values, rest, [_exact(t, kind) for t in _those(texts, rest)])


def _booleans(texts: pa.Array) -> pa.Array:
    is_true, is_false = pc.is_in(texts, _TRUE), pc.is_in(texts, _FALSE)
    return pc.if_else(pc.or_(is_true, is_false), is_true, pa.scalar(None, pa.bool_()))


def _only(texts: pa.Array, where: pa.Array) -> pa.Array:
    return pc.if_else(where, texts, pa.scalar(None, pa.string()))


def _those(texts: pa.Array, where: pa.Array) -> list[str]:
    found: list[str] = texts.filter(pc.fill_null(where, False)).to_pylist()
    return found


def _filled(values: pa.Array, where: pa.Array, with_these: list[object]) -> pa.Array:
    """Put values that were read one by one where they belong."""
    if not with_these:
        return values
    where = pc.fill_null(where, False)
    return pc.replace_with_mask(values, where, pa.array(with_these, values.type))


def _finite(text: str) -> float | None:
    value = float(text)
    return value if np.isfinite(value) else None


def _in_64_bits(text: str) -> int | None:
    digits = text.lstrip("+-").lstrip("0")
    if len(digits) > _SAFE_DIGITS + 1:
        return None
    value = int(text)
    return value if -_LARGEST <= value < _LARGEST else None


def _exact(text: str, kind: pa.Decimal128Type) -> Decimal | None:
    """Return a number as its decimal, None where a digit would be lost."""
    value = Decimal(text)
    sign, digits, exponent = value.as_tuple()
    if not any(digits):
        return Decimal(0)
    if not isinstance(exponent, int) or abs(exponent) > _MAX_EXPONENT:
        return None
    kept = "".join(map(str, digits))
    needed = len(kept) - len(kept.rstrip("0"))
    if -exponent - needed > kind.scale or value.adjusted() >= kind.precision - kind.scale:
        return None
    return Decimal((sign, tuple(map(int, kept.rstrip("0"))), exponent + needed))
