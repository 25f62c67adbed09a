"""The refused vault holds incident records and nothing else: no byte of what was refused."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from contracts.words import Words
from jobs.pull.incidents import FILE_MODE, Incident
from jobs.verify.report import checked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked

_MAX_BYTES: Final = 4096
_NO_RECORD: Final = Words(
    "它不是事件记录：拒收库不保存被拒收内容的任何字节",
    "it is no incident record: the vault keeps no bytes of what was refused",
)


def records(lake: Lake) -> Iterator[Checked]:
    """Check that every file of the vault is an incident record that only its owner reads."""
    folder = lake.home.refused
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if not file.is_dir():
            yield checked(5, f"refused/{file.relative_to(folder)}", _problem(file))


def _problem(file: Path) -> Words | None:
    status = file.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
        return _NO_RECORD
    try:
        incident = Incident.model_validate_json(file.read_bytes())
    except (ValidationError, ValueError):
        return _NO_RECORD
    if file.name != incident.file_name:
        return Words("其名称与其内容不符", "its name is not the one its facts make")
    mode = stat.S_IMODE(status.st_mode)
    if mode & ~FILE_MODE:
        return Words(
            f"他人可以读取：权限为 {mode:04o}，不是 {FILE_MODE:04o}",
            f"others may read it: mode {mode:04o}, not {FILE_MODE:04o}",
        )
    return None
