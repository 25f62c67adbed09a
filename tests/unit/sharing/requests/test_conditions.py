"""Conditions that strangers write: comparisons pass as they were meant, all else is refused."""

from __future__ import annotations

import pytest

from contracts.errors import UsageError
from sharing.requests.conditions import condition

COLUMNS = ("icd10", "street_code", "onset_date", "age")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("icd10 LIKE 'T67%'", "icd10 LIKE 'T67%'"),
        ("age >= 65 AND NOT street_code IS NULL", "age >= 65 AND NOT street_code IS NULL"),
        ("icd10 IN ('T67', 'T68') OR age = -1", "icd10 IN ('T67', 'T68') OR age = -1"),
        (
            "onset_date > DATE '2026-07-01' /* x */ -- y",
            "onset_date > CAST('2026-07-01' AS DATE)",
        ),
        ("(age BETWEEN 1 AND 2)", "(age BETWEEN 1 AND 2)"),
        ("age <> 3", "age <> 3"),
    ],
)
def test_a_comparison_is_written_anew(text: str, expected: str) -> None:
    assert condition(text, COLUMNS, "test") == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "age",
        "age >",
        "id_number = '1'",
        "t.age = 1",
        "age = 1; DROP TABLE x",
        "1 = 1) UNION SELECT * FROM health__disease_case WHERE (1 = 1",
        "age = 1 GROUP BY age",
        "age = 1 LIMIT 1",
        "age IN (SELECT age FROM x)",
        "EXISTS (SELECT 1)",
        "age = (SELECT 1)",
        "reflect('java.lang.Runtime', 'exec', 'x') = 1",
        "length(icd10) > 3",
        "icd10 RLIKE '(a+)+b'",
        "CASE WHEN age = 1 THEN TRUE END",
        "age = 1 UNION SELECT 1",
        "{k} > 1",
        "icd10 = '{business_date}'",
        "icd10 = 'a' 'b'",
    ],
)
def test_what_is_no_comparison_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="test: the condition"):
        condition(text, COLUMNS, "test")


def test_a_quote_in_a_constant_stays_in_it() -> None:
    made = condition(r"icd10 = 'a\' OR 1 = 1 --'", COLUMNS, "test")
    assert made == condition(made, COLUMNS, "again") == r"icd10 = 'a\' OR 1 = 1 --'"
