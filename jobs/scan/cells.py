"""What personal information looks like in text: one shape a kind, and the check digits behind it.

Shapes are RE2, read by Arrow for a whole column at once. Two questions a shape: ``trace`` asks a
whole column's text "could it be here?", and may say yes too often; ``found``, with borders, is put
to single cells. Sources: GB 11643-1999 (resident ID), GA 36-2018 (plates), ISO/IEC
7812-1 (Luhn), domain reference §2. No value ever leaves this module: only whether a cell has one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.arrays import octets
from jobs.resident_id import births, check_characters, digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.model import Level
    from contracts.vocabulary import PersonalKind

_PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
#: What may stand before and after a number for it to be one: no other letter, digit or decimal.
_BEFORE: Final = r"(?:^|[^0-9A-Za-z.]|[^0-9]\.)"
_AFTER: Final = r"(?:$|[^0-9A-Za-z.]|\.(?:$|[^0-9]))"
#: An ID's check digit and date let it stand against letters too ("SFZ110105…").
_NO_DIGIT_BEFORE: Final = r"(?:^|[^0-9.]|[^0-9]\.)"
_NO_DIGIT_AFTER: Final = r"(?:$|[^0-9.]|\.(?:$|[^0-9]))"
_DATE: Final = r"(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_GAP: Final = r"[ \-]?"
_ID: Final = rf"[1-9]\d{{5}}{_GAP}{_DATE}{_GAP}\d{{3}}[0-9Xx]"
_MOBILE: Final = rf"1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}}"
_CARD: Final = rf"(?:62|60|4\d|5[1-5]|35)\d{{2}}(?:{_GAP}\d{{4}}){{3}}{_GAP}\d{{0,3}}"
_EMAIL: Final = r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}"
_PLATE: Final = (
    rf"[{_PROVINCES}][A-HJ-NP-Z][·\- ]?"
    r"(?:[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9警学挂]|[A-HJK][A-HJ-NP-Z0-9]\d{4}|\d{5}[A-HJK])"
)
_PASSPORT: Final = (
    r"(?:护照|[Pp]assport|PASSPORT)(?:[^0-9A-Za-z]|[Nn][Oo]){0,8}"
    r"(?:[EGDSPH]\d{8}|E[A-HJ-NP-Z]\d{7})"
)

#: Full-width digits and letters are the same ones to a reader; such cells are folded first.
WIDE: Final = r"[０-９Ａ-Ｚａ-ｚ＠]"


@dataclass(frozen=True)
class Shape:
    """A kind that one cell is enough to show."""

    kind: PersonalKind
    level: Level
    trace: str
    found: str


def _bordered(pattern: str) -> str:
    return f"{_BEFORE}(?P<v>{pattern}){_AFTER}"


SHAPES: Final[tuple[Shape, ...]] = (
    Shape("resident_id", "L4", _ID, rf"{_NO_DIGIT_BEFORE}(?P<v>{_ID}){_NO_DIGIT_AFTER}"),
    Shape("passport", "L4", "护照|assport|ASSPORT", rf"{_PASSPORT}(?:$|[^0-9A-Za-z])"),
    Shape("bank_card", "L4", _CARD, _bordered(_CARD)),
    Shape(
        "mobile",
        "L3",
        _MOBILE,
        rf"(?:{_BEFORE}|(?:\+|00|^|[^0-9A-Za-z.])86)(?P<v>{_MOBILE}){_AFTER}",
    ),
    Shape("email", "L3", "@", _EMAIL),
    Shape("plate", "L3", rf"[{_PROVINCES}][A-HJ-NP-Z]", _PLATE + r"(?:$|[^0-9A-Za-z])"),
)
#: What a cell of an eleven-digit code looks like: where most are no mobiles, none is meant as one.
ELEVEN_DIGITS: Final = _bordered(r"\d{11}")

_LENGTH: Final = 18
#: GB/T 2260 provinces, and the cards of foreign residents (9…).
_AREAS: Final = frozenset(
    (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55))
) | frozenset((*range(61, 66), 71, 81, 82, 83, *range(91, 100)))
_IS_AREA: Final = np.array([n in _AREAS for n in range(100)])
_ID_RE: Final = re.compile(rf"(?<![0-9])(?<![0-9]\.){_ID}(?![0-9])(?!\.[0-9])")
_CARD_RE: Final = re.compile(rf"(?<![0-9A-Za-z.]){_CARD}(?![0-9A-Za-z])")


def are_resident_ids(values: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell which of these 18-character values are resident IDs: area, date and check character.

    ``values`` have the shape already, without gaps and nulls; GB 11643-1999, ISO 7064 MOD 11-2.
    """
    if not len(values):
        return np.zeros(0, dtype=bool)
    cells = octets(pc.utf8_upper(values), _LENGTH)
    first = digits(cells)
    _, is_day = births(first)
    is_checked = check_characters(first) == cells[:, 17]
    is_area = _IS_AREA[first[:, 0] * 10 + first[:, 1]]
    return np.asarray(is_checked & is_area & is_day)


def has_resident_id(cell: str) -> bool:
    """Tell whether a text holds a resident ID anywhere."""
    found = [re.sub(r"[ \-]", "", m) for m in _overlapping(_ID_RE, cell)]
    return bool(found) and bool(are_resident_ids(pa.array(found, pa.string())).any())


def has_bank_card(cell: str) -> bool:
    """Tell whether a text holds a number of 16 to 19 digits with a card's first digits and Luhn."""
    return any(is_luhn(re.sub(r"[ \-]", "", m)) for m in _overlapping(_CARD_RE, cell))


def is_luhn(number: str) -> bool:
    """Tell whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    digits = [int(d) for d in reversed(number)]
    doubled = (sum(divmod(2 * d, 10)) for d in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _overlapping(pattern: re.Pattern[str], cell: str) -> Iterator[str]:
    """Yield every match, also those that share a border character or a gap."""
    at = 0
    while (found := pattern.search(cell, at)) is not None:
        yield found.group(0)
        at = found.start() + 1
