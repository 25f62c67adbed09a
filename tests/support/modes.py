"""What users other than its owner may do below a folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def open_to_others(root: Path) -> list[str]:
    """Return what group or others have any right on, with its mode; links have none."""
    found = [
        root,
        *(Path(folder) / n for folder, dirs, files in os.walk(root) for n in dirs + files),
    ]
    modes = {path: path.lstat().st_mode for path in found}
    return [
        f"{stat.S_IMODE(mode):04o} {path.relative_to(root)}"
        for path, mode in modes.items()
        if mode & 0o077 and not stat.S_ISLNK(mode)
    ]
