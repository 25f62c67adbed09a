"""How DataHub, OpenMetadata and Marquez read our events, by the rules of their sources."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from contracts.loading import load_tree
from contracts.model import LEVELS
from jobs.record.entries import parent_run
from lineage import stages
from lineage.events import events
from lineage.facets import plain
from lineage.naming import Own, city_namespace, outside
from lineage.stages import Occasion
from tests.support.lineage.made import ENDED, STARTED
from tests.support.lineage.runs import NAMES, runs, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.delivery import Delivery
    from contracts.tree import Tree

#: DataHub's OwnershipType; every other becomes TECHNICAL_OWNER.
DATAHUB_OWNERS = {
    "TECHNICAL_OWNER", "BUSINESS_OWNER", "DATA_STEWARD", "DATAOWNER", "DEVELOPER", "STAKEHOLDER",
}  # fmt: skip
CITY = "jingshu://beijing"


def openmetadata(dataset: dict[str, Any]) -> tuple[str, str]:
    """Return schema and table: ``_get_table_details`` of its OpenLineage connector."""
    symlinks = dataset.get("facets", {}).get("symlinks", {}).get("identifiers", [])
    parts = (symlinks[0]["name"] if symlinks else dataset["name"]).split(".")
    assert len(parts) >= 2, f"input table name should be of 'schema.table' format: {parts}"
    return parts[-2].lower(), parts[-1].lower()


def datahub(dataset: dict[str, Any]) -> tuple[str, str | None, str]:
    """Return platform, connection and name: its ``OpenLineagePlatformResolver``."""
    namespace, name = dataset["namespace"], dataset["name"]
    for symlink in dataset.get("facets", {}).get("symlinks", {}).get("identifiers", []):
        if symlink["type"] == "TABLE":
            return "hive", None, symlink["name"]
    scheme, separator, rest = namespace.partition("://")
    if not separator:
        return namespace, None, name
    if scheme in ("file", "hdfs", "s3", "s3a", "gs", "dbfs"):
        return scheme, None, f"/{name}" if rest else name  # of the URI, only the path
    return scheme, namespace, name


def datasets(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every data set of an event, also those that only column lineage names."""
    yield from event["inputs"]
    for output in event["outputs"]:
        yield output
        lineage = output["facets"].get("columnLineage", {"fields": {}, "dataset": []})
        for fields in (*(f["inputFields"] for f in lineage["fields"].values()), lineage["dataset"]):
            yield from fields


@pytest.mark.parametrize("name", NAMES)
def test_openmetadata_finds_a_schema_and_a_table(tree: Tree, visit: Delivery, name: str) -> None:
    found = {
        (d["namespace"], d["name"]): openmetadata(d)
        for event in told(runs(tree, visit)[name])
        for d in datasets(event)
    }
    assert len(set(found.values())) == len(found)
    layers = {"bronze", "silver", "quarantine", "gold", "shared", "reference", "export", "declared"}
    assert {schema for schema, _ in found.values()} <= layers


@pytest.mark.parametrize("name", NAMES)
def test_datahub_shows_the_level_of_a_table_by_its_tags_keys(
    tree: Tree, visit: Delivery, name: str
) -> None:
    run = runs(tree, visit)[name]
    event = told(run)[-1]
    described = [r.dataset for r in run.inputs] + [w.dataset for w in run.outputs]
    for dataset, facts in zip((*event["inputs"], *event["outputs"]), described, strict=True):
        tags = dataset["facets"]["tags"]["tags"]
        keys = [tag["key"] for tag in tags]  # what it shows, and nothing else
        highest = max(c.level for c in facts.columns)
        assert [k for k in keys if k.startswith("jingshu.level.")] == [f"jingshu.level.{highest}"]
        assert {k.rpartition(".")[2] for k in keys if "level" in k} <= set(LEVELS)
        assert all(tag["key"].endswith(f".{tag['value']}") for tag in tags)


def test_datahub_and_openmetadata_know_the_owners_of_tables_and_jobs(
    tree: Tree, visit: Delivery
) -> None:
    event = told(runs(tree, visit)["publish"])[-1]
    whole = [event["job"], *event["inputs"], *event["outputs"]]
    for owners in (part["facets"]["ownership"]["owners"] for part in whole):
        assert [o["name"] for o in owners] == ["team:市卫生健康委员会", "user:cdo.health"]
        assert {o["type"] for o in owners} <= DATAHUB_OWNERS


def test_no_two_data_sets_of_the_city_are_one_to_a_reader() -> None:
    """Before, 16 districts' ``file://<district>`` + ``grid_case`` was one path to DataHub."""
    feeds = list(load_tree().feeds())
    names = {
        outside(CITY, namespace, name)
        for feed in feeds
        for namespace, name in (
            (f"file://{feed.provider}", feed.contract.dataset),
            *(("jingshu", f"{layer}/{feed.table}") for layer in ("bronze", "silver")),
        )
    }
    assert len(names) == 3 * len(feeds)
    as_read = [{"namespace": namespace, "name": name} for namespace, name in names]
    assert len({datahub(d) for d in as_read}) == len(names)
    assert len({openmetadata(d) for d in as_read}) == len(names)
    assert all(Own(frozenset((CITY,))).inside(*n) != n for n in names)


def test_two_cities_on_one_server_share_nothing(tree: Tree, visit: Delivery) -> None:
    run = runs(tree, visit)["publish"]

    def names(city: str) -> set[Any]:
        every = [plain(event) for event in events(run, city)]
        jobs = {(e["job"]["namespace"], e["job"]["name"]) for e in every}
        return jobs | {datahub(d) for e in every for d in datasets(e)}

    assert not names("jingshu://beijing") & names("jingshu://tianjin")


def test_the_namespace_is_the_citys(monkeypatch: pytest.MonkeyPatch) -> None:
    assert city_namespace() == CITY
    assert re.fullmatch(r"[A-Za-z0-9:;=/+._@-]{1,1024}", city_namespace())  # Marquez
    monkeypatch.setenv("JINGSHU_NAMESPACE", "jingshu://beijing.test")
    assert city_namespace() == "jingshu://beijing.test"
    monkeypatch.setenv("JINGSHU_NAMESPACE", "my city")
    with pytest.raises(ValueError, match="JINGSHU_NAMESPACE"):
        city_namespace()


def test_a_task_is_the_parent_and_its_dag_run_the_root(
    visit: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, dag_run = "0191e2c0-0000-7000-8000-00000000000a", "0191e2c0-0000-7000-8000-00000000000b"
    for name, value in (
        ("PARENT_RUN", task), ("PARENT_NAMESPACE", CITY), ("PARENT_JOB", "ingest__a.land"),
        ("ROOT_RUN", dag_run), ("ROOT_NAMESPACE", CITY), ("ROOT_JOB", "ingest__a"),
    ):  # fmt: skip
        monkeypatch.setenv(f"JINGSHU_{name}", value)
    run = stages.withdraw_run(
        visit,
        Occasion(
            "withdrawn", started_at=STARTED, ended_at=ENDED, origin="real", parent=parent_run()
        ),
        batch_id="b",
        silver_version=1,
    )
    parent = told(run)[0]["run"]["facets"]["parent"]
    assert (parent["run"]["runId"], parent["job"]["name"]) == (task, "ingest__a.land")
    assert parent["root"]["run"]["runId"] == dag_run
    assert parent["root"]["job"] == {"namespace": CITY, "name": "ingest__a"}


@pytest.mark.parametrize(
    ("namespace", "name", "ours"),
    [
        (CITY, "silver.health__visit", ("jingshu", "silver/health__visit")),
        (CITY, "export.health__visit", ("file://health", "visit")),
        (CITY, "declared.constants", ("jingshu", "declared")),
        (CITY, "dbt.model", ("jingshu", "dbt.model")),
        ("jingshu", "silver/health__visit", ("jingshu", "silver/health__visit")),  # before
        ("file://health", "visit", ("file://health", "visit")),
        ("file", "/home/lake/silver/health__visit", ("jingshu", "silver/health__visit")),
        ("file", "/home/lakes/silver/x", ("file", "/home/lakes/silver/x")),
        ("jingshu://tianjin", "silver.x", ("jingshu://tianjin", "silver.x")),
    ],
)
def test_a_name_from_outside_is_ours_only_where_it_is(
    namespace: str, name: str, ours: tuple[str, str]
) -> None:
    own = Own(frozenset(("jingshu", CITY)), "/home/lake")
    assert own.inside(namespace, name) == ours


def test_events_of_the_version_before_and_of_a_renamed_city_are_still_ours(
    tree: Tree, visit: Delivery
) -> None:
    event = told(runs(tree, visit)["land"])[-1]
    renamed = Own(frozenset(("jingshu", "jingshu://elsewhere")))
    name = (event["outputs"][0]["namespace"], event["outputs"][0]["name"])
    assert renamed.inside(*name) == name
    assert renamed.in_event(event, "run.ndjson").inside(*name) == (
        "jingshu",
        "bronze/health__visit",
    )
    assert renamed.in_event(event, "imported-1.ndjson").inside(*name) == name
