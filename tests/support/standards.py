"""The standards of identifiers a second time, in plain Python: what the SQL is held against."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

#: The business date on which identifiers are judged.
DAY = date(2026, 7, 15)


def resident_id_is_valid(text: str) -> bool:
    """GB 11643-1999 with ISO 7064 MOD 11-2; the area may be any, abolished ones too."""
    if not re.fullmatch(r"[1-9]\d{16}[\dX]", text, re.ASCII):
        return False
    try:
        born = datetime.strptime(text[6:14], "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return False
    remainder = 0
    for digit in text[:17]:
        remainder = (remainder + int(digit)) * 2 % 11
    check = (12 - remainder) % 11
    return born.year >= 1850 and born <= DAY and text[17] == ("X" if check == 10 else str(check))


def resident_id_of_15(text: str) -> str:
    first = f"{text[:6]}19{text[6:]}"
    return next(first + c for c in "0123456789X" if mod_11_2(first + c) == 1)


def mod_11_2(text: str) -> int:
    total = 0
    for i, char in enumerate(reversed(text)):
        total += (10 if char == "X" else int(char)) * pow(2, i, 11)
    return total % 11


LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc_is_valid(text: str) -> bool:
    """GB 32100-2015, as the domain reference writes it."""
    if len(text) != 18 or any(c not in LETTERS for c in text):
        return False
    total = sum(LETTERS.index(c) * pow(3, i, 31) for i, c in enumerate(text[:17]))
    return LETTERS[(31 - total % 31) % 31] == text[17]


PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
SERIAL = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def plate_is_valid(text: str) -> bool:
    """GA 36-2018: ordinary, with suffix, small and large new-energy."""
    if len(text) not in (7, 8) or text[0] not in PROVINCES or text[1] not in SERIAL:
        return False
    rest, any_of = text[2:], SERIAL + "0123456789"
    if len(rest) == 5:
        body, last = rest[:4], rest[4]
        return all(c in any_of for c in body) and last in any_of + "警学挂"
    is_small = rest[0] in "ABCDEFGHJK" and rest[1] in any_of and _digits(rest[2:])
    return is_small or (_digits(rest[:5]) and rest[5] in "ABCDEFGHJK")


def _digits(text: str) -> bool:
    return all(c in "0123456789" for c in text)


def mobile_is_valid(text: str) -> bool:
    text = re.sub(r"^(\+86|0086)", "", text).replace("-", "")
    return len(text) == 11 and _digits(text) and text[0] == "1" and text[1] in "3456789"


def phone_is_valid(text: str) -> bool:
    bare = re.sub(r"^(\+86|0086)", "", text).replace("-", "")
    local = bare.removeprefix("010") if len(bare) == 11 else bare
    is_line = len(local) == 8 and _digits(local) and local[0] in "2345678"
    return (
        mobile_is_valid(text) or is_line or (len(bare) == 5 and _digits(bare) and bare[0] in "19")
    )


def gb4754_is_valid(text: str) -> bool:
    return len(text) in (1, 3, 4, 5) and text[0] in "ABCDEFGHIJKLMNOPQRST" and _digits(text[1:])


def reads_as_identifier(text: str) -> str:
    """Full-width to half-width, no spaces of any kind, upper case."""
    half = "".join(chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) <= 0xFF5E else c for c in text)
    return "".join(c for c in half if not c.isspace() and c not in "\u200b\ufeff").upper()
