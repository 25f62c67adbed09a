"""The machine's time on the city's days: every run is metered, and the parts are the whole."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sharing.rights.runs import measured_runs, parts_of

if TYPE_CHECKING:
    from tests.conftest import City


def test_cpu_seconds_of_the_city_add_up_to_what_its_processes_counted(city: City) -> None:
    runs = list(measured_runs(city.home))
    assert {run.stage for run in runs} == {"land", "publish", "build", "share"}
    counted: dict[str, set[int]] = defaultdict(set)
    for run in runs:
        assert len(run.cpu) == (1 if run.stage == "land" else 2), run
        for time in run.cpu:
            counted[time.process] |= set(range(time.start_ms, time.end_ms))
    assert len(counted) == 2, "the tests' own process, and Spark's"
    parts = parts_of(runs, [max(run.ended_at for run in runs)])
    assert sum(parts.values()) == sum(map(len, counted.values()))
    assert all(parts[run.run_id] > 0 for run in runs if run.stage == "publish")
