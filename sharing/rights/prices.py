"""What a listed product costs: nothing in the public interest, else cost and profit under a cap.

The rule is that of the price-forming notice on public data (2025) as recalled by the domain
reference, §5; money is integer 分.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from contracts.errors import UsageError
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

Use = Literal["public_interest", "commercial"]
USES: Final[tuple[Use, ...]] = get_args(Use)


@dataclass(frozen=True)
class PriceRule:
    """A version of what one order costs; ``profit`` is a share of the cost, exactly.

    Raises UsageError for a number below 0.
    """

    version: str
    cost_fen: int
    profit: Fraction
    cap_fen: int

    def __post_init__(self) -> None:
        if self.cost_fen < 0 or self.cap_fen < 0 or self.profit < 0:
            raise UsageError(
                Words(
                    f"价格规则 {self.version} 有小于 0 的数。",
                    f"The price rule {self.version} has a number below 0.",
                ),
                Words("请改正。", "Correct it."),
            )

    def price(self, use: Use) -> int:
        """Return the price of one order in 分: a fraction of a 分 is the buyer's."""
        if use == "public_interest":
            return 0
        return min(self.cap_fen, self.cost_fen + int(self.cost_fen * self.profit))

    def to_dict(self) -> Mapping[str, str | int]:
        """Return the rule as JSON's own types."""
        return {
            "version": self.version,
            "cost_fen": self.cost_fen,
            "profit": str(self.profit),
            "cap_fen": self.cap_fen,
            **{f"{use}_fen": self.price(use) for use in USES},
        }
