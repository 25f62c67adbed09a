"""Rates by hand-counted examples, and the requests that a new city is seeded with."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.layout import ROOT
from contracts.tree import load_tree
from sharing import grants
from sharing.control import Control, Request
from sharing.kpis import Kpi, efficiency, kpis, totals
from sharing.requests import corrections, flow, seeds
from sharing.requests.tables import read_asks
from tests.unit.sharing.asking import (
    CDO_ASKER,
    CDO_OWNER,
    MONDAY,
    STEWARD,
    asked,
    begun,
    bring_to,
)
from tests.unit.sharing.conftest import districts, write_shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home

TREE = load_tree(ROOT / "contracts")


@pytest.fixture
def control(home: Home) -> Iterator[Control]:
    write_shared(home, "heat_readiness__demo", districts(("110101", "110101001", 30)))
    with Control(home) as opened:
        yield opened


def counted(control: Control, after: timedelta) -> dict[tuple[str, str | None], tuple[int, int]]:
    rows = kpis(control.home, TREE, control, MONDAY + after)
    return {
        (k.name, k.month): (k.numerator, k.denominator) for k in rows if k.provider == "emergency"
    }


def test_answers_and_deliveries_are_counted_in_the_month_they_were_due(control: Control) -> None:
    bring_to(begun(control, asked(title="a")), "delivered")
    bring_to(begun(control, asked(title="b")), "refused")
    bring_to(begun(control, asked(title="c")), "submitted")  # nobody answers it
    bring_to(begun(control, asked(title="d")), "agreed")  # nobody delivers it
    before = counted(control, timedelta(days=2))
    assert before["answered_on_time", "2026-07"] == (3, 3), "c is not due yet"
    later = counted(control, timedelta(days=60))
    assert later["answered_on_time", "2026-07"] == (3, 4)
    assert later["demand_satisfied", "2026-07"] == (1, 4)
    assert later["delivered_on_time", "2026-08"] == (1, 2)


def test_corrections_are_counted_when_answered_or_due(control: Control) -> None:
    city = bring_to(begun(control), "delivered")

    def issue() -> str:
        return corrections.ask_correction(
            control,
            TREE,
            city.ask_id,
            "emergency.heat_readiness",
            "emergency",
            "不对",
            CDO_ASKER,
            MONDAY,
        )

    first, _, _ = issue(), issue(), issue()
    answered = MONDAY + timedelta(days=1)
    corrections.answer_correction(control, first, "corrected", "已改", STEWARD, answered)
    assert counted(control, timedelta(days=2))["corrected_on_time", "2026-07"] == (1, 1)
    assert counted(control, timedelta(days=30))["corrected_on_time", "2026-07"] == (1, 3)


def test_the_sharing_rate_counts_entries_that_are_there_and_had(control: Control) -> None:
    rows = kpis(control.home, TREE, control, MONDAY)
    shared = [k for k in rows if k.name == "sharing_rate"]
    may_be = [
        f
        for f in TREE.feeds()
        if f.contract.sharing and f.contract.sharing.attribute != "not_shared"
    ]
    assert sum(k.denominator for k in shared) == len(may_be)
    assert sum(k.numerator for k in shared) == 0, "nothing is mounted in an empty lake"


def test_a_rate_of_nothing_is_no_rate() -> None:
    assert Kpi("sharing_rate", "x", None, 0, 0, is_simulated=False).rate is None
    both = totals(
        [
            Kpi("sharing_rate", "x", None, 1, 4, is_simulated=False),
            Kpi("sharing_rate", "y", None, 2, 2, is_simulated=True),
        ]
    )
    assert [(k.rate, k.is_simulated) for k in both] == [(0.5, True)]


def test_efficiency_is_the_median_from_submission_to_first_read(control: Control) -> None:
    for hours in (30, 20, 10):
        city = bring_to(begun(control, asked(title=f"{hours}", purpose=f"{hours}")), "delivered")
        submitted = city.ask.last("submit")
        assert submitted is not None
        read_at = submitted.at + timedelta(hours=hours)
        with control.write() as session:
            path = "/delta-sharing/shares/jingshu/schemas/c/tables/heat_readiness__demo/query"
            session.add(
                Request(
                    at=read_at, recipient="med_ins", method="POST", path=path, status=200, files=1
                )
            )
        flow.sweep(control, TREE, read_at)
        city.act("close", CDO_ASKER, reason="用毕")
    took = efficiency(control, baseline_s=80 * 3600)
    assert (took.median_s, took.requests, took.ratio) == (20 * 3600, 3, 4)


def test_a_new_city_is_seeded_once(control: Control) -> None:
    seeds.seed(control, TREE, MONDAY)
    first = _stands(control)
    assert sorted(first.values()) == ["delivered", "draft", "refused", "submitted"]
    assert grants.granted_tables(control, "demo", MONDAY) == {"heat_readiness__demo"}
    seeds.seed(control, TREE, MONDAY + timedelta(days=1))
    assert _stands(control) == first


@pytest.mark.parametrize("steps", range(1, 9))
def test_a_seeding_that_was_cut_short_goes_on(
    control: Control, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    taken = []
    act = flow.act

    def cut(*arguments: object, **more: object) -> object:
        taken.append(arguments)
        if len(taken) > steps:
            raise KeyboardInterrupt
        return act(*arguments, **more)  # type: ignore[arg-type]  # as it was called

    with monkeypatch.context() as patch:
        patch.setattr(flow, "act", cut)
        try:
            seeds.seed(control, TREE, MONDAY)
        except KeyboardInterrupt:
            assert len(taken) == steps + 1
    seeds.seed(control, TREE, MONDAY)
    assert sorted(_stands(control).values()) == ["delivered", "draft", "refused", "submitted"]


def test_what_people_did_with_a_seed_stays(control: Control) -> None:
    seeds.seed(control, TREE, MONDAY)
    with control.read() as session:
        (ask,) = [a for a in read_asks(session) if a.state == "delivered"]
    flow.act(control, TREE, ask.id, "close", CDO_OWNER, MONDAY, {"reason": "演示结束"})
    seeds.seed(control, TREE, MONDAY + timedelta(days=1))
    assert _stands(control)[ask.id] == "closed"


def test_an_empty_lake_is_seeded_with_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    from contracts.layout import Home

    with Control(Home(tmp_path_factory.mktemp("bare"))) as control:
        seeds.seed(control, TREE, MONDAY)
        assert _stands(control) == {}


def test_seeds_end_some_day(control: Control) -> None:
    seeds.seed(control, TREE, MONDAY)
    with control.read() as session:
        assert {a.asked.until for a in read_asks(session)} == {date(2027, 1, 9)}


def _stands(control: Control) -> dict[str, str]:
    with control.read() as session:
        return {ask.id: ask.state for ask in read_asks(session)}
