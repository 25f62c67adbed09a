"""``./jingshu run`` through the real scheduler: whatever is killed, a day completes and ends."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from contracts.layout import ROOT, Home
from contracts.tree import load_tree
from infra.stack.processes import Ledger
from jobs.verify import verify
from tests.commands import Running, versions

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


def test_the_pages_and_the_demo_profile_are_there(first_day: Running, home: Home) -> None:
    addresses = first_day.summary()["addresses"]
    assert "模拟数据" in (home.site / "index.html").read_text("utf-8")
    assert addresses["page"] == str(home.site / "index.html")
    assert (home.root / "demo.share").stat().st_mode & 0o077 == 0


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
        interrupted.wait_for("清理上次遗留")
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
    assert verify(moved, load_tree()).findings == []


def test_nothing_was_written_where_the_home_lay_before(moved: Home, home: Home) -> None:
    assert not home.root.exists()
