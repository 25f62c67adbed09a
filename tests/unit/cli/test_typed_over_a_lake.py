"""Documented commands on batches, typed in order over the batches of one small feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contracts.layout import Home
from jobs.record import governance
from tests.support.days import deliver
from tests.support.documented import typed
from tests.support.small import column, custom, source, write
from tests.support.typing_in_order import Desk

if TYPE_CHECKING:
    from pathlib import Path

FEED = "health/disease_case"
#: The ages of each day's cases; the last day has more bad ones than the contract bears.
DAYS = {"15": "41", "16": "42", "17": "43", "18": "one"}


def cases(root: Path) -> Path:
    """Write a tree with a feed of the name that the examples use."""
    root.mkdir()
    server = {
        "server": "health",
        "type": "local",
        "path": f"{{drop}}/{FEED}/{{date}}/*",
        "format": "csv",
        "customProperties": custom(export={"null_tokens": [""]}),
    }
    key = column("code", required=True, primaryKey=True, primaryKeyPosition=1)
    rows = {
        "name": "disease_case",
        "logicalType": "object",
        "properties": [key, column("age", "integer")],
    }
    write(root, source(id="health.disease_case", servers=[server], schema=[rows]))
    return root


@pytest.fixture
def desk(
    tmp_path: Path,
    spark_remote: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Desk:
    """A folder to type in, over three days of cases and a fourth that will be held."""
    home = Home(tmp_path / "home")
    for day, age in DAYS.items():
        text = f"CODE,AGE\nA{day},{age}\n"
        deliver(home.drop, f"{FEED}/2026-07-{day}/cases.csv", text.encode())
    return Desk(home, monkeypatch, capsys, contracts=cases(tmp_path / "contracts"))


def statuses(home: Home) -> dict[str, str]:
    """Return what became of the batch of each day."""
    return {f"{r.business_date:%d}": r.status for r in governance.latest_batches(home)}


def test_batches_are_done_again_released_and_withdrawn_as_documented(desk: Desk) -> None:
    anew = "./jingshu backfill health.disease_case --from 2026-07-{0} --to 2026-07-{0}"
    for day in ("16", "17"):
        desk.type(anew.format(day))
    desk.type_all(typed("backfill"))
    desk.type(anew.format("18"), ends=1)
    assert statuses(desk.home) == {
        "15": "published",
        "16": "published",
        "17": "published",
        "18": "held",
    }
    held = next(r for r in governance.latest_batches(desk.home) if r.status == "held")
    desk.meant = {" ID ": f" {held.batch_id} ", " 20260715-0123 ": f" {held.batch_id} "}
    for step, becomes in (("release", "published"), ("withdraw", "withdrawn")):
        desk.type_all(typed(f"batch {step}"))
        assert statuses(desk.home)["18"] == becomes
