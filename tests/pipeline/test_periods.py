"""Periods, revisions, races and crashes: whatever happens twice, late or half ends up the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from deltalake import DeltaTable

from contracts.delivery import Delivery
from contracts.layout import ROOT, Home
from contracts.loading import load_tree
from jobs import steps
from jobs.record import governance, intents
from jobs.stages import Ended, LandedBatch, PublishedVersion, Verdict
from jobs.tables.delta import open_table
from jobs.verify import verify
from lineage.evidence.log import EvidenceLog
from tests.support.days import deliver, run_delivery
from tests.support.small import column, properties, set_custom, source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.tree import Tree

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark_remote")]

EARLIER, DAY, NEXT = date(2026, 7, 10), date(2026, 7, 15), date(2026, 7, 16)
MODES: Final[dict[str, dict[str, str]]] = {
    "append": {"mode": "append"},
    "day": {"mode": "replace_period", "period": "day"},
    "month": {"mode": "replace_period", "period": "month"},
    "snapshot": {"mode": "full_snapshot"},
    "merge": {"mode": "merge_key"},
}
every_mode = pytest.mark.parametrize("mode", MODES)
Shown = set[tuple[str, int, date]]


@dataclass(frozen=True)
class Town:
    """A home and a tree of one contract, ``town.visit`` of the museum."""

    home: Home
    tree: Tree

    def deliver(self, day: date, rows: dict[str, object], revision: int = 1) -> None:
        lines = "".join(f"{k},{v}\n" for k, v in rows.items())
        header = "VISIT_ID,GUESTS"
        if any("," in str(v) for v in rows.values()):
            header += ",GONE"
        where = f"museum/visit/{day}/r{revision}.csv"
        deliver(self.home.drop, where, f"{header}\n{lines}".encode(), revision=revision)

    def run(self, day: date) -> PublishedVersion | Ended:
        return run_delivery(self.home, self.tree, "town.visit", "museum", day)

    def take(self, day: date, rows: dict[str, object], revision: int = 1) -> str:
        """Deliver and run; return the status in which the batch or delivery ended."""
        self.deliver(day, rows, revision)
        ended = self.run(day)
        return ended.status if isinstance(ended, PublishedVersion) else ended.state

    def shown(self) -> Shown:
        table = open_table(self.home.table("silver", "museum__visit"))
        if table is None:
            return set()
        rows = table.to_pyarrow_table().to_pylist()
        found = [(r["visit_id"], r["guests"], r["_business_date"]) for r in rows]
        assert len(set(found)) == len(found)
        return set(found)

    def statuses(self) -> dict[tuple[date, int], str]:
        return {
            (b.business_date, b.revision): b.status for b in governance.latest_batches(self.home)
        }

    def state(self) -> dict[str, int]:
        """Every table's version, and the size of the evidence log."""
        logs = sorted((self.home.root / "lake").rglob("_delta_log"))
        state = {str(p.parent.name): DeltaTable(str(p.parent)).version() for p in logs}
        return state | {"leaves": EvidenceLog(self.home).size}

    def assert_whole(self) -> None:
        report = verify(self.home, self.tree)
        assert report.findings == []
        assert report.is_whole
        assert intents.open_intents(self.home) == []


def town(root: Path, load: dict[str, Any]) -> Town:
    contract = source()
    set_custom(contract, "load", load)
    if "delete_marker" in load:
        properties(contract).append(column("gone"))
    (root / "tree").mkdir()
    return Town(Home(root / "home"), load_tree(write(root / "tree", contract)))


AFTER_ALL: Final[dict[str, tuple[Shown, dict[tuple[date, int], str]]]] = {
    mode: (
        {("a", 3, NEXT), ("c", 3, NEXT)} | more,
        {(DAY, 1): "superseded", (DAY, 2): second, (NEXT, 1): "published", (EARLIER, 1): older},
    )
    for mode, more, second, older in (
        (
            "append",
            {("a", 2, DAY), ("a", 9, EARLIER), ("d", 9, EARLIER)},
            "published",
            "published",
        ),
        ("day", {("a", 2, DAY), ("a", 9, EARLIER), ("d", 9, EARLIER)}, "published", "published"),
        ("month", set(), "superseded", "superseded"),
        ("snapshot", set(), "superseded", "superseded"),
        ("merge", {("d", 9, EARLIER)}, "published", "published"),
    )
}


@every_mode
def test_corrected_late_and_repeated_deliveries(tmp_path: Path, mode: str) -> None:
    place = town(tmp_path, MODES[mode])
    assert place.take(DAY, {"a": 1, "b": 1}) == "published"
    assert place.shown() == {("a", 1, DAY), ("b", 1, DAY)}
    before = place.state()["museum__visit"]

    assert place.take(DAY, {"a": 2}, revision=2) == "published"
    assert place.shown() == {("a", 2, DAY)}, "the correction replaces its date whole"
    assert place.state()["museum__visit"] == before + 1, "in one commit"
    assert place.statuses() == {(DAY, 1): "superseded", (DAY, 2): "published"}

    assert place.take(NEXT, {"a": 3, "c": 3}) == "published"
    place.take(EARLIER, {"a": 9, "d": 9})
    shown, statuses = AFTER_ALL[mode]
    assert place.shown() == shown
    assert place.statuses() == statuses
    place.assert_whole()

    state = place.state()
    for day in (NEXT, EARLIER, DAY, NEXT):
        place.run(day)
    assert place.state() == state, "running again, in any order, changes nothing"
    assert place.statuses() == statuses


@pytest.mark.parametrize("mode", ["month", "snapshot", "merge"])
def test_older_date_first_or_last_ends_the_same(tmp_path: Path, mode: str) -> None:
    """Out of order is the same as in order, for what is shown."""
    rows: dict[date, dict[str, object]] = {
        EARLIER: {"a": 1, "b": 1},
        DAY: {"a": 2, "c": 2},
        NEXT: {"c": 3},
    }
    ends = []
    for name, order in (("in", (EARLIER, DAY, NEXT)), ("out", (NEXT, EARLIER, DAY))):
        (tmp_path / name).mkdir()
        place = town(tmp_path / name, MODES[mode])
        for day in order:
            place.take(day, rows[day])
        place.assert_whole()
        ends.append(place.shown())
    assert ends[0] == ends[1]


MARKED: Final = {"mode": "merge_key", "delete_marker": {"column": "gone", "values": ["是"]}}


def test_deleted_key_stays_away_until_newer_data_brings_it_back(tmp_path: Path) -> None:
    place = town(tmp_path, MARKED)
    assert place.take(DAY, {"a": "1,否", "b": "1,否"}) == "published"
    assert place.take(NEXT, {"a": "1,是", "nobody": "1,是"}) == "published"
    assert place.shown() == {("b", 1, DAY)}
    place.assert_whole()

    assert place.take(EARLIER, {"a": "9,否", "e": "9,否"}) == "published"
    assert place.shown() == {("b", 1, DAY), ("e", 9, EARLIER)}, "an older update revives nothing"
    place.assert_whole()

    later = NEXT + timedelta(days=1)
    assert place.take(later, {"a": "7,否"}) == "published"
    assert place.shown() == {("a", 7, later), ("b", 1, DAY), ("e", 9, EARLIER)}
    place.assert_whole()


def test_corrected_deletion_gives_the_row_back(tmp_path: Path) -> None:
    place = town(tmp_path, MARKED)
    place.take(DAY, {"a": "1,否", "b": "1,否"})
    place.take(NEXT, {"a": "1,是"})
    assert place.take(NEXT, {"b": "2,否"}, revision=2) == "published"
    assert place.shown() == {("a", 1, DAY), ("b", 2, NEXT)}
    assert place.statuses()[NEXT, 1] == "superseded"
    place.assert_whole()


def test_correction_of_an_older_merge_keeps_what_came_after(tmp_path: Path) -> None:
    place = town(tmp_path, MARKED)
    place.take(DAY, {"a": "1,否", "b": "1,否", "c": "1,否"})
    place.take(NEXT, {"a": "2,否", "c": "2,是"})
    assert place.take(DAY, {"a": "5,否", "b": "5,否", "c": "5,否"}, revision=2) == "published"
    assert place.shown() == {("a", 2, NEXT), ("b", 5, DAY)}
    place.assert_whole()


def test_held_batch_is_superseded_by_its_correction_and_blocks_no_other_date(
    tmp_path: Path,
) -> None:
    place = town(tmp_path, MODES["append"])
    assert place.take(DAY, {"a": "x", "b": "y", "c": 1}) == "held"
    assert place.shown() == set()
    assert place.statuses() == {(DAY, 1): "held"}
    assert not place.home.table("quarantine", "museum__visit").exists(), "held rows are not out"

    assert place.take(NEXT, {"a": 3}) == "published"
    assert place.run(DAY).model_dump()["state"] == "held", "a held batch waits for a person"
    assert place.take(DAY, {"a": 1, "b": 2, "c": 1}, revision=2) == "published"
    assert place.statuses() == {
        (DAY, 1): "superseded",
        (DAY, 2): "published",
        (NEXT, 1): "published",
    }
    assert place.shown() == {("a", 3, NEXT), ("a", 1, DAY), ("b", 2, DAY), ("c", 1, DAY)}
    place.assert_whole()


def test_rejecting_contract_rejects(tmp_path: Path) -> None:
    contract = source()
    set_custom(contract, "thresholds", {"bad_rows_percent": 10, "on_fail": "reject"})
    (tmp_path / "tree").mkdir()
    place = Town(Home(tmp_path / "home"), load_tree(write(tmp_path / "tree", contract)))
    assert place.take(DAY, {"a": "x", "b": 1}) == "rejected"
    assert place.shown() == set()
    state = place.state()
    assert place.run(DAY).model_dump()["state"] == "rejected"
    assert place.state() == state
    place.assert_whole()


def test_all_rows_bad_is_never_published(tmp_path: Path) -> None:
    contract = source()
    set_custom(contract, "thresholds", {"bad_rows_percent": 100, "on_fail": "hold"})
    (tmp_path / "tree").mkdir()
    place = Town(Home(tmp_path / "home"), load_tree(write(tmp_path / "tree", contract)))
    assert place.take(DAY, {"a": "x", "b": "y"}) == "held"
    [batch] = governance.latest_batches(place.home)
    assert "没有一行合格" in batch.reason


# ---------------------------------------------------------------- races and crashes of publish


@dataclass(frozen=True)
class Audited:
    """A town whose batch is staged and passed and not yet published; ``copy`` gives a fresh one."""

    town: Town
    verdict: str

    def copy(self, to: Path) -> Town:
        shutil.copytree(self.town.home.root, to / "home")
        return Town(Home(to / "home"), self.town.tree)


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory, spark_remote: str) -> Audited:
    place = town(tmp_path_factory.mktemp("audited"), MODES["append"])
    place.take(EARLIER, {"z": 1})
    lines = "".join(f"k{i},{i}\n" for i in range(50)) + "bad,x\n" + "k1,1\n"
    deliver(place.home.drop, f"museum/visit/{DAY}/r1.csv", f"VISIT_ID,GUESTS\n{lines}".encode())
    landed = steps.land_delivery(
        place.home, Delivery(place.tree.contract("town.visit"), "museum", DAY)
    )
    assert isinstance(landed, LandedBatch)
    verdict = steps.audited(place.home, place.tree, landed)
    assert isinstance(verdict, Verdict)
    assert (verdict.decision, verdict.rows_bad, verdict.rows_duplicate) == ("publish", 1, 1)
    return Audited(place, verdict.to_json())


def publishing(place: Town, code: str = "") -> dict[str, Any]:
    """What ``subprocess`` needs to publish the verdict on its standard input in a process."""
    program = (
        f"import os, sys\nfrom jobs import entry\n{code}\nprint(entry.publish(sys.stdin.read()))"
    )
    environment = os.environ | {
        "JINGSHU_HOME": str(place.home.root),
        "JINGSHU_CONTRACTS": str(place.tree.root),
        "PYTHONPATH": str(ROOT),
    }
    environment.pop("SPARK_REMOTE", None)  # publishing what was staged needs no Spark
    return {
        "args": [sys.executable, "-c", program],
        "env": environment,
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }


def end_state(place: Town) -> dict[str, Any]:
    """Everything that a publication leaves behind, but for times."""
    quarantine = DeltaTable(str(place.home.table("quarantine", "museum__visit")))
    [row] = [b for b in governance.latest_batches(place.home) if b.business_date == DAY]
    return {
        "shown": place.shown(),
        "tables": place.state(),
        "quarantine": [
            (r["_source_line"], [x["rule_id"] for x in r["_reasons"]])
            for r in quarantine.to_pyarrow_table().to_pylist()
        ],
        "batch": row.model_dump(exclude={"recorded_at", "finished_at"}),
        "runs": sorted(
            json.loads(line)["job"]["name"]
            for file in place.home.lineage_events.glob("*.ndjson")
            for line in file.read_text("utf-8").splitlines()
        ),
    }


def test_two_processes_publish_one_verdict(audited: Audited, tmp_path: Path) -> None:
    place = audited.copy(tmp_path)
    children = [subprocess.Popen(**publishing(place)) for _ in range(3)]
    said = []
    for child in children:
        assert child.stdin is not None
        child.stdin.write(audited.verdict)
        child.stdin.close()
        child.stdin = None
    for child in children:
        out, errors = child.communicate()
        assert child.returncode == 0, errors
        said.append(json.loads(out))
    assert {s["kind"] for s in said} == {"published"}
    assert {s["silver_version"] for s in said} == {said[0]["silver_version"]}

    alone = audited.copy(tmp_path / "alone")
    steps.publish_verdict(alone.home, alone.tree, _verdict(audited))
    raced, quiet = end_state(place), end_state(alone)
    assert {k: v for k, v in raced.items() if k != "runs"} == {
        k: v for k, v in quiet.items() if k != "runs"
    }
    assert set(raced["runs"]) == set(quiet["runs"])
    place.assert_whole()


def _verdict(audited: Audited) -> Verdict:
    from jobs.stages import from_json

    verdict = from_json(audited.verdict)
    assert isinstance(verdict, Verdict)
    return verdict


_EXIT_AROUND: Final = """
import {module} as target
real = target.{name}
def crash(*a, **k):
    {before}
    real(*a, **k)
    os._exit(9)
target.{name} = crash
"""
CRASHES: Final = {
    "after_intent": ("jobs.publish.quarantine", "append", "os._exit(9)"),
    "after_quarantine": ("jobs.publish.quarantine", "append", "pass"),
    "before_silver": ("jobs.tables.staged", "commit_once", "os._exit(9)"),
    "after_silver": ("jobs.tables.staged", "commit_once", "pass"),
    "after_governance": ("jobs.record.governance", "append", "pass"),
    "after_lineage": ("lineage.outbox", "write", "pass"),
    "before_leaf": ("jobs.record.leaves", "state", "os._exit(9)"),
    "after_leaf": ("jobs.record.leaves", "state", "pass"),
    "before_intent_closes": ("jobs.record.intents", "finish", "os._exit(9)"),
}


@pytest.mark.parametrize(("module", "name", "before"), CRASHES.values(), ids=CRASHES)
def test_crash_at_a_step_is_healed_by_running_again(
    audited: Audited, tmp_path: Path, module: str, name: str, before: str
) -> None:
    place = audited.copy(tmp_path)
    crash = _EXIT_AROUND.format(module=module, name=name, before=before)
    with subprocess.Popen(**publishing(place, crash)) as child:
        _, errors = child.communicate(audited.verdict)
    assert child.returncode == 9, errors
    assert [i.name for i in intents.open_intents(place.home)] == [
        f"publish:{_verdict(audited).batch_id}"
    ]
    report = verify(place.home, place.tree)
    assert report.is_whole, "what is unfinished is recovering, not broken"

    again = steps.publish_verdict(place.home, place.tree, _verdict(audited))
    assert isinstance(again, PublishedVersion)
    clean = audited.copy(tmp_path / "clean")
    steps.publish_verdict(clean.home, clean.tree, _verdict(audited))
    assert end_state(place) == end_state(clean)
    place.assert_whole()
