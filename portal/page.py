"""Turns facts into self-contained HTML pages: no script, no other host, all escaped."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from contracts.model import CITY_TZ
from portal import words
from portal.deliveries import DUE_STATES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from portal.catalogue import Catalogue
    from portal.dates import DateLine
    from portal.report import Report

TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
_LONGEST_TEXT: Final = 400
_SMALLEST_PERCENT: Final = 0.01
#: Control characters and direction overrides: they can make a text read as another one.
_DECEPTIVE: Final = dict.fromkeys(
    (
        *(c for c in range(0x20) if chr(c) not in "\t\n\r"),
        *range(0x7F, 0xA0),
        *range(0x200B, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2060, 0x2070),
        0xFEFF,
    ),
    "\ufffd",
)


def render(report: Report) -> str:
    """Return the HTML of a date's page."""
    return _environment().get_template("index.html").render(report=report, words=words)


def page_of(day: date) -> str:
    """Return the file name of a date's page, which it keeps."""
    return f"{day.isoformat()}.html"


def render_dates(dates: Sequence[DateLine]) -> str:
    """Return the HTML of the list of dates, the newest first."""
    shown = {state: words.DELIVERY[state] for state in DUE_STATES}
    return _environment().get_template("dates.html").render(dates=dates, shown=shown)


def render_catalogue(catalogue: Catalogue) -> str:
    """Return the HTML of the catalogue's page."""
    page = _environment().get_template("catalogue.html")
    return page.render(catalogue=catalogue, words=words)


@cache
def _environment() -> Environment:
    return make_environment(TEMPLATES)


def make_environment(*folders: Path) -> Environment:
    """Return templates that escape every text, say which word is lacking, and cannot deceive."""
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_plain,
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "moment": moment,
        "span": span,
        "clip": clip,
        "page_of": page_of,
    }
    return environment


def _plain(value: object) -> object:
    """Make deceptive characters visible in every text that is not markup of ours."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return value.translate(_DECEPTIVE)
    return value


def number(value: int | None) -> str:
    """Group thousands; a dash where there is no number."""
    return "—" if value is None else f"{value:,}"


def percent(value: float | None) -> str:
    """Keep two decimals; what is more than nothing never reads as nothing."""
    if value is None:
        return "—"
    if 0 < value < _SMALLEST_PERCENT:
        return "<0.01 %"
    return f"{value:.2f}".rstrip("0").rstrip(".") + " %"


def moment(value: datetime | None) -> str:
    """Say a moment in city time, to the minute."""
    return "—" if value is None else f"{value.astimezone(CITY_TZ):%Y-%m-%d %H:%M}"


def span(value: timedelta) -> str:
    """Say a length of time in its two largest units, without its sign."""
    minutes = abs(value) // timedelta(minutes=1)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def clip(value: str) -> str:
    """Cut a text that nobody would read to its end."""
    return value if len(value) <= _LONGEST_TEXT else value[: _LONGEST_TEXT - 1] + "…"
