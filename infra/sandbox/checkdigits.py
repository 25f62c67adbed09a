"""Check digits, written anew: the sandbox must not ask our rules what is valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def resident_id(area: str, birth: date | str, sequence: int) -> str:
    """Return the 18 characters of a resident identity number.

    ``birth`` may be eight digits that are no date, for numbers that are wrong in only that.
    Source: GB 11643-1999 §4; check character by ISO 7064 MOD 11-2.
    """
    day = birth if isinstance(birth, str) else f"{birth:%Y%m%d}"
    return with_id_check(f"{area}{day}{sequence:03d}")


def with_id_check(first17: str) -> str:
    """Append the MOD 11-2 check character to 17 digits."""
    remainder = 0
    for digit in first17:
        remainder = (remainder + int(digit)) * 2 % 11
    return first17 + "0123456789X"[(12 - remainder) % 11]


def organisation_check(body8: str) -> str:
    """Return the check character of an organisation code (GB 11714-1997 §3)."""
    values = (int(c, 36) for c in body8)
    total = sum(v * w for v, w in zip(values, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def uscc(kind2: str, area6: str, body8: str) -> str:
    """Return an 18-character unified social credit code (GB 32100-2015 §4)."""
    first17 = f"{kind2}{area6}{body8}{organisation_check(body8)}"
    weight, total = 1, 0
    for character in first17:
        total += USCC_ALPHABET.index(character) * weight
        weight = weight * 3 % 31
    return first17 + USCC_ALPHABET[-total % 31]
