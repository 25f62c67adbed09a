"""The refused vault holds incident records and nothing else: no byte of what was refused."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from jobs.pull.incidents import FILE_MODE, Incident
from jobs.verify.report import checked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked

_MAX_BYTES: Final = 4096


def records(lake: Lake) -> Iterator[Checked]:
    """Check that every file of the vault is an incident record that only its owner reads."""
    folder = lake.home.refused
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if not file.is_dir():
            yield checked(5, f"refused/{file.relative_to(folder)}", _problem(file))


def _problem(file: Path) -> str | None:
    status = file.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_BYTES:
        return "it is no incident record: the vault keeps no bytes of what was refused"
    try:
        incident = Incident.model_validate_json(file.read_bytes())
    except (ValidationError, ValueError):
        return "it is no incident record: the vault keeps no bytes of what was refused"
    if file.name != incident.file_name:
        return "its name is not the one its facts make"
    if stat.S_IMODE(status.st_mode) & ~FILE_MODE:
        return f"others may read it: mode {stat.S_IMODE(status.st_mode):04o}, not {FILE_MODE:04o}"
    return None
