"""The outbox: whole files, once each; and what reading makes of damage."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from lineage import outbox, stages
from lineage.errors import LineageError
from lineage.stages import Made, Occasion
from tests.support.lineage.made import ENDED, STARTED

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from lineage.runs import Run


def landed(visit: Delivery, version: int = 1) -> Run:
    return stages.land_run(
        visit,
        Occasion("landed", started_at=STARTED, ended_at=ENDED, origin="simulated"),
        batch_id="20260715-0123456789ab",
        file_name="就诊.csv",
        made=Made(version, 1),
    )


def files(home: Home) -> list[Path]:
    return sorted(home.lineage_events.glob("*.ndjson"))


def test_a_run_is_one_file_with_its_two_events(home: Home, visit: Delivery) -> None:
    run = landed(visit)
    path = outbox.write(home, run)
    assert path == home.lineage_events / f"{run.run_id}.ndjson"
    assert [json.loads(x)["eventType"] for x in path.read_text("utf-8").splitlines()] == [
        "START",
        "COMPLETE",
    ]
    assert [e["eventType"] for e in outbox.read(home)] == ["START", "COMPLETE"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_running_a_stage_again_changes_nothing(home: Home, visit: Delivery) -> None:
    path = outbox.write(home, landed(visit))
    before, inode = path.read_bytes(), path.stat().st_ino
    again = stages.land_run(
        visit,
        Occasion("landed", started_at=ENDED, ended_at=ENDED, origin="simulated"),
        batch_id="20260715-0123456789ab",
        file_name="就诊.csv",
        made=Made(1, 1),
    )
    assert outbox.write(home, again) == path
    assert files(home) == [path]
    assert (path.read_bytes(), path.stat().st_ino) == (before, inode)


def test_another_version_is_another_run(home: Home, visit: Delivery) -> None:
    outbox.write(home, landed(visit, 1))
    outbox.write(home, landed(visit, 2))
    assert len(files(home)) == 2


def test_writers_at_once_leave_one_whole_file(home: Home, visit: Delivery) -> None:
    run = landed(visit)
    writers = [threading.Thread(target=outbox.write, args=(home, run)) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(files(home)) == 1
    assert len(list(outbox.read(home))) == 2
    assert not [p for p in home.lineage_events.rglob("*") if p.is_file() and p not in files(home)]


def test_a_folder_that_cannot_be_written_leaves_no_half_file(home: Home, visit: Delivery) -> None:
    home.lineage_events.parent.mkdir(parents=True)
    home.lineage_events.write_text("in the way", "utf-8")
    with pytest.raises(OSError, match="events"):
        outbox.write(home, landed(visit))
    assert home.lineage_events.read_text("utf-8") == "in the way"


def test_an_empty_home_holds_no_events(home: Home) -> None:
    assert list(outbox.read(home)) == []


def test_a_line_still_being_appended_is_left_for_later(home: Home, visit: Delivery) -> None:
    outbox.write(home, landed(visit))
    with (home.lineage_events / "airflow.ndjson").open("w", encoding="utf-8") as other:
        other.write('{"eventType":"START"}\n\n{"eventType":"COMP')
    assert [e["eventType"] for e in outbox.read(home)].count("START") == 2


@pytest.mark.parametrize("line", ["{broken", "[]", '"text"', "\x00\x00"])
def test_damage_is_named_by_file_and_line(home: Home, line: str) -> None:
    home.lineage_events.mkdir(parents=True)
    (home.lineage_events / "x.ndjson").write_text(f"{{}}\n{line}\n", "utf-8")
    with pytest.raises(LineageError, match=r"x\.ndjson:2"):
        list(outbox.read(home))


def test_bytes_that_are_no_text_are_damage(home: Home) -> None:
    home.lineage_events.mkdir(parents=True)
    (home.lineage_events / "x.ndjson").write_bytes(b"\xff\xfe\n")
    with pytest.raises(LineageError, match=r"x\.ndjson:1"):
        list(outbox.read(home))
