"""The catalogue as it was read a moment ago: reading it anew opens every table of the lake."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final

from contracts.loading import load_tree
from sharing.catalogue.entries import entries
from sharing.catalogue.lake import read_facts

if TYPE_CHECKING:
    from contracts.layout import Home
    from contracts.tree import Tree
    from sharing.catalogue.entries import Entry

_KEPT: Final = timedelta(minutes=1)


class Shelf:
    """Entries with what the lake says of them, at most a minute old; safe among threads."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = Lock()
        self._found: tuple[Tree, datetime, tuple[Entry, ...]] | None = None

    def entries(self, at: datetime) -> tuple[Entry, ...]:
        """Return the entries of the tree in force, in code order.

        Products that requests made are not among them: they are their askers' alone.
        """
        tree = load_tree()
        with self._lock:
            known = self._found
            if known is None or known[0] is not tree or at - known[1] >= _KEPT:
                known = self._found = (tree, at, entries(tree, read_facts(self._home)))
            return known[2]
