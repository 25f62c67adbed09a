"""Deadlines that are near or over are told to who is to act, once each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from sharing.notices import outbox
from sharing.notices.collect import collect
from sharing.notices.owed import NEAR, timers
from sharing.requests.parties import parties_of
from sharing.requests.tables import read_ask
from sharing.requests.timers import deadlines
from tests.conftest import TREE
from tests.support.sharing.asking import MONDAY, asked, begun, bring_to

if TYPE_CHECKING:
    from sharing.control import Control


@pytest.fixture
def ask_id(control: Control) -> str:
    """A request that was accepted and waits for an answer."""
    return bring_to(begun(control), "accepted").ask_id


def test_an_answer_is_told_when_it_is_near_and_when_it_is_over(
    control: Control, ask_id: str
) -> None:
    with control.read() as session:
        ask = read_ask(session, ask_id)
    (owed,) = deadlines(ask, parties_of(ask.asked, TREE))
    assert owed.due_at is not None
    found = {}
    for name, at in {
        "early": owed.due_at - NEAR - timedelta(seconds=1),
        "near": owed.due_at - NEAR,
        "over": owed.due_at,
    }.items():
        found[name] = [(t.request, t.what, t.body, t.state) for t in timers(control, TREE, at)]
    (provider,) = parties_of(ask.asked, TREE).providers
    assert found == {
        "early": [],
        "near": [(ask_id, "answer", provider, "near")],
        "over": [(ask_id, "answer", provider, "over")],
    }


def test_what_is_answered_is_owed_no_more(control: Control) -> None:
    bring_to(begun(control), "refused")
    assert list(timers(control, TREE, MONDAY + timedelta(days=90))) == []


def test_each_deadline_is_in_the_outbox_once(
    control: Control, ask_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sharing.notices.collect.city_tree", lambda _home: TREE)
    late = MONDAY + timedelta(days=90)
    assert collect(control, late) == 2  # its steward and its CDO
    assert collect(control, late + timedelta(hours=1)) == 0
    assert {n.kind for n in outbox.list_notices(control)} == {"overdue"}
    assert all(ask_id in n.subject for n in outbox.list_notices(control))


def test_a_request_whose_days_no_calendar_counts_is_told_all_the_same(control: Control) -> None:
    """Asked on 2026-12-18: 2027 has no calendar, which the authority is told of before it lacks."""
    city = begun(control, asked(until=date(2027, 6, 30)))
    city.at = datetime(2026, 12, 18, 2, tzinfo=UTC)
    bring_to(city, "accepted")
    provider, authority = "emergency", "gov_data"

    def told(at: datetime) -> set[tuple[str, str, str, str]]:
        return {(t.request, t.what, t.body, t.state) for t in timers(control, TREE, at)}

    calendar = ("2027", "calendar", authority)
    assert told(datetime(2026, 12, 31, 2, tzinfo=UTC)) == {(*calendar, "near")}
    answer = (city.ask_id, "answer", provider)
    assert told(city.at + timedelta(days=60)) == {(*calendar, "over"), (*answer, "over")}
