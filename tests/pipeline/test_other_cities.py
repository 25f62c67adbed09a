"""Other seeds, a larger city, and a month with faults: what holds for one day holds for them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.layout import Home
from infra.sandbox.city import generate_day
from jobs.verify import verify
from tests.conftest import THREAD, TREE
from tests.support.days import run_day
from tests.support.truths import differences

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.full

FIRST = date(2026, 7, 1)


@pytest.mark.parametrize(("scale", "seed"), [(1, 7), (5, 1)])
@pytest.mark.usefixtures("spark_remote")
def test_every_fault_is_found_and_nothing_else(tmp_path: Path, scale: int, seed: int) -> None:
    home = Home(tmp_path)
    truth = generate_day(home, FIRST, scale=scale, seed=seed)
    run_day(home, TREE, FIRST)
    assert differences(home, truth) == []


@pytest.mark.usefixtures("spark_remote")
def test_a_month_with_faults(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for ago in range(30):
        day = FIRST + timedelta(ago)
        truth = generate_day(home, day, providers=set(THREAD))
        run_day(home, TREE, day, THREAD)
        assert differences(home, truth) == [], day
        assert verify(home, TREE).findings == [], day
