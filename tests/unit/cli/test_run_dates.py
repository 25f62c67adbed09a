"""``./jingshu run``: which business dates its options mean."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from click.testing import CliRunner

from cli.run import _dates, run
from contracts.errors import UsageError
from contracts.model import CITY_TZ

FIRST, LAST = datetime(2026, 7, 30), datetime(2026, 8, 2)  # noqa: DTZ001 - as click gives them


def test_one_date_is_itself() -> None:
    assert _dates(FIRST, None, None) == (date(2026, 7, 30),)


def test_a_range_holds_both_ends_oldest_first() -> None:
    days = (30, 31)
    expected = (*(date(2026, 7, day) for day in days), date(2026, 8, 1), date(2026, 8, 2))
    assert _dates(None, FIRST, LAST) == expected


def test_without_options_it_is_the_day_before_today_in_the_city() -> None:
    before = datetime.now(CITY_TZ).date()
    [day] = _dates(None, None, None)
    assert day + timedelta(days=1) in {before, datetime.now(CITY_TZ).date()}


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [(None, FIRST, None), (None, None, LAST), (FIRST, FIRST, LAST), (None, LAST, FIRST)],
    ids=["no end", "no start", "date and range", "backwards"],
)
def test_dates_that_cannot_be_meant(
    day: datetime | None, first: datetime | None, last: datetime | None
) -> None:
    with pytest.raises(UsageError, match=r"--(date|from)"):
        _dates(day, first, last)


def test_help_shows_an_example() -> None:
    result = CliRunner().invoke(run, ["--help"])
    assert "./jingshu run --date 2026-07-15" in result.output
