"""Registered masking functions: the only ways a column's values change on release.

``hmac_sm3`` and ``sm4`` call functions that ``jobs.seal.on_spark.register`` makes known to Spark.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from contracts.errors import JingshuError
from contracts.words import Words
from jobs.spark.sql import identifier, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contracts.product import Release


class MaskError(JingshuError, ValueError):
    """A mask that is not registered, or lacks an argument."""


def _number(release: Release, name: str) -> float:
    value = (release.model_extra or {}).get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise MaskError(
            Words(
                f"脱敏方法 {release.mask} 写了 {name}={value!r}。",
                f"The mask {release.mask} has {name}={value!r}.",
            ),
            Words(f"请把 {name} 写成不小于 0 的数。", f"Give {name} as a number ≥ 0."),
        )
    return value


def _prefix(column: str, release: Release) -> str:
    return f"substring({column}, 1, {int(_number(release, 'length'))})"


def _partial(column: str, release: Release) -> str:
    """Keep the ends, star the middle; what is too short to have a middle is all stars."""
    first, last = int(_number(release, "keep_first")), int(_number(release, "keep_last"))
    hidden = f"char_length({column}) - {first + last}"
    return (
        f"CASE WHEN {column} IS NULL THEN NULL"
        f" WHEN {hidden} <= 0 THEN repeat('*', char_length({column}))"
        f" ELSE concat(substring({column}, 1, {first}), repeat('*', {hidden}),"
        f" right({column}, {last})) END"
    )


def _round(column: str, release: Release) -> str:
    step = _number(release, "to")
    digits = len(f"{step:.10f}".rstrip("0").split(".")[1])
    if not float(f"{step:.10f}"):
        raise MaskError(
            Words(
                f"脱敏方法 round_coordinate 的步长为 {step:g}。",
                f"The mask round_coordinate rounds to {step:g}.",
            ),
            Words("请给出步长，例如 to: 0.01。", "Give the step, say to: 0.01."),
        )
    return f"round(round({column} / {step!r}D) * {step!r}D, {digits})"


def _truncate_date(column: str, release: Release) -> str:
    to: Any = (release.model_extra or {}).get("to")
    if to not in ("month", "quarter", "year"):
        raise MaskError(
            Words(f"truncate_date 不能截到 {to!r}。", f"truncate_date cannot cut to {to!r}."),
            Words("请用 month、quarter 或 year。", "Use month, quarter or year."),
        )
    return f"CAST(date_trunc('{to}', {column}) AS DATE)"


def _generalise(column: str, release: Release) -> str:
    """Put a number into its band: with steps of 10, 67 becomes 60."""
    step = _number(release, "step")
    if not step:
        raise MaskError(
            Words("脱敏方法 generalise 的步长为 0。", "The mask generalise has steps of 0."),
            Words("请用 step 给出区间宽度。", "Give the band's width as step."),
        )
    return f"floor({column} / {step!r}D) * {step!r}D"


def _hmac_sm3(column: str, release: Release) -> str:
    """Give a pseudonym under the purpose's key: one person joins within a purpose only."""
    return f"hmac_sm3(CAST({column} AS STRING), {quoted(_name(release, 'purpose'))})"


def _sm4(column: str, release: Release) -> str:
    """Encrypt for the bureau whose key opens it."""
    return f"sm4(CAST({column} AS STRING), {quoted(_name(release, 'bureau'))})"


def _name(release: Release, argument: str) -> str:
    value = (release.model_extra or {}).get(argument)
    if not isinstance(value, str) or not value.strip():
        raise MaskError(
            Words(
                f"脱敏方法 {release.mask} 没有写 {argument}。",
                f"The mask {release.mask} names no {argument}.",
            ),
            Words(f"请写 {argument}: 名称。", f"Give {argument}: name."),
        )
    return value.strip()


MASKS: Final[Mapping[str, Callable[[str, Release], str]]] = {
    "keep": lambda column, _: column,
    "prefix": _prefix,
    "partial": _partial,
    "round_coordinate": _round,
    "truncate_date": _truncate_date,
    "generalise": _generalise,
    "hmac_sm3": _hmac_sm3,
    "sm4": _sm4,
}


def masked(column: str, release: Release) -> str | None:
    """Return Spark SQL for the released value, or None where the column is dropped.

    Raises MaskError for a mask that is not registered: nothing is released by default.
    """
    if release.mask == "drop":
        return None
    make = MASKS.get(release.mask)
    if make is None:
        raise MaskError(
            Words(
                f"{column} 要求用脱敏方法 {release.mask!r}。",
                f"{column} asks for the mask {release.mask!r}.",
            ),
            Words(
                f"请用已登记的方法：drop、{'、'.join(MASKS)}。",
                f"Use a registered one: drop, {', '.join(MASKS)}.",
            ),
        )
    return f"{make(identifier(column), release)} AS {identifier(column)}"
