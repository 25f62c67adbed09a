"""Compare every tile and bundle of a log with what its signed root says they must be.

Entries are read once, bundle by bundle; 64 bytes a bundle are kept, so a log of any size fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from contracts.words import Words
from lineage.evidence.errors import TileError
from lineage.evidence.hashing import fold, leaf_hash, merkle_root, perfect_root, perfect_subtrees
from lineage.evidence.tiles import ENTRIES, WIDTH, Level, TileStore, tile_name, tile_sizes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lineage.evidence.checkpoint import Checkpoint

#: After so many files that cannot be read no more are asked for: a head may claim any size.
_MOST_UNREADABLE: Final = 100


@dataclass(frozen=True)
class Finding:
    """One thing that does not hold; ``where`` is a file, with the entry's index if there is one."""

    where: str
    problem: Words


class EntryCheck(Protocol):
    """What a log's entries must be, beyond hashing to its tree."""

    def look(self, index: int, entry: bytes) -> None:
        """See one entry; they come in order."""

    def problems(self) -> Iterator[tuple[int, Words]]:
        """Yield index and problem of the entries that were not as they must be."""


class AnyEntries:
    """The check of a log whose entries mean nothing to us."""

    def look(self, index: int, entry: bytes) -> None:
        """Accept any bytes."""

    def problems(self) -> Iterator[tuple[int, Words]]:
        """Find nothing."""
        return iter(())


class TileCheck:
    """All leaves of a log, read twice: from the entry bundles and from the level-0 tiles.

    The copy whose root is the signed one is the truth that the other files are held against, so
    that a damaged file is named and its sound neighbour is not.
    """

    def __init__(self, store: TileStore, head: Checkpoint, check: EntryCheck) -> None:
        """Read a log as far as ``head`` reaches; what a killed writer left beyond is no part."""
        self._store, self._head, self._check = store, head, check
        self._unreadable: list[TileError] = []
        # The root over each bundle, and over each level-0 tile; None where it cannot be read.
        self._entries: list[bytes | None] = []
        self._tiles: list[bytes | None] = []
        self._has_bundles = (store.directory / "tile" / ENTRIES).is_dir() or not head.size
        for index, width in _parts(head.size):
            if len(self._unreadable) > _MOST_UNREADABLE:
                break
            self._entries.append(self._root_of_entries(index, width))
            self._tiles.append(self._root_of_tile(index, width))

    def root_at(self, size: int) -> bytes | None:
        """Return the root over the first ``size`` leaves; None where they cannot be told."""
        truth = self._truth()
        if truth is None:
            return None
        bundles, rest = divmod(size, WIDTH)
        edge = [merkle_root(self._true_hashes(bundles, truth[bundles])[:rest])] if rest else []
        return fold([*perfect_subtrees(truth[:bundles]), *edge])

    def findings(self) -> Iterator[Finding]:
        """Yield all that does not hold."""
        if not self._has_bundles:
            problem = Words(
                "缺失：树可以核对，条目不能",
                "is missing: the tree can be checked, the entries cannot",
            )
            yield Finding(f"tile/{ENTRIES}", problem)
        for error in self._unreadable:
            yield Finding(error.where, error.detail)
        if len(self._unreadable) > _MOST_UNREADABLE:
            problem = Words(
                "其中不能读取的过多；其余未查看",
                "too much of it cannot be read; the rest was not looked at",
            )
            yield Finding("tile", problem)
            return
        truth = self._truth()
        if truth is None:
            problem = Words(
                "条目与分块的哈希均与其树根不符",
                "neither the entries nor the tiles hash to its root",
            )
            yield Finding("checkpoint", problem)
            yield from self._disagreements()
            return
        yield from self._wrong_bundles(truth)
        yield from self._wrong_tiles(truth)
        for index, problem in self._check.problems():
            if self._entries[index // WIDTH] == truth[index // WIDTH]:
                yield Finding(self._place(ENTRIES, index), problem)

    def _root_of_entries(self, index: int, width: int) -> bytes | None:
        if not self._has_bundles:
            return None
        try:
            entries = self._store.entries(index, width)
        except TileError as error:
            self._unreadable.append(error)
            return None
        for position, entry in enumerate(entries, index * WIDTH):
            self._check.look(position, entry)
        return merkle_root(map(leaf_hash, entries))

    def _root_of_tile(self, index: int, width: int) -> bytes | None:
        try:
            return merkle_root(self._store.hashes(0, index, width))
        except TileError as error:
            self._unreadable.append(error)
            return None

    def _truth(self) -> list[bytes] | None:
        """Return the root over each 256 leaves under the signed root; None where no copy has it."""
        for copy in (self._entries, self._tiles):
            roots = [root for root in copy if root is not None]
            full = self._head.size // WIDTH
            is_whole = len(roots) == len(copy) == -(-self._head.size // WIDTH)
            if is_whole and self._head.root == fold(
                [*perfect_subtrees(roots[:full]), *roots[full:]]
            ):
                return roots
        return None

    def _disagreements(self) -> Iterator[Finding]:
        for index, (left, right) in enumerate(zip(self._entries, self._tiles, strict=True)):
            if left is None or right is None or left == right:
                continue
            width = self._width(index)
            hashes = self._store.hashes(0, index, width)
            for position, entry in enumerate(self._store.entries(index, width)):
                if leaf_hash(entry) != hashes[position]:
                    leaf = index * WIDTH + position
                    place = self._place(0, leaf)
                    problem = Words(f"其哈希与 {place} 不符", f"it does not hash to {place}")
                    yield Finding(self._place(ENTRIES, leaf), problem)

    def _wrong_bundles(self, truth: list[bytes]) -> Iterator[Finding]:
        for index, found in enumerate(self._entries):
            width = self._width(index)
            parts = self._older_parts(ENTRIES, index, width)
            is_wrong = found is not None and found != truth[index]
            expected = self._true_hashes(index, truth[index]) if is_wrong or parts else []
            if is_wrong:
                entries = self._store.entries(index, width)
                for position, entry in enumerate(entries):
                    if leaf_hash(entry) != expected[position]:
                        where = self._place(ENTRIES, index * WIDTH + position)
                        problem = Words("不是签署时的条目", "it is not the entry that was signed")
                        yield Finding(where, problem)
            for part in parts:
                yield from self._wrong_part(ENTRIES, index, part, expected)

    def _wrong_tiles(self, truth: list[bytes]) -> Iterator[Finding]:
        row, row_level = truth[: self._head.size // WIDTH], 1
        for level, index, width in tile_sizes(self._head.size):
            if level > row_level:
                starts = range(0, len(row) // WIDTH * WIDTH, WIDTH)
                row = [perfect_root(row[start : start + WIDTH]) for start in starts]
                row_level = level
            widths = self._older_parts(level, index, width)
            if level or self._tiles[index] not in {None, truth[index]}:
                widths.insert(0, width)
            if not widths:
                continue
            if level:
                expected = row[index * WIDTH : index * WIDTH + width]
            else:
                expected = self._true_hashes(index, truth[index])
            for part in widths:
                yield from self._wrong_part(level, index, part, expected)

    def _wrong_part(
        self, level: Level, index: int, width: int, expected: Sequence[bytes]
    ) -> Iterator[Finding]:
        """Compare the first ``width`` items of a tile or bundle with those expected."""
        where = tile_name(level, index, width)
        try:
            if isinstance(level, int):
                found = self._store.hashes(level, index, width)
            else:
                found = [leaf_hash(entry) for entry in self._store.entries(index, width)]
        except TileError as error:
            yield Finding(error.where, error.detail)
            return
        wrong = next((i for i in range(width) if found[i] != expected[i]), None)
        if wrong is not None:
            problem = Words(
                f"其第 {wrong} 项不是签署时的内容", f"its item {wrong} is not what was signed"
            )
            yield Finding(where, problem)

    def _true_hashes(self, index: int, root: bytes) -> list[bytes]:
        """Read the leaf hashes of a bundle from the copy that has them."""
        if self._tiles[index] == root:
            return self._store.hashes(0, index, self._width(index))
        return [leaf_hash(entry) for entry in self._store.entries(index, self._width(index))]

    def _older_parts(self, level: Level, index: int, width: int) -> list[int]:
        return [part for part in self._store.partial_widths(level, index) if part < width]

    def _width(self, index: int) -> int:
        return min(WIDTH, self._head.size - index * WIDTH)

    def _place(self, level: Level, leaf: int) -> str:
        index = leaf // WIDTH
        return f"{tile_name(level, index, self._width(index))}, entry {leaf}"


def _parts(size: int) -> Iterator[tuple[int, int]]:
    """Yield index and width of every bundle, and so of every level-0 tile."""
    for index in range(-(-size // WIDTH)):
        yield index, min(WIDTH, size - index * WIDTH)
