"""回流: a bureau's table back to the districts, each its own rows and no other's."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import delta_sharing
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from requests import HTTPError

from contracts.layout import ROOT, Home
from contracts.loading import load_tree
from infra.sandbox.city import generate_day
from jobs.verify import verify
from sharing.control import Control
from sharing.grants import grants, recipients
from sharing.grants.returned import grant_returned
from sharing.verify.grants import grants as prove
from sharing.verify.lake import CityLake
from tests.conftest import DAYS, City
from tests.support.days import run_day
from tests.support.gateways import running_gateway
from tests.support.returning import PRODUCT, returning_tree

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

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
    assert all(finding is None for _, finding in prove(CityLake(home, tree)))
    assert tree.contract(PRODUCT).product_plan.returned_to == tuple(codes)


def test_the_city_returns_every_street_to_its_district(city: City) -> None:
    codes = {p.id: p.code for p in city.tree.providers.values() if p.kind == "district"}
    assert len(codes) == 16
    gold = DeltaTable(str(city.home.table("gold", "heat_readiness"))).to_pyarrow_table()
    demo = DeltaTable(str(city.home.table("shared", "heat_readiness__demo"))).to_pyarrow_table()
    per_street: Counter[tuple[str, date]] = Counter()
    for district, code in codes.items():
        folder = city.home.table("shared", f"heat_readiness__{district}")
        table = DeltaTable(str(folder)).to_pyarrow_table()
        assert set(table["district_code"].to_pylist()) == {code}, "and no district is left out"
        assert set(table["business_date"].to_pylist()) == set(DAYS)
        assert table.schema.names == demo.schema.names, "no wider than the city's own share"
        assert all("*" in phone for phone in table["duty_phone"].to_pylist() if phone)
        for file in folder.rglob("*.parquet"):
            rows = pq.ParquetFile(file).read(["district_code"])
            assert set(rows["district_code"].to_pylist()) == {code}, "nor does any file lie there"
        per_street.update(_keys(table))
    assert per_street == Counter(_keys(gold))
    assert set(per_street.values()) == {1}
    assert len(per_street) == 349 * len(DAYS)


def test_a_district_reads_its_own_and_no_others(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(city.home.root, home.root)
    districts = [p.id for p in city.tree.providers.values() if p.kind == "district"]
    file = tmp_path / "haidian.share"
    with running_gateway(home, ROOT / "contracts") as gateway, Control(home) as control:
        monkeypatch.setenv("JINGSHU_GATEWAY_PORT", gateway.environment["JINGSHU_GATEWAY_PORT"])
        assert len(grant_returned(control, city.tree)) == len(districts)
        for district in districts:
            assert grants.granted_tables(control, district) == {f"heat_readiness__{district}"}
        recipients.write_profile(recipients.issue_profile(control, "haidian"), file)
        url = f"{file}#jingshu.emergency.heat_readiness__{{}}"
        frame = delta_sharing.load_as_pandas(url.format("haidian"))
        assert set(frame["district_code"]) == {"110108"}
        assert frame["street_code"].nunique() * len(DAYS) == len(frame)
        with pytest.raises(HTTPError) as refused:
            delta_sharing.load_as_pandas(url.format("dongcheng"))
        assert refused.value.response.status_code == 404
    assert all(finding is None for _, finding in prove(CityLake(home, city.tree)))


def _keys(table: pa.Table) -> list[tuple[str, date]]:
    rows = zip(table["street_code"].to_pylist(), table["business_date"].to_pylist(), strict=True)
    return list(rows)
