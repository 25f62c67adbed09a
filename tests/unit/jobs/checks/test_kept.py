"""What is kept of a validation, which number a check shows, and what is told of an error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from contracts.loading import load_tree
from contracts.model import Quality
from jobs.checks import kept
from jobs.checks.shown import may_be_shown
from jobs.faults import StageFailedError, cause, without_words
from tests.support.small import column, properties, set_custom, source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.model import Contract

BETWEEN = "expect_column_values_to_be_between"
LENGTHS = "expect_column_value_lengths_to_be_between"
PAIR = "expect_column_pair_values_a_to_be_greater_than_b"
TOGETHER = "expect_multicolumn_sum_to_equal"
#: An expectation by its type, the property it stands under, its arguments, and whether what it
#: finds may be kept: guests and visit_id are L1, phone is L4, note is untagged.
EXPECTATIONS: dict[str, tuple[str, str | None, dict[str, Any], bool]] = {
    "open_by_property": (BETWEEN, "guests", {"min_value": 1}, True),
    "open_by_argument": (BETWEEN, None, {"column": "guests", "min_value": 1}, True),
    "sealed_by_property": (LENGTHS, "phone", {"min_value": 1}, False),
    "sealed_by_argument": (LENGTHS, None, {"column": "phone", "min_value": 1}, False),
    "untagged_by_property": (LENGTHS, "note", {"min_value": 1}, False),
    "closed_though_under_an_open_one": (LENGTHS, "guests", {"column": "phone"}, False),
    "open_pair": (PAIR, None, {"column_A": "guests", "column_B": "visit_id"}, True),
    "closed_pair": (PAIR, None, {"column_A": "guests", "column_B": "note"}, False),
    "open_list": (TOGETHER, None, {"column_list": ["guests"], "sum_total": 1}, True),
    "closed_list": (TOGETHER, None, {"column_list": ["guests", "note"], "sum_total": 1}, False),
    "condition": (BETWEEN, "guests", {"row_condition": "note is not null"}, False),
    "index": (BETWEEN, "guests", {"result_format": {"result_format": "COMPLETE"}}, False),
    "query": ("unexpected_rows_expectation", None, {"unexpected_rows_query": "SELECT 1"}, False),
    "row_count": ("expect_table_row_count_to_be_between", None, {"min_value": 1}, True),
    "unknown_column": (BETWEEN, "gone", {"min_value": 1}, False),
    "no_column": (BETWEEN, None, {"min_value": 1}, False),
}
#: Contract SQL, and whether the number it measures may be shown.
QUERIES = {
    "SELECT COUNT(*) FROM v WHERE phone IS NULL": True,
    "SELECT COUNT(DISTINCT phone) FROM v": True,
    "SELECT COUNT_IF(note = 'x') FROM v": True,
    "SELECT MAX(guests) FROM v": True,
    "SELECT COUNT(*) FROM (SELECT phone FROM v GROUP BY phone HAVING COUNT(*) > 1) AS twice": True,
    "WITH bad AS (SELECT * FROM v) SELECT COUNT(*) FROM bad": True,
    "SELECT SUM(CASE WHEN phone IS NULL THEN 1 ELSE 0 END) FROM v": True,
    "SELECT 100.0 * COUNT(phone) / COUNT(*) FROM v": True,
    "SELECT MAX(phone) > '2' FROM v": True,
    "SELECT MAX(phone) FROM v": False,
    "SELECT MAX(PHONE) FROM v": False,
    "SELECT MAX(guests) FROM (SELECT CAST(phone AS BIGINT) AS guests FROM v) AS a": False,
    "SELECT MAX(c) FROM (SELECT * FROM v) AS s(a, b, c, d)": False,
    "SELECT MAX(d) FROM v AS s(a, b, c, d)": False,
    "SELECT MAX(guests) FROM v AS s(a, guests, c, d)": False,
    "WITH s(a, b, c, d) AS (TABLE v) SELECT MAX(d) FROM s": False,
    "SELECT MAX(x) FROM (TABLE v) UNPIVOT (x FOR n IN (a, b))": False,
    "SELECT MAX(v) FROM v": False,
    "SELECT MAX(n) FROM (SELECT guests AS n FROM v) AS a": True,
    "SELECT CASE WHEN true THEN MAX(phone) END FROM v": False,
    "SELECT COUNT(*) FROM v UNION ALL SELECT MAX(phone) FROM v": False,
    "SELECT (SELECT MAX(phone) FROM v) FROM v": False,
    "SELECT LENGTH(MAX(note)) FROM v": False,
}


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    made = source()
    untagged = column("note")
    del untagged["classification"]
    set_custom(made, "grading", {"gb43697": "general", "level": "L4"})
    properties(made).extend([column("phone", classification="L4"), untagged])
    return load_tree(write(tmp_path, made)).contract("town.visit")


def _quality(kind: str, name: str | None, kwargs: dict[str, Any]) -> Quality:
    return Quality(
        id="q", type="custom", dimension="accuracy", expectation=kind, column=name, kwargs=kwargs
    )


@pytest.mark.parametrize(
    ("kind", "name", "kwargs", "is_open"), EXPECTATIONS.values(), ids=EXPECTATIONS
)
def test_what_an_expectation_may_touch_decides(
    contract: Contract, kind: str, name: str | None, kwargs: dict[str, Any], *, is_open: bool
) -> None:
    from great_expectations.expectations.registry import get_expectation_impl

    assert kept.is_open(get_expectation_impl(kind), _quality(kind, name, kwargs), contract) is (
        is_open
    )


def test_somebody_elses_expectation_is_closed(contract: Contract) -> None:
    from great_expectations.expectations.registry import get_expectation_impl

    theirs = type("ExpectColumnValuesToBeTheirs", (get_expectation_impl(BETWEEN),), {})
    assert not kept.is_open(theirs, _quality(BETWEEN, "guests", {}), contract)


def _kept_by_an_older_version() -> dict[str, Any]:
    return {
        "results": [
            {
                "exception_info": {
                    "raised_exception": True,
                    "exception_message": "The value 'Zhang' cannot be cast",
                    "exception_traceback": "… 'Zhang' …",
                },
                "expectation_config": {"kwargs": {"column": "phone"}, "meta": {"id": "one"}},
                "meta": {},
                "result": {
                    "element_count": 3,
                    "unexpected_count": 1,
                    "observed_value": "Zhang",
                    "partial_unexpected_list": ["Zhang"],
                    "details": {"value_counts": [["Zhang", 1]]},
                },
                "success": False,
            }
        ],
        "success": False,
        "suite_name": "town.visit@1.0.0",
    }


def test_nothing_of_a_closed_expectation_is_kept_whatever_it_returned() -> None:
    found = kept.without_values([_kept_by_an_older_version()], frozenset())
    assert "Zhang" not in json.dumps(found)
    [one] = found["results"]
    assert (one["result"], one["success"]) == ({}, False)
    assert one["exception_info"]["raised_exception"] is True


def test_no_words_of_an_exception_are_kept_even_of_an_open_one() -> None:
    found = kept.without_values([_kept_by_an_older_version()], frozenset({"one"}))
    assert "Zhang" not in json.dumps(found)


def test_values_that_an_older_version_kept_are_taken_out_once(tmp_path: Path) -> None:
    file = tmp_path / "validations" / "20260715-0123456789ab.json"
    file.parent.mkdir()
    file.write_text(json.dumps(_kept_by_an_older_version()), "utf-8")
    assert [kept.clean(tmp_path), kept.clean(tmp_path)] == [1, 0]
    text = file.read_text("utf-8")
    assert "Zhang" not in text
    [one] = json.loads(text)["results"]
    assert one["result"] == {"element_count": 3, "unexpected_count": 1}


@pytest.mark.parametrize(("query", "is_shown"), QUERIES.items())
def test_a_count_is_shown_and_a_cell_is_not(
    contract: Contract, query: str, *, is_shown: bool
) -> None:
    assert may_be_shown(query, contract) is is_shown


def test_another_errors_words_do_not_leave_a_stage() -> None:
    with pytest.raises(StageFailedError) as stopped, without_words("refine"):
        int("Zhang")
    assert "Zhang" not in str(stopped.value)
    assert "ValueError" in str(stopped.value)
    assert "tests/unit/jobs/checks/test_kept.py" in str(stopped.value)
    assert stopped.value.__suppress_context__


def test_a_query_that_spark_cannot_read_is_told_in_its_words() -> None:
    from pyspark.errors import AnalysisException, NumberFormatException, PythonException

    lost = AnalysisException("[UNRESOLVED_COLUMN.X] `gone`", errorClass="UNRESOLVED_COLUMN.X")
    cast = NumberFormatException("[CAST_INVALID_INPUT] 'Zhang'", errorClass="CAST_INVALID_INPUT")
    assert "`gone`" in cause(lost).en
    worker = (
        "Traceback (most recent call last):\n  File x\nModuleNotFoundError: 'Zhang'\nZhangError\n"
    )
    assert cause(PythonException(worker)).en == "PythonException of ModuleNotFoundError"
    assert cause(cast).en == "NumberFormatException [CAST_INVALID_INPUT]"
