"""Every provider's initial load against the truth: every fault found, nothing else touched."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.layout import Home
from infra.sandbox.city import generate_day
from jobs.record import governance
from jobs.verify import verify
from tests.conftest import TREE
from tests.support.days import run_day
from tests.support.truths import differences

DAY = date(2026, 7, 15)
FEEDS = [f"{f.provider}/{f.contract.dataset}" for f in TREE.feeds()]


@pytest.fixture(scope="module")
def whole_city(
    tmp_path_factory: pytest.TempPathFactory, spark_remote: str
) -> tuple[Home, list[str]]:
    """Return the lake after the day, and what came out otherwise than the truth says."""
    home = Home(tmp_path_factory.mktemp("whole"))
    truth = generate_day(home, DAY)
    run_day(home, TREE, DAY)
    return home, differences(home, truth)


@pytest.mark.parametrize("feed", FEEDS)
def test_each_delivery_comes_out_as_the_truth_says(
    whole_city: tuple[Home, list[str]], feed: str
) -> None:
    assert [said for said in whole_city[1] if said.startswith(f"{feed}:")] == []


def test_no_scan_raises_a_false_alarm(whole_city: tuple[Home, list[str]]) -> None:
    """Every column of the city holds what its contract says, dirt and near-misses included."""
    found = governance.findings(whole_city[0])
    assert [(f.table_name, f.column, f.kind, f.status, f.matching) for f in found] == []


def test_all_invariants_hold(whole_city: tuple[Home, list[str]]) -> None:
    assert verify(whole_city[0], TREE).findings == []
