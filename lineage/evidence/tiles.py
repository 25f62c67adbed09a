"""Tiles and entry bundles as files (c2sp.org/tlog-tiles)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.evidence.durable import clear_drafts, sync_directory, write_durably
from lineage.evidence.errors import TileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: A full tile holds 256 hashes: a perfect subtree of height 8.
WIDTH = 256
HEIGHT = 8
HASH_BYTES = 32
MAX_LEVELS = 64
_LENGTH_BYTES = 2

#: The pseudo-level under which entry bundles are kept.
ENTRIES = "entries"

Level = int | str


def tile_name(level: Level, index: int, width: int = WIDTH) -> str:
    """Return ``tile/<L>/<N>[.p/<W>]``, e.g. ``tile/0/x001/x234/067.p/5``."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def tile_sizes(size: int) -> Iterator[tuple[int, int, int]]:
    """Yield ``(level, index, width)`` of every hash tile in a tree of ``size`` leaves."""
    level, hashes = 0, size
    while hashes:
        for index in range(hashes // WIDTH):
            yield level, index, WIDTH
        if hashes % WIDTH:
            yield level, hashes // WIDTH, hashes % WIDTH
        level, hashes = level + 1, hashes // WIDTH


def levels_of(size: int) -> int:
    """Return how many levels of tiles a tree of ``size`` leaves has."""
    return -(-size.bit_length() // HEIGHT)


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """Return an entry bundle: each entry after its length as a big-endian uint16."""
    return b"".join(len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries)


def decode_entries(bundle: bytes, where: str) -> list[bytes]:
    """Split an entry bundle; ``where`` names it in the error.

    Raises:
        TileError: It ends within an entry.
    """
    entries, position = list[bytes](), 0
    while position < len(bundle):
        start = position + _LENGTH_BYTES
        position = start + int.from_bytes(bundle[position:start], "big")
        if position > len(bundle):
            raise TileError(where, f"the bundle ends within its entry {len(entries)}")
        entries.append(bundle[start:position])
    return entries


@dataclass(frozen=True)
class TileStore:
    """The files of one log below ``directory``."""

    directory: Path

    @property
    def scratch(self) -> Path:
        """Where files are drafted; never part of the log."""
        return self.directory / ".draft"

    def exists(self) -> bool:
        """Say whether any tile was ever written."""
        return (self.directory / "tile").exists()

    def hashes(self, level: int, index: int, width: int) -> list[bytes]:
        """Read the first ``width`` hashes of a tile, from the full tile where the part is gone.

        Raises:
            TileError: Neither is there, or its length is not that of its hashes.
        """
        name, data = self._read(level, index, width)
        found = [data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)]
        return _first(found, width, name, is_whole=len(data) % HASH_BYTES == 0)

    def entries(self, index: int, width: int) -> list[bytes]:
        """Read the first ``width`` entries of a bundle, as :meth:`hashes` does.

        Raises:
            TileError: It is missing, damaged, or has another number of entries.
        """
        name, data = self._read(ENTRIES, index, width)
        return _first(decode_entries(data, name), width, name)

    def put(self, level: Level, index: int, items: Sequence[bytes]) -> None:
        """Write a tile (hashes) or an entry bundle; its width is the number of items."""
        data = encode_entries(items) if level == ENTRIES else b"".join(items)
        path = self.directory / tile_name(level, index, len(items))
        write_durably(path, data, self.scratch)

    def partial_widths(self, level: Level, index: int) -> list[int]:
        """Return the widths of the partial tiles that are there, ascending."""
        folder = (self.directory / tile_name(level, index, 1)).parent
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set[str]()
        return [width for width in range(1, WIDTH) if str(width) in names]

    def drop_partials(self, level: Level, index: int, above: int = 0) -> None:
        """Remove partial tiles wider than ``above``."""
        for width in self.partial_widths(level, index):
            if width > above:
                (self.directory / tile_name(level, index, width)).unlink(missing_ok=True)
        folder = (self.directory / tile_name(level, index, 1)).parent
        if above == 0 and folder.is_dir():
            with suppress(OSError):  # a stranger's file may keep the folder
                folder.rmdir()

    def drop_beyond(self, size: int) -> None:
        """Remove what a killed writer left beyond a tree of ``size`` leaves.

        Tiles are written in ascending order, so the leftovers of each level are contiguous.
        """
        clear_drafts(self.scratch)
        self._drop_level_beyond(ENTRIES, size)
        for level in range(MAX_LEVELS):
            if not (self.directory / f"tile/{level}").is_dir():
                return
            self._drop_level_beyond(level, size >> HEIGHT * level)

    def _drop_level_beyond(self, level: Level, hashes: int) -> None:
        index, width = divmod(hashes, WIDTH)
        while True:
            full = self.directory / tile_name(level, index)
            widths = self.partial_widths(level, index)
            if not full.exists() and not widths:
                return
            self.drop_partials(level, index, above=width)
            if full.exists():
                full.unlink()
                sync_directory(full.parent)
            index, width = index + 1, 0

    def _read(self, level: Level, index: int, width: int) -> tuple[str, bytes]:
        name = tile_name(level, index, width)
        for candidate in dict.fromkeys((name, tile_name(level, index))):
            try:
                return candidate, (self.directory / candidate).read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise TileError(candidate, f"cannot be read ({error.strerror})") from error
        raise TileError(name, "is missing")


def _first(found: list[bytes], width: int, name: str, *, is_whole: bool = True) -> list[bytes]:
    expected = WIDTH if not name.rpartition("/")[0].endswith(".p") else width
    if not is_whole or len(found) != expected:
        raise TileError(name, f"holds {len(found)} items instead of {expected}")
    return found[:width]
