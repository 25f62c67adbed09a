"""Compare every tile and bundle of a log with what its signed root says they must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.evidence.errors import EvidenceError, TileError
from lineage.evidence.hashing import leaf_hash, merkle_root, perfect_root
from lineage.evidence.leaf import Leaf
from lineage.evidence.tiles import ENTRIES, WIDTH, Level, TileStore, tile_name, tile_sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lineage.evidence.checkpoint import Checkpoint


@dataclass(frozen=True)
class Finding:
    """One thing that does not hold; ``where`` is a file, with the entry's index if there is one."""

    where: str
    problem: str


@dataclass(frozen=True)
class TileCheck:
    """All leaves of a log, read twice: from the entry bundles and from the level-0 tiles.

    The copy whose root is the signed one is the truth that the other files are held against, so
    that a damaged file is named and its sound neighbour is not.
    """

    store: TileStore
    head: Checkpoint
    entries: list[bytes | None]  # None where a bundle cannot be read
    hashed: list[bytes | None]  # the leaf hashes of these entries
    tiled: list[bytes | None]  # the leaf hashes as the tiles have them
    unreadable: list[TileError]

    @classmethod
    def of(cls, store: TileStore, head: Checkpoint) -> TileCheck:
        """Read a log as far as ``head`` reaches; what a killed writer left beyond is no part."""
        unreadable = list[TileError]()
        entries = _read_all(store.entries, head.size, unreadable)
        tiled = _read_all(lambda index, width: store.hashes(0, index, width), head.size, unreadable)
        hashed = [None if entry is None else leaf_hash(entry) for entry in entries]
        return cls(store, head, entries, hashed, tiled, unreadable)

    def truth(self) -> list[bytes] | None:
        """Return the leaf hashes under the signed root; None where neither copy has them."""
        for copy in (self.hashed, self.tiled):
            leaves = [digest for digest in copy if digest is not None]
            if len(leaves) == len(copy) and merkle_root(leaves) == self.head.root:
                return leaves
        return None

    def findings(self) -> Iterator[Finding]:
        """Yield all that does not hold."""
        for error in self.unreadable:
            yield Finding(error.where, error.detail)
        truth = self.truth()
        if truth is None:
            yield Finding("checkpoint", "neither the entries nor the tiles hash to its root")
            yield from self._disagreements()
            return
        yield from self._wrong_entries(truth)
        yield from self._wrong_tiles(truth)
        yield from self._wrong_facts(truth)

    def _disagreements(self) -> Iterator[Finding]:
        for position, (left, right) in enumerate(zip(self.hashed, self.tiled, strict=True)):
            if left is not None and right is not None and left != right:
                tile = self._place(0, position)
                yield Finding(self._place(ENTRIES, position), f"it does not hash to {tile}")

    def _wrong_entries(self, truth: list[bytes]) -> Iterator[Finding]:
        for position, (found, expected) in enumerate(zip(self.hashed, truth, strict=True)):
            if found is not None and found != expected:
                yield Finding(self._place(ENTRIES, position), "it is not the entry that was signed")
        for index, width in _parts(self.head.size):
            for part in self._older_parts(ENTRIES, index, width):
                expected_part = truth[index * WIDTH : index * WIDTH + part]
                yield from self._wrong_part(ENTRIES, index, part, expected_part)

    def _wrong_tiles(self, truth: list[bytes]) -> Iterator[Finding]:
        row, row_level = truth, 0
        for level, index, width in tile_sizes(self.head.size):
            if level != row_level:
                starts = range(0, len(row) // WIDTH * WIDTH, WIDTH)
                row = [perfect_root(row[start : start + WIDTH]) for start in starts]
                row_level = level
            expected = row[index * WIDTH : index * WIDTH + width]
            yield from self._wrong_part(level, index, width, expected)
            for part in self._older_parts(level, index, width):
                yield from self._wrong_part(level, index, part, expected[:part])

    def _wrong_part(
        self, level: Level, index: int, width: int, expected: list[bytes]
    ) -> Iterator[Finding]:
        where = tile_name(level, index, width)
        try:
            if isinstance(level, int):
                found = self.store.hashes(level, index, width)
            else:
                found = [leaf_hash(entry) for entry in self.store.entries(index, width)]
        except TileError as error:
            if (error.where, error.detail) not in {(e.where, e.detail) for e in self.unreadable}:
                yield Finding(error.where, error.detail)
            return
        if found != expected:
            wrong = next(i for i in range(width) if found[i] != expected[i])
            yield Finding(where, f"its item {wrong} is not what was signed")

    def _wrong_facts(self, truth: list[bytes]) -> Iterator[Finding]:
        first = dict[str, int]()
        for position, entry in enumerate(self.entries):
            if entry is None or self.hashed[position] != truth[position]:
                continue
            try:
                key = Leaf.parse(entry).key
            except EvidenceError as error:
                yield Finding(self._place(ENTRIES, position), error.problem)
                continue
            if first.setdefault(key, position) != position:
                where = self._place(ENTRIES, position)
                yield Finding(where, f"{key} is logged already, as entry {first[key]}")

    def _older_parts(self, level: Level, index: int, width: int) -> list[int]:
        return [part for part in self.store.partial_widths(level, index) if part < width]

    def _place(self, level: Level, position: int) -> str:
        index = position // WIDTH
        width = min(WIDTH, self.head.size - index * WIDTH)
        return f"{tile_name(level, index, width)}, entry {position}"


def _parts(size: int) -> Iterator[tuple[int, int]]:
    """Yield index and width of every bundle, and so of every level-0 tile."""
    for index in range(-(-size // WIDTH)):
        yield index, min(WIDTH, size - index * WIDTH)


def _read_all(
    read: Callable[[int, int], list[bytes]], size: int, unreadable: list[TileError]
) -> list[bytes | None]:
    items = list[bytes | None]()
    for index, width in _parts(size):
        try:
            items.extend(read(index, width))
        except TileError as error:
            unreadable.append(error)
            items.extend([None] * width)
    return items
