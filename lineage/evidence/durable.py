"""Files that are either wholly there or not at all, whatever kills the writer."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_durably(path: Path, data: bytes, scratch: Path, mode: int = 0o644) -> None:
    """Write ``data`` to ``path`` by a synced file in ``scratch`` and a rename.

    ``scratch`` is a folder on the same file system; what a killed writer leaves there is rubbish.
    """
    _make_directory(path.parent)
    _make_directory(scratch)
    draft = scratch / f"{os.getpid()}-{secrets.token_hex(8)}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_directory(path.parent)


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
