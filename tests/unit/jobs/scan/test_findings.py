"""Findings: what a scan of a table disagrees with its contract about, column by column."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from contracts.delivery import Delivery
from contracts.grading import MANY_PERSONS
from contracts.model import Grading, RuleUse
from infra.sandbox.checkdigits import resident_id, uscc
from jobs.record import governance
from jobs.scan.findings import Found, compare
from jobs.stages import LandedBatch
from jobs.steps import land_delivery
from tests.support.days import deliver
from tests.support.lineage.made import PRODUCT, column
from tests.support.shop import DAY, shop_tree

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from contracts.model import Contract

PEOPLE = [resident_id("110105", date(1950 + i % 50, 5, 6), i) for i in range(40)]
PHONES = [f"138{i:08d}" for i in range(40)]


def contract(*columns: Any, is_personal: bool = False) -> Contract:
    grading = Grading(gb43697="general", level="L1", personal_information=is_personal)
    return PRODUCT.model_copy(
        update={"columns": columns, "grading": grading, "product": None, "id": "town.people"}
    )


def of(name: str, level: str, rule: str = "", **more: Any) -> Any:
    use = RuleUse(name=rule) if rule else None
    return column(name, name, level).model_copy(update={"rule": use} | more)  # type: ignore[arg-type]


def table(**columns: list[str]) -> pa.Table:
    return pa.table({n: pa.array(v, pa.string()) for n, v in columns.items()})


def test_content_above_its_level_and_content_nobody_named() -> None:
    one = contract(
        of("remark", "L1"), of("phone", "L3", "mobile"), of("note", "L4"), of("held", "L3")
    )
    held = one.model_copy(
        update={"columns": (*one.columns[:3], of("held", "L3", holds=("mobile",)))}
    )
    rows = table(
        remark=["无"] * 39 + [f"身份证{PEOPLE[0]}"],
        phone=PHONES,
        note=["无"] * 38 + PHONES[:2],
        held=["无"] * 39 + [PHONES[0]],
    )
    assert compare(held, rows) == [
        Found("remark", "resident_id", "L1", "L4", 40, 1, "under_graded"),
        Found("note", "mobile", "L4", "L3", 40, 2, "unexpected_personal_information"),
    ]


def test_a_duty_phone_is_a_posts_and_not_a_persons() -> None:
    rows = table(duty=PHONES)
    assert compare(contract(of("duty", "L2", "phone")), rows) == []
    assert [f.status for f in compare(contract(of("duty", "L1", "phone")), rows)] == [
        "under_graded"
    ]


def test_places_and_dates_tell_of_somebody_only_beside_people() -> None:
    columns = (of("lon", "L1", "lon_beijing"), of("who", "L4", "resident_id"))
    places = [f"{116 + i / 100:.6f}" for i in range(40)]
    assert compare(contract(*columns), table(lon=places, who=[""] * 40)) == []
    found = compare(contract(*columns), table(lon=places, who=PEOPLE))
    assert [(f.column, f.kind, f.proposed_level) for f in found] == [("lon", "coordinate", "L3")]


def test_nothing_but_public_codes_is_graded_too_high() -> None:
    codes = [uscc("91", "110105", f"{i:08d}") for i in range(40)]
    found = compare(contract(of("firm", "L3", "uscc")), table(firm=codes))
    assert found == [Found("firm", "public_code", "L3", "L1", 40, 40, "over_graded")]
    assert compare(contract(of("firm", "L1", "uscc")), table(firm=codes)) == []


def test_rows_of_over_a_million_persons_count_a_level_more() -> None:
    rows = pa.table({"n": pa.nulls(MANY_PERSONS + 1, pa.int64())})
    found = compare(contract(of("n", "L3"), is_personal=True), rows)
    assert [(f.column, f.kind, f.proposed_level) for f in found] == [(None, "population", "L4")]
    assert compare(contract(of("n", "L3")), rows) == []
    assert compare(contract(of("n", "L3"), is_personal=True), rows.slice(1)) == []


@pytest.mark.parametrize("ragged", [False, True], ids=["in a column", "in a row without shape"])
def test_landing_records_what_one_cell_of_a_batch_holds(
    home: Home, tmp_path: Path, *, ragged: bool
) -> None:
    tree = shop_tree(tmp_path / "tree")
    lines = [f"C{i},{i},buyer {i},否" for i in range(3_000)]
    lines[1_234] = f"C1234,1,客户{PEOPLE[7]},否" + (",多,余" if ragged else "")
    text = "\n".join(["CODE,QTY,BUYER,GONE", *lines]) + "\n"
    deliver(home.drop, f"shop/sale/{DAY}/sale.csv", text.encode())
    delivery = Delivery(tree.contract("shop.sale"), "shop", DAY)
    landed = land_delivery(home, delivery)
    assert isinstance(landed, LandedBatch)
    assert land_delivery(home, delivery) == landed, "scanned once"
    found = governance.findings(home, DAY)
    columns = {"buyer", "_extra"} if ragged else {"buyer"}
    assert {f.column for f in found} == columns
    assert {(f.kind, f.declared_level, f.proposed_level, f.matching) for f in found} == {
        ("resident_id", "L3", "L4", 1)
    }
    assert {(f.table_name, f.batch_id) for f in found} == {("shop__sale", landed.batch_id)}
    said = json.dumps([vars(f) for f in found], default=str, ensure_ascii=False)
    assert PEOPLE[7] not in said
