"""Every contract element ends with a result, whatever its query or metric does."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from contracts.loading import load_tree
from contracts.model import Quality
from contracts.rules import element_ids
from jobs.checks.declared import Audited, run
from jobs.trial import given, try_file
from tests.support.kitchen_sink import kitchen_sink
from tests.support.small import column, custom, properties, source, write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark_remote")]


def sql(query: str, **more: object) -> dict[str, Any]:
    return {"type": "sql", "query": query, "comparison": "mustBe", "bound": 0} | more


def metric(name: str, **more: object) -> dict[str, Any]:
    return {"type": "library", "metric": name, "comparison": "mustBe", "bound": 0} | more


# rows: visit_id a a b NULL, guests 1 2 NULL 4, kind x y z NULL
CHECKS: dict[str, tuple[dict[str, Any], str, str]] = {
    "sql_zero": (sql("SELECT COUNT(*) FROM {object} WHERE guests > 9"), "passed", ": 0, mustBe 0"),
    "sql_dollar": (sql("SELECT COUNT(*) FROM ${object} WHERE guests > 9"), "passed", ": 0"),
    "sql_found": (sql("SELECT COUNT(*) FROM {object} WHERE guests > 1"), "failed", ": 2"),
    "sql_date": (
        sql("SELECT DATEDIFF(DATE '{business_date}', DATE '2026-07-15') FROM {object} LIMIT 1"),
        "passed",
        ": 0",
    ),
    "sql_null": (sql("SELECT MAX(guests) FROM {object} WHERE false"), "error", "measured nothing"),
    "sql_no_row": (sql("SELECT guests FROM {object} WHERE false"), "error", "measured nothing"),
    "sql_text": (sql("SELECT 'many' FROM {object}"), "error", "ValueError"),
    "sql_lost_column": (sql("SELECT MAX(gone) FROM {object}"), "error", "UNRESOLVED_COLUMN"),
    "sql_division": (sql("SELECT 1 / 0 FROM {object}"), "error", "DIVIDE_BY_ZERO"),
    "sql_elsewhere": (sql("SELECT COUNT(*) FROM delta.`/x`"), "error", "reads delta"),
    "rows": (metric("rowCount", comparison="mustBeBetween", bound=[1, 9]), "passed", ": 4"),
    "rows_few": (metric("rowCount", comparison="mustBeGreaterThan", bound=4), "failed", ": 4"),
    "nulls": (metric("nullValues", column="guests"), "failed", ": 1"),
    "nulls_by_argument": (metric("nullValues", arguments={"property": "guests"}), "failed", ": 1"),
    "missing_percent": (
        metric("missingValues", column="guests", unit="percent", bound=25),
        "passed",
        ": 25%",
    ),
    "duplicates": (metric("duplicateValues", column="visit_id"), "failed", ": 1"),
    "duplicates_of_two": (
        metric("duplicateValues", arguments={"properties": ["visit_id", "guests"]}),
        "passed",
        ": 0",
    ),
    "invalid_by_enum": (metric("invalidValues", column="kind"), "failed", ": 1"),
    "invalid_by_argument": (
        metric("invalidValues", column="guests", arguments={"validValues": [1, 2, 4]}),
        "passed",
        ": 0",
    ),
    "invalid_by_nothing": (
        metric("invalidValues", column="guests"),
        "not_executable",
        "no validValues",
    ),
    "sql_property": (
        sql("SELECT COUNT(*) FROM {table} WHERE ${property} > 1", column="guests"),
        "failed",
        ": 2",
    ),
    "sql_broken": (sql("SELECT FROM"), "error", "not Spark SQL"),
    "invalid_by_pattern": (
        metric("invalidValues", column="kind", arguments={"pattern": "^[xy]$"}),
        "failed",
        ": 1",
    ),
    "invalid_by_both": (
        metric(
            "invalidValues",
            column="visit_id",
            arguments={"validValues": ["a", "b"], "pattern": "^a$"},
        ),
        "failed",
        ": 1",
    ),
    "missing_words": (
        metric("missingValues", column="kind", arguments={"missingValues": ["z", None]}),
        "failed",
        ": 2",
    ),
    "unknown": (metric("freshness", column="guests"), "not_executable", "'freshness' is not known"),
}


def test_each_check_has_its_result(tmp_path: Path) -> None:
    from jobs.spark.session import session

    contract = source()
    properties(contract)[0]["unique"] = properties(contract)[1]["unique"] = True
    properties(contract).append(column("kind", customProperties=custom(enum=["x", "y"])))
    made = load_tree(write(tmp_path, contract)).contract("town.visit")
    quality = tuple(
        Quality.model_validate({"id": name, "dimension": "accuracy"} | check)
        for name, (check, _, _) in CHECKS.items()
    )
    made = made.model_copy(update={"quality": quality})
    table = pa.table(
        {
            "visit_id": ["a", "a", "b", None],
            "guests": pa.array([1, 2, None, 4], pa.int64()),
            "kind": ["x", "y", "z", None],
        }
    )
    frame = session().createDataFrame(table)
    frame.createOrReplaceTempView("checks_v")
    try:
        found = run(session(), Audited(made, frame, "checks_v", 4, date(2026, 7, 15)))
    finally:
        session().catalog.dropTempView("checks_v")
    by_id = {r.rule_id: r for r in found}
    assert {i: r.status for i, r in by_id.items()} == {i: c[1] for i, c in CHECKS.items()} | {
        "visit_id.unique": "failed",
        "guests.unique": "passed",
    }
    repeated = by_id["visit_id.unique"]
    assert (repeated.checked, repeated.failed, repeated.severity) == (3, 1, "error")
    for name, (_, _, words) in CHECKS.items():
        assert words in by_id[name].message, by_id[name]


def test_every_declared_element_ends_with_a_result(tmp_path: Path) -> None:
    """Invariant 7, on everything that the standard lets a contract declare."""
    tree = load_tree(write(tmp_path, kitchen_sink()))
    file = tmp_path / "visit.csv"
    headers = [c.header for c in tree.contract("town.visit").columns]
    rows = [
        ["v1", "1", "A01", "1.50", "x", "甲", "", "2026-07-15", "2026-07-15 08:00:00", "是"]
    ] * 2
    file.write_text("\n".join(",".join(row) for row in (headers, *rows)) + "\n", "utf-8")
    told = {
        "file": file.name,
        "size_bytes": file.stat().st_size,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "rows": 3,
    }
    file.with_name(f"{file.name}.manifest.json").write_text(json.dumps(told), "utf-8")
    trial = try_file(given(tree, file, "town.visit", is_simulated=True))
    by_id = {r.rule_id: r for r in trial.results}
    declared = {*element_ids(trial.given.delivery.contract)}
    assert by_id.keys() == declared | {"table.layout", "manifest.rows"}
    assert len(trial.results) == len(by_id)
    assert {i for i, r in by_id.items() if r.status == "not_executable"} == {
        "read_by_people",
        "others",
        "sla.generalAvailability",
    }
    assert {i: r.message for i, r in by_id.items() if r.status == "error"} == {}
    assert (by_id["manifest.rows"].status, trial.decision) == ("failed", "hold")
