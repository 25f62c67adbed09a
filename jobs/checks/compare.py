"""ODCS comparisons: a measured number against a check's ``mustBe…`` bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Bound = float | tuple[float, float] | None


def _pair(bound: Bound) -> tuple[float, float]:
    if not isinstance(bound, tuple):
        raise TypeError(f"{bound!r} is no interval")
    return bound


def _number(bound: Bound) -> float:
    if bound is None or isinstance(bound, tuple):
        raise TypeError(f"{bound!r} is no number")
    return bound


_OPERATORS: Final[Mapping[str, Callable[[float, Bound], bool]]] = {
    "mustBe": lambda v, b: v == _number(b),
    "mustNotBe": lambda v, b: v != _number(b),
    "mustBeGreaterThan": lambda v, b: v > _number(b),
    "mustBeGreaterOrEqualTo": lambda v, b: v >= _number(b),
    "mustBeLessThan": lambda v, b: v < _number(b),
    "mustBeLessOrEqualTo": lambda v, b: v <= _number(b),
    "mustBeBetween": lambda v, b: _pair(b)[0] <= v <= _pair(b)[1],
    "mustNotBeBetween": lambda v, b: not _pair(b)[0] <= v <= _pair(b)[1],
}


def holds(value: float, comparison: str | None, bound: Bound) -> bool:
    """Tell whether a measured value satisfies the check; without an operator it must be 0.

    Source: ODCS v3.1, data quality, operators. Raises TypeError for a bound of the wrong shape.
    """
    if comparison is None:
        return value == 0
    return _OPERATORS[comparison](value, bound)


def in_words(comparison: str | None, bound: Bound) -> str:
    """Return the bound as a person reads it: ``mustBeLessThan 5``."""
    shown = " … ".join(f"{b:g}" for b in bound) if isinstance(bound, tuple) else f"{bound or 0:g}"
    return f"{comparison or 'mustBe'} {shown}"
