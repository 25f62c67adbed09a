"""Working days with the days made up for holidays, and years that nobody has announced."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.workdays import (
    CalendarMissingError,
    add_workdays,
    end_of_workday,
    is_workday,
    workdays_between,
)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2025, 9, 28), True),  # a Sunday made up for
        (date(2025, 10, 11), True),  # a Saturday made up for
        (date(2025, 10, 1), False),
        (date(2025, 10, 7), False),  # a Tuesday of the holiday
        (date(2025, 10, 12), False),
        (date(2026, 7, 13), True),
    ],
)
def test_holidays_and_days_made_up_for_them(day: date, expected: bool) -> None:  # noqa: FBT001
    assert is_workday(day) is expected


def test_ten_working_days_over_the_national_holiday_end_on_13_october() -> None:
    assert add_workdays(date(2025, 9, 23), 10) == date(2025, 10, 13)


def test_a_limit_ends_with_its_last_day_in_the_city() -> None:
    received = datetime(2025, 9, 23, 1, 0, tzinfo=UTC)
    assert end_of_workday(received, 10) == datetime(2025, 10, 13, 16, 0, tzinfo=UTC)


def test_what_comes_late_in_utc_is_of_the_next_day_in_the_city() -> None:
    received = datetime(2025, 9, 23, 16, 30, tzinfo=UTC)  # half past midnight of the 24th
    assert end_of_workday(received, 1) == datetime(2025, 9, 25, 16, 0, tzinfo=UTC)


@given(day=st.dates(date(2005, 1, 1), date(2026, 10, 1)), count=st.integers(0, 15))
def test_working_days_between_are_those_that_a_limit_counts(day: date, count: int) -> None:
    received = datetime.combine(day, time(1), UTC)
    answered = datetime.combine(add_workdays(day, count), time(1), UTC)
    assert workdays_between(received, answered) == count


def test_a_year_that_is_not_announced_is_said() -> None:
    with pytest.raises(CalendarMissingError, match="calendar_missing: the working days of 2027"):
        add_workdays(date(2026, 12, 30), 5)


@given(
    day=st.dates(date(2005, 1, 1), date(2026, 10, 1)),
    counts=st.tuples(st.integers(1, 15), st.integers(1, 15)),
)
def test_limits_land_on_working_days_and_add_up(day: date, counts: tuple[int, int]) -> None:
    first, second = counts
    end = add_workdays(day, first)
    assert is_workday(end)
    assert add_workdays(end, second) == add_workdays(day, first + second)
    between = [day + timedelta(n) for n in range(1, (end - day).days + 1)]
    assert sum(map(is_workday, between)) == first
