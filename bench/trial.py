"""A small file through ``try``: the first of a Spark session, warm ones, and a bare Spark job.

Both sides read the same rows in one session; the bare job reads it as text cells, counts its
distinct rows and writes it as Parquet, which is the least that any pipeline on Spark does.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from contracts.delivery import Delivery
from contracts.layout import Home
from contracts.words import text
from infra.sandbox.city import generate_day
from jobs.pull.drop import find
from jobs.spark.session import session
from jobs.trial import given, try_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contracts.tree import Tree
    from jobs.trial import Given

CONTRACT: Final = "health.disease_case"
_DAY: Final = date(2026, 7, 15)
_TRIES: Final = 5


@dataclass(frozen=True)
class TrialFigures:
    """What trying one file takes, in seconds of the clock.

    ``first_s`` is the first in its session, ``warm_s`` the median and ``slowest_s`` the slowest of
    those after it; ``is_own`` tells whether the session's server was started for it.
    """

    contract: str
    rows: int
    bytes: int
    is_own: bool
    first_s: float
    warm_s: float
    slowest_s: float
    bare_s: float

    @property
    def ratio(self) -> float:
        """A warm try over the bare job."""
        return round(self.warm_s / self.bare_s, 2)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON's own types."""
        return {**asdict(self), "ratio": self.ratio}


def measure(folder: Path, tree: Tree, tell: Callable[[str], None], *, is_own: bool) -> TrialFigures:
    """Try a day's file of the sandbox again and again, and read it with a bare job as often."""
    city = Home(folder / "city")
    generate_day(city, _DAY, providers={CONTRACT.partition(".")[0]})
    contract = tree.contract(CONTRACT)
    [server] = contract.servers
    file = find(Delivery(contract, server.provider, _DAY, tree.root), city.drop).path
    taken = given(tree, file, CONTRACT, business_date=_DAY, is_simulated=True)
    encoding = "utf-8" if server.export.encoding == "auto" else server.export.encoding
    times = 1 + _TRIES
    tell(text(f"试算 {file.name}，{times} 次 …", f"trying {file.name}, {times} times …"))
    first, rows = _tried(taken)
    warm = [_tried(taken)[0] for _ in range(_TRIES)]
    tell(text("对照：纯 Spark 作业 …", "a bare Spark job …"))
    same = folder / "same.csv"  # Spark reads no GB 18030
    same.write_text(file.read_text(encoding), "utf-8")
    bare = [_bare(same, folder / "bare") for _ in range(1 + _TRIES)][1:]
    return TrialFigures(
        contract=CONTRACT,
        rows=rows,
        bytes=file.stat().st_size,
        is_own=is_own,
        first_s=round(first, 2),
        warm_s=round(statistics.median(warm), 2),
        slowest_s=round(max(warm), 2),
        bare_s=round(statistics.median(bare), 2),
    )


def _tried(taken: Given) -> tuple[float, int]:
    began = time.perf_counter()
    rows = try_file(taken).rows_landed
    return time.perf_counter() - began, rows


def _bare(file: Path, out: Path) -> float:
    began = time.perf_counter()
    rows = session().read.csv(str(file), header=True)
    rows.distinct().count()
    rows.write.mode("overwrite").parquet(str(out))
    return time.perf_counter() - began
