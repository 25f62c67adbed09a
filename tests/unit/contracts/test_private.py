"""A home is its owner's alone, under the umask that most machines have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from contracts.layout import ROOT
from contracts.private import keep_private
from infra.stack import processes
from tests.support.modes import open_to_others

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.layout import Home

PART = """
import pathlib, sys
made = pathlib.Path(sys.argv[1], "made", "by", "a part")
made.parent.mkdir(parents=True)
made.write_text("")
"""


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def run(home: Home, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "cli", "--home", str(home.root), *arguments],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )


def older(home: Home) -> Path:
    """Make a home as an older version did: readable by all, with a value in a kept result."""
    table = home.table("silver", "museum__visit")
    table.mkdir(parents=True)
    (table / "part-0.parquet").write_bytes(b"")
    home.control_db.write_bytes(b"")
    kept = home.quality / "validations" / "20260715-0123456789ab.json"
    kept.parent.mkdir(parents=True)
    result = {"result": {"partial_unexpected_list": ["Zhang"]}, "success": False}
    kept.write_text(json.dumps({"results": [result]}), "utf-8")
    return kept


def test_what_a_command_makes_is_its_owners_alone(home: Home) -> None:
    run(home, "share", "body", "museum", "civil")
    assert home.control_db.exists()
    assert open_to_others(home.root) == []


def test_a_home_of_an_older_version_is_mended_by_the_first_command(home: Home) -> None:
    kept = older(home)
    assert "0644 control.db" in open_to_others(home.root)
    run(home, "batch", "list")
    assert open_to_others(home.root) == []
    assert "Zhang" not in kept.read_text("utf-8")


def test_a_home_is_walked_once(home: Home) -> None:
    older(home)
    assert [keep_private(home.root), keep_private(home.root)] == [True, False]


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "letter").write_text("")
    assert not keep_private(theirs)
    assert open_to_others(theirs) == ["0755 .", "0644 letter"]


def test_what_a_part_makes_is_its_owners_alone(home: Home) -> None:
    home.root.mkdir(mode=0o700)
    home.run.mkdir(mode=0o700)
    part = processes.launch(home, "part", [sys.executable, "-c", PART, str(home.root)], os.environ)
    while part.is_alive():
        os.sched_yield()
    made = home.root / "made"
    assert (made / "by" / "a part").exists()
    assert open_to_others(made) == []
