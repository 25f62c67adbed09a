"""``jingshu lineage`` over events that the stages wrote."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lineage import outbox, stages
from lineage.stages import Occasion
from tests.support.lineage.asking import call, names, tree_of
from tests.support.lineage.made import ENDED, TIMES

if TYPE_CHECKING:
    from contracts.delivery import Delivery
    from contracts.layout import Home


def test_a_shared_column_leads_up_to_its_headers(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    found = tree_of(capsys, "up", "shared/load__demo.persons")
    assert names(found, "inputs") == {
        "shared/load__demo.persons",
        "gold/load.persons",
        "declared.k",
        "silver/health__visit.person_id",
        "bronze/health__visit.person_id",
        "file://health/visit.证件号码",
    }
    assert found["gaps"] == []
    (gold,) = found["inputs"]
    silver = next(n for n in gold["inputs"] if n["column"] == "person_id")
    assert (gold["level"], silver["level"], silver["origin"]) == ("L2", "L4", "simulated")
    assert [(t["type"], t["subtype"], t["masking"]) for t in silver["transformations"]] == [
        ("DIRECT", "AGGREGATION", True),
        ("INDIRECT", "CONDITIONAL", True),
    ]


def test_people_see_transformation_masking_level_and_origin(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = call(capsys, "up", "load__demo.lon")
    assert code == 0
    assert out.splitlines()[0] == "shared/load__demo.lon  L2  模拟数据 simulated"
    assert "遮蔽 masked  round_coordinate(to=0.01)" not in out.splitlines()[0]
    assert "MAX(case_id.lon)" in out
    assert "file://west/case.经度  L2  模拟数据 simulated  IDENTITY" in out


def test_a_table_leads_up_table_by_table(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    found = tree_of(capsys, "up", "load")
    assert found["dataset"] == "gold/load"
    assert (found["job"], found["version"]) == ("build.load", "0")
    assert names(found, "inputs") == {
        "gold/load",
        *(f"silver/{t}" for t in ("east__case", "west__case", "health__visit")),
        *(f"bronze/{t}" for t in ("east__case", "west__case", "health__visit")),
        *("file://east/case", "file://west/case", "file://health/visit"),
    }


def test_a_header_leads_down_to_all_that_it_feeds(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    found = tree_of(capsys, "down", "file://health/visit.就诊日期")
    assert names(found, "outputs") == {
        "file://health/visit.就诊日期",
        "bronze/health__visit.visited_on",
        "quarantine/health__visit.visited_on",
        "silver/health__visit.visited_on",
        "gold/load.*",  # it decides the rows
        "shared/load__demo.*",
    }


def test_a_table_leads_down_table_by_table(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    found = tree_of(capsys, "down", "bronze/east__case")
    assert names(found, "outputs") == {
        "bronze/east__case",
        "quarantine/east__case",
        "silver/east__case",
        "gold/load",
        "shared/load__demo",
    }


def test_a_source_without_layer_is_its_published_table(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tree_of(capsys, "up", "health__visit.note")["dataset"] == "silver/health__visit"


def test_the_newest_complete_run_counts_and_a_failed_one_does_not(
    recorded: Home, visit: Delivery, capsys: pytest.CaptureFixture[str]
) -> None:
    later = {**TIMES, "ended_at": ENDED + timedelta(days=1)}
    latest = {**TIMES, "ended_at": ENDED + timedelta(days=2)}
    outbox.write(
        recorded,
        stages.withdraw_run(visit, Occasion("withdrawn", **later), batch_id="b", silver_version=5),
    )
    held = stages.publish_run(
        visit,
        Occasion("held", **latest),
        batch_id="c",
        results=(),
        made=None,
        bronze_version=None,
    )
    outbox.write(recorded, held)
    found = tree_of(capsys, "up", "silver/health__visit")
    assert (found["job"], found["version"]) == ("withdraw.health__visit", "5")
    assert [n["dataset"] for n in found["inputs"]] == ["bronze/health__visit"]


def test_a_trace_that_ends_early_is_a_finding(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in recorded.lineage_events.glob("*.ndjson"):
        if '"land.health__visit"' in path.read_text("utf-8"):
            path.unlink()
    code, out, err = call(capsys, "up", "gold/load.persons")
    assert code == 1
    assert "untraced: bronze/health__visit.person_id" in err
    code, out, _ = call(capsys, "up", "gold/load.persons", "--json")
    assert code == 1
    assert json.loads(out)["gaps"] == ["bronze/health__visit.person_id"]


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gold/loaf", "gold/load"),
        ("nothing_like_it", "No event speaks of"),
        ("gold/load.person", "persons"),
    ],
)
def test_a_name_nobody_knows_is_wrong_usage_and_says_what_is_near(
    recorded: Home, capsys: pytest.CaptureFixture[str], direction: str, name: str, said: str
) -> None:
    code, out, err = call(capsys, direction, name)
    assert (code, out) == (2, "")
    assert said in err


def test_an_empty_home_says_so(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    code, _, err = call(capsys, "up", "gold/load")
    assert code == 2
    assert "No lineage is recorded yet" in err


def foreign(output: str, column: str, source: str, field: str) -> str:
    """Write one COMPLETE event of a producer that says no more than it must."""
    fields = {column: {"inputFields": [{"namespace": "bi", "name": source, "field": field}]}}
    if "/" in source:
        fields[column]["inputFields"][0]["namespace"] = "jingshu"
    event = {
        "eventType": "COMPLETE",
        "eventTime": "2026-07-17T00:00:00Z",
        "run": {"runId": "0191e2c0-0000-7000-8000-000000000009"},
        "job": {"namespace": "bi", "name": "dashboard"},
        "outputs": [
            {
                "namespace": "bi",
                "name": output,
                "facets": {"columnLineage": {"fields": fields}},
            }
        ],
    }
    return json.dumps(event) + "\n"


def test_events_of_another_producer_take_part(
    recorded: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    line = foreign("board", "people", "shared/load__demo", "persons")
    (recorded.lineage_events / "bi.ndjson").write_text(line, "utf-8")
    assert "bi/board.people" in names(tree_of(capsys, "down", "gold/load.persons"), "outputs")


@pytest.mark.parametrize("name", ["bi/one", "bi/one.x"])
@pytest.mark.parametrize(("direction", "following"), [("up", "inputs"), ("down", "outputs")])
def test_a_circle_ends(
    recorded: Home,
    capsys: pytest.CaptureFixture[str],
    name: str,
    direction: str,
    following: str,
) -> None:
    lines = foreign("one", "x", "two", "x") + foreign("two", "x", "one", "x")
    (recorded.lineage_events / "bi.ndjson").write_text(lines, "utf-8")
    found = tree_of(capsys, direction, name)
    assert names(found, following) == {name, name.replace("one", "two")}


@pytest.mark.parametrize("arguments", [["--help"], ["up", "--help"], ["down", "--help"]])
def test_help_has_an_example(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    code, out, _ = call(capsys, *arguments)
    assert code == 0
    assert "Example:\n    ./jingshu lineage" in out
