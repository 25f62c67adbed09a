"""Split an amount among parties in integer 分: exact shares, guarantees, largest remainders.

谁投入、谁贡献、谁受益 (数据二十条); the arithmetic is this project's choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from contracts.errors import JingshuError
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class SplitError(JingshuError, ValueError):
    """A split rule that does not add up, or an amount below what it guarantees."""


@dataclass(frozen=True)
class Share:
    """One party's exact share, and the least it gets of every trade, in 分."""

    party: str
    share: Fraction
    min_fen: int = 0


@dataclass(frozen=True)
class SplitRule:
    """A version of who gets what; the shares are 1 together, exactly.

    Raises SplitError for other sums, a party named twice, or a share or guarantee below 0.
    """

    version: str
    shares: tuple[Share, ...]

    def __post_init__(self) -> None:
        total = sum((s.share for s in self.shares), Fraction(0))
        if total != 1:
            raise SplitError(
                Words(
                    f"{self.version} 的各份之和是 {total}。",
                    f"The shares of {self.version} are {total} together.",
                ),
                Words("请用分数写，使其和为 1。", "Write them as fractions."),
            )
        if len({s.party for s in self.shares}) != len(self.shares):
            raise SplitError(
                Words(
                    f"{self.version} 有一方写了两次。", f"A party of {self.version} is named twice."
                ),
                Words("请把其各份相加。", "Add its shares up."),
            )
        if any(s.share < 0 or s.min_fen < 0 for s in self.shares):
            raise SplitError(
                Words(f"{self.version} 有小于 0 的份额。", f"{self.version} has a share below 0."),
                Words("请去掉这一方。", "Leave that party out."),
            )


def split(amount_fen: int, rule: SplitRule) -> Mapping[str, int]:
    """Return each party's part in 分, in the rule's order; the parts are the amount, exactly.

    Who would get less than its guarantee gets the guarantee; the rest is shared by the others.

    Raises:
        SplitError: The amount is below 0, or below the guarantees.
    """
    guaranteed = sum(s.min_fen for s in rule.shares)
    if amount_fen < guaranteed or amount_fen < 0:
        raise SplitError(
            Words(
                f"{amount_fen} 分不足以支付 {guaranteed} 分的保底。",
                f"{amount_fen} fen do not cover the guarantees of {guaranteed} fen.",
            ),
            Words("请提高价格，或改分配规则。", "Raise the price or change the rule."),
        )
    held: dict[str, int] = {}
    while True:
        free = [s for s in rule.shares if s.party not in held]
        parts = largest_remainder(amount_fen - sum(held.values()), free)
        short = {s.party: s.min_fen for s in free if parts[s.party] < s.min_fen}
        if not short:
            whole = held | parts
            return {s.party: whole[s.party] for s in rule.shares}
        held |= short


def largest_remainder(amount_fen: int, shares: Sequence[Share]) -> dict[str, int]:
    """Split by share; odd 分 go to the largest remainders, among equals to the first named."""
    weight = sum((s.share for s in shares), Fraction(0))
    if not weight:
        # Only parties without a share are left: nothing is theirs but their guarantee.
        return {s.party: 0 for s in shares}
    exact = [amount_fen * s.share / weight for s in shares]
    floors = [int(e) for e in exact]
    order = sorted(range(len(shares)), key=lambda i: (floors[i] - exact[i], i))
    for i in order[: amount_fen - sum(floors)]:
        floors[i] += 1
    return {s.party: n for s, n in zip(shares, floors, strict=True)}
