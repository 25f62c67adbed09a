"""Deadlines of answers, deliveries and corrections: the law's numbers, on the law's calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.layout import ROOT
from contracts.tree import load_tree
from sharing.requests.parties import parties_of
from sharing.requests.states import TRANSITIONS
from sharing.requests.tables import Ask, Step
from sharing.requests.timers import deadlines
from tests.unit.sharing.asking import JOINED, asked

if TYPE_CHECKING:
    from sharing.requests.states import Action, State
    from sharing.requests.timers import Deadline

TREE = load_tree(ROOT / "contracts")
TUESDAY = datetime(2025, 9, 23, 2, 0, tzinfo=UTC)


def history(*steps: tuple[Action, State, datetime], urgent: dict[str, object] | None = None) -> Ask:
    made = (Step(i, a, s, "who", "body", at, {}) for i, (a, s, at) in enumerate(steps))
    return Ask("R2025-0001", asked(JOINED, urgent=urgent, until=date(2027, 1, 1)), tuple(made))


def due(ask: Ask, *, free: bool = False) -> tuple[Deadline, ...]:
    return deadlines(ask, replace(parties_of(ask.asked, TREE), is_unconditional=free))


def city_day(deadline: Deadline) -> date:
    """Return the last day on which it is in time: it ends at the city's midnight."""
    assert deadline.due_at is not None
    return (deadline.due_at + timedelta(hours=8) - timedelta(seconds=1)).date()


@pytest.mark.parametrize(
    ("free", "extended", "expected"),
    [
        (False, False, date(2025, 10, 13)),
        (False, True, date(2025, 10, 27)),
        (True, False, date(2025, 9, 24)),
    ],
)
def test_an_answer_is_due(free: bool, extended: bool, expected: date) -> None:  # noqa: FBT001
    steps: list[tuple[Action, State, datetime]] = [("submit", "submitted", TUESDAY)]
    if extended:
        steps.append(("extend", "submitted", TUESDAY + timedelta(days=1)))
    (answer,) = due(history(*steps), free=free)
    assert (answer.what, city_day(answer)) == ("answer", expected)


def test_the_clock_stands_still_while_papers_are_missing_and_starts_anew() -> None:
    later = TUESDAY + timedelta(days=2)
    open_ = history(("submit", "submitted", TUESDAY), ("ask_supplement", "supplement", later))
    assert due(open_) == ()
    again = Step(
        2, "resubmit", "submitted", "who", "body", datetime(2025, 10, 9, 2, tzinfo=UTC), {}
    )
    (answer,) = due(replace(open_, steps=(*open_.steps, again)))
    assert city_day(answer) == date(2025, 10, 22)


def test_delivery_is_due_twenty_working_days_after_yes() -> None:
    agreed = datetime(2025, 9, 23, 8, 0, tzinfo=UTC)
    answer, delivery = due(history(("submit", "submitted", TUESDAY), ("agree", "agreed", agreed)))
    assert not answer.is_overdue(agreed + timedelta(days=400))
    assert city_day(delivery) == date(2025, 10, 27)
    assert not delivery.is_overdue(datetime(2025, 10, 27, 15, 59, tzinfo=UTC))
    assert delivery.is_overdue(datetime(2025, 10, 27, 16, 0, 1, tzinfo=UTC))


def test_what_was_done_too_late_stays_late() -> None:
    late = datetime(2025, 10, 14, 2, tzinfo=UTC)
    answer, _ = due(history(("submit", "submitted", TUESDAY), ("agree", "agreed", late)))
    assert answer.is_overdue(TUESDAY)


def test_an_urgent_answer_is_due_in_hours() -> None:
    urgent = {"reason": "红色预警", "answer_within_hours": 4, "expires_on": date(2025, 9, 30)}
    (answer,) = due(history(("submit", "submitted", TUESDAY), urgent=urgent))
    assert answer.due_at == TUESDAY + timedelta(hours=4)


def test_a_year_without_a_calendar_is_said_and_never_overdue() -> None:
    at = datetime(2026, 12, 28, 2, tzinfo=UTC)
    (answer,) = due(history(("submit", "submitted", at)))
    assert answer.due_at is None
    assert "calendar_missing" in (answer.problem or "")
    assert not answer.is_overdue(at + timedelta(days=99))


@given(offset=st.integers(0, 300), hours=st.integers(0, 23))
def test_more_time_is_never_less(offset: int, hours: int) -> None:
    at = datetime(2025, 1, 2, tzinfo=UTC) + timedelta(days=offset, hours=hours)
    submitted: tuple[Action, State, datetime] = ("submit", "submitted", at)
    free, plain = due(history(submitted), free=True)[0], due(history(submitted))[0]
    extended = due(history(submitted, ("extend", "submitted", at)))[0]
    ends = [d.due_at for d in (free, plain, extended) if d.due_at]
    assert ends == sorted({at, *ends})[1:]
    assert len(ends) == 3


def test_every_action_has_a_leaf_of_people() -> None:
    assert {t.leaf for t in TRANSITIONS.values()} <= {"request", "answer", "destruction"}
