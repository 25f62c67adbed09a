"""Compiled plans, word for word: a changed rule shows as a changed file.

Spark is not needed to see that a weight, a bound or an order changed; what the words mean is tried
on Spark in ``tests/property``. On a wanted change copy the file the message names.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contracts.constraint import Options
from contracts.delivery import Delivery
from contracts.loading import load_tree
from contracts.model import EXCEL_SERIAL
from contracts.rules import NAMED_RULES, RowRule, batch_rules, is_identifier, row_rules
from contracts.words import Words
from jobs.rules import predicates
from jobs.rules.plan import MASK_BITS, _cast_text, make_plan, quarantining
from jobs.spark import sql
from jobs.spark.types import spark_type
from tests.conftest import TREE
from tests.support.small import Node, column, custom, properties, source, write

if TYPE_CHECKING:
    from contracts.constraint import Severity
    from contracts.model import Contract

GOLDEN = Path(__file__).parents[3] / "golden" / "plans"
DAY = date(2026, 7, 15)


def every_rule(root: Path) -> Contract:
    """A contract with every named rule, every kind of check and every type."""
    contract = source()
    found: list[Node] = []
    for name, rule in NAMED_RULES.items():
        if name != "division_code":
            found.append(column(name, rule.types[0], customProperties=custom(rule=name)))
    for digits in (6, 9, 12):
        asked = custom(rule={"division_code": {"digits": digits}})
        found.append(column(f"division_{digits}", customProperties=asked))
    found += [
        column("day", "date", required=True, logicalTypeOptions={"format": "yyyy年M月d日"}),
        column("serial", "date", logicalTypeOptions={"format": EXCEL_SERIAL}),
        column("local", "timestamp", logicalTypeOptions={"format": "yyyy-MM-dd HH:mm:ss"}),
        column("zoned", "timestamp", logicalTypeOptions={"format": "yyyy-MM-dd'T'HH:mm:ssXXX"}),
        column("literal", "timestamp", logicalTypeOptions={"format": "yyyy-MM-dd'T'HH:mm:ss'Z'"}),
        column("region", "timestamp", logicalTypeOptions={"format": "yyyy-MM-dd HH:mm VV"}),
        column("division", customProperties=custom(rule="division_code")),
        column("flag", "boolean"),
        column("price", "number", physicalType="DECIMAL(10,2)"),
        column("share", "number", logicalTypeOptions={"minimum": 0, "maximum": 99.5}),
        column("low", "integer", logicalTypeOptions={"minimum": -3}),
        column(
            "step",
            "number",
            logicalTypeOptions={"exclusiveMinimum": 0, "exclusiveMaximum": 9, "multipleOf": 0.1},
        ),
        column(
            "word",
            logicalTypeOptions={"pattern": "^\\p{IsHan}'+$", "minLength": 1, "maxLength": 9},
        ),
        column("kind", customProperties=custom(enum=["甲'", "乙\\", 3])),
        column(
            "item",
            relationships=[
                {
                    "type": "foreignKey",
                    "to": "reference/heat_items.odcs.yaml#schema/heat_items/properties/item_code",
                    "customProperties": custom(threshold={"bad_percent": 5, "severity": "warning"}),
                }
            ],
        ),
    ]
    properties(contract)[1:] = found
    to = "reference/grid_category.odcs.yaml#schema/grid_category/properties"
    contract["schema"][0]["relationships"] = [
        {
            "from": ["visit.kind", "visit.word"],
            "to": [f"{to}/category_code", f"{to}/name"],
        },
        {"from": "visit.division", "to": f"{to}/category_code"},
    ]
    return load_tree(write(root, contract)).contract("town.visit")


def rendered(contract: Contract, root: Path, day: date = DAY, provider: str | None = None) -> str:
    delivery = Delivery(contract, provider or contract.servers[0].provider, day, root)
    plan = make_plan(delivery)
    parts = []
    for rule in plan.rules:
        mask, bit = plan.bit(rule)
        parts.append(
            f"-- {rule.id} = {mask} & {bit} · {rule.kind} {rule.column} {rule.dimension}"
            f" {rule.severity} {rule.threshold_percent} {dict(rule.arguments)}\n--   {rule.message}"
        )
    for step in ("trim", "normalise", "cast", "check", "conflict", "output"):
        parts.append(f"\n-- {step}")
        parts += [f"{expression}," for expression in getattr(plan, step)]
    return "\n".join(parts) + "\n"


def assert_golden(name: str, text: str, tmp_path: Path) -> None:
    found, golden = tmp_path / f"{name}.sql", GOLDEN / f"{name}.sql"
    found.write_text(text, "utf-8")
    assert golden.is_file(), f"copy {found} to {golden}"
    assert golden.read_text("utf-8") == text, f"differs from {found}"


@pytest.mark.parametrize("name", ["health.disease_case", "district.grid_case"])
def test_plan_of_a_contract(name: str, tmp_path: Path) -> None:
    assert_golden(name, rendered(TREE.contract(name), TREE.root), tmp_path)


def test_null_tokens_are_the_servers_own() -> None:
    contract = TREE.contract("district.grid_case")
    asked = {server.provider: set(server.export.null_tokens) for server in contract.servers}
    all_tokens = set().union(*asked.values())
    assert any(tokens != all_tokens for tokens in asked.values())
    for provider, tokens in asked.items():
        plan = make_plan(Delivery(contract, provider, DAY, TREE.root))
        wanted = sorted(f"'{token}'".upper() for token in tokens | {""})
        for text in plan.normalise[4:]:  # the columns, after what the system knows of a row
            said = text.partition(" IN (")[2].partition(") THEN")[0].upper()
            assert said.split(", ") == wanted, (provider, text)


def test_plan_of_every_rule(tmp_path: Path) -> None:
    contract = every_rule(tmp_path)
    assert_golden("every_rule", rendered(contract, tmp_path), tmp_path)


def test_the_same_contract_and_date_give_the_same_text(tmp_path: Path) -> None:
    contract = every_rule(tmp_path)
    assert rendered(contract, tmp_path) == rendered(contract, tmp_path)
    assert rendered(contract, tmp_path) != rendered(contract, tmp_path, date(2010, 1, 1))


def test_every_column_is_an_identifier_or_not(tmp_path: Path) -> None:
    found = {c.name for c in every_rule(tmp_path).columns if is_identifier(c)}
    assert found == {
        "resident_id",
        "uscc",
        "plate",
        "mobile",
        "phone",
        "gb4754",
        "division",
        "division_6",
        "division_9",
        "division_12",
    }


def test_every_rule_says_what_is_wrong_whole_in_each_language(tmp_path: Path) -> None:
    contract = every_rule(tmp_path)
    written = {
        text for c in contract.columns for text in (c.header, c.options.format) if text is not None
    }
    messages = {r.id: r.message for r in row_rules(contract)}
    messages |= {r.id: r.message for r in batch_rules(contract)}
    for name, message in messages.items():
        zh, en = message.zh, message.en
        for text in written:  # what the contract itself writes stands in both
            zh, en = zh.replace(text, ""), en.replace(text, "")
        assert re.search("[一-鿿]", zh), name
        assert not re.search("[一-鿿]", en), name


def test_rules_of_a_column_stand_in_a_fixed_order(tmp_path: Path) -> None:
    kinds = [r.kind for r in row_rules(every_rule(tmp_path)) if r.column == "word"]
    assert kinds == ["pattern", "min_length", "max_length"]
    rules = row_rules(every_rule(tmp_path))
    [reference] = [r for r in rules if r.kind == "reference" and r.column == "item"]
    assert (reference.severity, reference.threshold_percent) == ("warning", 5)
    assert reference.dimension == "consistency"


def test_warnings_do_not_quarantine() -> None:
    errors: list[Severity] = ["error"] * MASK_BITS
    severities: list[Severity] = [*errors, "warning", "error"]
    rules = tuple(
        RowRule(f"c.{i}", "required", "c", "completeness", severity, Words("错", "m"))
        for i, severity in enumerate(severities)
    )
    masks = ("_mask_0", "_mask_1")
    everything = (1 << MASK_BITS) - 1
    assert (
        quarantining(rules, masks) == f"((_mask_0 & {everything}L) != 0L OR (_mask_1 & 2L) != 0L)"
    )


QUOTED = {
    "plain": ("a", "'a'"),
    "quote": ("a'b", "'a\\'b'"),
    "backslash": ("a\\b", "'a\\\\b'"),
    "both": ("\\'", "'\\\\\\''"),
    "empty": ("", "''"),
}


@pytest.mark.parametrize(("text", "literal"), QUOTED.values(), ids=QUOTED)
def test_text_as_a_literal(text: str, literal: str) -> None:
    assert sql.quoted(text) == literal


def test_names_as_identifiers() -> None:
    assert sql.identifier("a`b") == "`a``b`"
    assert predicates.normalised("a") == "`_n_a`"
    assert predicates.cast("a") == "`_c_a`"


def test_an_empty_list_allows_nothing() -> None:
    assert predicates._not_in("x", ()) == "true"
    assert predicates._not_in("x", ("a", "b'")) == "x NOT IN ('a', 'b\\'')"


def test_bounds_that_are_open() -> None:
    assert predicates._outside("x", 1.0, None) == "(x < 1.0D OR isnan(x))"
    assert predicates._outside("x", None, 2.5) == "(x > 2.5D OR isnan(x))"
    assert predicates._outside("x", None, None) == "(false OR isnan(x))"


def test_rule_of_no_column_is_refused(tmp_path: Path) -> None:
    rule = RowRule("row.strange", "strange", None, "accuracy", "error", Words("错", "m"))
    with pytest.raises(TypeError, match=r"row\.strange is no rule of a column"):
        predicates.violation(rule, every_rule(tmp_path), DAY, tmp_path)


def test_ragged_row_breaks_the_shape(tmp_path: Path) -> None:
    contract = every_rule(tmp_path)
    [shape] = [r for r in row_rules(contract) if r.kind == "shape"]
    assert predicates.violation(shape, contract, DAY, tmp_path) == "_row_error IS NOT NULL"


def test_dates_are_iso_where_nothing_is_said(tmp_path: Path) -> None:
    day = every_rule(tmp_path).column("day").model_copy(update={"options": Options()})
    assert "'yyyy-MM-dd'" in _cast_text(day)
    local = every_rule(tmp_path).column("local").model_copy(update={"options": Options()})
    assert "'yyyy-MM-dd HH:mm:ss'" in _cast_text(local)


def test_spark_types(tmp_path: Path) -> None:
    types = {c.name: spark_type(c) for c in every_rule(tmp_path).columns}
    assert types["price"] == "decimal(10,2)"
    assert (types["low"], types["share"], types["day"]) == ("bigint", "double", "date")
    assert (types["local"], types["flag"], types["kind"]) == ("timestamp", "boolean", "string")
