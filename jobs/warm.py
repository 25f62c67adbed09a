"""Warms a Spark server up: tries a few made rows, so that its first real batch finds all loaded.

A server that just started spends some eight seconds more on its first batch than on the next: it
loads and links what plans are made of. ``python -m jobs.warm`` spends them before anybody waits.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from contracts.loading import load_tree
from contracts.rules import row_rules
from jobs.trial import given, try_file

if TYPE_CHECKING:
    from contracts.model import Contract
    from contracts.tree import Tree

_ROWS = 20


def warm(tree: Tree) -> str | None:
    """Try made rows of the contract that asks most of Spark; return its id, None if none will do.

    That is one with sealed columns where there is one, and among those the one with most rules.
    """
    fit = [c for c in tree.sources.values() if c.servers and c.servers[0].format == "csv"]
    if not fit:
        return None
    contract = max(fit, key=lambda c: (c.level == "L4", len(row_rules(c)), c.id))
    with TemporaryDirectory(prefix="jingshu-warm-") as folder:
        file = Path(folder) / "made.csv"
        file.write_text(made_rows(contract), "utf-8")
        try_file(given(tree, file, contract.id, is_simulated=True))
    return contract.id


def made_rows(contract: Contract) -> str:
    """Return rows in the layout of a contract's first server; most cells break some rule."""
    export, out = contract.servers[0].export, io.StringIO()
    writer = csv.writer(out, delimiter=export.delimiter)
    writer.writerows([""] for _ in range(export.header_row - 1))
    writer.writerow(c.header for c in contract.columns)
    writer.writerows([str(n)] * len(contract.columns) for n in range(_ROWS))
    return out.getvalue()


if __name__ == "__main__":
    warm(load_tree())
