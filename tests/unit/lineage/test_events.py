"""Events: strictly of the official shape, whole in the last one, and the same every time."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from lineage import stages
from lineage.errors import LineageError
from lineage.events import ndjson
from lineage.runs import Parent, Run
from lineage.stages import Made, Occasion
from tests.support.lineage.made import ENDED, SQL, STARTED
from tests.support.lineage.openlineage_shape import ShapeError, read
from tests.support.lineage.runs import NAMES, PARENT, runs, told

if TYPE_CHECKING:
    from contracts.delivery import Delivery
    from contracts.tree import Tree

GOLDEN = Path(__file__).parents[2] / "golden" / "lineage"


def parsed(run: Run) -> list[dict[str, Any]]:
    """The run's own events, without those of its audit."""
    return [event for event in told(run) if event["run"]["runId"] == run.run_id]


def facet_of(event: dict[str, Any], side: str, index: int, name: str) -> Any:
    return event[side][index]["facets"][name]


@pytest.mark.parametrize("name", NAMES)
def test_every_facet_is_of_the_official_shape(tree: Tree, visit: Delivery, name: str) -> None:
    for event in told(runs(tree, visit)[name]):
        assert read(event).run.runId == event["run"]["runId"]


@pytest.mark.parametrize("name", NAMES)
def test_events_are_what_they_were(tree: Tree, visit: Delivery, name: str, tmp_path: Path) -> None:
    """Compare with the golden file; on a wanted change copy the file that the message names."""
    text = ndjson(runs(tree, visit)[name], "jingshu://beijing").decode()
    for engine in ("pyspark", "pyarrow", "deltalake"):
        text = text.replace(f'"version":"{version(engine)}"', '"version":"installed"')
    pretty = "".join(
        json.dumps(json.loads(line), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        for line in text.splitlines()
    )
    found = tmp_path / f"{name}.json"
    found.write_text(pretty, "utf-8")
    golden = GOLDEN / f"{name}.json"
    assert golden.is_file(), f"copy {found} to {golden}"
    assert golden.read_text("utf-8") == pretty, f"differs from {found}"


@pytest.mark.parametrize("name", NAMES)
def test_a_run_starts_once_and_ends_once_with_everything(
    tree: Tree, visit: Delivery, name: str
) -> None:
    start, end = parsed(runs(tree, visit)[name])
    failed = name in ("land_refused", "publish_held")
    assert start["eventType"] == "START"
    assert end["eventType"] == ("FAIL" if failed else "COMPLETE")
    assert start["eventTime"] == "2026-07-16T01:00:00.000Z"
    assert end["eventTime"] == "2026-07-16T01:00:03.250Z"
    assert start["job"] == end["job"]
    assert start["run"]["facets"].items() <= end["run"]["facets"].items()
    assert ("errorMessage" in end["run"]["facets"]) == failed
    for side in ("inputs", "outputs"):
        named = [(d["namespace"], d["name"]) for d in start[side]]
        assert named == [(d["namespace"], d["name"]) for d in end[side]]
        assert named
    for written in end["outputs"]:
        assert ("version" in written["facets"]) <= (not failed)
        assert ("outputStatistics" in written["outputFacets"]) <= (not failed)


@pytest.mark.parametrize("name", NAMES)
def test_no_path_of_a_machine_is_told(tree: Tree, visit: Delivery, name: str) -> None:
    text = ndjson(runs(tree, visit)[name]).decode()
    assert str(tree.root) not in text
    assert not re.search(r'"(file://)?/(home|root|tmp|work|Users|var)/', text)


def test_run_ids_are_the_facts_and_nothing_else(tree: Tree, visit: Delivery) -> None:
    first, again = runs(tree, visit), runs(tree, visit)
    ids = {run.run_id for run in first.values()}
    assert len(ids) == len(first)
    assert {name: run.run_id for name, run in again.items()} == {
        name: run.run_id for name, run in first.items()
    }
    assert {UUID(one).version for one in ids} == {5}


def test_the_run_id_does_not_depend_on_the_clock(visit: Delivery) -> None:
    def landed(**times: Any) -> Run:
        return stages.land_run(
            visit,
            Occasion("landed", origin="real", **times),
            batch_id="b",
            file_name="f",
            made=Made(1, 1),
        )

    one = landed(started_at=STARTED, ended_at=ENDED)
    other = landed(started_at=ENDED, ended_at=ENDED)
    assert one.run_id == other.run_id


def test_levels_origin_and_batch_are_tags(tree: Tree, visit: Delivery) -> None:
    end = parsed(runs(tree, visit)["publish"])[1]
    tags = facet_of(end, "outputs", 0, "tags")["tags"]
    assert {t["field"]: (t["key"], t["value"]) for t in tags if "field" in t} == {
        name: (f"jingshu.column_level.{level}", level)
        for name, level in {
            "person_id": "L4", "visited_on": "L3", "street_code": "L2", "note": "L3",
            "_source_line": "L1", "_batch_id": "L1", "_business_date": "L1",
        }.items()
    }  # fmt: skip
    of_table = {t["key"]: t["value"] for t in tags if "field" not in t}
    assert of_table["jingshu.level.L4"] == "L4"
    assert of_table["jingshu.origin.simulated"] == "simulated"
    of_run = {t["key"]: t["value"] for t in end["run"]["facets"]["tags"]["tags"]}
    assert of_run == {
        "jingshu.batch_id": "20260715-0123456789ab",
        "jingshu.business_date": "2026-07-15",
        "jingshu.contract": "health.visit@1.2.0",
        "jingshu.origin": "simulated",
        "jingshu.status": "published",
    }


def test_checks_are_told_by_count_and_a_check_that_did_not_run_is_no_success(
    tree: Tree, visit: Delivery
) -> None:
    found = assertions(runs(tree, visit)["publish"])
    assert [(a["assertion"], a["success"], a["severity"], a.get("actual")) for a in found] == [
        ("person_id.rule", True, "error", "1 of 100 bad"),
        ("volume", False, "warn", "100 of 100 bad"),
        ("doctor_signed", False, "info", None),
    ]
    assert found[0]["expected"] == "<= 2 % bad"
    assert [a["params"]["status"] for a in found] == ["passed", "failed", "not_executable"]


def assertions(run: Run) -> Any:
    (end,) = [e for e in told(run) if e["job"]["name"].startswith("audit.")][1:]
    return end["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]


@pytest.mark.parametrize(("name", "number"), [("publish", "7"), ("publish_held", None)])
def test_an_audit_reads_silver_and_completes_whatever_became_of_the_batch(
    tree: Tree, visit: Delivery, name: str, number: str | None
) -> None:
    run = runs(tree, visit)[name]
    start, end = (e for e in told(run) if e["run"]["runId"] != run.run_id)
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert end["job"]["name"] == "audit.health__visit"
    assert [d["name"] for d in end["inputs"]] == ["silver.health__visit"]
    facets = end["inputs"][0]["facets"]
    assert facets.get("version", {}).get("datasetVersion") == number
    assert end["outputs"] == []
    assert parsed(run)[1]["inputs"][0]["inputFacets"] == {}


def test_a_business_day_is_the_citys(tree: Tree, visit: Delivery) -> None:
    nominal = parsed(runs(tree, visit)["land"])[0]["run"]["facets"]["nominalTime"]
    assert nominal["nominalStartTime"] == "2026-07-15T00:00:00+08:00"
    assert nominal["nominalEndTime"] == "2026-07-16T00:00:00+08:00"


def test_the_parent_is_airflows_task_and_the_root_its_dag_run(tree: Tree, visit: Delivery) -> None:
    parent = parsed(runs(tree, visit)["land"])[1]["run"]["facets"]["parent"]
    assert parent["run"]["runId"] == PARENT.run_id
    assert parent["root"]["run"]["runId"] == PARENT.root_run_id
    assert "parent" not in parsed(runs(tree, visit)["share"])[1]["run"]["facets"]


def test_a_parent_without_root_is_its_own_root(visit: Delivery) -> None:
    run = stages.land_run(
        visit,
        Occasion(
            "landed",
            started_at=STARTED,
            ended_at=ENDED,
            origin="real",
            parent=Parent(PARENT.run_id, "airflow", "task"),
        ),
        batch_id="b",
        file_name="f",
        made=Made(1, 1),
    )
    parent = parsed(run)[1]["run"]["facets"]["parent"]
    assert parent["root"] == {
        "run": {"runId": PARENT.run_id},
        "job": {"namespace": "airflow", "name": "task"},
    }


def test_input_versions_are_found_with_and_without_a_layer(tree: Tree, visit: Delivery) -> None:
    end = parsed(runs(tree, visit)["build"])[1]
    versions = {
        d["name"]: d["facets"].get("version", {}).get("datasetVersion") for d in end["inputs"]
    }
    assert versions == {
        "silver.east__case": "2", "silver.health__visit": "7", "silver.west__case": None,
    }  # fmt: skip
    assert end["job"]["facets"]["sql"]["query"] == SQL


def test_a_masked_column_says_so_and_the_row_filter_is_told(tree: Tree, visit: Delivery) -> None:
    lineage = facet_of(parsed(runs(tree, visit)["share"])[1], "outputs", 0, "columnLineage")
    how = {c: f["inputFields"][0]["transformations"][0] for c, f in lineage["fields"].items()}
    assert {c: h["masking"] for c, h in how.items()} == {
        "street_code": False, "persons": False, "lon": True,
    }  # fmt: skip
    assert how["lon"]["description"] == "round_coordinate(to=0.01)"
    assert [(f["field"], f["transformations"][0]["subtype"]) for f in lineage["dataset"]] == [
        ("street_code", "FILTER")
    ]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("land_first", "CREATE"),
        ("land", None),
        ("publish", "OVERWRITE"),
        ("publish_held", None),
        ("withdraw", "OVERWRITE"),
        ("build", "OVERWRITE"),
    ],
)
def test_a_created_or_replaced_table_says_so(
    tree: Tree, visit: Delivery, name: str, change: str | None
) -> None:
    facets = parsed(runs(tree, visit)[name])[1]["outputs"][0]["facets"]
    assert facets.get("lifecycleStateChange", {}).get("lifecycleStateChange") == change


def test_quarantine_is_an_output_only_where_rows_went_there(visit: Delivery) -> None:
    def outputs(quarantined: int) -> list[str]:
        run = stages.publish_run(
            visit,
            Occasion("published", started_at=STARTED, ended_at=ENDED, origin="real"),
            batch_id="b",
            results=(),
            made=Made(1, 1, quarantined),
            bronze_version=None,
        )
        return [d["name"] for d in parsed(run)[1]["outputs"]]

    assert outputs(0) == ["silver.health__visit"]
    assert outputs(1) == ["silver.health__visit", "quarantine.health__visit"]


def test_a_time_without_zone_is_refused(visit: Delivery) -> None:
    run = stages.land_run(
        visit,
        Occasion("landed", started_at=STARTED.replace(tzinfo=None), ended_at=ENDED, origin="real"),
        batch_id="b",
        file_name="f",
        made=Made(1, 1),
    )
    with pytest.raises(LineageError, match="zone"):
        ndjson(run)


def test_a_file_name_that_is_no_text_is_still_told(visit: Delivery) -> None:
    run = stages.land_run(
        visit,
        Occasion("landed", started_at=STARTED, ended_at=ENDED, origin="real"),
        batch_id="b",
        file_name="\udcb2\udce2.csv",
        made=Made(1, 1),
    )
    tags = {t["key"]: t["value"] for t in parsed(run)[1]["run"]["facets"]["tags"]["tags"]}
    assert tags["jingshu.file"] == "??.csv"


def _unknown_key(event: dict[str, Any]) -> None:
    event["outputs"][0]["facets"]["schema"]["colour"] = "red"


def _wrong_type(event: dict[str, Any]) -> None:
    event["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] = "100"


def _missing(event: dict[str, Any]) -> None:
    del event["inputs"][0]["facets"]["tags"]["tags"][0]["value"]


def _wrong_place(event: dict[str, Any]) -> None:
    event["run"]["facets"]["schema"] = event["outputs"][0]["facets"]["schema"]


def _wrong_name(event: dict[str, Any]) -> None:
    facets = event["outputs"][0]["facets"]
    facets["datasetVersion"] = facets.pop("version")


def _wrong_schema(event: dict[str, Any]) -> None:
    facet = event["outputs"][0]["facets"]["columnLineage"]
    facet["_schemaURL"] = facet["_schemaURL"].replace("1-2-0", "1-0-0")


def _no_date_time(event: dict[str, Any]) -> None:
    event["eventTime"] = "2026-07-16"


@pytest.mark.parametrize(
    "damage",
    [
        _unknown_key, _wrong_type, _missing, _wrong_place, _wrong_name, _wrong_schema,
        _no_date_time,
    ],
)  # fmt: skip
def test_the_shape_check_sees_damage(tree: Tree, visit: Delivery, damage: Any) -> None:
    event = parsed(runs(tree, visit)["land"])[1]
    damage(event)
    with pytest.raises((ShapeError, ValueError)):
        read(event)
