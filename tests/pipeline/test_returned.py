"""回流: a bureau's table back to the districts, each its own rows and no other's."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from contracts.layout import Home
from contracts.tree import load_tree
from infra.sandbox.city import generate_day
from jobs.verify import verify
from jobs.verify.lake import Lake
from sharing import grants
from sharing.control import Control
from sharing.returned import grant_returned
from sharing.verify import grants as prove
from tests.days import run_day
from tests.returning import PRODUCT, returning_tree

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.spark
DAY = date(2026, 7, 15)


@pytest.mark.usefixtures("spark_remote")
def test_each_district_gets_its_own_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, tree = Home(tmp_path / "home"), load_tree(returning_tree(tmp_path))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(tree.root))
    generate_day(home, DAY, providers={"drug"})
    run_day(home, tree, DAY, frozenset({"drug"}))
    silver = DeltaTable(home.table("silver", "drug__pharmacy")).to_pyarrow_table()
    codes = {p.id: p.code for p in tree.providers.values() if p.kind == "district"}
    there = set(pc.utf8_slice_codeunits(silver["street_code"], 0, 6).to_pylist())
    rows = 0
    for district, code in codes.items():
        shared = home.table("shared", f"returned_pharmacy__{district}")
        if code not in there:
            continue
        table = DeltaTable(shared).to_pyarrow_table()
        assert {street[:6] for street in table["street_code"].to_pylist()} == {code}
        phones = [phone for phone in table["pharmacy_phone"].to_pylist() if phone]
        assert all("*" in phone for phone in phones)
        rows += table.num_rows
    assert rows == sum(
        n is not None and n[:6] in codes.values() for n in silver["street_code"].to_pylist()
    )
    with Control(home) as control:
        new = grant_returned(control, tree)
        assert {d for d, _ in new} == {d for d, code in codes.items() if code in there}
        assert grants.granted_tables(control, "haidian") == {"returned_pharmacy__haidian"}
    assert verify(home, tree).findings == []
    assert all(finding is None for _, finding in prove(Lake(home, tree)))
    assert tree.contract(PRODUCT).product_plan.returned_to == tuple(codes)
