"""``jingshu contract``: every bad contract is named; a good one shows what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contracts.layout import ROOT
from contracts.loading import load_tree
from tests.support.shop import shop_tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.calling import Jingshu

PACKAGED = load_tree(ROOT / "contracts")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return shop_tree(tmp_path / "contracts").root


def change(root: Path, name: str, old: str, new: str) -> Path:
    file = root / f"{name}.odcs.yaml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    return file


def test_the_packaged_tree_holds(jingshu: Jingshu) -> None:
    told = jingshu("contract", "lint", "--json", contracts=PACKAGED.root).json
    assert told["errors"] == []
    assert set(told["contracts"]) == {*PACKAGED.sources, *PACKAGED.products}


def test_every_bad_contract_is_named_with_line_and_remedy(jingshu: Jingshu, root: Path) -> None:
    change(root, "sale", "logicalType: integer", "logicalType: whole")  # breaks ODCS
    change(root, "month", "bad_rows_percent", "bad_rows")  # breaks our types
    change(root, "stock", "name: gone", "name: gone\n      customProperties: [{property: z}]\n#")
    change(root, "totals", "sql: totals.sql", "sql: nowhere.sql")  # breaks across files
    said = jingshu("contract", "lint", "--json", contracts=root)
    assert said.code == 1
    errors = {e["file"].rpartition("/")[2]: e for e in said.json["errors"]}
    assert errors.keys() == {f"{n}.odcs.yaml" for n in ("sale", "month", "stock", "totals")}
    assert said.json["contracts"] == ["shop.case"]
    for name, error in errors.items():
        lines = (root / name).read_text("utf-8").splitlines()
        assert 1 <= error["line"] <= len(lines)
        assert error["place"]
        assert error["remedy"].endswith(".")
    shown = jingshu("contract", "lint", contracts=root)
    assert shown.code == 1
    assert "1 份正确，4 份有误" in shown.out
    assert "1 hold, 4 do not" in shown.out
    for error in errors.values():
        assert error["problem"] in shown.out


def test_only_what_is_named_is_linted(jingshu: Jingshu, root: Path) -> None:
    change(root, "sale", "logicalType: integer", "logicalType: whole")
    good = jingshu("contract", "lint", root / "stock.odcs.yaml", "--json", contracts=root)
    assert (good.code, good.json["contracts"]) == (0, ["shop.stock"])
    bad = jingshu("contract", "lint", root / "sale.odcs.yaml", contracts=root)
    assert bad.code == 1
    assert jingshu("contract", "lint", root / "nothing", contracts=root).code == 2


def test_two_contracts_of_one_id_and_of_one_table(jingshu: Jingshu, root: Path) -> None:
    text = (root / "stock.odcs.yaml").read_text("utf-8")
    (root / "zz_twin.odcs.yaml").write_text(text, "utf-8")
    errors = jingshu("contract", "lint", "--json", contracts=root).json["errors"]
    assert [e["file"].rpartition("/")[2] for e in errors] == ["zz_twin.odcs.yaml"]
    assert "shop.stock is also in" in errors[0]["problem"]
    (root / "zz_twin.odcs.yaml").write_text(text.replace("shop.stock", "other.stock"), "utf-8")
    errors = jingshu("contract", "lint", "--json", contracts=root).json["errors"]
    assert len(errors) == 1
    assert "shop__stock" in errors[0]["problem"]


@pytest.mark.parametrize("contract_id", [*PACKAGED.sources, *PACKAGED.products])
def test_show_names_columns_levels_and_what_follows(jingshu: Jingshu, contract_id: str) -> None:
    found = PACKAGED.contract(contract_id)
    said = jingshu("contract", "show", contract_id, contracts=PACKAGED.root)
    assert said.code == 0
    for column in found.columns:
        row = next(line for line in said.out.splitlines() if line.split()[:1] == [column.name])
        assert column.effective_level in row
    told = jingshu("contract", "show", contract_id, "--json", contracts=PACKAGED.root).json
    assert [c["name"] for c in told["columns"]] == [c.name for c in found.columns]
    for dag_id in told["derived"]["dags"]:
        assert dag_id in said.out
    assert {c["id"] for c in told["derived"]["checks"]} >= {q.id for q in found.quality}
    if found.product is None:
        layers = ("bronze", "silver", "quarantine")
        expected = [f"{x}/{found.table(s.provider)}" for s in found.servers for x in layers]
        assert told["derived"]["tables"] == expected
        assert told["derived"]["dags"] == [
            f"ingest__{found.table(s.provider)}" for s in found.servers
        ]
    else:
        assert told["derived"]["dags"] == [f"product__{found.dataset}", f"share__{found.dataset}"]


def test_an_unknown_contract_is_usage(jingshu: Jingshu, root: Path) -> None:
    said = jingshu("contract", "show", "shop.nothing", contracts=root)
    assert said.code == 2
    assert "shop.sale" in said.err
