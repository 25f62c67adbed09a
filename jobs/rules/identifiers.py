"""Identifiers and their check digits, a whole column at once.

Every function takes normalised texts and returns, of each, whether it is one; a NULL is none.
Sources: GB 11643-1999 and ISO 7064 MOD 11-2 (resident numbers), GB 32100-2015 (credit codes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from datetime import date

    Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
    Octets = np.ndarray[tuple[int, int], np.dtype[np.uint8]]

_ID_WEIGHTS: Final = np.array((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))
_ID_CHECKS: Final = np.frombuffer(b"10X98765432", np.uint8)
_ID: Final = "^[1-9][0-9]{16}[0-9X]$"
_OLD_ID: Final = "^[0-9]{15}$"
#: Nobody alive was born before; numbers were given from 1984 on.
_FIRST_BIRTH: Final = np.datetime64("1850-01-01")
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC: Final = f"^[{_USCC_ALPHABET}]{{18}}$"
_USCC_WEIGHTS: Final = np.array([pow(3, i, 31) for i in range(17)])
_USCC_VALUES: Final = np.zeros(128, np.int64)
_USCC_VALUES[np.frombuffer(_USCC_ALPHABET.encode(), np.uint8)] = np.arange(31)


def are_like(texts: pa.Array, pattern: str) -> Flags:
    """Tell which texts match an RE2 pattern; a NULL does not."""
    found = pc.fill_null(pc.match_substring_regex(texts, pattern), False)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def are_resident_ids(texts: pa.Array, business_date: date) -> Flags:
    """Tell which are resident identity numbers: a day of birth that was, and the check digit."""
    looks, cells = _of_shape(texts, _ID, 18)
    digits = cells[:, :17].astype(np.int64) - ord("0")
    born, is_day = _births(digits)
    is_right = (
        is_day
        & (born >= _FIRST_BIRTH)
        & (born <= np.datetime64(business_date, "D"))
        & (_ID_CHECKS[(digits @ _ID_WEIGHTS) % 11] == cells[:, 17])
    )
    return _put(looks, is_right)


def resident_ids_of_15(texts: pa.Array) -> pa.Array:
    """Return texts with each resident number of 15 digits in its 18-digit form (born 19…)."""
    looks, cells = _of_shape(texts, _OLD_ID, 15)
    if not len(cells):
        return texts
    century = np.tile(np.frombuffer(b"19", np.uint8), (len(cells), 1))
    first = np.hstack([cells[:, :6], century, cells[:, 6:]])
    check = _ID_CHECKS[((first.astype(np.int64) - ord("0")) @ _ID_WEIGHTS) % 11]
    whole = np.ascontiguousarray(np.hstack([first, check[:, None]]))
    made = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(18), len(whole), [None, pa.py_buffer(whole.tobytes())]
    )
    return pc.replace_with_mask(texts, pa.array(looks), made.cast(pa.binary()).cast(pa.string()))


def are_usccs(texts: pa.Array) -> Flags:
    """Tell which are unified social credit codes: weights 3^i mod 31, no I, O, S, V, Z."""
    looks, cells = _of_shape(texts, _USCC, 18)
    values = _USCC_VALUES[cells]
    check = (31 - (values[:, :17] @ _USCC_WEIGHTS) % 31) % 31
    return _put(looks, check == values[:, 17])


def _of_shape(texts: pa.Array, pattern: str, width: int) -> tuple[Flags, Octets]:
    """Return which texts match an ASCII pattern of one width, and these as rows of octets."""
    looks = are_like(texts, pattern)
    those = texts.filter(pa.array(looks)).cast(pa.binary()).cast(pa.binary(width))
    start = those.offset * width
    octets = np.frombuffer(those.buffers()[1] or b"", np.uint8)
    return looks, octets[start : start + len(those) * width].reshape(len(those), width)


def _births(digits: np.ndarray) -> tuple[np.ndarray, Flags]:
    """Return the days in places 7 to 14 of numbers, and which of them the calendar has."""
    year = digits[:, 6:10] @ np.array((1000, 100, 10, 1))
    month = digits[:, 10] * 10 + digits[:, 11]
    day = digits[:, 12] * 10 + digits[:, 13]
    return days_of(year, month, day)


def days_of(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, Flags]:
    """Return days as ``datetime64[D]``, and which of them the calendar has (years 0 to 9999)."""
    is_month = (month >= 1) & (month <= 12)  # noqa: PLR2004  (months of a year)
    first = (year - 1970) * 12 + np.where(is_month, month, 1) - 1
    months = first.astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    return days, np.asarray(is_month & (day >= 1) & (days.astype("datetime64[M]") == months))


def _put(where: Flags, flags: Flags) -> Flags:
    """Return ``flags`` in the places ``where`` they were found, false elsewhere."""
    found = np.zeros(len(where), dtype=bool)
    found[where] = flags
    return found
