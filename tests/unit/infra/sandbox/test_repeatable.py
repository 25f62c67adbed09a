"""The same seed, date and scale are the same bytes; asking twice touches nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.errors import UsageError
from contracts.layout import Home
from infra.sandbox.city import MARKER, generate_day
from infra.sandbox.truth import Faults, load_truth
from tests.support.exports import FIRST

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.exports import Made


def contents(home: Home) -> dict[str, bytes]:
    return {
        f.relative_to(home.drop).as_posix(): f.read_bytes()
        for f in sorted(home.drop.rglob("*"))
        if f.is_file() and f.name != MARKER
    }


def times(home: Home) -> dict[str, int]:
    return {str(f): f.stat().st_mtime_ns for f in home.sandbox.rglob("*") if f.is_file()}


def test_two_homes_get_the_same_bytes(first_day: Made, home: Home) -> None:
    truth = generate_day(home, FIRST)
    assert contents(home) == contents(first_day.home)
    assert truth == first_day.truth


def test_asking_again_touches_nothing(first_day: Made) -> None:
    before = times(first_day.home)
    assert generate_day(first_day.home, FIRST) == first_day.truth
    assert times(first_day.home) == before
    assert load_truth(first_day.home, FIRST) == first_day.truth


def test_another_seed_is_another_city(first_day: Made, home: Home) -> None:
    generate_day(home, FIRST, seed=2, providers={"health"})
    name = f"health/disease_case/{FIRST}/disease_case_{FIRST:%Y%m%d}.csv"
    assert contents(home)[name] != contents(first_day.home)[name]


def test_scale_makes_more_people_and_roads(first_day: Made, home: Home) -> None:
    truth = generate_day(home, FIRST, scale=2, providers={"health", "transport"})
    for feed, delivery in truth.deliveries.items():
        ratio = delivery.rows / first_day.truth.deliveries[feed].rows
        assert 1.8 < ratio < 2.2


def test_providers_come_one_after_the_other(first_day: Made, home: Home) -> None:
    only = generate_day(home, FIRST, providers={"health"}).deliveries
    assert {d.provider for d in only.values()} == {"health"}
    assert generate_day(home, FIRST, providers={"health"}).heat_readiness == {}
    for provider in ("civil", "emergency"):
        truth = generate_day(home, FIRST, providers={provider})
    assert truth.heat_readiness == first_day.truth.heat_readiness


def test_chosen_faults_stay_until_others_are_chosen(home: Home) -> None:
    plan = Faults(rows=False, deliveries={"health/disease_case": "late"})
    generate_day(home, FIRST, providers={"health"}, faults=plan)
    again = generate_day(home, FIRST, providers={"health"})
    assert again.plan == plan
    assert again.deliveries["health/disease_case"].delivery_state == "late"


def test_later_days_bring_what_is_new(home: Home) -> None:
    first = generate_day(home, FIRST, providers={"health", "dongcheng"})
    later = generate_day(home, FIRST + timedelta(3), providers={"health", "dongcheng"})
    assert later.deliveries["health/disease_case"].rows < 500
    grid = later.deliveries["dongcheng/grid_case"]
    known = set(first.deliveries["dongcheng/grid_case"].upserted_keys)
    assert len(set(grid.deleted_keys) & known) > 0
    assert set(grid.upserted_keys) & known
    assert set(grid.upserted_keys) - known


def test_a_week_shows_every_delivery_fault(home: Home) -> None:
    some = {"civil", "econ_it", "emergency", "health", "transport", "dongcheng", "chaoyang"}
    days = [FIRST + timedelta(n) for n in range(8)]
    plans = [generate_day(home, day, providers=some).plan.deliveries for day in days]
    shown = {fault for plan in plans for fault in plan.values()}
    assert shown == {
        "missing",
        "late",
        "duplicate",
        "truncated",
        "drifted",
        "secret",
        "held",
        "corrected",
    }


def test_nothing_repeats_a_day_that_was_not_made(home: Home) -> None:
    generate_day(home, FIRST, providers={"transport"})
    eighth = generate_day(home, FIRST + timedelta(8), providers={"transport"})
    assert "duplicate" not in eighth.plan.deliveries.values()


def test_another_seed_in_the_same_home_is_refused(home: Home) -> None:
    generate_day(home, FIRST, providers={"econ_it"})
    with pytest.raises(UsageError, match="seed 1"):
        generate_day(home, FIRST, seed=2)


def test_a_folder_with_real_files_is_left_alone(home: Home) -> None:
    home.drop.mkdir(parents=True)
    (home.drop / "real.csv").write_text("x")
    with pytest.raises(UsageError, match="did not make"):
        generate_day(home, FIRST)
    assert [f.name for f in home.drop.iterdir()] == ["real.csv"]


def test_a_date_that_was_not_made_has_no_truth(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="sandbox make"):
        load_truth(Home(tmp_path), FIRST)
