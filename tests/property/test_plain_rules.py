"""Plain rules, nulls and exact duplicates, by texts of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.delivery import Delivery
from contracts.loading import load_tree
from contracts.pattern import Pattern, re2
from jobs.rules.plan import make_plan
from jobs.spark.sql import quoted
from tests.support.small import column, custom, properties, source, write

if TYPE_CHECKING:
    from pathlib import Path


from tests.support.plans import broken_rules, plan_of, read_all, refined
from tests.support.standards import DAY

#: Rules about other rows are found in two ways: in the task, and on Spark.
each_engine = pytest.mark.parametrize(
    "engine", ["here", pytest.param("spark", marks=pytest.mark.spark)]
)


@pytest.fixture(autouse=True)
def _spark_where_it_is_asked_for(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("spark"):
        request.getfixturevalue("spark_remote")


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
    pairs = [("A", "1"), ("A", "2"), ("B", "2"), ("C", "3"), ("A", None), ("A\x1f1", "x")]
    found = refined(plan, [{"d": d, "s": s} for d, s in pairs], "here")
    assert [row["_ok"] for row in found] == ["true", "false", "true", "false", "true", "false"]
    [rule] = [r for r in plan.rules if r.kind == "table_reference"]
    assert (rule.id, rule.column) == ("row.reference.d+s", None)


READ_ALIKE = {
    "^[0-9]{4}-[0-9]+$": ("2026-07", "2026-7a"),
    "^(?<year>[0-9]{4})$": ("2026", "226"),
    "^\\p{Lu}\\P{L}+$": ("A12", "a12"),
    "\\p{Script=Han}": ("x京", "x"),
    "^\\p{IsHan}+$": ("京城", "京x"),
    "^[^\\]\\[]+$": ("ab", "a[b"),
    "^(?:a|b).$": ("ac", "a\u2028"),
    "^\\u4EAC\\x41\\t?$": ("京A", "京B"),
    "(?i)^abc$": ("aBC", "ab"),
    "(?s)^a.c$": ("a\nc", "ac"),
    "^a+?b?c*?$": ("aab", "b"),
    "^[\\w.\\-]{1,64}@\\w+$": ("a.b@c", "京@c"),
    "^[a\\&&]+$": ("a&", "b"),
    "^[京津]$": ("津", "沪"),
    "^a{2,}$": ("aaa", "a"),
    "\\bx\\B": ("a xy", "x"),
    "^[\\s]\\S$": ("\x0b1", "11"),
    "^\\cA$": ("\x01", "A"),
    "^'\\\\$": ("'\\", "'"),
    "^x$": ("x", "x\n"),
}
READ_OTHERWISE = (
    "(?P<year>x)", "(?P=year)", "(a)(?(1)b|c)", "(?#note)a", "a{,3}", "{", "a{b}", "[[:alpha:]]",
    "[a-z&&[^b]]", "[]a]", "[^]", "\\Qa\\E", "\\Aa\\Z", "\\0", "\\p{Han}", "\\pX", "\\u{4EAC}",
    "(?<my_year>x)", "[", "(", "*a", "a\\", "(?<y>a)(?<y>b)", "\\N{DIGIT ONE}", "[b-a]", "[\\S]",
    "a++", "a{2}+", "(?=c)a", "(?!c)a", "(?<=a)b", "(?<!a)b", "^(a)\\1$", "^(?<y>a)\\k<y>$",
    "a{1001}", "\\p{IsAlphabetic}",
)  # fmt: skip


@pytest.mark.parametrize("pattern", READ_OTHERWISE)
def test_what_engines_read_otherwise_is_refused_in_words(pattern: str) -> None:
    with pytest.raises(ValidationError, match="no regular expression"):
        TypeAdapter(Pattern).validate_python(pattern)


@pytest.mark.parametrize("pattern", READ_ALIKE)
def test_every_pattern_that_lint_takes_means_the_same(pattern: str, tmp_path: Path) -> None:
    matching, other = READ_ALIKE[pattern]
    re2_pattern = re2(TypeAdapter(Pattern).validate_python(pattern))
    found = pc.match_substring_regex(pa.array([matching, other]), re2_pattern)
    assert found.to_pylist() == [True, False]


pieces = st.sampled_from(
    (
        *("a", "京", ".", "^", "$", "|", "(", ")", "(?:", "(?<n>", "[", "]", "[^", "-", "*", "+"),
        *(
            "?",
            "{2}",
            "{3,}",
            "{40}",
            "{1,500}",
            "{250}",
            "{400}",
            "{1001}",
            "}",
            "\\d",
            "\\S",
            "\\s",
            "\\w",
            "\\b",
        ),
        *("\\v", "\\u4EAC", "\\uD83D", "\\x41", "\\cA", "\\p{L}", "\\P{Lu}", "\\p{Script=Han}"),
        *(
            "\\p{Script=Elvish}",
            "\\p{IsLatin}",
            "\\1",
            "\\k<n>",
            "\\.",
            "\\]",
            "(?=a)",
            "(?i)",
            "&&",
        ),
    )
)


@settings(max_examples=2_000, deadline=None)
@given(st.lists(pieces, max_size=9).map("".join))
@example("(a{40}){40}")
@example("[\\b]")
@example("a{2}+")
@example("\\p{L}{1,500}")
@example("(\\p{L}{20}){20}\\p{L}{90}")
@example("a{1000}京{1000}")
@example("[\\p{L}\\p{N}\\p{S}]{125}")
def test_what_lint_takes_runs(pattern: str) -> None:
    try:
        written = re2(pattern)
    except ValueError:
        return
    pc.match_substring_regex(pa.array(["京a"]), written)


@pytest.mark.spark
def test_every_pattern_that_lint_takes_is_one_that_spark_runs() -> None:
    from jobs.spark.session import session

    terms = (
        f"{quoted(text)} RLIKE {quoted(pattern)}"
        for pattern, texts in READ_ALIKE.items()
        if pattern != "^x$"  # Java's $ also stands before a last line end, which trimming takes
        for text in texts
    )
    [found] = session().sql(f"SELECT {', '.join(terms)}").collect()
    assert list(found) == [True, False] * (len(READ_ALIKE) - 1)


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


@each_engine
def test_repeated_rows_and_conflicting_keys(tmp_path: Path, engine: str) -> None:
    """Rows of the same raw text are exact duplicates; one key with other content is a conflict."""
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
        (None, "1", None),  # 11 no key either, and other text
        (None, "1", None),  # 12 the same again
    ]
    texts = [{"visit_id": k, "guests": n, "_row_error": error} for k, n, error in rows]
    found = refined(plan, texts, engine)
    assert [r["_duplicate"] for r in found] == [False, True, True] + [False] * 9 + [True]
    conflict = {"row.key_conflict"}
    assert [broken_rules(plan, r) for r in found] == [
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
        {"visit_id.required"},
        {"visit_id.required"},
    ]
    good = [r["_source_line"] for r in found if r["_ok"] == "true"]
    assert good == [0, 5]
    assert {r["_business_date"] for r in found} == {DAY}
    assert {r["_batch_id"] for r in found} == {"b"}


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
    whole = {f"c{i}": "1" for i in range(30)}
    rows = [whole | {"c29": "0"}, whole | {"c29": ""}, whole | {"_row_error": "1 cell"}]
    found = refined(plan, rows, "here")
    assert [broken_rules(plan, r) for r in found] == [
        {"c29.range"},
        {"c29.required"},
        {"row.shape"},
    ]
    assert {r["_ok"] for r in found} == {"false"}
