"""Contract SQL reads its own table and nothing else; counts become results in words."""

from __future__ import annotations

import pickle

import pytest

from contracts.model import Quality
from contracts.words import Words
from jobs.checks.declared import CheckError, measured, read_only, result

ALLOWED = (
    "SELECT COUNT(*) FROM v",
    "SELECT COUNT(*) FROM `v`",
    "SELECT COUNT(*) FROM v AS a JOIN v b ON a.x = b.x",
    "WITH bad AS (SELECT * FROM v WHERE x > 1) SELECT COUNT(*) FROM bad",
    "SELECT COUNT(*) FROM (SELECT x FROM v GROUP BY x HAVING COUNT(*) > 1) AS twice",
    "SELECT (SELECT MAX(x) FROM v) - MIN(x) FROM v",
    "SELECT 1 FROM v UNION ALL SELECT 2 FROM v",
)
REFUSED = {
    "other_table": ("SELECT * FROM w", "reads w"),
    "other_table_inside": ("SELECT * FROM v WHERE x IN (SELECT x FROM w)", "reads w"),
    "other_table_in_union": ("SELECT 1 FROM v UNION SELECT 2 FROM w", "reads w"),
    "qualified": ("SELECT * FROM other.v", "reads other.v"),
    "path": ("SELECT * FROM delta.`/lake/silver/x`", "reads delta"),
    "csv_path": ("SELECT * FROM csv.`/etc/passwd`", "reads csv"),
    "two": ("SELECT 1 FROM v; SELECT 2 FROM v", "is not one SELECT"),
    "nothing": ("", "is not one SELECT"),
    "insert": ("INSERT INTO v SELECT 1", "is not one SELECT"),
    "drop": ("DROP TABLE v", "is not one SELECT"),
    "create": ("CREATE TABLE w AS SELECT * FROM v", "is not one SELECT"),
    "set": ("SET spark.sql.ansi.enabled = false", "is not one SELECT"),
    "update": ("UPDATE v SET x = 1", "is not one SELECT"),
    "no_sql": ("SELECT FROM WHERE (", "is not Spark SQL"),
    "reflection": ("SELECT reflect('java.lang.System', 'exit', 0) FROM v", "calls reflect"),
    "java_method": ("SELECT JAVA_METHOD('a', 'b') FROM v", "calls java_method"),
}


@pytest.mark.parametrize("query", ALLOWED)
def test_own_table_may_be_read(query: str) -> None:
    assert read_only(query, "v") == query


@pytest.mark.parametrize(("query", "words"), REFUSED.values(), ids=REFUSED)
def test_everything_else_is_refused(query: str, words: str) -> None:
    with pytest.raises(CheckError) as refused:
        read_only(query, "v")
    assert words in refused.value.words.en
    assert refused.value.words.en.endswith(".")
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)  # noqa: S301


def quality(**more: object) -> Quality:
    return Quality.model_validate(
        {"id": "q", "type": "library", "dimension": "accuracy", "metric": "nullValues"} | more
    )


def test_count_within_its_bound() -> None:
    found = measured(quality(comparison="mustBeLessThan", bound=3, description="少"), 2, 10)
    assert (found.status, found.checked, found.failed) == ("passed", 10, 0)
    assert found.message == "少: 2, mustBeLessThan 3"
    assert (found.rule_id, found.engine, found.severity) == ("q", "spark", "error")
    assert (found.dimension, found.column, found.threshold) == ("accuracy", None, None)


def test_count_beyond_its_bound() -> None:
    found = measured(quality(comparison="mustBe", bound=0, severity="warning"), 4, 10)
    assert (found.status, found.failed, found.severity) == ("failed", 4, "warning")
    assert found.message == "q: 4, mustBe 0"


def test_count_is_never_more_than_the_rows() -> None:
    assert measured(quality(), 40, 10).failed == 10


def test_percent_is_of_the_accepted_rows() -> None:
    asked = quality(unit="percent", comparison="mustBeLessThan", bound=30)
    assert measured(asked, 2, 10).status == "passed"
    assert measured(asked, 3, 10).status == "failed"
    assert measured(asked, 3, 10).message.startswith("q: 30%,")
    assert measured(asked, 0, 0).status == "passed"


def test_too_few_rows_fail_them_all() -> None:
    asked = quality(metric="rowCount", comparison="mustBeGreaterThan", bound=100)
    assert measured(asked, 7, 7).failed == 7


def test_result_says_who_could_not_run_it() -> None:
    found = result(quality(), "not_executable", Words("why", "why"), engine="none")
    assert (found.status, found.engine, found.message) == ("not_executable", "none", "why")
    assert (found.checked, found.failed) == (None, None)
