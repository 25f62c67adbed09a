"""Rates by hand-counted examples, and the requests that a new city is seeded with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from contracts.layout import ROOT
from contracts.loading import load_tree
from jobs.record import governance
from sharing.control import AccessRecord, Control
from sharing.grants import grants
from sharing.grants.returned import grant_returned
from sharing.kpis.rates import Kpi, Name, efficiency, kpis, totals
from sharing.requests import corrections, flow, seeds
from sharing.requests.tables import read_asks
from tests.support.sharing.asking import (
    CDO_ASKER,
    CDO_OWNER,
    MONDAY,
    STEWARD,
    City,
    asked,
    begun,
    bring_to,
)
from tests.support.sharing.issues import DAY, batch, check
from tests.support.sharing.served import districts, write_shared

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


def test_what_no_calendar_counts_is_late_in_the_rates_in_the_end(control: Control) -> None:
    """Asked on 2026-12-18 and never answered: 2027 has no calendar."""
    city = begun(control, asked(until=date(2027, 6, 30)))
    city.at = datetime(2026, 12, 18, 2, tzinfo=UTC)
    bring_to(city, "submitted")
    assert ("answered_on_time", "2027-02") not in counted(control, timedelta(days=180))
    assert counted(control, timedelta(days=240))["answered_on_time", "2027-02"] == (0, 1)


def issue(city: City) -> str:
    fault = corrections.Fault("emergency.heat_readiness", "emergency", "不对")
    return corrections.ask_correction(city.control, TREE, city.ask_id, fault, CDO_ASKER, MONDAY)


def test_corrections_are_counted_when_answered_or_due(control: Control) -> None:
    city = bring_to(begun(control), "delivered")

    first, _, _ = issue(city), issue(city), issue(city)
    answered = MONDAY + timedelta(days=1)
    corrections.answer_correction(control, first, "corrected", "已改", STEWARD, answered)
    assert counted(control, timedelta(days=2))["corrected_on_time", "2026-07"] == (1, 1)
    assert counted(control, timedelta(days=30))["corrected_on_time", "2026-07"] == (1, 3)


def test_issues_are_batches_and_corrections_and_count_when_fixed_or_due(control: Control) -> None:
    def rows(days: int) -> dict[tuple[str, str | None], tuple[int, int]]:
        found = kpis(control.home, TREE, control, MONDAY + timedelta(days=days))
        of_health = (k for k in found if k.provider == "health")
        return {(k.name, k.month): (k.numerator, k.denominator) for k in of_health}

    said = [
        batch("a", "held"),  # b fixes it in time, and c fails the same check again
        batch("b", "published", 3),
        batch("c", "rejected", 8, business_date=DAY + timedelta(days=8)),  # nobody fixes it
        batch("d", "rejected", 0, dataset="other"),  # e fixes it too late; it names no check
        batch("e", "published", 20, dataset="other"),
    ]
    governance.append(control.home, "a", said)
    governance.append(control.home, "b", [check("a"), check("c")])
    assert rows(4)["fixed_in_time", "2026-07"] == (1, 2), "e is written down already"
    assert rows(40)["fixed_in_time", "2026-08"] == (0, 1)
    assert "recurred" not in {name for name, _ in rows(32)}
    assert rows(33)["recurred", "2026-08"] == (1, 1)


def test_a_correction_is_an_issue_that_an_answer_in_time_fixes(control: Control) -> None:
    city = bring_to(begun(control), "delivered")
    said = [issue(city) for _ in range(3)]
    for number, answer, days in ((0, "corrected", 1), (1, "rejected", 4)):
        at = MONDAY + timedelta(days=days)
        corrections.answer_correction(control, said[number], answer, "已核", STEWARD, at)  # type: ignore[arg-type]  # one of the two
    later = counted(control, timedelta(days=30))
    assert later["fixed_in_time", "2026-07"] == (1, 3)
    assert later["correction_days", "2026-07"] == (5, 2)


def test_a_share_that_ended_is_overdue_until_its_data_is_disposed_of(control: Control) -> None:
    for title in ("a", "b"):
        bring_to(begun(control, asked(title=title)), "delivered")  # ends on 30 September
    bring_to(begun(control, asked(title="c", purpose="c")), "refused")
    done = bring_to(begun(control, asked(title="d", purpose="d")), "closed")
    assert counted(control, timedelta(days=1))["disposal_overdue", "2026-07"] == (1, 1)
    done.act("destroy", CDO_ASKER, method="删除", proof="单 1")
    at_the_end = counted(control, timedelta(days=79, hours=14))  # midnight in Beijing
    assert at_the_end["disposal_overdue", "2026-07"] == (0, 1)
    assert at_the_end["disposal_overdue", "2026-10"] == (2, 2)
    before = counted(control, timedelta(days=79, hours=13))
    assert ("disposal_overdue", "2026-10") not in before


@pytest.mark.parametrize(
    ("name", "shown"), [("recurred", "25.0%"), ("correction_days", "0.2 d"), ("fixed_in_time", "—")]
)
def test_a_rate_is_shown_in_per_cent_and_a_mean_in_days(name: Name, shown: str) -> None:
    total = 0 if shown == "—" else 4
    assert Kpi(name, "x", None, 1, total, is_simulated=False).shown == shown


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


def test_a_city_where_no_batch_was_stopped_has_its_rates_too(control: Control) -> None:
    governance.append(control.home, "a", [batch("a", "published")])
    governance.append(control.home, "checks", [check("a", "x.required")])
    assert governance.check_results(control.home, []) == []
    assert kpis(control.home, TREE, control, MONDAY)


def test_what_is_returned_to_a_district_is_had_by_another_body_than_delivered_it(
    control: Control,
) -> None:
    product = TREE.contract("emergency.heat_readiness")
    plan = product.product_plan
    fed = (*plan.inputs, "district.grid_case")
    more = product.model_copy(update={"product": plan.model_copy(update={"inputs": fed})})
    tree = replace(TREE, products={more.id: more})
    of_haidian: dict[str, Any] = {
        "provider": "haidian", "dataset": "grid_case", "contract_id": "district.grid_case",
    }  # fmt: skip
    said = [batch("a", "published"), batch("b", "published", **of_haidian)]
    governance.append(control.home, "a", said)
    write_shared(control.home, "heat_readiness__haidian", districts(("110108", "110108001", 30)))

    def shared() -> dict[str, int]:
        rows = kpis(control.home, tree, control, MONDAY)
        return {k.provider: k.numerator for k in rows if k.name == "sharing_rate" and k.numerator}

    assert shared() == {}, "both are mounted, and nobody has them"
    assert grant_returned(control, tree) == [("haidian", "heat_readiness__haidian")]
    assert shared() == {"health": 1}, "what haidian delivered came back to haidian alone"
    grants.grant(control, "med_ins", "heat_readiness__demo", "高温应急", actor="test")
    assert shared() == {"health": 1, "haidian": 1}


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
                AccessRecord(
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


ENDING = {"reason": "演示结束", "consultation": "已与使用方会商", "filing": "备案 1"}


def test_what_people_did_with_a_seed_stays(control: Control) -> None:
    seeds.seed(control, TREE, MONDAY)
    with control.read() as session:
        (ask,) = [a for a in read_asks(session) if a.state == "delivered"]
    flow.act(control, TREE, ask.id, "end_service", CDO_OWNER, MONDAY, flow.Statement(ENDING))
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
