"""Invariant 5: what lowers a level and what does not, case by case."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Literal

import pytest

from contracts.approvals import Approval
from contracts.loading import load_tree
from contracts.model import Level, Lowering
from contracts.product import Policy, Product, Release
from lineage.columns import Field, declared, table_field
from lineage.errors import LineageError, TagLossError
from lineage.levels import check_levels, check_policy, origin_of
from lineage.plan import level_of, parents, product_graph, roots, share_graph
from tests.support.lineage.made import PRODUCT, SQL, column

if TYPE_CHECKING:
    from contracts.model import Contract
    from contracts.tree import Tree
    from contracts.vocabulary import LoweringFunction


def product(level: Level | None, function: LoweringFunction | None = None) -> Contract:
    lowering = function and Lowering(
        function=function,
        approval="DG-9",
        approved_by="cdo",
        approved_on=date(2026, 1, 1),
        reason="统计",
    )
    return PRODUCT.model_copy(
        update={
            "columns": (column("o", "结果", level, lowering=lowering or None),),
            "product": Product(inputs=("health.visit", "district.case"), sql="load.sql"),
        }
    )


def select(expression: str) -> str:
    return f"SELECT {expression} AS o FROM health__visit"


def test_the_products_own_columns_keep_their_levels(tree: Tree) -> None:
    graded = check_levels(tree, PRODUCT)
    assert {n: (g.level, g.inherited, g.approval) for n, g in graded.items()} == {
        "street_code": ("L2", "L1", None),
        "persons": ("L2", "L4", "DG-1"),
        "lon": ("L2", "L2", None),
    }


@pytest.mark.parametrize(
    ("expression", "needed"),
    [
        ("street_code", "L2"),
        ("visited_on", "L3"),
        ("person_id", "L4"),
        ("note", "L3"),  # untagged
        ("UPPER(person_id)", "L4"),
        ("COUNT(person_id)", "L4"),
        ("COUNT(*)", "L4"),  # the rows are persons' rows
        ("SHA2(person_id, 256)", "L4"),
        ("CASE WHEN person_id LIKE '1%' THEN 1 END", "L4"),  # the flag shows the value
        ("COUNT(street_code) FILTER (WHERE visited_on IS NULL)", "L3"),
        ("ROW_NUMBER() OVER (ORDER BY visited_on)", "L3"),
        ("MIN_BY(street_code, visited_on)", "L3"),
        ("_batch_id", "L1"),
        ("_business_date", "L1"),
        ("{k}", "L1"),
        ("'constant'", "L1"),
    ],
)
@pytest.mark.parametrize("level", ["L1", "L2", "L3", "L4"])
def test_a_column_is_at_least_as_high_as_what_it_is_made_of(
    tree: Tree, expression: str, needed: Level, level: Level
) -> None:
    if level >= needed:
        graded = check_levels(tree, product(level), select(expression))
        assert (graded["o"].level, graded["o"].inherited) == (level, needed)
    else:
        with pytest.raises(TagLossError) as lost:
            check_levels(tree, product(level), select(expression))
        assert lost.value.column == "gold/load.o"
        assert f"{level} is below {needed}" in str(lost.value)


def test_an_untagged_product_column_counts_as_l3(tree: Tree) -> None:
    assert check_levels(tree, product(None), select("visited_on"))["o"].level == "L3"
    with pytest.raises(TagLossError):
        check_levels(tree, product(None), select("person_id"))


def test_the_loss_names_the_whole_way_to_the_export(tree: Tree) -> None:
    with pytest.raises(TagLossError) as lost:
        check_levels(tree, product("L2"), select("SUBSTR(person_id, 1, 6)"))
    assert lost.value.path == (
        "gold/load.o L2",
        "silver/health__visit.person_id L4",
        "bronze/health__visit.person_id L4",
        "file://health/visit.证件号码 L4",
    )
    assert " ← ".join(lost.value.path) in str(lost.value)


@pytest.mark.parametrize(
    ("function", "expression", "level"),
    [
        ("aggregate_k", "CASE WHEN COUNT(person_id) >= {k} THEN COUNT(person_id) END", "L1"),
        ("aggregate_k", "COUNT(DISTINCT person_id) < {k}", "L1"),
        ("generalise", "SUBSTR(person_id, 1, 6)", "L3"),
        ("partial", "CONCAT(SUBSTR(person_id, 1, 3), '***')", "L3"),
        ("truncate_date", "TRUNC(visited_on, 'MM')", "L2"),
        ("truncate_place", "SUBSTR(note, 1, 6)", "L2"),
        ("hmac_sm3", "hmac_sm3(person_id, 'statistics')", "L3"),
        ("sm4", "SM4(person_id)", "L3"),
    ],
)
def test_a_registered_function_with_an_approval_lowers(
    tree: Tree, function: LoweringFunction, expression: str, level: Level
) -> None:
    graded = check_levels(tree, product(level, function), select(expression))
    assert (graded["o"].level, graded["o"].approval) == (level, "DG-9")


@pytest.mark.parametrize(
    ("function", "expression", "level", "why"),
    [
        ("aggregate_k", "COUNT(person_id)", "L2", "{k} plays no part"),
        ("aggregate_k", "CASE WHEN COUNT(*) > {k} THEN MAX(person_id) END", "L2", "not only"),
        ("aggregate_k", "CASE WHEN street_code > {k} THEN person_id END", "L2", "not only"),
        (
            "aggregate_k",
            "CASE WHEN person_id = '1' THEN COUNT(*) + {k} END",
            "L2",
            "not only counted",
        ),
        ("generalise", "person_id", "L3", "as it is"),
        ("generalise", "SUBSTR(person_id, 1, 6)", "L2", "one level"),
        ("partial", "SUBSTR(person_id, 1, 6)", "L1", "one level"),
        ("truncate_date", "visited_on", "L2", "as it is"),
        ("drop", "UPPER(person_id)", "L3", "dropped"),
        ("hmac_sm3", "UPPER(person_id)", "L3", "does not go through hmac_sm3()"),
        ("hmac_sm3", "hmac_sm3(person_id, 'p')", "L2", "one level"),
        ("sm4", "CONCAT('x', person_id)", "L3", "does not go through sm4()"),
    ],
)
def test_an_approval_does_not_cover_what_its_function_does_not(
    tree: Tree, function: LoweringFunction, expression: str, level: Level, why: str
) -> None:
    with pytest.raises(TagLossError, match=re.escape(why)):
        check_levels(tree, product(level, function), select(expression))


def test_an_approval_given_for_less_does_not_cover_more(tree: Tree) -> None:
    given = Approval.model_validate(
        {
            "id": "DG-9",
            "function": "partial",
            "column": f"{PRODUCT.id}.o",
            "from": "L3",
            "to": "L2",
            "approver": "cdo",
            "date": date(2026, 1, 1),
            "reason": "统计",
        }
    )
    approved = replace(tree, approvals={("DG-9", f"{PRODUCT.id}.o"): given})
    assert check_levels(approved, product("L2", "partial"), select("SUBSTR(note, 1, 1)"))
    with pytest.raises(TagLossError, match="given for L3, and it is made of L4"):
        check_levels(approved, product("L3", "partial"), select("SUBSTR(person_id, 1, 6)"))


def test_a_reference_table_nobody_graded_is_l3(tree: Tree) -> None:
    sql = "SELECT name AS o FROM reference__places"
    assert check_levels(tree, product("L3"), sql)["o"].inherited == "L3"
    with pytest.raises(TagLossError):
        check_levels(tree, product("L2"), sql)


def test_a_packaged_reference_table_has_its_contracts_level(tree: Tree) -> None:
    sql = "SELECT name AS o FROM reference__streets"
    assert check_levels(tree, product("L1"), sql)["o"].inherited == "L1"


@pytest.mark.parametrize("level", ["L1", "L2", "L3", "L4"])
@pytest.mark.parametrize("mask", ["keep", "prefix", "hmac_sm3", "drop"])
def test_nothing_above_the_ceiling_is_shared_whatever_its_mask(level: Level, mask: str) -> None:
    policy = Policy(name="p", columns={"o": Release(mask=mask)})
    if level in ("L1", "L2") or mask == "drop":
        check_policy(product(level), policy)
    else:
        with pytest.raises(TagLossError, match=rf"shared/load__p\.o: {level} is above L2"):
            check_policy(product(level), policy)


def test_an_untagged_column_is_not_shared() -> None:
    with pytest.raises(TagLossError, match="L3"):
        check_policy(product(None), Policy(name="p", columns={"o": Release(mask="keep")}))


def test_a_policy_names_only_columns_of_its_product() -> None:
    with pytest.raises(TagLossError, match="no such column"):
        check_policy(product("L1"), Policy(name="p", columns={"other": Release(mask="keep")}))


def test_a_dropped_or_unnamed_column_is_not_in_the_shared_table() -> None:
    columns = {"street_code": Release(mask="keep"), "lon": Release(mask="drop")}
    graph = share_graph(PRODUCT, Policy(name="p", columns=columns))
    assert list(graph.columns) == ["street_code"]


def test_check_levels_holds_the_policies_too(tree: Tree) -> None:
    columns = tuple(
        c.model_copy(update={"level": "L3"}) if c.name == "lon" else c for c in PRODUCT.columns
    )
    with pytest.raises(TagLossError, match="above L2"):
        check_levels(tree, PRODUCT.model_copy(update={"columns": columns}))


def test_a_product_of_a_product_inherits_the_lowered_level(tree: Tree) -> None:
    second = product("L2").model_copy(
        update={"product": Product(inputs=("health.load",), sql="x.sql")}
    )
    graded = check_levels(tree, second, "SELECT persons AS o FROM load")
    assert graded["o"].inherited == "L2"
    assert product_graph(tree, second, "SELECT persons AS o FROM health__load").tables == (
        ("jingshu", "gold/load"),
    )


def test_contract_and_sql_must_name_the_same_columns(tree: Tree) -> None:
    with pytest.raises(LineageError, match="'persons'"):
        product_graph(tree, PRODUCT, SQL.replace("END AS persons", "END AS people"))
    with pytest.raises(LineageError, match="'extra'"):
        product_graph(
            tree, PRODUCT, SQL.replace("MAX(case_id.lon)", "1 AS extra, MAX(case_id.lon)")
        )


@pytest.mark.parametrize(
    ("origins", "expected"),
    [
        (["real", "real"], "real"),
        (["real", "simulated"], "simulated"),
        (["simulated"], "simulated"),
        ([], "real"),
    ],
)
def test_one_simulated_input_makes_it_simulated(
    origins: list[Literal["real", "simulated"]], expected: str
) -> None:
    assert origin_of(origins) == expected


def test_a_union_view_traces_to_every_provider_and_its_own_headers(tree: Tree) -> None:
    shared = table_field("shared", "load__demo", "lon")
    assert roots(tree, shared) == {
        Field("file://east", "case", "经度"),
        Field("file://west", "case", "经度"),
    }
    code = table_field("silver", "west__case", "case_id")
    assert roots(tree, code) == {Field("file://west", "case", "案件编码")}


def test_a_constant_is_declared(tree: Tree) -> None:
    assert declared("k") in roots(tree, table_field("gold", "load", "persons"))


@pytest.mark.parametrize(
    "field",
    [
        table_field("gold", "nope", "o"),
        table_field("gold", "load", "nope"),
        table_field("silver", "health__nope", "person_id"),
        table_field("silver", "nope__visit", "person_id"),
        table_field("shared", "load__nope", "lon"),
        table_field("governance", "batches", "status"),
    ],
    ids=str,
)
def test_a_column_nobody_makes_is_refused(tree: Tree, field: Field) -> None:
    with pytest.raises(LineageError, match=re.escape(str(field))):
        parents(tree, field)


@pytest.mark.parametrize(
    ("field", "level"),
    [
        (table_field("bronze", "health__visit", "_extra"), "L3"),
        (table_field("bronze", "health__visit", "_source_line"), "L1"),
        (table_field("quarantine", "health__visit", "_reasons"), "L3"),
        (table_field("quarantine", "health__visit", "person_id"), "L4"),
        (table_field("silver", "nobody__nothing", "x"), "L3"),
        (table_field("shared", "load__demo", "lon"), "L2"),
        (Field("file://health", "visit", "就诊日期"), "L3"),
        (Field("file://west", "case", "案件编码"), "L2"),
        (Field("file://west", "case", "案件编号"), "L3"),  # not this provider's header: unknown
        (Field("file://nobody", "visit", "就诊日期"), "L3"),
    ],
    ids=str,
)
def test_levels_of_single_columns(tree: Tree, field: Field, level: Level) -> None:
    assert level_of(tree, field) == level


@pytest.mark.parametrize("contract", load_tree().products.values(), ids=lambda c: c.id)
def test_the_packaged_products_lose_no_level(contract: Contract) -> None:
    graded = check_levels(load_tree(), contract)
    assert set(graded) == {c.name for c in contract.columns}
