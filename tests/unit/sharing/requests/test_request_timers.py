"""Deadlines of answers, deliveries and corrections: the law's numbers, on the law's calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import UsageError
from contracts.layout import ROOT, Home
from contracts.loading import load_tree
from sharing.calendars import add_calendar, parse_calendar
from sharing.requests.parties import parties_of
from sharing.requests.states import TRANSITIONS
from sharing.requests.tables import Ask, Step
from sharing.requests.timers import deadlines
from sharing.verify.prove import prove
from tests.support.sharing.asking import DATA_AUTHORITY, JOINED, asked
from tests.support.sharing.holidays import NOTICE_2027

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_year_without_a_calendar_is_owed_one_and_does_not_excuse_for_ever() -> None:
    at = datetime(2026, 12, 18, 2, tzinfo=UTC)
    answer, calendar = due(history(("submit", "submitted", at)))
    assert answer.due_at is None
    assert answer.problem is not None
    assert "calendar_missing" in answer.problem.en
    assert not answer.is_overdue(at + timedelta(days=30))
    assert answer.is_overdue(at + timedelta(days=60))
    assert (calendar.what, city_day(calendar)) == ("calendar", date(2026, 12, 31))
    assert calendar.is_overdue(datetime(2027, 1, 1, tzinfo=UTC))


def test_with_the_notice_added_the_limit_is_the_calendars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(tmp_path))
    add_calendar(Home(tmp_path), NOTICE_2027.encode(), "国办发明电〔2026〕8号", DATA_AUTHORITY)
    at = datetime(2026, 12, 18, 2, tzinfo=UTC)
    (answer,) = due(history(("submit", "submitted", at)))
    # 9 working days to the end of the year; 1 to 3 January are holidays.
    assert city_day(answer) == date(2027, 1, 4)


def test_verify_names_a_calendar_that_is_not_as_it_was_added(tmp_path: Path) -> None:
    home, file = Home(tmp_path), tmp_path / "calendars" / "2027.csv"
    notice, later = (t.encode() for t in (NOTICE_2027, NOTICE_2027.replace("10-04", "10-05")))

    def found() -> list[tuple[str, str]]:
        report = prove(home, TREE)
        assert not report.recovering
        return [(f.where, f.problem.en) for f in report.broken]

    # A second notice replaces the first, and the first is taken up again.
    for content, number in ((notice, 8), (later, 9), (notice, 8), (notice, 8), (notice, 10)):
        add_calendar(home, content, f"国办发明电〔2026〕{number}号", DATA_AUTHORITY)
        assert found() == []
    for changed in (notice.replace(b"01-03", b"01-04"), notice + b"\n", notice[:-1], later, b""):
        file.write_bytes(changed)
        assert found() == [("calendars/2027.csv", "it was changed since it was added")]
    file.write_bytes(notice)
    other = file.with_name("2028.csv")
    other.write_bytes(notice.replace(b"2027", b"2028"))
    assert found() == [("calendars/2028.csv", "no leaf names it: nobody added it")]
    other.unlink()
    file.unlink()
    assert found() == [("calendars/2027.csv", "the file is gone, and its leaf is there")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("10-01", "10-05"), "2027-10-01"),
        (("10-09", "10-08"), "is a working day as it is"),
        (("2027-04-05", "2028-04-05"), "speaks of 2 years"),
        (("01-02", "01-01"), "twice"),
        (("2027-06-09", "9 June"), "Line"),
        (("workday", "half"), "kind"),
        (("date,kind", "day,kind"), "no calendar"),
    ],
)
def test_what_is_no_calendar_of_a_year_is_refused(change: tuple[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_calendar(NOTICE_2027.replace(*change).encode())


def test_lateness_stays_whatever_comes_after_it() -> None:
    """A late extension, a late supplement, and an end: none takes it back."""
    submitted: tuple[Action, State, datetime] = ("submit", "submitted", TUESDAY)
    late = datetime(2025, 12, 1, 2, tzinfo=UTC)
    (answer,) = due(history(submitted, ("extend", "submitted", late)))
    assert city_day(answer) == date(2025, 10, 13)
    assert answer.is_overdue(late)
    (answer,) = due(history(submitted, ("ask_supplement", "supplement", late)))
    assert answer.is_overdue(late)
    again: tuple[Action, State, datetime] = ("resubmit", "submitted", late)
    first, second = due(history(submitted, ("ask_supplement", "supplement", late), again))
    assert (first.is_overdue(late), second.is_overdue(late)) == (True, False)
    (answer,) = due(history(submitted, ("withdraw", "closed", late)))
    assert answer.is_overdue(late + timedelta(days=900))


def test_what_is_withdrawn_in_time_is_owed_no_more_and_a_providers_close_is_no_answer() -> None:
    submitted: tuple[Action, State, datetime] = ("submit", "submitted", TUESDAY)
    soon = TUESDAY + timedelta(days=1)
    assert due(history(submitted, ("withdraw", "closed", soon))) == ()
    # As the version before let providers do: "body" is not the asking body.
    (answer,) = due(history(submitted, ("close", "closed", soon)))
    assert answer.done_at is None
    assert answer.is_overdue(datetime(2025, 12, 1, tzinfo=UTC))


#: Around National Day and Spring Festival: received on, 1st and 10th working day after it.
@pytest.mark.parametrize(
    ("received", "first", "tenth"),
    [
        ("2025-09-23", "2025-09-24", "2025-10-13"),
        ("2025-09-27", "2025-09-28", "2025-10-16"),
        ("2025-09-28", "2025-09-29", "2025-10-17"),
        ("2025-09-30", "2025-10-09", "2025-10-21"),
        ("2025-10-08", "2025-10-09", "2025-10-21"),
        ("2025-10-11", "2025-10-13", "2025-10-24"),
        ("2026-02-13", "2026-02-14", "2026-03-05"),
        ("2026-02-14", "2026-02-24", "2026-03-06"),
        ("2026-02-20", "2026-02-24", "2026-03-06"),
        ("2026-02-28", "2026-03-02", "2026-03-13"),
    ],
)
def test_answers_around_the_long_holidays(received: str, first: str, tenth: str) -> None:
    at = datetime.fromisoformat(f"{received}T10:00:00+08:00").astimezone(UTC)
    steps: tuple[Action, State, datetime] = ("submit", "submitted", at)
    assert city_day(due(history(steps), free=True)[0]).isoformat() == first
    assert city_day(due(history(steps))[0]).isoformat() == tenth


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
