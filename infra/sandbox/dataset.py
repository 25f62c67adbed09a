"""What the sandbox knows of one dataset: how its rows come about, and what can go wrong in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from infra.sandbox.kinds import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date
    from random import Random

    from infra.sandbox.faults import Catalogue
    from infra.sandbox.kinds import Kind
    from infra.sandbox.population import City

#: Column name → text as it would be typed.
Cells = dict[str, str]


@dataclass(frozen=True)
class Day:
    """What a generator is asked for: one provider's rows of one date."""

    city: City
    provider: str
    business_date: date
    first_date: date

    @property
    def is_initial(self) -> bool:
        """Whether this is the dataset's initial load."""
        return self.business_date <= self.first_date

    def rng(self, *purpose: object) -> Random:
        """Return a generator that no other provider, date or purpose shares."""
        return self.city.rng(self.provider, self.business_date, *purpose)


@dataclass(frozen=True)
class Dataset:
    """One dataset of the city.

    ``rows`` makes a day's clean rows, every column of the contract in each. ``kinds`` says of each
    column what sort it is; ``twist`` is a column outside the key, and values for it, by which two
    rows of one key contradict each other. ``null`` is what its providers write for nothing.
    """

    rows: Callable[[Day], list[Cells]]
    kinds: Mapping[str, Kind]
    twist: str
    twist_values: tuple[str, ...]
    null: str = ""

    @cached_property
    def catalogue(self) -> Catalogue:
        """What can happen to its rows."""
        return catalogue(self.kinds, self.twist, self.twist_values, self.null)
