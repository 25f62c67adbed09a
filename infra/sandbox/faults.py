"""What can happen to a dataset's rows, and under which rule ids it has to be found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.sandbox.dirt import Change


@dataclass(frozen=True)
class CellFault:
    """A wrong cell: every rule in ``rule_ids`` has to name the row, the first one is the point."""

    kind: str
    rule_ids: tuple[str, ...]
    change: Change

    @property
    def column(self) -> str:
        """The column whose rule is the point."""
        return self.rule_ids[0].partition(".")[0]


@dataclass(frozen=True)
class NearMiss:
    """An odd cell that is right: the row must be published."""

    kind: str
    column: str
    change: Change


@dataclass(frozen=True)
class Catalogue:
    """What can happen to one dataset; ``twist`` is the column that a key conflict changes."""

    faults: tuple[CellFault, ...]
    near_misses: tuple[NearMiss, ...]
    twist: str
    twist_values: tuple[str, ...]
