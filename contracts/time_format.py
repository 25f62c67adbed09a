"""The ``format`` of date and timestamp columns, as one regular expression with named parts.

Formats are written as Java's ``DateTimeFormatter`` has them, which ODCS recommends; those of its
letters that say when something was are read, each in the meaning Java gives it in strict mode. The
expression is in RE2's dialect, in which whole columns are read at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from contracts.errors import BadValueError
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

_REMEDY: Final = Words(
    "请像 yyyy-MM-dd HH:mm:ss 那样书写：y 与 d 小写，M 与 H 大写，文字加引号。",
    "Write it as yyyy-MM-dd HH:mm:ss is written: small y and d, large M and H; text in quotes.",
)
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_OFFSET_HOURS: Final = r"[+-](?:0\d|1[0-8])"
#: Letter → how many of it may stand together → (name of the part, what it matches).
#: One letter alone reads any number of digits, two read two: java.time.format, "Number".
_PARTS: Final = {
    "y": {1: ("year", r"\d{4}"), 2: ("short_year", r"\d{2}"), 4: ("year", r"\d{4}")},
    "M": {
        1: ("month", r"\d{1,2}"),
        2: ("month", r"\d{2}"),
        3: ("month_name", "|".join(name[:3] for name in _MONTHS)),
        4: ("month_name", "|".join(_MONTHS)),
    },
    "d": {1: ("day", r"\d{1,2}"), 2: ("day", r"\d{2}")},
    "H": {1: ("hour", r"\d{1,2}"), 2: ("hour", r"\d{2}")},
    "h": {1: ("half_hour", r"\d{1,2}"), 2: ("half_hour", r"\d{2}")},
    "m": {1: ("minute", r"\d{1,2}"), 2: ("minute", r"\d{2}")},
    "s": {1: ("second", r"\d{1,2}"), 2: ("second", r"\d{2}")},
    "S": {n: ("fraction", rf"\d{{1,{n}}}") for n in range(1, 10)},
    "a": {1: ("half", "AM|PM")},
    "X": {
        1: ("offset", rf"Z|{_OFFSET_HOURS}(?:[0-5]\d)?"),
        2: ("offset", rf"Z|{_OFFSET_HOURS}[0-5]\d"),
        3: ("offset", rf"Z|{_OFFSET_HOURS}:[0-5]\d"),
    },
    "x": {
        1: ("offset", rf"{_OFFSET_HOURS}(?:[0-5]\d)?"),
        2: ("offset", rf"{_OFFSET_HOURS}[0-5]\d"),
        3: ("offset", rf"{_OFFSET_HOURS}:[0-5]\d"),
    },
    "Z": dict.fromkeys((1, 2, 3), ("offset", rf"{_OFFSET_HOURS}[0-5]\d")),
    "V": {2: ("zone", r"[A-Za-z][A-Za-z0-9_+\-/]*")},
}
_TOKEN: Final = re.compile(
    r"'(?P<quoted>(?:[^']|'')*)'|(?P<run>([A-Za-z])\3*)|(?P<other>.)", re.DOTALL
)
_RESERVED: Final = "{}#"


@dataclass(frozen=True)
class TimeFormat:
    """A format that was read: ``regex`` matches a whole text, case does not count."""

    regex: str
    parts: tuple[str, ...]

    @property
    def says_zone(self) -> bool:
        """Tell whether each text says itself how far from UTC it is."""
        return "offset" in self.parts or "zone" in self.parts


@lru_cache(maxsize=1024)
def time_format(form: str) -> TimeFormat:
    """Read a format; raises BadValueError, a ValueError, naming what no part of a date is."""
    parts: list[str] = []
    regex = "".join(_expressions(form, parts))
    if regex.count("(?:") < regex.count(")?") or not parts:
        raise _refused(form, form)
    try:
        re.compile(regex)
    except re.error:
        raise _refused(form, form) from None
    return TimeFormat(f"(?i)^{regex}$", tuple(parts))


def month_number(name: str) -> int:
    """Return 1 to 12 for an English month's name, whole or its first three letters."""
    return 1 + [month[:3].lower() for month in _MONTHS].index(name[:3].lower())


def _expressions(form: str, parts: list[str]) -> Iterator[str]:
    for found in _TOKEN.finditer(form):
        quoted, run, other = found["quoted"], found["run"], found["other"]
        if quoted is not None:
            yield re.escape(quoted.replace("''", "'") or "'")
        elif run is not None:
            name, expression = _PARTS.get(run[0], {}).get(len(run), (None, ""))
            if name is None or name in parts:
                raise _refused(run, form)
            parts.append(name)
            yield f"(?P<{name}>{expression})"
        elif other in _RESERVED or other == "'":
            raise _refused(other, form)
        else:  # what stands in brackets may be left out
            yield {"[": "(?:", "]": ")?"}.get(other, re.escape(other))


def _refused(what: str, form: str) -> BadValueError:
    problem = Words(
        f"格式 {form!r} 中的 {what!r} 不是日期的组成部分",
        f"{what!r} in the format {form!r} is no part of a date",
    )
    return BadValueError(problem, _REMEDY)
