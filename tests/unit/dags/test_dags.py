"""The DAGs that contracts become: golden, light to parse, one for each feed and product."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contracts.layout import ROOT
from contracts.loading import load_tree

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
SUPPORT = ROOT / "tests" / "support" / "dags"
GOLDEN = ROOT / "tests" / "golden" / "dags"
PACKAGED = load_tree(ROOT / "contracts")
FILES = ("dags/ingest.py", "dags/products.py", "dags/upkeep.py")
FEEDS = [feed.table for feed in PACKAGED.feeds()]
Parse = "Callable[..., dict[str, Any]]"


@pytest.fixture(scope="session")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    airflow_home = tmp_path_factory.mktemp("airflow")

    def parse_with(contracts: Path, schedule: str, **more: str) -> dict[str, Any]:
        result = subprocess.run(
            [sys.executable, str(SUPPORT / "dump.py"), *FILES],
            env={
                **os.environ,
                "AIRFLOW_HOME": str(airflow_home),
                "PYTHONPATH": str(ROOT),
                "JINGSHU_HOME": "/srv/jingshu",
                "JINGSHU_CONTRACTS": str(contracts),
                "JINGSHU_SCHEDULE": schedule,
                **more,
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr[-2000:]
        return dict(json.loads(result.stdout.splitlines()[-1]))

    return parse_with


@pytest.fixture(scope="session")
def small(parse: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return parse(HERE / "tree", "cron")


@pytest.fixture(scope="session")
def packaged(parse: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return parse(ROOT / "contracts", "manual")


def test_the_small_tree_becomes_exactly_these_dags(small: dict[str, Any]) -> None:
    """To accept a wanted change: UPDATE_GOLDEN=1 pytest tests/unit/dags."""
    file = GOLDEN / "small_tree.json"
    if os.environ.get("UPDATE_GOLDEN"):
        text = json.dumps(small["dags"], ensure_ascii=False, indent=1)
        file.write_text(text + "\n", "utf-8")
    assert small["dags"] == json.loads(file.read_text("utf-8"))


def test_parsing_loads_no_engine_and_no_job(small: dict[str, Any]) -> None:
    assert small["loaded"] == []


@pytest.mark.parametrize("table", FEEDS)
def test_every_feed_has_one_dag_of_three_tasks(packaged: dict[str, Any], table: str) -> None:
    dag = packaged["dags"][f"ingest__{table}"]
    order = {name: task["after"] for name, task in dag["tasks"].items()}
    assert order == {"land": [], "publish": ["land"], "complete": ["land", "publish"]}
    assert dag["tasks"]["complete"]["trigger_rule"] == "one_failed"
    counts = [name for name, task in dag["tasks"].items() if task["counts_for_the_run"]]
    assert counts == ["land", "publish"], "a run whose delivery failed fails with it"
    for name in ("publish", "complete"):
        assert list(dag["tasks"][name]["outlets"]) == [f"silver/{table}"]


@pytest.mark.parametrize("product", PACKAGED.products.values(), ids=lambda p: p.dataset)
def test_every_product_waits_for_all_its_feeds(packaged: dict[str, Any], product: Any) -> None:
    told = packaged["dags"][f"product__{product.dataset}"]["timetable"]
    inputs = product.product_plan.inputs
    feeds = [f"silver/{f.table}" for f in PACKAGED.feeds() if f.contract.id in inputs]
    golds = [f"gold/{PACKAGED.products[i].dataset}" for i in inputs if i in PACKAGED.products]
    assert told["condition"] == "AssetAll"
    assert told["assets"] == sorted([*feeds, *golds])


def test_there_are_no_other_dags(packaged: dict[str, Any]) -> None:
    products = PACKAGED.products.values()
    wanted = {f"ingest__{table}" for table in FEEDS}
    wanted |= {f"product__{product.dataset}" for product in products}
    wanted |= {f"share__{p.dataset}" for p in products if p.product_plan.policies}
    assert set(packaged["dags"]) == wanted


def test_under_run_no_clock_starts_anything(packaged: dict[str, Any]) -> None:
    kinds = {dag["timetable"]["type"] for dag in packaged["dags"].values()}
    assert kinds == {"PartitionedAtRuntime", "PartitionedAssetTimetable"}


def test_tasks_are_tried_again_for_minutes_under_the_clock_only(
    small: dict[str, Any], packaged: dict[str, Any]
) -> None:
    def waits_s(told: dict[str, Any]) -> set[float]:
        ingest = [dag for name, dag in told["dags"].items() if name.startswith("ingest__")]
        tasks = [task for dag in ingest for task in dag["tasks"].values()]
        return {sum(t["retry_after_s"] * 2**n for n in range(t["retries"])) for t in tasks}

    assert min(waits_s(small)) >= 1800
    assert waits_s(packaged) == {15.0}


def test_the_clock_alone_brings_upkeep_and_deadlines(
    small: dict[str, Any], packaged: dict[str, Any]
) -> None:
    assert set(small["dags"]["upkeep"]["tasks"]) == {"notify", "heal", "witness"}
    assert small["dags"]["ingest__health__case"]["late_after_h"] == [6.0]
    assert all(dag["told_of_failures"] for name, dag in small["dags"].items() if name != "upkeep")
    assert {hours for dag in packaged["dags"].values() for hours in dag["late_after_h"]} == set()


@pytest.mark.parametrize("table", FEEDS)
def test_a_title_is_found_by_provider_by_content_and_by_table(
    packaged: dict[str, Any], table: str
) -> None:
    feed = next(feed for feed in PACKAGED.feeds() if feed.table == table)
    title = packaged["dags"][f"ingest__{table}"]["title"]
    for word in (PACKAGED.provider(feed.provider).name, feed.contract.title, table):
        assert word in title


def test_drafts_have_no_dag_and_block_no_product(small: dict[str, Any]) -> None:
    assert "ingest__health__draft" not in small["dags"]
    assert small["dags"]["product__sketch"]["timetable"]["type"] == "PartitionedAtRuntime"


def test_a_task_builds_its_own_dag_only(parse: Callable[..., dict[str, Any]]) -> None:
    told = parse(HERE / "tree", "cron", _AIRFLOW_PARSING_CONTEXT_DAG_ID="ingest__health__case")
    assert list(told["dags"]) == ["ingest__health__case"]


def test_a_broken_contract_fails_the_parse_in_words(
    parse: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "broken.odcs.yaml").write_text("id: [", "utf-8")
    with pytest.raises(AssertionError, match=r"broken\.odcs\.yaml"):
        parse(tmp_path, "cron")
