"""Reference tables (code lists) that rules and products read: small CSV files in the tree."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from contracts.errors import UsageError
from contracts.layout import ROOT

#: Code tables every tree may use, even a stranger's.
PACKAGED = ROOT / "contracts" / "reference"


def reference_csv(root: Path, file: str) -> Path:
    """Return the CSV behind a reference named by its contract (``x.odcs.yaml``) or by itself.

    Looks in the tree first, then in the packaged tables. Raises UsageError with the name.
    """
    name = Path(file).name.removesuffix(".odcs.yaml").removesuffix(".csv") + ".csv"
    for folder in (root / Path(file).parent, PACKAGED):
        if (folder / name).is_file():
            return folder / name
    raise UsageError(
        f"There is no reference table {name} for {file}.",
        f"Put {name} beside the contract, in {Path(file).parent}/.",
    )


@cache
def column_values(path: Path, column: str) -> tuple[str, ...]:
    """Return the distinct values of one column of a reference CSV, in file order."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = csv.DictReader(handle)
        if column not in (rows.fieldnames or ()):
            raise UsageError(
                f"{path.name} has no column {column}.",
                f"It has {', '.join(rows.fieldnames or ())}.",
            )
        return tuple(dict.fromkeys(row[column] for row in rows))
