"""A whole city day against the same Airflow with nothing to do: ratio, and where the time goes."""

from __future__ import annotations

import sqlite3
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.empty import EmptyDay, empty_day
from bench.parse import Parse, parse_times
from bench.resources import COMMAND, TASKS, Sampler
from contracts.layout import Home
from infra.stack import airflow
from infra.stack.city import CityRun

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from infra.stack.city import Display, Summary
    from infra.stack.plan import Step

_SCHEDULING: Final = ("api-server", "dag-processor", "scheduler", "triggerer")
_CORES: Final = 2


@dataclass(frozen=True)
class Stage:
    """One task id over the day: how many ran, and their wall seconds."""

    name: str
    runs: int
    median_s: float
    longest_s: float
    total_s: float


@dataclass(frozen=True)
class CityFigures:
    """What a city day took. Seconds are wall seconds unless they are called CPU seconds."""

    providers: int
    deliveries: int
    rows_landed: int
    all_s: float
    day_s: float
    empty_s: float
    most_tasks_a_delivery: int
    cpu_s: dict[str, float]
    stages: tuple[Stage, ...]
    peak_bytes: int
    disk_bytes: int
    parses: tuple[Parse, ...]

    @property
    def ratio(self) -> float:
        """The day over the same Airflow with two empty tasks a delivery."""
        return round(self.day_s / self.empty_s, 2)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**asdict(self), "ratio": self.ratio}


def measure(folder: Path, business_date: date, scale: int, display: Display) -> CityFigures:
    """Run the city's first day in ``folder``, then the empty Airflow, and return the figures.

    The DAG files are read once more by themselves, as the DAG processor reads them.
    """
    home = Home(folder / "city")
    counted = _Counting(display)
    with Sampler(home) as used:
        run = CityRun(home, [business_date], None, scale=scale, seed=1)
        summary = run.run(counted)
    empty = empty_day(Home(folder / "empty"), len(summary.days[0].deliveries))
    parses = tuple(parse_times(Home(folder / "parse")))
    return _figures(home, summary, used, empty, most_tasks=counted.most_tasks, parses=parses)


class _Counting:
    """Passes progress on and notes how many tasks a delivery's run has."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self.most_tasks = 0

    def say(self, line: str) -> None:
        """Pass it on."""
        self._display.say(line)

    def show(self, steps: Sequence[Step]) -> None:
        """Note the most tasks of one delivery, and pass on."""
        ingest = (len(step.tasks) for step in steps if step.node.kind == "ingest")
        self.most_tasks = max(self.most_tasks, *ingest, 0)
        self._display.show(steps)


def _figures(
    home: Home,
    summary: Summary,
    used: Sampler,
    empty: EmptyDay,
    *,
    most_tasks: int,
    parses: tuple[Parse, ...],
) -> CityFigures:
    day = summary.days[0]
    stages = _stages(home)
    # A task that does nothing still forks, imports and reports: so much of each is start-up.
    start_up = empty.cpu_s.get(TASKS, 0.0) / (2 * empty.dags) * sum(s.runs for s in stages)
    tasks = used.cpu_s.get(TASKS, 0.0)
    spark = used.cpu_s.get("spark", 0.0)
    scheduling = sum(used.cpu_s.get(part, 0.0) for part in _SCHEDULING)
    known = (COMMAND, "spark", TASKS, *_SCHEDULING)
    other = sum(seconds for part, seconds in used.cpu_s.items() if part not in known)
    busy = sum(used.cpu_s.values())
    return CityFigures(
        providers=len({d.provider for d in day.deliveries}),
        deliveries=len(day.deliveries),
        rows_landed=sum(d.rows_landed for d in day.deliveries),
        all_s=summary.seconds,
        day_s=round(day.seconds, 1),
        empty_s=empty.seconds,
        most_tasks_a_delivery=most_tasks,
        cpu_s={
            "scheduling": round(scheduling, 1),
            "imports and start-up of tasks": round(min(start_up, tasks), 1),
            "Spark": round(spark, 1),
            "work in tasks": round(max(0.0, tasks - start_up), 1),
            "sandbox and command": used.cpu_s.get(COMMAND, 0.0),
            "gateway": round(other, 1),
            "idle": round(max(0.0, _CORES * summary.seconds - busy), 1),
        },
        stages=stages,
        peak_bytes=used.peak_bytes,
        disk_bytes=sum(f.stat().st_size for f in home.root.rglob("*") if f.is_file()),
        parses=parses,
    )


def _stages(home: Home) -> tuple[Stage, ...]:
    """Return the wall seconds of each task id from Airflow's own records."""
    database = airflow.folder(home) / "airflow.db"
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "SELECT task_id, duration FROM task_instance WHERE duration IS NOT NULL"
        ).fetchall()
    by_name: dict[str, list[float]] = {}
    for name, seconds in rows:
        by_name.setdefault(name, []).append(seconds)
    return tuple(
        Stage(
            name,
            len(took),
            round(statistics.median(took), 2),
            round(max(took), 1),
            round(sum(took), 1),
        )
        for name, took in by_name.items()
    )
