"""Reference tables (code lists) that rules and products read: small CSV files in the tree."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.errors import UsageError
from contracts.layout import ROOT
from contracts.words import Words

if TYPE_CHECKING:
    from datetime import date

#: Code tables every tree may use, even a stranger's.
PACKAGED = ROOT / "contracts" / "reference"


def reference_csv(root: Path, file: str) -> Path:
    """Return the CSV behind a reference named by its contract (``x.odcs.yaml``) or by itself.

    Looks in the tree first, then in the packaged tables. Raises UsageError with the name.
    """
    name = Path(file).name.removesuffix(".odcs.yaml").removesuffix(".csv") + ".csv"
    for folder, top in ((root / Path(file).parent, root), (PACKAGED, PACKAGED)):
        found = folder / name
        if found.is_file() and not found.resolve().is_relative_to(top.resolve()):
            raise UsageError(
                Words(
                    f"{name} 是指向契约树之外的链接。", f"{name} is a link that leaves the tree."
                ),
                Words("请放文件本身。", "Put the file itself there."),
            )
        if found.is_file():
            return found
    raise UsageError(
        Words(f"没有 {file} 的参照表 {name}。", f"There is no reference table {name} for {file}."),
        Words(
            f"请把 {name} 放到契约旁边的 {Path(file).parent}/ 中。",
            f"Put {name} beside the contract, in {Path(file).parent}/.",
        ),
    )


@cache
def column_rows(path: Path, columns: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return the distinct rows of some columns of a reference CSV, in file order."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = csv.DictReader(handle)
        lost = [name for name in columns if name not in (rows.fieldnames or ())]
        if lost:
            has = rows.fieldnames or ()
            raise UsageError(
                Words(f"{path.name} 没有列 {lost[0]}。", f"{path.name} has no column {lost[0]}."),
                Words(f"它有 {'、'.join(has)}。", f"It has {', '.join(has)}."),
            )
        return tuple(dict.fromkeys(tuple(row[name] for name in columns) for row in rows))


def column_values(path: Path, column: str) -> tuple[str, ...]:
    """Return the distinct values of one column of a reference CSV, in file order."""
    return tuple(value for (value,) in column_rows(path, (column,)))


@cache
def codes_in_force(path: Path, on: date) -> tuple[str, ...]:
    """Return a dated table's codes in use on a day: ``valid_from`` ≤ day < ``valid_to``.

    An empty cell is open on its side; ``valid_to`` is the first day without the code (README).
    """
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return tuple(
            row["code"]
            for row in csv.DictReader(handle)
            if (row["valid_from"] or "0001-01-01") <= on.isoformat()
            and on.isoformat() < (row["valid_to"] or "9999-12-31")
        )
