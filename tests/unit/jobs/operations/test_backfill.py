"""A backfill's plan: which deliveries, in which order, and what is no plan. No Spark, no files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from contracts.errors import UsageError
from contracts.layout import ROOT
from contracts.loading import load_tree
from jobs.operations.backfill import make_plan
from tests.support.shop import shop_tree

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.tree import Tree

NOW = datetime(2026, 7, 20, 16, 30, tzinfo=UTC)  # 00:30 on the 21st in the city
FIRST, LAST = date(2026, 7, 15), date(2026, 7, 17)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.operations.backfill.utc_now", lambda: NOW)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return shop_tree(tmp_path)


def test_dates_come_in_order_and_each_has_every_provider() -> None:
    tree = load_tree(ROOT / "contracts")
    contract = next(c for c in tree.sources.values() if len(c.servers) > 1)
    providers = [s.provider for s in contract.servers]
    plan = make_plan(tree, contract.id, FIRST, LAST)
    assert plan.dates == (FIRST, date(2026, 7, 16), LAST)
    assert [(d.business_date, d.provider) for d in plan.deliveries] == [
        (day, provider) for day in plan.dates for provider in providers
    ]
    one = make_plan(tree, contract.id, FIRST, FIRST, providers[1])
    assert [d.provider for d in one.deliveries] == [providers[1]]


@pytest.mark.parametrize(
    ("contract", "first", "last", "provider", "words"),
    [
        ("shop.nothing", FIRST, LAST, None, "no contract 'shop.nothing'"),
        ("shop.totals", FIRST, LAST, None, "is a product"),
        ("shop.sale", FIRST, LAST, "market", "no provider 'market'"),
        ("shop.sale", LAST, FIRST, None, "2026-07-17 lies after 2026-07-15"),
        ("shop.sale", FIRST, date(2026, 7, 22), None, "in the future"),
    ],
)
def test_what_cannot_be_meant_is_usage(
    tree: Tree, contract: str, first: date, last: date, provider: str | None, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        make_plan(tree, contract, first, last, provider)


def test_today_is_the_citys_today(tree: Tree) -> None:
    assert make_plan(tree, "shop.sale", LAST, date(2026, 7, 21)).dates[-1] == date(2026, 7, 21)
