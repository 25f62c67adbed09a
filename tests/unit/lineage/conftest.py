"""What tests of lineage share: a made-up city on disk, and a day of every stage recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contracts.delivery import Delivery
from contracts.layout import Home
from contracts.tree import Tree
from lineage import outbox, stages
from lineage.stages import Made, Occasion
from tests.support.lineage.made import CASE, CHECKS, DAY, POLICY, PRODUCT, SQL, TIMES, VISIT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    root = tmp_path / "contracts"
    (root / "products").mkdir(parents=True)
    (root / "products" / "load.sql").write_text(SQL, "utf-8")
    (root / "reference").mkdir()
    (root / "reference" / "places.csv").write_text("code,name\n1,一\n", "utf-8")
    sources = {c.id: c for c in (VISIT, CASE)}
    return Tree(root, sources, {PRODUCT.id: PRODUCT}, {})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "var")


@pytest.fixture
def visit() -> Delivery:
    return Delivery(VISIT, "health", DAY)


@pytest.fixture
def recorded(home: Home, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A day of every stage, on disk."""
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    for contract in (VISIT, CASE):
        for server in contract.servers:
            delivery = Delivery(contract, server.provider, DAY)
            batch = f"20260715-{server.provider}"
            land = stages.land_run(
                delivery,
                Occasion("landed", **TIMES),
                batch_id=batch,
                file_name="f.csv",
                made=Made(0, 9),
            )
            publish = stages.publish_run(
                delivery,
                Occasion("published", **TIMES),
                batch_id=batch,
                results=CHECKS,
                made=Made(0, 8, 1),
                bronze_version=None,
            )
            outbox.write(home, land)
            outbox.write(home, publish)
    build = stages.build_run(
        tree,
        PRODUCT,
        Occasion("published", **TIMES),
        business_date=DAY,
        input_versions={},
        sql=SQL,
        made=Made(0, 3),
    )
    share = stages.share_run(
        PRODUCT,
        POLICY,
        Occasion("published", **TIMES),
        business_date=DAY,
        input_version=0,
        made=Made(0, 3),
    )
    outbox.write(home, build)
    outbox.write(home, share)
    return home
