"""Files that are either wholly there or not at all, whatever kills the writer."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from pathlib import Path

#: How many files one process keeps open before it syncs their data (limits are 1,024 and up).
_MOST_OPEN: Final = 256


def write_durably(path: Path, data: bytes, scratch: Path, mode: int = 0o600) -> None:
    """Write ``data`` to ``path`` by a synced file in ``scratch`` and a rename.

    ``scratch`` is a folder on the same file system; what a killed writer leaves there is rubbish.
    """
    _drafted(path, data, scratch, mode).replace(path)
    sync_directory(path.parent)


def write_once(path: Path, data: bytes, scratch: Path, mode: int = 0o600) -> None:
    """Write a file as ``write_durably`` does; of several writers at once, the first one's stays."""
    draft = _drafted(path, data, scratch, mode)
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    sync_directory(path.parent)


def _drafted(path: Path, data: bytes, scratch: Path, mode: int) -> Path:
    """Write the synced draft of a file whose folder is there then."""
    _make_directory(path.parent)
    with Pending() as pending:
        draft = pending.draft(data, scratch, mode)
        pending.sync()
    return draft


class Pending:
    """New files that are written, but not safe before :meth:`sync`: one wait for all of them.

    A file system's journal takes many files at once, so syncing after the last write costs little
    more than syncing one.
    """

    def __init__(self) -> None:
        self._handles: list[int] = []
        self._folders: dict[Path, None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            os.close(handle)
        self._handles.clear()

    def write(self, path: Path, data: bytes) -> None:
        """Write a file under its own name, which nothing may refer to before :meth:`sync`."""
        _make_directory(path.parent)
        self._write(path, data, os.O_TRUNC, 0o600)
        self._folders[path.parent] = None

    def draft(self, data: bytes, scratch: Path, mode: int = 0o600) -> Path:
        """Write a file in ``scratch``, to be renamed after :meth:`sync`, and return its path."""
        _make_directory(scratch)
        path = scratch / f"{os.getpid()}-{secrets.token_hex(8)}"
        self._write(path, data, os.O_EXCL, mode)
        return path

    def sync(self) -> None:
        """Wait until all data, and then all names, would survive a power cut."""
        self._sync_data()
        for folder in self._folders:
            sync_directory(folder)
        self._folders.clear()

    def _write(self, path: Path, data: bytes, how: int, mode: int) -> None:
        if len(self._handles) == _MOST_OPEN:
            self._sync_data()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | how, mode)
        self._handles.append(handle)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]

    def _sync_data(self) -> None:
        while self._handles:
            os.fsync(self._handles[-1])
            os.close(self._handles.pop())


def clear_drafts(scratch: Path) -> None:
    """Remove what killed writers left; the caller knows that no other is writing."""
    for draft in scratch.iterdir() if scratch.is_dir() else ():
        draft.unlink(missing_ok=True)


def sync_directory(path: Path) -> None:
    """Make renames and removals in a folder survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make_directory(path: Path) -> None:
    if not path.is_dir():
        _make_directory(path.parent)
        path.mkdir(exist_ok=True)
        sync_directory(path.parent)
