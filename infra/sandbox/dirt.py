"""Single cells as people and spreadsheets really ruin them, and odd ones that are right.

A change takes the row and a generator and returns the cells to replace, or ``None`` where the row
offers nothing to change. Shapes and counts: domain reference §2 and §8 (315 real exports).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from random import Random
from typing import Final

from infra.sandbox.checkdigits import USCC_ALPHABET, resident_id, with_id_check
from infra.sandbox.population import ABOLISHED_AREAS

Change = Callable[[Mapping[str, str], Random], dict[str, str] | None]
CellChange = Callable[[str, Random], str | None]

_FULL_WIDTH: Final = {ord(c): ord(c) + 0xFEE0 for c in map(chr, range(0x21, 0x7F))}
_NEXT_DIGIT: Final = {str(n): str((n + 1) % 10) for n in range(10)} | {"X": "0"}


def normal(text: str) -> str:
    """Normalise an identifier as the domain reference §2 says."""
    if text.isascii():
        return "".join(text.split()).upper()
    plain = unicodedata.normalize("NFKC", text).replace("\ufeff", "")
    return "".join(plain.split()).upper()


def on(column: str, change: CellChange) -> Change:
    """Apply a change of one cell to a column; an empty cell offers nothing."""

    def changed(row: Mapping[str, str], rng: Random) -> dict[str, str] | None:
        value = change(row[column], rng) if row[column] else None
        return None if value is None else {column: value}

    return changed


def to(*values: str) -> CellChange:
    """Replace the cell by one of the values."""
    return lambda _, rng: rng.choice(values)


# ---------------------------------------------------------------- wrong


def id_check_digit(number: str, _: Random) -> str:
    """Change the check character."""
    return number[:17] + _NEXT_DIGIT[number[17]]


def id_digit_swapped(number: str, _: Random) -> str | None:
    """Swap two neighbours, as hands do; MOD 11-2 finds every such swap."""
    if number[15] == number[16]:
        return None
    return number[:15] + number[16] + number[15] + number[17]


def id_no_such_day(number: str, rng: Random) -> str:
    """Give a birth date that no calendar has, with a right check character."""
    year = rng.choice(("1971", "1990", "2001"))
    return with_id_check(number[:6] + year + rng.choice(("0229", "0431", "1301", "0100")) + "123")


def id_born_later(number: str, rng: Random) -> str:
    """Give a birth date in the future, with a right check character."""
    return resident_id(number[:6], date(2093, 5, 1), rng.randint(1, 999))


def id_masked(number: str, _: Random) -> str:
    """Mask the birth date."""
    return f"{number[:6]}********{number[14:]}"


def id_short(number: str, _: Random) -> str:
    """Lose the last character."""
    return number[:17]


def excel_ruined(number: str, _: Random) -> str:
    """Print it as a spreadsheet prints long numbers: the digits are lost."""
    digits = "".join(c if c.isdigit() else "1" for c in number[:6])
    return f"{digits[0]}.{digits[1:]}E+17"


def uscc_check_digit(code: str, _: Random) -> str:
    """Change the check character."""
    return code[:17] + USCC_ALPHABET[(USCC_ALPHABET.index(code[17]) + 1) % 31]


def uscc_illegal_letter(code: str, rng: Random) -> str:
    """Put a letter that the alphabet leaves out."""
    return code[:10] + rng.choice("IOSVZ") + code[11:]


def uscc_masked(code: str, _: Random) -> str:
    """Mask the middle."""
    return code[:6] + "******" + code[12:]


def uscc_length(code: str, rng: Random) -> str:
    """Lose or double a character."""
    return code[:-1] if rng.random() < 0.5 else code + code[-1]  # noqa: PLR2004


def lengthened(by: str, over: int) -> CellChange:
    """Make a text one character longer than ``over``."""
    return lambda text, _: (text + by * (over + 1))[: over + 1]


def swapped_coordinates(row: Mapping[str, str], _: Random) -> dict[str, str]:
    """Write longitude as latitude and the other way round."""
    return {"lon": row["lat"], "lat": row["lon"]}


def zero_coordinates(_: Mapping[str, str], __: Random) -> dict[str, str]:
    """Write 0, 0: nobody was asked where it is."""
    return {"lon": "0", "lat": "0"}


# ---------------------------------------------------------------- odd, and right


def full_width(text: str, _: Random) -> str:
    """Type it with a full-width keyboard."""
    return text.translate(_FULL_WIDTH)


def spaced(*spaces: str) -> CellChange:
    """Put a space of some kind inside, and one at the end."""

    def change(text: str, rng: Random) -> str:
        space = rng.choice(spaces)
        return text[:6] + space + text[6:] + space

    return change


ideographic_space: Final = spaced("\u3000")
no_break_space: Final = spaced("\u00a0")
plain_space: Final = spaced(" ")
byte_order_mark: Final = spaced("\ufeff")


def first_or_last_of_day(moment: str, rng: Random) -> str:
    """Move a timestamp to the first or the last slot of its day."""
    return moment[:10] + rng.choice((" 00:00:00", " 23:55:00", " 23:59:59"))


def lower_case(text: str, _: Random) -> str | None:
    """Type the letters small."""
    return text.lower() if text.lower() != text else None


def abolished_area(number: str, _: Random) -> str | None:
    """Keep a number whose county is gone: the code of first registration stays valid."""
    return number if number[:6] in ABOLISHED_AREAS else None


def other_province(number: str, _: Random) -> str | None:
    """Keep a number first registered elsewhere."""
    return None if number.startswith("11") else number


def leap_day(number: str, _: Random) -> str | None:
    """Keep a number of someone born on 29 February."""
    return number if number[10:14] == "0229" else None


def other_prefix(code: str, _: Random) -> str | None:
    """Keep a credit code that is not of an ordinary firm."""
    return None if code.startswith("91") else code


def mobile_prefixed(number: str, rng: Random) -> str | None:
    """Write a mobile number with the country's prefix, or in groups."""
    if len(number) != 11 or not number.isdigit():  # noqa: PLR2004
        return None
    a, b, c = number[:3], number[3:7], number[7:]
    return rng.choice((f"+86{number}", f"+86 {a} {b} {c}", f"+86-{a}-{b}-{c}", f"{a}-{b}-{c}"))


def landline_forms(number: str, rng: Random) -> str | None:
    """Write a Beijing number without its dash, or without the city's prefix."""
    if not number.startswith("010-"):
        return None
    return rng.choice((number.replace("-", ""), number[4:], f"010 - {number[4:]}"))


def plate_forms(plate: str, rng: Random) -> str:
    """Use another plate that GA 36 knows: new energy, police, trailer, another province."""
    digits = plate[2:]
    return rng.choice(
        (
            f"京AD{digits[:4]}5"[:8],
            f"京A{digits}D",
            f"京A{digits[:4]}警",
            f"京B{digits[:4]}挂",
            f"津C{digits}",
            f"京a{digits}",
            f"京Q {digits}",
        )
    )
