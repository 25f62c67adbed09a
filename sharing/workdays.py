"""Working days of the country, with the days made up for holidays (调休).

A year whose holidays the State Council has not announced yet has no calendar: that is reported, and
never taken for plain Mondays to Fridays. Source: the yearly notices, as ``chinesecalendar`` has
them, and where it has not those that an operator added (``sharing.calendars``).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import chinese_calendar

from contracts.errors import JingshuError
from contracts.layout import Home
from contracts.model import CITY_TZ
from contracts.words import Words
from sharing.calendars import calendar_of

#: No calendar rests longer than that at once, nor gives fewer working days than one in three.
_LONGEST_REST_DAYS: Final = 15
_DAYS_A_WORKDAY: Final = 3


class CalendarMissingError(JingshuError, LookupError):
    """``calendar_missing``: the holidays of a year are not known."""

    code = "calendar_missing"


def is_workday(day: date) -> bool:
    """Tell whether offices work on a day; raises CalendarMissingError for a year without one."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        added = calendar_of(Home.from_env(), day.year)
    if added is None:
        raise CalendarMissingError(
            Words(
                f"calendar_missing：{day.year} 年的工作日尚不可知。",
                f"calendar_missing: the working days of {day.year} are not known.",
            ),
            Words(
                "请在国务院通知（每年 11 月）发布后添加：./jingshu share calendar add"
                f" {day.year}.csv --notice 文号。",
                "Add the State Council's notice, which comes in November: ./jingshu share"
                f" calendar add {day.year}.csv --notice N.",
            ),
        )
    return added.is_workday(day)


def add_workdays(day: date, count: int) -> date:
    """Return the ``count``-th working day after ``day``, which itself does not count."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_workday(day)
    return day


def subtract_workdays(day: date, count: int) -> date:
    """Return the ``count``-th working day before ``day``, which itself does not count."""
    while count > 0:
        day -= timedelta(days=1)
        count -= is_workday(day)
    return day


def end_of_workday(received_at: datetime, count: int) -> datetime:
    """Return the end (UTC) of the ``count``-th working day after the city's day of receipt."""
    last = add_workdays(received_at.astimezone(CITY_TZ).date(), count)
    return datetime.combine(last + timedelta(days=1), time(), CITY_TZ).astimezone(UTC)


def latest_end(received_at: datetime, count: int) -> datetime:
    """Return when ``count`` working days are over in any case, whatever the calendar will be."""
    return received_at + timedelta(days=_LONGEST_REST_DAYS + _DAYS_A_WORKDAY * count)


def workdays_between(received_at: datetime, answered_at: datetime) -> int:
    """Return how many working days after the city's day of receipt an answer came: 0 on that day.

    An answer on the first working day after it takes 1, as ``end_of_workday`` counts.
    """
    day, last = (at.astimezone(CITY_TZ).date() for at in (received_at, answered_at))
    return sum(is_workday(day + timedelta(days=n + 1)) for n in range((last - day).days))
