"""回流: one declaration, a policy a district; whose rows are whose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from contracts.document import ContractError
from contracts.loading import load_tree
from lineage.levels import check_policy
from lineage.plan import share_graph
from tests.conftest import TREE
from tests.support.returning import PRODUCT, returning_tree

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.product import Policy
    from contracts.tree import Tree

DISTRICTS = {p.id: p.code for p in TREE.providers.values() if p.kind == "district"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return load_tree(returning_tree(tmp_path_factory.mktemp("returned")))


def policies(tree: Tree) -> tuple[Policy, ...]:
    return tree.contract(PRODUCT).product_plan.policies


def test_every_district_has_a_policy_of_its_own(tree: Tree) -> None:
    assert len(DISTRICTS) == 16
    assert [p.name for p in policies(tree)] == list(DISTRICTS)
    assert tree.contract(PRODUCT).product_plan.returned_to == tuple(DISTRICTS)
    assert len({json.dumps(p.model_dump(mode="json")["columns"]) for p in policies(tree)}) == 1


def test_each_row_goes_to_one_district_or_to_none(tree: Tree) -> None:
    codes = [f"{code}00{n}" for code in DISTRICTS.values() for n in (1, 2)]
    strange = ["310101001", "", None, "1101"]
    rows = ", ".join("(NULL)" if c is None else f"('{c}')" for c in [*codes, *strange])
    seen: list[str] = []
    for policy in policies(tree):
        # Spark quotes names by backticks, DuckDB by double quotes.
        kept = str(policy.rows).replace("`", '"')
        found = duckdb.sql(f"SELECT street_code FROM (VALUES {rows}) t(street_code) WHERE {kept}")
        own = [row[0] for row in found.fetchall()]
        assert {code[:6] for code in own} == {DISTRICTS[policy.name]}
        seen += own
    assert sorted(seen) == sorted(codes)


def test_its_tables_have_levels_and_lineage_as_every_share(tree: Tree) -> None:
    product = tree.contract(PRODUCT)
    for policy in policies(tree):
        check_policy(product, policy)
        assert "street_code" in share_graph(product, policy).columns


def test_a_further_filter_holds_for_every_district(tmp_path: Path) -> None:
    tree = load_tree(returning_tree(tmp_path, rows="pharmacy_name IS NOT NULL"))
    assert all(str(p.rows).startswith("(pharmacy_name IS NOT NULL) AND ") for p in policies(tree))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"column": "nothing"}, "which is no column"),
        ({"more": 1}, "more"),
    ],
)
def test_a_wrong_return_is_refused(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ContractError, match=problem):
        load_tree(returning_tree(tmp_path, **changes))


def test_a_tree_without_districts_returns_nothing(tmp_path: Path) -> None:
    root = returning_tree(tmp_path)
    listed = root / "providers.yaml"
    kept = [line for line in listed.read_text().splitlines() if "kind: district" not in line]
    listed.write_text("\n".join(kept) + "\n")
    for of_districts in root.glob("districts/*"):
        of_districts.unlink()
    with pytest.raises(ContractError, match="returned to no district"):
        load_tree(root)


def test_the_districts_are_not_written_by_hand(tmp_path: Path) -> None:
    root = returning_tree(tmp_path)
    file = root / "products" / "returned_pharmacy.odcs.yaml"
    file.write_text(
        file.read_text().replace("    return:", "    returned_to: [haidian]\n    return:")
    )
    with pytest.raises(ContractError, match="by hand"):
        load_tree(root)
