"""What a home's own log promises: entries are leaves, none is there twice, their times rise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.words import Words
from lineage.evidence.errors import EvidenceError
from lineage.evidence.leaf import Leaf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.evidence.tree import TileTree


class FactCheck:
    """Sees every entry of a log once; keeps two numbers of each, so that large logs fit."""

    def __init__(self, tree: TileTree) -> None:
        self._tree = tree
        self._first: dict[int, int] = {}  # hash of a fact's name → index of its first entry
        self._strange: list[tuple[int, Words]] = []
        self._again: list[tuple[int, int, str]] = []
        self._newest: str | None = None  # the machine's time of the entries so far

    def look(self, index: int, entry: bytes) -> None:
        """See one entry; they come in order."""
        try:
            leaf = Leaf.parse(entry)
        except EvidenceError as error:
            self._strange.append((index, error.problem))
            return
        first = self._first.setdefault(hash(leaf.key), index)
        if first != index:
            self._again.append((index, first, leaf.key))
        self._look_at_time(index, leaf.machine_time)

    def _look_at_time(self, index: int, time: str | None) -> None:
        """Compare with the entries before: those of the version before have no such time."""
        if self._newest is None:
            self._newest = time
        elif time is None:
            problem = Words(
                "缺少机器时间，而其前各条都有",
                "it lacks the machine's time, which those before it have",
            )
            self._strange.append((index, problem))
        elif time <= self._newest:
            problem = Words(
                f"机器时间 {time} 不晚于其前一条的 {self._newest}",
                f"its machine time {time} is not after {self._newest}, which comes before it",
            )
            self._strange.append((index, problem))
        else:
            self._newest = time

    def problems(self) -> Iterator[tuple[int, Words]]:
        """Yield index and problem of entries that are no leaves, repeat a fact or go back."""
        again = [
            (
                index,
                Words(
                    f"{key} 已存证，为第 {first} 条",
                    f"{key} is logged already, as entry {first}",
                ),
            )
            for index, first, key in self._again
            if self._is_of(first, key)  # two names may share a hash
        ]
        yield from sorted([*self._strange, *again], key=lambda found: (found[0], found[1].en))

    def _is_of(self, index: int, key: str) -> bool:
        try:
            return Leaf.parse(self._tree.entry(index)).key == key
        except EvidenceError:
            return False  # that entry's bundle is damaged, and named as such
