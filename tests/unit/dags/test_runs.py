"""What Airflow's own models make of an ingest run: its state, its date's event, its consumers."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contracts.delivery import Delivery
from contracts.layout import ROOT
from contracts.loading import load_tree
from contracts.words import Words
from jobs.stages import Ended
from tests.support.playing import player

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contracts.delivery import BatchStatus

HERE = Path(__file__).parent
TREE = load_tree(HERE / "tree")
SUPPORT = ROOT / "tests" / "support" / "dags"


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., dict[str, Any]]]:
    """One process with Airflow's database plays every scenario of the module."""
    folder = tmp_path_factory.mktemp("runs")
    environment = {
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "infra" / "airflow" / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "JINGSHU_CONTRACTS": str(HERE / "tree"),
        "JINGSHU_HOME": str(folder / "home"),
        "JINGSHU_DROP": str(folder / "drop"),
        "JINGSHU_SCHEDULE": "cron",
    }
    with player(SUPPORT / "runs.py", folder, environment) as ask:

        def played(play: str, date: str, **more: Any) -> dict[str, Any]:
            return ask({"play": play, "date": date, **more})

        yield played


@pytest.mark.parametrize(("dying", "date"), [("land", "2026-07-15"), ("publish", "2026-07-16")])
def test_a_delivery_that_failed_fails_its_run_and_completes_its_date(
    play: Any, dying: str, date: str
) -> None:
    told = play("delivery", date, dying=[dying])
    assert told["run"] == "failed"
    assert told["tasks"]["complete"] == "success"
    assert told["events"] == ["complete"], "its date completes, or every product would wait"
    assert told["note"].startswith("**处理失败** ")
    assert told["notices"] == [["failed", "gov_data", "sysadmin"], ["failed", "health", "steward"]]


def test_a_rejected_delivery_succeeds_in_two_tasks(play: Any) -> None:
    told = play("delivery", "2026-07-17", drop={"health/case/2026-07-17/a.csv": "wrong\nA1\n"})
    assert told["run"] == "success"
    assert told["tasks"] == {"land": "success", "publish": "success", "complete": "skipped"}
    assert told["events"] == ["publish"]
    assert told["note"].startswith("**已退回** ")
    assert "编号" in told["note"], "the reason: which header is lacking"
    assert "./jingshu batch show " in told["note"]
    assert told["notices"] == []
    [[batch_id, reason]] = told["batches"]
    assert told["log"] == [f"rejected: {Words.read(reason)}", look(batch_id)]


def look(batch_id: str) -> str:
    command = f"./jingshu batch show {batch_id}"
    return f"批次：{command} batch: {command}"


@pytest.mark.parametrize("state", ["held", "rejected"])
def test_the_log_says_a_reason_in_full(play: Any, state: BatchStatus) -> None:
    reason = "；".join(f"规则 rule_{n}：40 行中 {n} 行不合格 {n} of 40 rows" for n in range(40))
    delivery = Delivery(TREE.contract("health.case"), "health", date(2026, 7, 20))
    ended = Ended.of(delivery, state, f"{reason}\n详见批次", "20260720-aa").to_json()
    told = play("said", "2026-07-20", told=ended)
    assert told["handed_on"] == ended
    assert told["log"] == [
        f"{state}: {reason}\n详见批次",
        look("20260720-aa"),
    ]


def test_a_delivery_that_is_not_complete_at_its_limit_is_told(play: Any) -> None:
    told = play("late", "2026-07-18")
    assert told["after_h"] == 6, "the contract's latency"
    assert told["callback"] == ["running", "success"]
    assert told["notices"] == [
        ["overdue", "gov_data", "sysadmin"],
        ["overdue", "health", "steward"],
    ]


def test_a_product_whose_pending_run_is_doubled_is_started_once_healed(play: Any) -> None:
    told = play("doubled", "2026-07-19")
    assert told["started_at_first"] == [], "Airflow no longer needs healing: take it away"
    assert told["healed"] == [["product__overview", "2026-07-19"]]
    assert told["healed_again"] == []
    assert told["started"] == told["started_again"] == ["queued"]
