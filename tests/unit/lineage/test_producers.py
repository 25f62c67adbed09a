"""Events as OpenLineage's compatibility tests have them from Spark, dbt and Airflow, imported.

Written by hand after the shapes that github.com/OpenLineage/compatibility-tests keeps of each
producer: which facets they have, where columns are told and where they are left out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.lineage.asking import call, names, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contracts.layout import Home

    Taken = Callable[..., tuple[int, str, str]]

ENGINE: Final = "https://github.com/OpenLineage/OpenLineage/tree/1.40.0/"
FACETS: Final = "https://openlineage.io/spec/facets/"
WAREHOUSE: Final = "postgres://dw:5432"
HDFS: Final = "hdfs://namenode:8020"
METASTORE: Final = "hive://metastore:9083"


def facet(schema: str, **what: Any) -> dict[str, Any]:
    version, name = schema.split("/")
    link = f"{FACETS}{version}/{name}.json#/$defs/{name}"
    return {"_producer": f"{ENGINE}client/python", "_schemaURL": link, **what}


def event(by: str, job: str, **more: Any) -> dict[str, Any]:
    """An event with the facets of its run and job that its producer always sends."""
    parts = {"SPARK": ("integration/spark", "default"), "DBT": ("integration/dbt", "dbt")}
    producer, namespace = parts.get(by, ("providers-openlineage/2.10.0", "default"))
    number = sum(map(ord, job + more.get("eventType", "")))
    parent = {"job": {"namespace": namespace, "name": f"{by.lower()}-application"}}
    parent |= {"run": {"runId": "019a977e-6c3f-7b18-a638-000000000000"}}
    kind = {"SPARK": "SQL_JOB", "DBT": "MODEL"}.get(by, "TASK")
    return {
        "eventTime": "2026-07-18T02:00:00.125Z",
        "eventType": "COMPLETE",
        "producer": f"{ENGINE}{producer}",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {
            "runId": f"019a977e-6c3f-7b18-a638-{number:012}",
            "facets": {
                "parent": facet("1-1-0/ParentRunFacet", **parent),
                "processing_engine": facet("1-1-1/ProcessingEngineRunFacet", version="1"),
            },
        },
        "job": {
            "namespace": namespace,
            "name": job,
            "facets": {
                "jobType": facet(
                    "2-0-3/JobTypeJobFacet", integration=by, jobType=kind, processingType="BATCH"
                )
            },
        },
        "inputs": [],
        "outputs": [],
    } | more


def dataset(namespace: str, name: str, **facets: Any) -> dict[str, Any]:
    source = facet("1-0-1/DatasourceDatasetFacet", name=namespace, uri=namespace)
    return {"namespace": namespace, "name": name, "facets": {"dataSource": source, **facets}}


def lineage(fields: dict[str, list[dict[str, Any]]], *rows: dict[str, Any]) -> dict[str, Any]:
    told = {column: {"inputFields": inputs} for column, inputs in fields.items()}
    return facet("1-2-0/ColumnLineageDatasetFacet", fields=told, dataset=list(rows))


def field(namespace: str, name: str, column: str, *how: tuple[str, str]) -> dict[str, Any]:
    made = [{"type": t, "subtype": s, "description": "", "masking": False} for t, s in how]
    return {"namespace": namespace, "name": name, "field": column, "transformations": made}


def symlinks(*places: tuple[str, str, str]) -> dict[str, Any]:
    found = [{"namespace": at, "name": name, "type": kind} for at, name, kind in places]
    return facet("1-0-1/SymlinksDatasetFacet", identifiers=found)


def statistics(rows: int) -> dict[str, Any]:
    told = facet("1-0-2/OutputStatisticsOutputDatasetFacet", rowCount=rows, size=0)
    return {"outputFacets": {"outputStatistics": told}}


def airflow(home: Home) -> list[dict[str, Any]]:
    """A DAG that loads our gold table into the warehouse: its DAG run, its task, a bash task."""
    load = str(home.root / "lake" / "gold" / "load")
    copied = {c: [field("file", load, c)] for c in ("street_code", "persons")}
    raw = dataset(WAREHOUSE, "dw.raw.load", columnLineage=lineage(copied))
    nominal = facet("1-0-1/NominalTimeRunFacet", nominalStartTime="2026-07-18T00:00:00Z")
    return [
        event("AIRFLOW", "warehouse", eventType="START"),
        event("AIRFLOW", "warehouse.notify", inputs=[], outputs=[]),
        event("AIRFLOW", "warehouse.load", eventType="START", inputs=[dataset("file", load)]),
        event(
            "AIRFLOW",
            "warehouse.load",
            run={
                "runId": "019a977e-6c3f-7b18-a638-0000000000af",
                "facets": {"nominalTime": nominal, "airflow": {"taskInstance": {"try_number": 1}}},
            },
            inputs=[dataset("file", load)],
            outputs=[raw],
        ),
        event("AIRFLOW", "warehouse"),
    ]


def dbt() -> list[dict[str, Any]]:
    """A project over it: a model that names columns and no inputs, one of no columns, a test."""
    origin = "dw.raw.load"
    staged = {
        "street": [field(WAREHOUSE, origin, "street_code")],
        "persons": [field(WAREHOUSE, origin, "persons")],
        "is_many": [field(WAREHOUSE, origin, "persons")],
    }
    passed = {"assertion": "not_null", "success": True, "column": "street"}
    failed = {"assertion": "unique", "success": False, "column": "street"}
    checks = facet("1-0-2/DataQualityAssertionsDatasetFacet", assertions=[passed, failed])
    return [
        event("DBT", "dbt-run-city", eventType="START"),
        event("DBT", "dw.main.city.stg_load", eventType="START"),
        event(
            "DBT",
            "dw.main.city.stg_load",
            outputs=[dataset(WAREHOUSE, "dw.main.stg_load", columnLineage=lineage(staged))
                     | statistics(5)],
        ),
        event(
            "DBT",
            "dw.main.city.board",
            inputs=[dataset(WAREHOUSE, "dw.main.stg_load")],
            outputs=[dataset(WAREHOUSE, "dw.main.board")],
        ),
        event(
            "DBT",
            "dw.main.city.stg_load.test",
            inputs=[
                dataset(WAREHOUSE, "dw.main.stg_load")
                | {"inputFacets": {"dataQualityAssertions": checks}}
            ],
        ),
        event("DBT", "dbt-run-city"),
    ]  # fmt: skip


def spark(home: Home) -> list[dict[str, Any]]:
    """A job over the warehouse and one over our silver, which a metastore calls otherwise."""
    staged, visits = "dw.main.stg_load", "default.visits"
    place = str(home.root / "lake" / "silver" / "health__visit")
    summed = lineage(
        {
            "street": [field(WAREHOUSE, staged, "street", ("DIRECT", "IDENTITY"),
                             ("INDIRECT", "GROUP_BY"))],
            "persons": [
                field(WAREHOUSE, staged, "street", ("INDIRECT", "GROUP_BY")),
                field(WAREHOUSE, staged, "persons", ("DIRECT", "AGGREGATION")),
            ],
        },
        field(WAREHOUSE, staged, "is_many", ("INDIRECT", "FILTER")),
    )  # fmt: skip
    summary = dataset(
        HDFS,
        "/warehouse/summary",
        columnLineage=summed,
        symlinks=symlinks((METASTORE, "default.summary", "TABLE")),
    )
    days = lineage({"seen_on": [field(METASTORE, visits, "visited_on", ("DIRECT", "IDENTITY"))]})
    table = dataset(METASTORE, visits, symlinks=symlinks(("file", place, "LOCATION")))
    return [
        event("SPARK", "app.execute_save_into_data_source", eventType="RUNNING"),
        event(
            "SPARK",
            "app.atomic_replace_table_as_select.default_summary",
            inputs=[dataset(WAREHOUSE, staged)],
            outputs=[summary | statistics(16)],
        ),
        event(
            "SPARK",
            "app.create_data_source_table_as_select.default_days",
            inputs=[table],
            outputs=[dataset(HDFS, "/warehouse/days", columnLineage=days)],
        ),
    ]


@pytest.fixture
def taken(recorded: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Taken:
    def take(*events: Any) -> tuple[int, str, str]:
        file = tmp_path / "events.ndjson"
        file.write_text("\n".join(json.dumps(e) for e in events), "utf-8")
        return call(capsys, "import", str(file))

    return take


def test_columns_are_followed_through_airflow_dbt_and_spark(
    recorded: Home, taken: Taken, capsys: pytest.CaptureFixture[str]
) -> None:
    """As each producer's events come: one import a producer, the last one's first."""
    for events in (spark(recorded), dbt(), airflow(recorded)):
        code, _, err = taken(*events)
        assert (code, err) == (0, "")
    down = names(tree_of(capsys, "down", "gold/load.persons"), "outputs")
    assert {
        f"{WAREHOUSE}/dw.raw.load.persons",
        f"{WAREHOUSE}/dw.main.stg_load.persons",
        f"{WAREHOUSE}/dw.main.stg_load.is_many",
        f"{WAREHOUSE}/dw.main.board.*",  # a model without columns: whatever it shows
        f"{HDFS}//warehouse/summary.persons",
        f"{HDFS}//warehouse/summary.*",  # a filter decides its rows
    } <= down
    assert f"{WAREHOUSE}/dw.raw.load.street_code" not in down
    assert f"{HDFS}//warehouse/summary.street" not in down
    up = names(tree_of(capsys, "up", f"{HDFS}//warehouse/summary.persons"), "inputs")
    assert {"gold/load.persons", "silver/health__visit.person_id"} <= up
    tables = names(tree_of(capsys, "up", f"{WAREHOUSE}/dw.main.board"), "inputs")
    assert {f"{WAREHOUSE}/dw.main.stg_load", f"{WAREHOUSE}/dw.raw.load", "gold/load"} <= tables


def test_a_table_of_ours_is_known_by_the_place_that_a_symlink_names(
    recorded: Home, taken: Taken, capsys: pytest.CaptureFixture[str]
) -> None:
    assert taken(*spark(recorded))[0] == 0
    down = names(tree_of(capsys, "down", "silver/health__visit.visited_on"), "outputs")
    assert f"{HDFS}//warehouse/days.seen_on" in down
    # And by it nobody else writes one.
    place = str(recorded.root / "lake" / "silver" / "health__visit")
    table = dataset(METASTORE, "default.v", symlinks=symlinks(("file", place, "LOCATION")))
    code, out, err = taken(event("SPARK", "app.forging", outputs=[table]))
    assert (code, out) == (1, "")
    assert "says that its job wrote silver/health__visit" in err


def test_what_runs_without_reading_or_writing_makes_no_lineage(
    recorded: Home, taken: Taken, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree_of(capsys, "down", "gold/load")
    code, out, _ = taken(
        *(e for e in [*airflow(recorded), *dbt(), *spark(recorded)] if not e["outputs"])
    )
    assert code == 0
    assert "postgres" not in out
    assert tree_of(capsys, "down", "gold/load") == before
