"""The catalogue of government data (政务数据目录) as a page of the site: every entry, as it stands.

What is listed is what contracts state, with what the register and the lake say of it. Products that
requests made are not among it: they are their askers' alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.loading import load_tree
from portal.words import ATTRIBUTE, CYCLE, GRADE, REGISTER, Word, word_for
from sharing.catalogue.entries import entries
from sharing.catalogue.lake import read_facts
from sharing.catalogue.register import History, histories

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.layout import Home
    from sharing.catalogue.entries import Entry


@dataclass(frozen=True)
class Listed:
    """One entry, and every step that the register has of it."""

    entry: Entry
    history: History

    @property
    def attribute(self) -> Word | None:
        """The sharing attribute in words (Decree 809, Art. 14); None where none is stated."""
        return word_for(ATTRIBUTE, self.entry.attribute) if self.entry.attribute else None

    @property
    def grade(self) -> Word | None:
        """The grade of GB/T 43697-2024; None where the dataset is not graded."""
        return word_for(GRADE, self.entry.gb43697_grade) if self.entry.gb43697_grade else None

    @property
    def cycle(self) -> Word | None:
        """How often it is updated; None where that is not stated."""
        return word_for(CYCLE, self.entry.cycle) if self.entry.cycle else None

    @property
    def state(self) -> Word:
        """Where it stands in the register."""
        return word_for(REGISTER, self.history.state)

    @property
    def is_behind(self) -> bool:
        """Tell whether it reads otherwise than when it was catalogued."""
        return self.history.is_behind(self.entry)


@dataclass(frozen=True)
class Catalogue:
    """Everything the page says: entries in code order."""

    listed: tuple[Listed, ...]

    @property
    def is_simulated(self) -> bool:
        """Tell whether any entry's data came from the simulated city."""
        return any(one.entry.is_simulated for one in self.listed)

    @property
    def mounted(self) -> int:
        """How many entries have a published version behind them (挂接)."""
        return sum(one.entry.is_mounted for one in self.listed)

    @property
    def catalogued(self) -> int:
        """How many entries were reviewed and are published (Art. 16)."""
        return sum(one.history.state == "catalogued" for one in self.listed)

    @property
    def providers(self) -> int:
        """How many bodies provide them."""
        return len({one.entry.provider for one in self.listed})


def read_catalogue(home: Home) -> Catalogue:
    """Read the contracts in force, the lake and the register; none of them need be there yet."""
    return make_catalogue(entries(load_tree(), read_facts(home)), histories(home))


def make_catalogue(found: Sequence[Entry], known: Mapping[str, History]) -> Catalogue:
    """Put entries and their histories, by code, together. Pure."""
    return Catalogue(tuple(Listed(e, known.get(e.code, History())) for e in found))
