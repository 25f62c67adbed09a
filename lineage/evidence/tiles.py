"""Tiles and entry bundles as files (c2sp.org/tlog-tiles)."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.words import Words
from lineage.evidence.durable import clear_drafts, sync_directory
from lineage.evidence.errors import TileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lineage.evidence.durable import Pending

#: A full tile holds 256 hashes: a perfect subtree of height 8.
WIDTH = 256
HEIGHT = 8
HASH_BYTES = 32
MAX_LEVELS = 64
_LENGTH_BYTES = 2

#: 256 entries of 65,535 bytes, each with its length.
MAX_BUNDLE_BYTES = WIDTH * (0xFFFF + _LENGTH_BYTES)

#: The pseudo-level under which entry bundles are kept.
ENTRIES = "entries"

#: What is wrong with a file that is not there.
MISSING: Final = Words("缺失", "is missing")

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
            problem = Words(
                f"条目包在其第 {len(entries)} 个条目中间中断",
                f"the bundle ends within its entry {len(entries)}",
            )
            raise TileError(where, problem)
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

        A killed writer's leftovers are contiguous at each level. After a power cut there may be
        gaps; what lies behind one is overwritten or dropped when the tree gets there.
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
        limit = MAX_BUNDLE_BYTES if level == ENTRIES else WIDTH * HASH_BYTES
        for candidate in dict.fromkeys((name, tile_name(level, index))):
            try:
                return candidate, read_at_most(self.directory / candidate, limit)
            except FileNotFoundError:
                continue
            except OSError as error:
                why = error.strerror
                problem = Words(f"不能读取（{why}）", f"cannot be read ({why})")
                raise TileError(candidate, problem) from error
        raise TileError(name, MISSING)


@dataclass(frozen=True)
class TileWriter:
    """Adds tiles to a store; no checkpoint may speak of them before ``pending`` is synced.

    They are written under their own names: what a killed writer left beyond the checkpoint is
    dropped or overwritten.
    """

    store: TileStore
    pending: Pending

    def put(self, level: Level, index: int, items: Sequence[bytes]) -> None:
        """Write a tile (hashes) or an entry bundle; its width is the number of items."""
        data = encode_entries(items) if level == ENTRIES else b"".join(items)
        self.pending.write(self.store.directory / tile_name(level, index, len(items)), data)

    def open_tile(self, level: Level, index: int, items: Sequence[bytes]) -> None:
        """Write the first part of a tile, and drop what a killed writer had begun there."""
        self.store.drop_partials(level, index)
        self.put(level, index, items)


def read_at_most(path: Path, limit_bytes: int) -> bytes:
    """Read a regular file of at most ``limit_bytes``: others' logs may hold pipes or giants.

    Raises:
        OSError: It cannot be read, is no regular file, or is too long.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        data = file.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise OSError(errno.EFBIG, f"it is over {limit_bytes} bytes")
    return data


def _first(found: list[bytes], width: int, name: str, *, is_whole: bool = True) -> list[bytes]:
    expected = WIDTH if not name.rpartition("/")[0].endswith(".p") else width
    if not is_whole or len(found) != expected:
        problem = Words(
            f"有 {len(found)} 项，应为 {expected} 项",
            f"holds {len(found)} items instead of {expected}",
        )
        raise TileError(name, problem)
    return found[:width]
