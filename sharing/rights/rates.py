"""What a unit of each kind of cost is worth on which days, and parts of a 分 carried on.

``rates.csv`` is dated and only ever added to: of several rates of a kind on a day the newest
counts, and a row keeps the version it was booked by.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final, Literal, cast

from contracts.errors import UsageError
from contracts.words import Words

CostKind = Literal["staff", "run", "storage", "fee"]
_RATES: Final = Path(__file__).with_name("rates.csv")


@dataclass(frozen=True)
class Rate:
    """What ``per`` units of a kind cost in 分, on which days.

    ``is_carried``: what one cost is short of a whole 分, or above it, goes into the next one.
    """

    version: str
    kind: CostKind
    unit: str
    per: int
    fen: int
    valid_from: date
    valid_to: date | None
    is_carried: bool

    def exact(self, quantity: int) -> Fraction:
        """Return the cost of a quantity in 分, with its part of one."""
        return Fraction(quantity * self.fen, self.per)

    def amount(self, quantity: int) -> int:
        """Return the cost of a quantity in whole 分; half a 分 is one."""
        return _whole(self.exact(quantity))


@dataclass(frozen=True)
class Carry:
    """The sum of one body's carried costs of a kind: exactly, and in the 分 that were booked."""

    exact: Fraction = Fraction(0)
    fen: int = 0

    def amount(self, rate: Rate, quantity: int) -> int:
        """Return what the next cost is, so that the sum is the exact one, rounded.

        Never below 0: what a reversal left over is made up for by the costs that follow.
        """
        if not rate.is_carried:
            return rate.amount(quantity)
        return max(0, _whole(self.exact + rate.exact(quantity)) - self.fen)

    def after(self, rate: Rate, quantity: int, fen: int) -> Carry:
        """Return the sum with one more cost, or reversal of one."""
        if not rate.is_carried:
            return self
        return Carry(self.exact + rate.exact(quantity), self.fen + fen)


@cache
def rates() -> tuple[Rate, ...]:
    """Return the dated rate table, ``rates.csv``, the oldest version first."""
    with _RATES.open(encoding="utf-8", newline="") as file:
        return tuple(
            Rate(
                row["version"],
                cast("CostKind", row["kind"]),
                row["unit"],
                int(row["per"]),
                int(row["fen"]),
                date.fromisoformat(row["valid_from"]),
                date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
                row["is_carried"] == "yes",
            )
            for row in csv.DictReader(file)
        )


def rate(kind: CostKind, on: date) -> Rate:
    """Return the newest rate of a kind on a day; UsageError where there is none."""
    for found in reversed(rates()):
        is_valid = found.valid_from <= on and (found.valid_to is None or on <= found.valid_to)
        if found.kind == kind and is_valid:
            return found
    raise UsageError(
        Words(f"{on} 没有 {kind} 的费率。", f"There is no rate of {kind} on {on}."),
        Words("请把它连同起止日期加入 rates.csv。", "Add it to rates.csv, with its days."),
    )


def rate_of(kind: str, version: str) -> Rate | None:
    """Return the rate that a cost was booked by; None where the table has no such version."""
    return next((r for r in rates() if (r.kind, r.version) == (kind, version)), None)


def _whole(fen: Fraction) -> int:
    return (2 * fen.numerator + fen.denominator) // (2 * fen.denominator)
