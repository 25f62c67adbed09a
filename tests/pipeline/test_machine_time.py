"""The machine's time on the city's days: every run is metered, and the parts are the whole."""

from __future__ import annotations

import shutil
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from jobs.operations import backfill, decisions
from sharing.rights.runs import measured_runs, parts_of
from tests.support.days import deliver
from tests.support.shop import Shop, day, shop_tree

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from sharing.rights.runs import Measured
    from tests.conftest import City


def test_cpu_seconds_of_the_city_add_up_to_what_its_processes_counted(city: City) -> None:
    runs = list(measured_runs(city.home))
    assert {run.stage for run in runs} == {"land", "publish", "build", "share"}
    for run in runs:
        assert len(run.cpu) == (1 if run.stage == "land" else 2), run
    counted = counted_by(runs)
    assert len(counted) == 2, "the tests' own process, and Spark's"
    parts = parts_of(runs, [max(run.ended_at for run in runs)])
    assert sum(parts.values()) == sum(map(len, counted.values()))
    assert all(parts[run.run_id] > 0 for run in runs if run.stage == "publish")


def counted_by(runs: list[Measured]) -> dict[str, set[int]]:
    """Return each process's milliseconds that were counted for any of the runs."""
    counted: dict[str, set[int]] = defaultdict(set)
    for run in runs:
        for time in run.cpu:
            counted[time.process] |= set(range(time.start_ms, time.end_ms))
    return counted


def bad(number: int) -> dict[str, Any]:
    """Ten rows of which three are bad: more than the contract bears."""
    return {f"A{number}{n}": {1: "one", 2: "", 3: -3}.get(n, n) for n in range(10)}


def test_what_people_run_is_metered_too(home: Home, tmp_path: Path, spark_remote: str) -> None:
    assert spark_remote
    shop = Shop(home, shop_tree(tmp_path / "contracts"))
    lenient = shop_tree(tmp_path / "newer", version="1.1.0", bad_percent=50)
    first = shop.deliver("sale", day(1), bad(1))
    # What its manifest disowns lands by a retry, once the manifest is mended.
    file = shop.send("sale", day(2), bad(2))
    file.write_bytes(file.read_bytes() + b"B1,1,,\n")
    second = shop.run("sale", day(2))
    assert (first.status, second.status) == ("held", "rejected")
    deliver(home.drop, file.relative_to(home.drop).as_posix(), file.read_bytes())
    plan = backfill.make_plan(shop.tree, "shop.sale", day(3), day(3))
    # Without the first day: a batch that is shown again as the same version is the same run.
    again = backfill.make_plan(lenient, "shop.sale", day(2), day(3))

    def from_raw() -> object:
        shutil.rmtree(home.table("silver", "shop__sale"))
        return list(backfill.from_raw(home, lenient, backfill.kept_for(home, again)))

    shop.send("sale", day(3), {"C1": 1})
    known = {run.run_id for run in measured_runs(home)}
    for does, stages in (
        (lambda: decisions.release(home, shop.tree, first.batch_id, "cdo", "ok"), {"publish"}),
        (lambda: decisions.retry(home, lenient, second.batch_id), {"land", "publish"}),
        (lambda: list(backfill.from_drop(home, shop.tree, plan)), {"land", "publish"}),
        (from_raw, {"publish"}),
    ):
        made = does()
        new = [run for run in measured_runs(home) if run.run_id not in known]
        assert {run.stage for run in new} >= stages, made
        assert all(run.cpu for run in new), "by the processes that worked, not by the clock"
        known |= {run.run_id for run in new}
    runs = list(measured_runs(home))
    parts = parts_of(runs, [max(run.ended_at for run in runs)])
    assert sum(parts.values()) == sum(map(len, counted_by(runs).values()))
