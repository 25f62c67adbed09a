"""Turns facts into self-contained HTML pages: no script, no other host, all escaped.

A page is in one language. ``{{ }}`` shows Words in it, and ``t("中文", "English")`` says the rest.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from contracts.model import CITY_TZ
from contracts.words import Words
from portal import words
from portal.deliveries import DUE_STATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from contracts.words import Language
    from portal.catalogue import Catalogue
    from portal.dates import DateLine
    from portal.report import Report

TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
#: Where the pages of each language are, below the site's folder.
FOLDERS: Final[Mapping[Language, str]] = {"zh": "", "en": "en/"}
#: From each language's folder to the other's, with what its pages are called there.
_TWINS: Final[Mapping[Language, str]] = {"zh": "en/", "en": "../"}
#: What ``<html lang>`` says.
HTML_LANG: Final[Mapping[Language, str]] = {"zh": "zh-CN", "en": "en"}
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


def render(report: Report, language: Language = "zh") -> str:
    """Return the HTML of a date's page."""
    day = report.business_date
    name = "index.html" if day is None else page_of(day)
    return _page(language, "index.html", name, report=report)


def page_of(day: date) -> str:
    """Return the file name of a date's page, which it keeps."""
    return f"{day.isoformat()}.html"


def render_dates(dates: Sequence[DateLine], language: Language = "zh") -> str:
    """Return the HTML of the list of dates, the newest first."""
    shown = {state: words.DELIVERY[state] for state in DUE_STATES}
    return _page(language, "dates.html", "dates.html", dates=dates, shown=shown)


def render_catalogue(catalogue: Catalogue, language: Language = "zh") -> str:
    """Return the HTML of the catalogue's page."""
    return _page(language, "catalogue.html", "catalogue.html", catalogue=catalogue)


def _page(language: Language, template: str, name: str, **found: object) -> str:
    """Return a page that links to its twin: what is called ``name`` in the other language."""
    page = _environment(language).get_template(template)
    return page.render(found, twin=_TWINS[language] + name)


@cache
def _environment(language: Language) -> Environment:
    return make_environment(language, TEMPLATES)


def make_environment(language: Language, *folders: Path) -> Environment:
    """Return templates for one language's readers.

    They escape every text, say which word is lacking, and cannot deceive.
    """
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=partial(_shown, language),
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "moment": moment,
        "span": span,
        "told": told,
        "clip": clip,
        "page_of": page_of,
    }
    environment.globals |= {
        "t": partial(_text, language),
        "lang": language,
        "html_lang": HTML_LANG[language],
        "words": words,
        "colon": {"zh": "：", "en": ": "}[language],
        "comma": {"zh": "、", "en": ", "}[language],
    }
    return environment


def _text(language: Language, zh: str, en: str, *values: Any) -> str:
    """Return a text in the reader's language, its ``{}`` filled with values."""
    text = zh if language == "zh" else en
    told = (v.to(language) if isinstance(v, Words) else v for v in values)
    return text.format(*told) if values else text


def _shown(language: Language, value: object) -> object:
    """Say Words in the reader's language; make deceptive characters of every text visible."""
    if isinstance(value, Words):
        value = value.to(language)
    return _plain(value)


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


def span(value: timedelta) -> Words:
    """Say a length of time in its two largest units, without its sign."""
    minutes = abs(value) // timedelta(minutes=1)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    units = [(days, "天", "d"), (hours, "小时", "h"), (minutes, "分钟", "min")]
    first = next((i for i, (n, _, _) in enumerate(units) if n), len(units) - 1)
    shown = [unit for i, unit in enumerate(units[first : first + 2]) if unit[0] or i == 0]
    return Words(
        " ".join(f"{n} {zh}" for n, zh, _ in shown), " ".join(f"{n} {en}" for n, _, en in shown)
    )


def told(value: str | Words) -> Words:
    """Return a text that a table kept, as whoever wrote it said it in each language."""
    return value if isinstance(value, Words) else Words.read(value)


def clip(value: str | Words) -> str | Words:
    """Cut a text that nobody would read to its end."""
    if isinstance(value, Words):
        return Words(_clip(value.zh), _clip(value.en))
    return _clip(value)


def _clip(value: str) -> str:
    return value if len(value) <= _LONGEST_TEXT else value[: _LONGEST_TEXT - 1] + "…"
