"""The Merkle tree that tiles describe: read for proofs, and extended at its right edge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contracts.words import Words
from lineage.evidence.errors import TileError
from lineage.evidence.hashing import (
    consistency_path,
    fold,
    inclusion_path,
    leaf_hash,
    perfect_root,
    root_at,
)
from lineage.evidence.tiles import (
    ENTRIES,
    HEIGHT,
    WIDTH,
    Level,
    TileStore,
    TileWriter,
    levels_of,
    tile_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class TileTree:
    """A tree of ``size`` leaves, read tile by tile."""

    store: TileStore
    size: int
    _tiles: dict[tuple[int, int], list[bytes]] = field(default_factory=dict, repr=False)
    _bundles: dict[int, list[bytes]] = field(default_factory=dict, repr=False)

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of the perfect subtree of ``2**level`` leaves at ``index``."""
        tile_level, height = divmod(level, HEIGHT)
        tile_index, position = divmod(index << height, WIDTH)
        tile = self._tile(tile_level, tile_index)
        return perfect_root(tile[position : position + (1 << height)])

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first ``size`` leaves (all without it)."""
        return root_at(self.size if size is None else size, self.node)

    def inclusion(self, index: int) -> list[bytes]:
        """Return the inclusion path of one leaf."""
        return inclusion_path(index, self.size, self.node)

    def consistency(self, old: int) -> list[bytes]:
        """Return the consistency path from an older size."""
        return consistency_path(old, self.size, self.node)

    def entry(self, index: int) -> bytes:
        """Return one entry.

        Raises:
            TileError: Its bundle is missing or damaged.
        """
        bundle, position = divmod(index, WIDTH)
        if bundle not in self._bundles:
            self._bundles[bundle] = self.bundle(bundle)
        return self._bundles[bundle][position]

    def bundle(self, index: int) -> list[bytes]:
        """Return the entries of one bundle, as far as the tree reaches.

        Raises:
            TileError: It is missing or damaged, or an entry is not that of its leaf hash.
        """
        width = min(WIDTH, self.size - index * WIDTH)
        entries = self.store.entries(index, width)
        _refuse_strangers(entries, self._tile(0, index), tile_name(ENTRIES, index, width))
        return entries

    def entries(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield ``(index, entry)`` in order, from ``start`` on.

        Raises:
            TileError: A bundle is missing or damaged.
        """
        for bundle in range(start // WIDTH, -(-self.size // WIDTH)):
            for position, entry in enumerate(self.bundle(bundle), bundle * WIDTH):
                if position >= start:
                    yield position, entry

    def _tile(self, level: int, index: int) -> list[bytes]:
        if (level, index) not in self._tiles:
            width = min(WIDTH, (self.size >> HEIGHT * level) - index * WIDTH)
            self._tiles[level, index] = self.store.hashes(level, index, width)
        return self._tiles[level, index]


@dataclass
class Edge:
    """The right edge of a tree: its partial tiles, lowest level first, and its last entries.

    All that appending needs: extending a log reads at most one tile a level.
    """

    size: int
    hashes: list[list[bytes]]
    entries: list[bytes]

    @classmethod
    def load(cls, store: TileStore, size: int) -> Edge:
        """Read the edge of a stored tree.

        Raises:
            TileError: A tile is missing or damaged, or an entry does not hash to its leaf.
        """
        hashes = []
        for level in range(levels_of(size)):
            index, width = divmod(size >> HEIGHT * level, WIDTH)
            hashes.append(store.hashes(level, index, width) if width else [])
        index, width = divmod(size, WIDTH)
        entries = store.entries(index, width) if width else []
        _refuse_strangers(entries, hashes[0] if hashes else [], tile_name(ENTRIES, index, width))
        return cls(size, hashes, entries)

    def root(self) -> bytes:
        """Return the root of the whole tree."""
        subtrees = list[bytes]()
        for tile in reversed(self.hashes):
            start = 0
            for level in reversed(range(HEIGHT)):
                if len(tile) & (1 << level):
                    subtrees.append(perfect_root(tile[start : start + (1 << level)]))
                    start += 1 << level
        return fold(subtrees)

    def extend(self, entries: Sequence[bytes], writer: TileWriter) -> None:
        """Append entries and write every bundle and tile that they touch."""
        before, touched = self.size, set[int]()
        for entry in entries:
            self.entries.append(entry)
            if len(self.entries) == WIDTH:
                writer.put(ENTRIES, self.size // WIDTH, self.entries)
                self.entries = []
            self._push(0, leaf_hash(entry), writer, touched)
            self.size += 1
        parts: list[tuple[Level, list[bytes]]] = [(ENTRIES, self.entries)]
        parts.extend((level, self.hashes[level]) for level in sorted(touched))
        for level, part in parts:
            if part:
                self._put_part(level, part, before, writer)

    def _put_part(self, level: Level, part: list[bytes], before: int, writer: TileWriter) -> None:
        leaves_bits = HEIGHT * (level + 1 if isinstance(level, int) else 1)
        index = self.size >> leaves_bits
        is_open = index == before >> leaves_bits and before % (1 << leaves_bits)
        (writer.put if is_open else writer.open_tile)(level, index, part)

    def _push(self, level: int, digest: bytes, writer: TileWriter, touched: set[int]) -> None:
        if level == len(self.hashes):
            self.hashes.append([])
        tile = self.hashes[level]
        tile.append(digest)
        touched.add(level)
        if len(tile) == WIDTH:
            writer.put(level, self.size >> HEIGHT * (level + 1), tile)
            self.hashes[level] = []
            self._push(level + 1, perfect_root(tile), writer, touched)


def _refuse_strangers(entries: Sequence[bytes], hashes: Sequence[bytes], where: str) -> None:
    for position, (entry, expected) in enumerate(zip(entries, hashes, strict=True)):
        if leaf_hash(entry) != expected:
            problem = Words(
                f"其第 {position} 个条目与叶哈希不符",
                f"its entry {position} differs from its leaf hash",
            )
            raise TileError(where, problem)
