"""``./jingshu run`` through the real scheduler: whatever is killed, a day completes and ends."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from contracts.layout import ROOT, Home
from contracts.loading import load_tree
from contracts.moment import utc_now
from infra.stack.processes import Ledger
from jobs.verify import verify
from lineage.evidence.anchored import anchoring
from lineage.naming import Own
from tests.support.commands import Running, versions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

DAY = "2026-07-15"
PROVIDERS = "civil,dongcheng,econ_it,emergency,health"
FEEDS = {
    (feed.provider, feed.contract.dataset)
    for feed in load_tree(ROOT / "contracts").feeds(frozenset(PROVIDERS.split(",")))
}
#: Ends of a delivery: whichever it is, the date completes.
ENDS = {
    "published",
    "held",
    "rejected",
    "refused",
    "missing",
    "duplicate",
    "expected",
    "not_due",
}


@pytest.fixture(scope="module")
def home(day_home: Home) -> Home:
    return day_home


@pytest.fixture(scope="module")
def moved(first_day: Running, home: Home) -> Iterator[Home]:
    """A copy of the finished home, and nothing where it lay before."""
    copy = Home(home.root.with_name("moved"))
    shutil.copytree(home.root, copy.root, symlinks=True)
    aside = home.root.rename(home.root.with_name("aside"))
    name_assets_by_place(copy, home)
    yield copy
    aside.rename(home.root)


def name_assets_by_place(home: Home, place: Home) -> None:
    """Leave Airflow's assets as the version before did: named by the lake's path."""
    with closing(sqlite3.connect(home.run / "airflow" / "airflow.db")) as database, database:
        for table in ("asset", "asset_active"):
            lake = (place.root / "lake").as_uri()
            database.execute(f"UPDATE {table} SET uri = ? || '/' || name", (lake,))
    stamp = home.run / "airflow" / "migrated"
    stamp.write_text(stamp.read_text().split()[0])


def test_every_delivery_of_the_day_comes_to_an_end(first_day: Running) -> None:
    [day] = first_day.summary()["days"]
    told = {(line["provider"], line["dataset"]): line["state"] for line in day["deliveries"]}
    assert set(told) == FEEDS
    assert set(told.values()) <= ENDS
    assert day["failures"] == []
    assert day["complete"]


def test_tasks_are_parents_dag_runs_roots_and_no_table_stands_twice(
    first_day: Running, home: Home
) -> None:
    theirs = _events(home.lineage_events.parent / "airflow" / "events.ndjson")
    tasks = {
        e["run"]["runId"]: e["run"]["facets"]["parent"]["run"]["runId"]
        for e in theirs
        if "parent" in e["run"]["facets"]
    }
    ours = [e for file in home.lineage_events.glob("*.ndjson") for e in _events(file)]
    assert ours
    for event in ours:
        parent = event["run"]["facets"]["parent"]
        assert parent["root"]["run"]["runId"] == tasks[parent["run"]["runId"]]
        assert parent["job"]["namespace"] == event["job"]["namespace"] == "jingshu://beijing"
    own = Own.of(home)
    named = {(d["namespace"], d["name"]) for e in ours for d in (*e["inputs"], *e["outputs"])}
    also = {
        (d["namespace"], d["name"])
        for e in theirs
        for d in (*e.get("inputs", ()), *e.get("outputs", ()))
    }
    assert not {name for name in also - named if own.inside(*name)[0] == "jingshu"}


def _events(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_no_row_vanishes(first_day: Running) -> None:
    [day] = first_day.summary()["days"]
    published = [line for line in day["deliveries"] if line["state"] == "published"]
    assert published
    for line in published:
        parts = ("rows_published", "rows_quarantined", "rows_duplicate")
        assert line["rows_landed"] == sum(line[part] for part in parts), line["dataset"]


def test_products_and_shares_follow_by_themselves(first_day: Running) -> None:
    [day] = first_day.summary()["days"]
    told = {(line["kind"], line["table"]): line["status"] for line in day["publications"]}
    assert told["product", "heat_readiness"] == "published"
    assert told["share", "heat_readiness__demo"] == "published"


def noted(home: Home, date: str) -> dict[str, list[tuple[str, str]]]:
    """Return state and note of each ingest run of a date, oldest first, by what it delivers."""
    database = sqlite3.connect(f"file:{home.run / 'airflow/airflow.db'}?mode=ro", uri=True)
    with closing(database):
        rows = database.execute(
            "SELECT dag_id, state, content FROM dag_run LEFT JOIN dag_run_note"
            " ON dag_run_id = dag_run.id WHERE partition_key = ? AND dag_id LIKE 'ingest__%'"
            " ORDER BY dag_run.id",
            (date,),
        ).fetchall()
    found: dict[str, list[tuple[str, str]]] = {}
    for dag_id, state, note in rows:
        found.setdefault(dag_id.removeprefix("ingest__"), []).append((state, note or ""))
    return found


def test_airflow_says_of_each_delivery_what_became_of_it(first_day: Running, home: Home) -> None:
    [day] = first_day.summary()["days"]
    runs = noted(home, DAY)
    held = [line for line in day["deliveries"] if line["state"] == "held"]
    assert held
    for line in day["deliveries"]:
        [(state, note)] = runs[f"{line['provider']}__{line['dataset']}"]
        assert state == "success"
        if line["state"] in ("published", "not_due"):
            assert note == ""
        elif line["state"] == "held":
            assert note.startswith("**暂扣待定** ")
            assert f"./jingshu batch show {line['batch_id']}" in note


def test_the_pages_and_the_demo_profile_are_there(first_day: Running, home: Home) -> None:
    addresses = first_day.summary()["addresses"]
    assert "模拟数据" in (home.site / "index.html").read_text("utf-8")
    assert addresses["page"] == str(home.site / "index.html")
    assert (home.root / "demo.share").stat().st_mode & 0o077 == 0


def test_the_days_log_is_cosigned_by_a_witness(first_day: Running, home: Home) -> None:
    found = anchoring(home, utc_now())
    assert found is not None
    assert found.copy is not None
    assert (found.copy.kind, found.copy.name, found.copy.size) == ("witness", "local", found.size)


def test_every_part_listens_on_loopback_only(first_day: Running) -> None:
    assert {"spark", "api-server", "scheduler", "dag-processor", "gateway"} <= set(
        first_day.seen.parts
    )
    addresses = {address for address, _ in first_day.seen.listeners}
    assert addresses <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    assert addresses


def test_nothing_is_left_after_the_day(first_day: Running, home: Home) -> None:
    assert first_day.leftovers() == []
    assert Ledger(home).parts() == []


def test_nothing_that_is_read_again_names_the_homes_place(first_day: Running, home: Home) -> None:
    place = str(home.root).encode()
    told = [file for file in home.root.rglob("*") if file.is_file() and place in file.read_bytes()]
    assert {str(f.relative_to(home.root)) for f in told if not is_history(f)} == set()


def is_history(file: Path) -> bool:
    """Tell what only says what was, or is written anew at every start."""
    return "logs" in file.parts or file.parent.name == "_delta_log" or file.name == "spark.conf"


def test_the_same_day_again_in_a_moved_home_changes_no_table(
    first_day: Running, moved: Home
) -> None:
    before = versions(moved)
    with Running(moved, "run", "--date", DAY, "--providers", PROVIDERS, "--json") as again:
        assert again.finish() == 0, again.log
    assert versions(moved) == before
    [day] = again.summary()["days"]
    assert day["deliveries"] == [
        {**line, "seconds": told["seconds"]}
        for line, told in zip(
            first_day.summary()["days"][0]["deliveries"], day["deliveries"], strict=True
        )
    ]


def test_a_day_again_without_airflows_database_changes_no_table(
    first_day: Running, moved: Home
) -> None:
    before = versions(moved)
    shutil.rmtree(moved.run / "airflow")
    arguments = ("run", "--date", DAY, "--providers", "emergency", "--json")
    with Running(moved, *arguments) as again:
        assert again.finish() == 0, again.log
    assert versions(moved) == before


def test_a_day_survives_the_death_of_a_task_of_spark_and_of_the_scheduler(
    first_day: Running, moved: Home
) -> None:
    providers = "emergency,civil"
    with Running(moved, "run", "--date", "2026-07-16", "--providers", providers, "--json") as day:
        day.kill_task("publish")
        day.wait_for(".publish up_for_retry")
        day.kill_part("spark")
        day.wait_for("spark 意外停止")
        day.kill_part("scheduler")
        assert day.finish() == 0, day.log
        assert day.leftovers() == []
    [told] = day.summary()["days"]
    assert {line["provider"] for line in told["deliveries"]} == {"emergency", "civil"}
    assert {line["state"] for line in told["deliveries"]} <= ENDS
    assert verify(moved, load_tree()).findings == []


def test_a_run_that_was_killed_or_interrupted_is_taken_up_again(
    first_day: Running, moved: Home
) -> None:
    arguments = ("run", "--date", "2026-07-17", "--providers", "emergency", "--json")
    with Running(moved, *arguments) as killed:
        killed.wait_for(".land ")
        killed.send(signal.SIGKILL)
        assert killed.finish() == -signal.SIGKILL
        assert killed.leftovers() != []
    with Running(moved, *arguments) as interrupted:
        interrupted.wait_for("正在停止先前服务遗留的部分")
        interrupted.wait_for(".land ")
        assert not set(killed.seen.parts.values()) & set(Ledger(moved).parts())
        interrupted.send(signal.SIGINT)
        interrupted.send(signal.SIGINT)
        assert interrupted.finish() == 130
        assert interrupted.leftovers() == []
    with Running(moved, *arguments) as last:
        assert last.finish() == 0, last.log
        assert last.leftovers() == []
    assert last.summary()["complete"]
    for states in noted(moved, "2026-07-17").values():
        assert [state for state, _ in states][-1] == "success"
        assert {state for state, _ in states[:-1]} <= {"failed"}, "what was given up is over"
    assert verify(moved, load_tree()).findings == []


def test_nothing_was_written_where_the_home_lay_before(moved: Home, home: Home) -> None:
    assert not home.root.exists()
