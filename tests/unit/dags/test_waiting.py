"""Waiting for a delivery: deferred until its file is there, an hour beyond its limit at most."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contracts.layout import ROOT
from tests.support import playing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
SUPPORT = ROOT / "tests" / "support" / "dags"
#: The delivery of 2026-07-15 is due at 08:00 of the next day in the city.
OVERDUE, MISSING = "2026-07-16T00:00:01+00:00", "2026-07-16T01:00:00+00:00"
OPENS = "2026-07-15T18:00:00+00:00"


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Any], dict[str, Any]]]:
    """One process that has Airflow imported plays every scenario of the module in a fork."""
    folder = tmp_path_factory.mktemp("waits")
    with playing.player(
        SUPPORT / "waits.py", folder, {"JINGSHU_CONTRACTS": str(HERE / "tree")}
    ) as play_out:
        yield play_out


@pytest.fixture
def play(tmp_path: Path, player: Callable[[Any], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def scenario(
        now: str,
        schedule: str = "cron",
        *,
        run_type: str = "scheduled",
        needs_manifest: bool = False,
        **files: str,
    ) -> dict[str, Any]:
        return player(
            {
                "now": now,
                "run_type": run_type,
                "needs_manifest": needs_manifest,
                "files": {k.removeprefix("at_"): v for k, v in files.items()},
                "environment": {
                    "JINGSHU_HOME": str(tmp_path / "home"),
                    "JINGSHU_SCHEDULE": schedule,
                },
            }
        )

    return scenario


def test_a_file_that_is_there_is_landed_without_a_wait(play: Any) -> None:
    told = play(OPENS, at_0="a.csv")
    assert told["deferrals"] == 0
    assert (told["landed"]["kind"], told["landed"]["rows_landed"]) == ("landed", 2)
    assert told["rows"] == ["received"]


def test_the_wait_ends_when_the_file_comes(play: Any) -> None:
    told = play(OPENS, at_70="a.csv")
    assert told["state_while_waiting"] == "expected"
    assert told["sleeps"] == [30.0, 30.0, 30.0]
    assert (told["deferrals"], told["event"]) == (1, {"is_there": True})
    assert told["landed"]["kind"] == "landed"
    assert told["rows"] == ["received"]


@pytest.mark.parametrize("name", ["a.csv.part", "a.csv.manifest.json", "a.txt"])
def test_what_is_no_file_of_it_ends_no_wait(play: Any, name: str) -> None:
    told = play("2026-07-16T00:58:00+00:00", at_30=name)
    assert told["event"] == {"is_there": False}
    assert told["landed"]["state"] == "missing"


def test_a_required_manifest_is_waited_for(play: Any) -> None:
    told = play(OPENS, needs_manifest=True, at_30="a.csv", at_90="a.csv.manifest.json")
    assert told["sleeps"] == [30.0, 30.0, 30.0]
    assert told["event"] == {"is_there": True}


def test_within_the_hour_after_the_limit_it_is_late(play: Any) -> None:
    told = play("2026-07-16T00:30:00+00:00", at_600="a.csv")
    assert told["state_while_waiting"] == "expected"
    assert told["landed"]["kind"] == "landed"
    assert told["rows"] == ["late"]


def test_an_hour_after_the_limit_it_is_missing(play: Any) -> None:
    told = play("2026-07-16T00:59:10+00:00")
    assert told["sleeps"] == [30.0, 20.0], "it does not sleep beyond the end"
    assert told["ended_at"] == MISSING
    assert (told["deferrals"], told["event"]) == (1, {"is_there": False})
    assert told["landed"]["state"] == "missing"
    assert told["rows"] == ["missing"]


@pytest.mark.parametrize(
    ("now", "state"),
    [(OPENS, "expected"), (OVERDUE, "expected"), (MISSING, "missing")],
)
def test_without_the_clock_nobody_waits(play: Any, now: str, state: str) -> None:
    told = play(now, schedule="manual")
    assert told["deferrals"] == 0
    assert told["landed"]["state"] == state
    assert ("overdue" in told["landed"]["reason"]) == (now == OVERDUE)
    assert told["rows"] == [state]


def test_a_run_that_somebody_asked_for_does_not_wait(play: Any) -> None:
    told = play(OPENS, run_type="manual")
    assert told["deferrals"] == 0
    assert told["rows"] == ["expected"]
