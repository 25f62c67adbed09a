"""CPU time of a run: read from the processes themselves, and shared by runs that overlap."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contracts.delivery import Delivery
from contracts.layout import ROOT
from contracts.loading import load_tree
from jobs.record import meter
from lineage import outbox, stages
from lineage.events import events
from lineage.runs import CpuTime
from lineage.stages import Made, Occasion
from sharing.rights.runs import Measured, measured_runs, parts_of

if TYPE_CHECKING:
    from contracts.layout import Home
    from lineage.runs import Run

DAY = date(2026, 7, 15)
AT = datetime(2026, 7, 15, 4, tzinfo=UTC)
VISIT = Delivery(load_tree(ROOT / "contracts").contract("health.disease_case"), "health", DAY)
BURN = "import time\nwhile time.process_time() < 0.3: pass"


LANDING = ("land", VISIT.table, DAY)


def landing(*cpu: CpuTime) -> Run:
    occasion = Occasion("landed", AT, AT, "real", cpu=cpu)
    return stages.land_run(VISIT, occasion, batch_id="b", file_name="a.csv", made=Made(3, 5))


def test_what_this_process_and_its_children_used_is_the_run_s(home: Home) -> None:
    meter.begin("land", VISIT.table, business_date=DAY, is_on_spark=False)
    until = time.process_time() + 0.2
    while time.process_time() < until:
        pass
    subprocess.run([sys.executable, "-c", BURN], check=True)
    (own,) = meter.read(*LANDING)
    run = landing(own)
    assert own.process.split("/")[2] == str(os.getpid())
    assert own.end_ms - own.start_ms >= 450
    assert meter.read(*LANDING) == (), "its time is told once"
    outbox.write(home, run)
    (measured,) = measured_runs(home)
    assert measured.cpu == run.cpu
    assert parts_of([measured], [AT]) == {run.run_id: own.end_ms - own.start_ms}


@pytest.mark.parametrize("remote", [None, "sc://spark.example:15002", "sc://127.0.0.1:1"])
def test_with_spark_elsewhere_a_run_is_measured_by_the_clock(
    monkeypatch: pytest.MonkeyPatch, remote: str | None
) -> None:
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    if remote:
        monkeypatch.setenv("SPARK_REMOTE", remote)
    meter.begin("land", VISIT.table, business_date=DAY, is_on_spark=True)
    assert meter.is_begun(*LANDING), "or publishing would begin it anew, without Spark's part"
    assert meter.read(*LANDING) == ()
    assert "jingshu_cpu" not in (events(landing())[1].run.facets or {})


def test_overlapping_runs_share_a_process_and_keep_their_own() -> None:
    def run(name: str, *cpu: CpuTime) -> Measured:
        return Measured(name, "publish", "t", 1, AT, AT, cpu)

    shared = [
        run("a", CpuTime("task-a", 0, 500), CpuTime("spark", 1000, 3000)),
        run("b", CpuTime("task-b", 40, 140), CpuTime("spark", 2000, 4000)),
        run("c"),  # of a version before: the clock, on which it took no time
    ]
    parts = parts_of(shared, [AT])
    assert parts == {"a": 500 + 1500, "b": 100 + 1500, "c": 0}
    assert sum(parts.values()) == 500 + 100 + 3000


def test_a_facet_that_nobody_wrote_is_named(home: Home) -> None:
    path = outbox.write(home, landing())
    text = path.read_text("utf-8")
    assert '"run":{"facets":{' in text
    wrong = text.replace('"run":{"facets":{', '"run":{"facets":{"jingshu_cpu":{"processes":[{}]},')
    Path(path).chmod(0o600)
    path.write_text(wrong, "utf-8")
    with pytest.raises(ValueError, match="jingshu_cpu of run"):
        list(measured_runs(home))
