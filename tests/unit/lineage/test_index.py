"""The index: caught up with files that come, grow, change and go; thrown away when damaged."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from contracts.delivery import Delivery
from lineage import index, outbox, stages
from lineage.errors import LineageError
from lineage.stages import Occasion
from tests.support.lineage.made import DAY, ENDED, STARTED, VISIT
from tests.support.lineage.plain_facts import PlainFacts, every_answer
from tests.support.lineage.recording import batch, build, foreign

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from contracts.tree import Tree

LONG_AGO = 1_500_000_000


@pytest.fixture
def recorded(home: Home, tree: Tree) -> Home:
    visit = Delivery(VISIT, "health", DAY)
    batch(home, visit, 1, 0)
    build(home, tree, 0, 3, "real", health__visit=1)
    return home


def database(home: Home) -> Path:
    return home.lineage_events.parent / "index.db"


def settle(home: Home) -> None:
    """Make all files and the folder look as if nobody had touched them for long."""
    for path in (*home.lineage_events.glob("*.ndjson"), home.lineage_events):
        os.utime(path, (LONG_AGO, LONG_AGO))


def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat this folder as one of more files than are looked at each time."""
    monkeypatch.setattr(index, "_FEW", 0)


def told(home: Home) -> dict[str, Any]:
    return index.ask(home, every_answer)


def users(home: Home, name: str) -> list[str]:
    return index.ask(home, lambda store: store.users(name))


def assert_right(home: Home) -> None:
    answers = told(home)
    assert len(answers) > 1
    assert answers == every_answer(PlainFacts.of(home))


def test_an_empty_home_stays_empty(home: Home) -> None:
    assert told(home) == {"": []}
    assert not home.root.exists()


@pytest.mark.parametrize("is_many", [False, True])
def test_what_comes_grows_changes_and_goes_is_seen(
    recorded: Home, monkeypatch: pytest.MonkeyPatch, *, is_many: bool
) -> None:
    if is_many:
        many(monkeypatch)
    assert_right(recorded)
    made = batch(recorded, Delivery(VISIT, "health", DAY), 2, 5)
    assert_right(recorded)
    board = recorded.lineage_events / "board.ndjson"
    lines = foreign("board", "one"), foreign("board", "two", at="2026-07-18T00:00:00Z")
    board.write_text(lines[0] + lines[1][:50], "utf-8")
    settle(recorded)
    assert_right(recorded)
    with board.open("a", encoding="utf-8") as file:
        file.write(lines[1][50:])
    settle(recorded)
    assert users(recorded, "bi/two") == ["bi/board"]
    assert_right(recorded)
    board.write_text(foreign("board", "six") + lines[1], "utf-8")  # as long as before
    settle(recorded)
    os.utime(board, (LONG_AGO + 9, LONG_AGO + 9))
    assert users(recorded, "bi/one") == []
    assert users(recorded, "bi/six") == ["bi/board"]
    assert_right(recorded)
    board.unlink()
    (recorded.lineage_events / f"{made['publish']}.ndjson").unlink()
    assert "bi/board" not in told(recorded)[""]
    assert_right(recorded)


def test_a_growing_file_is_read_from_where_it_was(
    recorded: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = recorded.lineage_events / "board.ndjson"
    board.write_text(foreign("board", "one"), "utf-8")
    told(recorded)
    read: list[bytes] = []
    parsed = index._parsed

    def noted(line: bytes, *where: Any) -> Any:
        read.append(line)
        return parsed(line, *where)

    monkeypatch.setattr(index, "_parsed", noted)
    added = foreign("board", "two", at="2026-07-18T00:00:00Z")
    with board.open("a", encoding="utf-8") as file:
        file.write(added)
    assert_right(recorded)
    assert [line.decode() + "\n" for line in read] == [added]
    with board.open("a", encoding="utf-8") as file:
        file.write("{broken\n")
    with pytest.raises(LineageError, match=r"board\.ndjson:3"):
        told(recorded)


def test_a_folder_as_it_was_is_not_listed_again(
    recorded: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(monkeypatch)
    settle(recorded)
    before = told(recorded)

    def listing(*_: object) -> None:
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", listing)
        assert told(recorded) == before
        batch(recorded, Delivery(VISIT, "health", DAY), 2, 5)
        with pytest.raises(AssertionError):
            told(recorded)
    assert told(recorded) != before


def test_what_an_answer_rests_on_is_looked_at_though_nothing_else_changed(
    recorded: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(monkeypatch)
    settle(recorded)
    assert_right(recorded)
    (land,) = (
        p
        for p in recorded.lineage_events.glob("*.ndjson")
        if "health-1.csv" in p.read_text("utf-8")
    )
    land.write_text(land.read_text("utf-8").replace("health-1.csv", "health-9.csv"), "utf-8")
    settle(recorded)
    os.utime(land, (LONG_AGO + 9, LONG_AGO + 9))
    assert "visit/health-9.csv" in json.dumps(told(recorded))
    assert_right(recorded)


def test_even_what_never_changes_is_looked_at_in_time(
    recorded: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(monkeypatch)
    settle(recorded)
    told(recorded)
    land = next(
        p
        for p in recorded.lineage_events.glob("*.ndjson")
        if "health-1.csv" in p.read_text("utf-8")
    )
    with land.open("a", encoding="utf-8") as file:
        file.write(foreign("board", "one"))
    os.utime(land, (LONG_AGO, LONG_AGO))
    os.utime(recorded.lineage_events, (LONG_AGO, LONG_AGO))
    assert index.ask(recorded, lambda s: "bi/board" in s.names()) is False
    monkeypatch.setattr(index, "_SWEEP_S", 0.0)
    assert index.ask(recorded, lambda s: "bi/board" in s.names()) is True


@pytest.mark.parametrize("damage", ["text", "cut", "zeros", "other", "value"])
def test_a_damaged_index_is_made_anew(recorded: Home, damage: str) -> None:
    before = told(recorded)
    path = database(recorded)
    if damage == "text":
        path.write_text("no database at all", "utf-8")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "zeros":
        data = bytearray(path.read_bytes())
        data[4096:] = bytes(len(data) - 4096)
        path.write_bytes(data)
    else:
        base = sqlite3.connect(path)
        if damage == "value":
            base.execute("UPDATE text SET body = replace(body, 'person_id', 'nobody')")
        else:
            base.execute("UPDATE meta SET value = 'another version' WHERE key = 'stamp'")
            base.execute("ALTER TABLE run DROP COLUMN contract")
        base.commit()
        base.close()
    assert told(recorded) == before


def test_a_folder_in_the_place_of_the_index_is_said(recorded: Home) -> None:
    database(recorded).mkdir()
    with pytest.raises((LineageError, IsADirectoryError), match="index"):
        told(recorded)


def test_damage_is_named_and_what_is_whole_is_kept(recorded: Home) -> None:
    for content in ('{"eventType":"COMPLETE"}', '{"eventType":"COMPLETE","eventTime":7}', "[]"):
        bad = recorded.lineage_events / "0bad\x1b.ndjson"
        bad.write_text(f"{{}}\n{content}\n", "utf-8")
        with pytest.raises(LineageError, match=r"0bad\\x1b\.ndjson:2 is no OpenLineage event"):
            told(recorded)
    bad.unlink()
    assert_right(recorded)
    deep = recorded.lineage_events / "deep.ndjson"
    deep.write_text('{"a":' * 5_000 + "1" + "}" * 5_000 + "\n", "utf-8")
    with pytest.raises(LineageError, match=r"deep\.ndjson:1"):
        told(recorded)


def test_many_files_are_told_of(recorded: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_CHUNK_FILES", 2)
    monkeypatch.setattr(index, "_QUIET_S", 0.0)
    heard: list[tuple[int, int]] = []
    index.ask(recorded, lambda _: None, lambda done, total: heard.append((done, total)))
    assert heard == [(2, 4), (4, 4)]


def _ask_often(home: Home, times: int, answers: Any) -> None:
    for _ in range(times):
        answers.put(index.ask(home, lambda s: len(s.versions("silver/health__visit"))))


def test_processes_at_once_agree(home: Home) -> None:
    visit = Delivery(VISIT, "health", DAY)
    batch(home, visit, 1, 0)
    spawning = multiprocessing.get_context("fork")
    answers = spawning.Queue()
    workers = [spawning.Process(target=_ask_often, args=(home, 6, answers)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for number in range(2, 8):
        batch(home, visit, number, number)
        if number == 4:
            database(home).unlink(missing_ok=True)  # whoever deletes the cache costs time only
    found = [answers.get(timeout=60) for _ in range(18)]
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert all(1 <= count <= 7 for count in found)
    assert index.ask(home, lambda s: len(s.versions("silver/health__visit"))) == 7
    assert_right(home)


def test_a_run_of_a_refused_batch_made_nothing(recorded: Home) -> None:
    before = told(recorded)
    refused = stages.land_run(
        Delivery(VISIT, "health", DAY),
        Occasion(
            "refused",
            started_at=STARTED,
            ended_at=ENDED,
            origin="simulated",
            reason="a column is missing",
        ),
        batch_id="b",
        file_name="f.csv",
        made=None,
    )
    outbox.write(recorded, refused)
    assert told(recorded) == before
