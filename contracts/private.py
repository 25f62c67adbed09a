"""Keeps a home to its owner: folders 0700, files 0600, whoever writes them.

Rows above L2 lie in the lake in clear, and tokens, grants and requests in ``control.db``: below a
home there is nothing for the machine's other users.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

#: Takes every right of group and others from what a process makes.
UMASK: Final = 0o077


def private_process() -> None:
    """Let whatever this process and its children make be its owner's alone."""
    os.umask(UMASK)


def keep_private(root: Path) -> bool:
    """Take a home's rights from all but its owner; return whether somebody else had any.

    A home that an older version made is walked once: its root comes last, so a walk that was
    interrupted begins again. A home of another user is left as it is, and so is a folder of
    other things that nothing was written to yet.
    """
    try:
        found = root.stat()
    except FileNotFoundError:
        return False
    if not found.st_mode & UMASK or found.st_uid != os.geteuid() or not _is_home(root):
        return False
    for folder, _, files in os.walk(root, topdown=False):
        for name in files:
            _close(os.path.join(folder, name))  # noqa: PTH118  (a home has many files)
        _close(folder)
    return True


def _is_home(root: Path) -> bool:
    """Tell whether a folder is a home, or can only become one."""
    ours = ("control.db", "lake", "run")
    return any((root / name).exists() for name in ours) or not any(root.iterdir())


def _close(path: str) -> None:
    """Take the rights of group and others; what is gone or another user's stays as it is."""
    with suppress(FileNotFoundError, PermissionError):
        mode = os.lstat(path).st_mode
        if mode & UMASK and not stat.S_ISLNK(mode):
            os.chmod(path, stat.S_IMODE(mode) & ~UMASK)  # noqa: PTH101
