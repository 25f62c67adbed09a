"""What is done to each row of a batch, in what order, and where its verdicts stand. Pure.

A broken rule is a bit of a mask column; a rule's position in ``row_rules`` is its bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from contracts.rules import row_rules
from jobs.rules.lists import allowed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from contracts.delivery import Delivery
    from contracts.model import Column, Contract
    from contracts.rules import RowRule

#: Bits of one mask column; a contract with more rules gets several columns.
MASK_BITS: Final = 62


@dataclass(frozen=True)
class RefinePlan:
    """A delivery's rules, what they allow, and the masks that hold which of them a row breaks."""

    contract: Contract
    business_date: date
    null_tokens: tuple[str, ...]
    rules: tuple[RowRule, ...]
    allowed: Mapping[str, tuple[str, ...]]
    """By rule id, the texts that a rule with a list of them allows."""

    @cached_property
    def masks(self) -> tuple[str, ...]:
        """Names of the mask columns."""
        return tuple(f"_mask_{i}" for i in range(1 + (len(self.rules) - 1) // MASK_BITS))

    def bit(self, rule: RowRule) -> tuple[str, int]:
        """Return the mask column and the bit value of a rule."""
        index = self._places[rule.id]
        return self.masks[index // MASK_BITS], 1 << (index % MASK_BITS)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {rule.id: place for place, rule in enumerate(self.rules)}

    def of_column(self, column: Column) -> tuple[RowRule, ...]:
        """Return the rules of one column's cells."""
        return tuple(rule for rule in self.rules if rule.column == column.name)

    @cached_property
    def quarantining(self) -> dict[str, int]:
        """Each mask column's bits that put a row into quarantine: rules of severity ``error``."""
        bits = dict.fromkeys(self.masks, 0)
        for rule in self.rules:
            if rule.severity == "error":
                mask, bit = self.bit(rule)
                bits[mask] |= bit
        return bits


def make_plan(delivery: Delivery) -> RefinePlan:
    """Compile a delivery's contract into the plan of its batch."""
    contract, when = delivery.contract, delivery.business_date
    rules = row_rules(contract)
    lists = {rule.id: allowed(rule, when, delivery.root) for rule in rules}
    return RefinePlan(
        contract=contract,
        business_date=when,
        null_tokens=contract.server(delivery.provider).export.null_tokens,
        rules=rules,
        allowed={name: listed for name, listed in lists.items() if listed is not None},
    )
