"""``./jingshu up|status|down``: the stack that a person keeps, and a run that joins it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from contracts.layout import Home
from contracts.model import CITY_TZ
from contracts.moment import utc_now
from infra.stack.airflow import USER, password
from infra.stack.rest import AirflowApi, DagRun
from lineage.evidence.anchored import anchoring
from tests.support.commands import Running

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

DAY = "2026-07-15"
FEED = "ingest__emergency__depot_stock"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("kept"))


def command(home: Home, *arguments: str) -> Running:
    with Running(home, *arguments) as running:
        running.finish()
    return running


@pytest.fixture(scope="module")
def kept(home: Home) -> Iterator[Running]:
    try:
        yield command(home, "up")
    finally:
        command(home, "down")


@pytest.fixture(scope="module")
def api(kept: Running, home: Home) -> Iterator[AirflowApi]:
    port = kept.seen.parts["api-server"].port
    with AirflowApi(f"http://127.0.0.1:{port}", USER, password(home)) as client:
        yield client


def finished(api: AirflowApi, keys: set[str]) -> list[DagRun]:
    """Wait until each of these dates has a finished run of the feed; return its runs."""
    deadline = time.monotonic() + 300
    while True:
        runs = [run for run in api.all_runs() if run.dag_id == FEED]
        if keys <= {run.partition_key for run in runs if run.is_finished}:
            return runs
        assert time.monotonic() < deadline, runs
        time.sleep(1)


def dated(api: AirflowApi) -> list[DagRun]:
    """Return the runs of business dates: all but those that keep the house."""
    return [run for run in api.all_runs() if run.dag_id != "upkeep"]


def _just_missed() -> set[str | None]:
    """Return the date whose hour came shortly before ``up``: its runs are made up for."""
    return {f"{datetime.now(CITY_TZ).date() - timedelta(1)}"}


def test_all_parts_are_up_and_say_where(kept: Running, home: Home) -> None:
    assert kept.exit_code == 0, kept.log
    assert "spark 已预热。 spark is warm." in kept.log
    status = command(home, "status", "--json")
    assert status.exit_code == 0
    told = {part["name"]: part for part in status.summary()["parts"]}
    assert set(told) == {
        "spark",
        "api-server",
        "dag-processor",
        "scheduler",
        "triggerer",
        "gateway",
        "witness",
        "portal-web",
    }
    assert all(part["is_alive"] for part in told.values())
    assert told["spark"]["address"].startswith("sc://127.0.0.1:")
    page = httpx.get(told["portal-web"]["address"], follow_redirects=True, timeout=30)
    assert "登录" in page.text


def test_the_clock_starts_no_run_of_today(api: AirflowApi) -> None:
    assert {run.partition_key for run in dated(api)} <= _just_missed()


def test_airflow_keeps_the_house_and_shows_the_citys_time(kept: Running, api: AirflowApi) -> None:
    assert "upkeep" in api.parsed_dags()
    page = httpx.get(f"http://127.0.0.1:{kept.seen.parts['api-server'].port}/", timeout=30)
    assert "Asia/Shanghai" in page.text


def test_a_run_joins_mends_and_leaves_the_stack_running(
    kept: Running, api: AirflowApi, home: Home
) -> None:
    kept.kill_part("api-server")
    run = command(home, "run", "--date", DAY, "--providers", "emergency", "--json")
    assert run.exit_code == 0, run.log
    assert "api-server 意外停止" in run.log
    assert run.summary()["addresses"]["airflow"].startswith("http://127.0.0.1:")
    assert command(home, "status").exit_code == 0
    assert {run.partition_key for run in dated(api)} - _just_missed() == {DAY}


def test_a_backfill_makes_one_run_a_date(api: AirflowApi) -> None:
    dates = ("2026-07-13", "2026-07-14")
    api.backfill(FEED, *dates)
    runs = finished(api, set(dates))
    made = [run for run in runs if run.partition_key in dates]
    assert sorted(run.partition_key or "" for run in made) == list(dates)
    assert {run.state for run in made} == {"success"}
    assert {run.partition_key for run in runs} - _just_missed() == {*dates, DAY}, runs


def test_upkeep_sends_notices_mends_runs_and_has_the_log_cosigned(
    api: AirflowApi, home: Home
) -> None:
    before = anchoring(home, utc_now())
    assert before is not None
    assert before.copy is None or before.copy.size < before.size, "the backfill made more leaves"
    told = api._send("POST", "/api/v2/dags/upkeep/dagRuns", json={"logical_date": None})
    started, deadline = told.json()["dag_run_id"], time.monotonic() + 300
    while not (run := next(r for r in api.all_runs() if r.dag_run_id == started)).is_finished:
        assert time.monotonic() < deadline
        time.sleep(1)
    assert run.state == "success"
    after = anchoring(home, utc_now())
    assert after is not None
    assert after.copy is not None
    assert after.copy.name == "local"
    assert after.copy.size >= before.size, "what the log held when the round began is cosigned"


def test_down_leaves_nothing(kept: Running, api: AirflowApi, home: Home) -> None:
    assert command(home, "down").exit_code == 0
    assert kept.leftovers() == []
    assert command(home, "status").exit_code == 1
