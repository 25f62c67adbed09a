"""Compiled plans, line by line: a changed rule shows as a changed file.

What the rules mean is tried in ``tests/property``. On a wanted change copy the file the message
names.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from contracts.constraint import Options
from contracts.delivery import Delivery
from contracts.rules import RowRule, batch_rules, is_identifier, row_rules
from contracts.words import Words
from jobs.refine.on_spark import quarantining
from jobs.rules.casts import arrow_type, cast
from jobs.rules.plan import MASK_BITS, RefinePlan, make_plan
from jobs.rules.texts import normalised
from jobs.spark import sql
from jobs.spark.types import spark_type
from tests.conftest import TREE
from tests.support.every_rule import every_rule

if TYPE_CHECKING:
    from contracts.constraint import Severity
    from contracts.model import Contract

GOLDEN = Path(__file__).parents[3] / "golden" / "plans"
DAY = date(2026, 7, 15)


def rendered(contract: Contract, root: Path, day: date = DAY, provider: str | None = None) -> str:
    delivery = Delivery(contract, provider or contract.servers[0].provider, day, root)
    plan = make_plan(delivery)
    parts = []
    for rule in plan.rules:
        mask, bit = plan.bit(rule)
        parts.append(
            f"{rule.id} = {mask} & {bit} · {rule.kind} {rule.column} {rule.dimension}"
            f" {rule.severity} {rule.threshold_percent} {dict(rule.arguments)}\n   {rule.message}"
            + (
                f"\n   allows {len(listed)}: {listed[:3]}"
                if (listed := plan.allowed.get(rule.id))
                else ""
            )
        )
    return "\n".join(parts) + "\n"


def assert_golden(name: str, text: str, tmp_path: Path) -> None:
    found, golden = tmp_path / f"{name}.txt", GOLDEN / f"{name}.txt"
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
        for x in contract.columns:
            read = normalised(pa.array(sorted(all_tokens)), x, plan.null_tokens).to_pylist()
            own = {t for t, text in zip(sorted(all_tokens), read, strict=True) if text is None}
            assert own == tokens | {""} & all_tokens, (provider, x.name)


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


def test_warnings_do_not_quarantine(tmp_path: Path) -> None:
    errors: list[Severity] = ["error"] * MASK_BITS
    severities: list[Severity] = [*errors, "warning", "error"]
    rules = tuple(
        RowRule(f"c.{i}", "required", "c", "completeness", severity, Words("错", "m"))
        for i, severity in enumerate(severities)
    )
    plan = RefinePlan(every_rule(tmp_path), DAY, (), rules, {})
    everything = (1 << MASK_BITS) - 1
    assert plan.quarantining == {"_mask_0": everything, "_mask_1": 2}
    assert quarantining(plan) == f"((_mask_0 & {everything}L) != 0L OR (_mask_1 & 2L) != 0L)"


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


def test_dates_are_iso_where_nothing_is_said(tmp_path: Path) -> None:
    day = every_rule(tmp_path).column("day").model_copy(update={"options": Options()})
    assert cast(pa.array(["2026-07-15", "2026年7月15日"]), day).to_pylist() == [DAY, None]
    local = every_rule(tmp_path).column("local").model_copy(update={"options": Options()})
    [read, none] = cast(pa.array(["2026-07-15 08:00:00", "2026-07-15"]), local).to_pylist()
    assert (read, none) == (datetime(2026, 7, 15, tzinfo=UTC), None)


def test_types_of_engines(tmp_path: Path) -> None:
    columns = every_rule(tmp_path).columns
    types = {c.name: spark_type(c) for c in columns}
    assert types["price"] == "decimal(10,2)"
    assert (types["low"], types["share"], types["day"]) == ("bigint", "double", "date")
    assert (types["local"], types["flag"], types["kind"]) == ("timestamp", "boolean", "string")
    arrow = {c.name: str(arrow_type(c)) for c in columns}
    assert arrow["price"] == "decimal128(10, 2)"
    assert (arrow["low"], arrow["share"], arrow["day"]) == ("int64", "double", "date32[day]")
    assert (arrow["local"], arrow["flag"]) == ("timestamp[us, tz=UTC]", "bool")
