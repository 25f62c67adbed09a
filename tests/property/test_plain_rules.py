"""Plain rules, nulls and exact duplicates, by texts of every kind in one Spark query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.delivery import Delivery
from contracts.loading import load_tree
from contracts.pattern import Pattern
from jobs.rules.plan import make_plan
from jobs.spark.sql import quoted
from tests.support.small import column, custom, properties, source, write

if TYPE_CHECKING:
    from pathlib import Path


from tests.support.plans import plan_of, read_all
from tests.support.standards import DAY

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark_remote")]


def broken_by(root: Path, extra: dict[str, Any], texts: list[str | None]) -> list[set[str]]:
    return [
        {b.removeprefix("x.") for b in r.broken} for r in read_all(plan_of(root, extra)[1], texts)
    ]


def test_required_and_null_tokens(tmp_path: Path) -> None:
    texts = [None, "", " ", "\u3000", "/", " / ", "//", "无", "a"]
    found = broken_by(tmp_path, column("x", required=True), texts)
    assert found == [{"required"}] * 6 + [set()] * 3


def test_a_null_token_in_letters_is_one_in_a_column_of_identifiers_too(tmp_path: Path) -> None:
    extra = column("x", required=True, customProperties=custom(rule="mobile"))
    plan = plan_of(tmp_path, extra, nulls=("", "null", "N/a"))[1]
    found = [set(r.broken) for r in read_all(plan, ["null", "NULL", "n/A", "无", "13912345678"])]
    assert found == [{"x.required"}] * 3 + [{"x.mobile"}, set()]


def test_an_empty_cell_breaks_no_rule_but_required(tmp_path: Path) -> None:
    options = {"pattern": "^a+$", "minLength": 2, "maxLength": 3}
    extra = column("x", logicalTypeOptions=options, customProperties=custom(enum=["aa", "aaa"]))
    found = broken_by(tmp_path, extra, ["", None, "/", "aa", "a", "aaaa", "bb"])
    assert found == [
        set(),
        set(),
        set(),
        set(),
        {"min_length", "enum"},
        {"max_length", "enum"},
        {"pattern", "enum"},
    ]


def test_free_text_is_trimmed_and_otherwise_left(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, column("x"))[1]
    texts = ["　（甲） 乙，丙\u00a0", "a\tb", "ＡＢ", "\ufeffx"]
    assert [r.value for r in read_all(plan, texts)] == ["（甲） 乙，丙", "a\tb", "ＡＢ", "x"]


def test_range_holds_its_bounds(tmp_path: Path) -> None:
    extra = column("x", "number", logicalTypeOptions={"minimum": -1.5, "maximum": 200})
    texts = ["-1.5", "200", "-1.51", "200.001", "x", "0"]
    found = broken_by(tmp_path, extra, list(texts))
    assert found == [set(), set(), {"range"}, {"range"}, {"type"}, set()]
    low = column("x", "integer", logicalTypeOptions={"minimum": 1})
    assert broken_by(tmp_path / "low", low, ["1", "0", "99999"]) == [set(), {"range"}, set()]


def test_exclusive_bounds_and_multiples(tmp_path: Path) -> None:
    options = {"exclusiveMinimum": 0, "exclusiveMaximum": 1, "multipleOf": 0.1}
    texts = ["0.3", "0", "1", "0.25", "1.05", "x"]
    found = broken_by(tmp_path, column("x", "number", logicalTypeOptions=options), list(texts))
    out, part = {"exclusive_range"}, {"multiple_of"}
    assert found == [set(), out, out, part, out | part, {"type"}]
    whole = column("x", "integer", logicalTypeOptions={"multipleOf": 5})
    assert broken_by(tmp_path / "whole", whole, ["10", "12"]) == [set(), part]


def test_columns_that_refer_together(tmp_path: Path) -> None:
    """Each value stands in the table, and the pair does not: one column alone would pass."""
    from jobs.spark.session import session

    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "streets.csv").write_text("district,street\nA,1\nB,2\n", "utf-8")
    to = "reference/streets.odcs.yaml#schema/streets/properties"
    contract = source()
    properties(contract)[:] = [column("d"), column("s")]
    contract["schema"][0]["relationships"] = [
        {"from": ["visit.d", "visit.s"], "to": [f"{to}/district", f"{to}/street"]}
    ]
    made = load_tree(write(tmp_path, contract)).contract("town.visit")
    plan = make_plan(Delivery(made, "museum", DAY, tmp_path))
    pairs = [("A", "1"), ("A", "2"), ("B", "2"), ("C", "3"), ("A", None)]
    rows = session().createDataFrame(
        [(d, s, i, None, None, "b") for i, (d, s) in enumerate(pairs)],
        "d STRING, s STRING, _source_line BIGINT, _row_error STRING, _extra STRING,"
        " _batch_id STRING",
    )
    for projection in plan.projections:
        rows = rows.selectExpr(*projection)
    found = {r._source_line: r._ok for r in rows.collect()}
    assert found == {0: "true", 1: "false", 2: "true", 3: "false", 4: "true"}
    [rule] = [r for r in plan.rules if r.kind == "table_reference"]
    assert (rule.id, rule.column) == ("row.reference.d+s", None)


READ_ALIKE = (
    "^[0-9]{4}-[0-9]+$", "^(?<year>[0-9]{4})\\k<year>$", "^\\p{Lu}\\P{L}+$", "\\p{Script=Han}",
    "^[^\\]\\[]+$", "^(?:a|b)(?=c)(?!d).*", "(?<=a)b(?<!c)", "^\\u4EAC\\x41\\t?$", "(?i)^abc$",
    "a++b?+c*?", "^[\\w.\\-]{1,64}@\\w+$", "[a\\&&]", "^[京津]$", "a{2,}", "\\bx\\B", "^(a)\\1$",
    "^'\\\\$",
)  # fmt: skip
READ_OTHERWISE = (
    "(?P<year>x)", "(?P=year)", "(a)(?(1)b|c)", "(?#note)a", "a{,3}", "{", "a{b}", "[[:alpha:]]",
    "[a-z&&[^b]]", "[]a]", "[^]", "\\Qa\\E", "\\Aa\\Z", "\\0", "\\p{Han}", "\\pX", "\\u{4EAC}",
    "(?<my_year>x)", "[", "(", "*a", "a\\", "(?<y>a)(?<y>b)", "\\N{DIGIT ONE}", "[b-a]",
)  # fmt: skip


def test_every_pattern_that_lint_takes_is_one_that_spark_runs() -> None:
    from jobs.spark.session import session

    taken = TypeAdapter(Pattern)
    for pattern in READ_OTHERWISE:
        with pytest.raises(ValidationError, match="no regular expression"):
            taken.validate_python(pattern)
    terms = (f"'京A' RLIKE {quoted(taken.validate_python(p))}" for p in READ_ALIKE)
    [found] = session().sql(f"SELECT {', '.join(terms)}").collect()
    assert len(found) == len(READ_ALIKE)
    assert found[READ_ALIKE.index("\\p{Script=Han}")]


def test_reference(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "kinds.csv").write_text("code\nA'1\nB\\2\n", "utf-8")
    to = "reference/kinds.odcs.yaml#schema/kinds/properties/code"
    extra = column("x", relationships=[{"type": "foreignKey", "to": to}])
    found = broken_by(tmp_path, extra, ["A'1", "B\\2", "C", ""])
    assert found == [set(), set(), {"reference"}, set()]


def test_pattern_with_quotes_and_backslashes(tmp_path: Path) -> None:
    extra = column("x", logicalTypeOptions={"pattern": "^\\d'\\\\$"})
    assert broken_by(tmp_path, extra, ["1'\\", "d'\\", "1'"]) == [set(), {"pattern"}, {"pattern"}]


def test_repeated_rows_and_conflicting_keys(tmp_path: Path) -> None:
    """Rows of the same raw text are exact duplicates; one key with other content is a conflict."""
    from jobs.spark.session import session

    made = load_tree(write(tmp_path, source())).contract("town.visit")
    plan = make_plan(Delivery(made, "museum", DAY, tmp_path))
    rows = [
        ("k1", "1", None),  # 0 first of three exact duplicates
        ("k1", "1", None),
        ("k1", "1", None),
        ("k2", "1", None),  # 3 and 4 conflict
        ("k2", "2", None),
        ("k3", "1", None),  # 5 good: its rival has a fault of its own
        ("k3", "x", None),
        ("k4", "7", "6 cells, 2 expected"),  # 7 ragged
        (" k5 ", "1", None),  # 8 and 9: other text, the same key and content
        ("k5", "1", None),
        ("", "1", None),  # 10 no key
    ]
    table = pa.table(
        {
            "visit_id": [r[0] for r in rows],
            "guests": [r[1] for r in rows],
            "_source_line": pa.array(range(len(rows)), pa.int64()),
            "_row_error": pa.array([r[2] for r in rows], pa.string()),
            "_extra": pa.nulls(len(rows), pa.string()),
            "_batch_id": ["b"] * len(rows),
        }
    )
    frame = (
        session()
        .createDataFrame(table)
        .selectExpr(*plan.trim)
        .selectExpr(*plan.normalise)
        .selectExpr(*plan.cast)
    )
    frame = frame.selectExpr(*plan.check).selectExpr(*plan.conflict).selectExpr(*plan.output)
    found = sorted(frame.toArrow().to_pylist(), key=lambda r: r["_source_line"])
    bits = [(r.id, *plan.bit(r)) for r in plan.rules]
    broken = [{i for i, m, b in bits if r[m] & b} for r in found]
    assert [r["_duplicate"] for r in found] == [False, True, True] + [False] * 8
    conflict = {"row.key_conflict"}
    assert broken == [
        set(),
        set(),
        set(),
        conflict,
        conflict,
        set(),
        {"guests.type"},
        {"row.shape"},
        conflict,
        conflict,
        {"visit_id.required"},
    ]
    good = [r["_source_line"] for r in found if r["_ok"] == "true"]
    assert good == [0, 5]
    assert {r["_business_date"] for r in found} == {DAY}


def test_more_rules_than_one_mask_holds(tmp_path: Path) -> None:
    contract = source()
    wide = [
        column(f"c{i}", "integer", required=True, logicalTypeOptions={"minimum": 1})
        for i in range(30)
    ]
    properties(contract)[:] = wide
    made = load_tree(write(tmp_path, contract)).contract("town.visit")
    plan = make_plan(Delivery(made, "museum", DAY, tmp_path))
    assert len(plan.masks) == 2
    from jobs.spark.session import session

    values: dict[str, Any] = {f"c{i}": ["1", "1"] for i in range(30)}
    values["c29"] = ["0", ""]
    table = pa.table(
        values
        | {
            "_source_line": pa.array([0, 1], pa.int64()),
            "_row_error": pa.nulls(2, pa.string()),
            "_extra": pa.nulls(2, pa.string()),
            "_batch_id": ["b", "b"],
        }
    )
    frame = (
        session()
        .createDataFrame(table)
        .selectExpr(*plan.trim)
        .selectExpr(*plan.normalise)
        .selectExpr(*plan.cast)
    )
    found = frame.selectExpr(*plan.check).selectExpr(*plan.output).toArrow().to_pylist()
    bits = [(r.id, *plan.bit(r)) for r in plan.rules]
    broken = {r["_source_line"]: {i for i, m, b in bits if r[m] & b} for r in found}
    assert broken == {0: {"c29.range"}, 1: {"c29.required"}}
    assert {r["_ok"] for r in found} == {"false"}
