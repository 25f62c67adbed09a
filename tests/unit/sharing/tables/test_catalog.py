"""Names of shared tables: the domain of their product is their schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.layout import ROOT, Home
from contracts.loading import load_tree
from sharing.control import Control
from sharing.tables.names import Catalog
from tests.support.sharing.served import TABLE, districts, write_shared

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PACKAGED = ROOT / "contracts"
PRODUCTS = load_tree(PACKAGED).products.values()


def test_a_tables_schema_is_its_products_domain(
    home: Home, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(PACKAGED))
    for known in PRODUCTS:
        write_shared(home, f"{known.product_table}__x", districts(("110101", "景山", 1)))
    names = {str(t) for t in Catalog(control).tables()}
    assert names == {
        f"jingshu.city.{TABLE}",
        *(f"jingshu.{p.domain}.{p.product_table}__x" for p in PRODUCTS),
    }


def test_a_broken_contract_moves_no_table_to_another_schema(
    home: Home, control: Control, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (product, *_) = PRODUCTS
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(PACKAGED))
    write_shared(home, f"{product.product_table}__x", districts(("110101", "景山", 1)))
    catalog = Catalog(control)
    before = catalog.tables()
    (tmp_path / "contracts" / "bad.odcs.yaml").write_text("kind: [")
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(tmp_path / "contracts"))
    assert catalog.tables() == before


def test_what_is_no_delta_table_or_has_no_legal_name_is_no_shared_table(
    home: Home, control: Control
) -> None:
    (home.table("shared", "empty__x")).mkdir()
    write_shared(home, "with space", districts(("110101", "景山", 1)))
    write_shared(home, "with.dot", districts(("110101", "景山", 1)))
    assert [t.name for t in Catalog(control).tables()] == [TABLE]


def test_a_home_without_a_lake_has_no_tables(tmp_path: Path) -> None:
    with Control(Home(tmp_path / "new")) as control:
        assert Catalog(control).tables() == ()
