"""How much of a landing the content scan takes: 50,000 rows of 15 columns, CPU seconds, best of 3.

Run: ``python -m bench.scan``.
"""

from __future__ import annotations

import csv
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from contracts.layout import ROOT
from contracts.loading import load_tree
from jobs.land.parsed import Parsed
from jobs.scan.findings import compare
from jobs.tables.bronze import bronze_schema

if TYPE_CHECKING:
    from contracts.model import Contract

ROWS, COLUMNS = 50_000, 15
TIMES = 3


def main() -> None:
    """Print landing without the scan, the scan, and their ratio."""
    model = load_tree(ROOT / "contracts").contract("transport.link_speed")
    plain = model.columns[0].model_copy(update={"rule": None})
    columns = tuple(
        plain.model_copy(update={"name": f"c{i}", "header": f"列{i}"}) for i in range(COLUMNS)
    )
    contract = model.model_copy(update={"columns": columns})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        _write(file)
        landing = min(_landing(file, contract)[0] for _ in range(TIMES))
        _, data = _landing(file, contract)
        scanning = []
        for _ in range(TIMES):
            began = time.process_time()
            compare(contract, data)
            scanning.append(time.process_time() - began)
    share = min(scanning) / landing
    print(f"landing {landing:.2f} s, scan {min(scanning):.2f} s: {share:.1%} of {ROWS:,} rows")


def _landing(file: Path, contract: Contract) -> tuple[float, pa.Table]:
    began = time.process_time()
    parsed = Parsed(contract, contract.servers[0], "batch")
    data = pa.Table.from_batches(list(parsed.batches(file)), bronze_schema(contract))
    return time.process_time() - began, data


def _write(file: Path) -> None:
    rng = random.Random(2026)  # noqa: S311  (repeatable)
    streets = [f"街道{i}号院" for i in range(300)]
    with file.open("w", encoding="utf-8", newline="") as handle:
        out = csv.writer(handle)
        out.writerow([f"列{i}" for i in range(COLUMNS)])
        for row in range(ROWS):
            out.writerow(
                [
                    f"CASE{row:010d}",
                    rng.choice(streets),
                    f"2026-07-{1 + row % 28:02d} 12:{row % 60:02d}:00",
                    f"{rng.uniform(115, 118):.6f}",
                    f"{rng.uniform(39, 41):.6f}",
                    f"110101{rng.randrange(999):03d}",
                    f"138{rng.randrange(10**8):08d}",
                    f"{rng.randrange(10**6)}",
                    rng.choice(("是", "否")),
                    f"备注：第 {row} 件，已处理",
                    f"{rng.uniform(0, 1000):.2f}",
                    rng.choice(streets) + f"{rng.randrange(99)}楼",
                    f"9111{rng.randrange(10**14):014d}",
                    "",
                    f"{rng.randrange(10**10)}",
                ]
            )


if __name__ == "__main__":
    main()
