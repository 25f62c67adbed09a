"""Identifiers and their check digits, a whole column at once.

Every function takes normalised texts and returns, of each, whether it is one; a NULL is none.
Sources: GB 11643-1999 and ISO 7064 MOD 11-2 (resident numbers), GB 32100-2015 (credit codes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.arrays import flags, octets
from jobs.resident_id import births, check_characters, digits

if TYPE_CHECKING:
    from datetime import date

    from jobs.arrays import Flags, Octets

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
    return flags(pc.match_substring_regex(texts, pattern))


def are_resident_ids(texts: pa.Array, business_date: date) -> Flags:
    """Tell which are resident identity numbers: a day of birth that was, and the check digit."""
    looks, cells = _of_shape(texts, _ID, 18)
    first = digits(cells)
    born, is_day = births(first)
    is_right = (
        is_day
        & (born >= _FIRST_BIRTH)
        & (born <= np.datetime64(business_date, "D"))
        & (check_characters(first) == cells[:, 17])
    )
    return _put(looks, is_right)


def resident_ids_of_15(texts: pa.Array) -> pa.Array:
    """Return texts with each resident number of 15 digits in its 18-digit form (born 19…)."""
    looks, cells = _of_shape(texts, _OLD_ID, 15)
    if not len(cells):
        return texts
    century = np.tile(np.frombuffer(b"19", np.uint8), (len(cells), 1))
    first = np.hstack([cells[:, :6], century, cells[:, 6:]])
    check = check_characters(digits(first))
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
    return looks, octets(texts.filter(pa.array(looks)), width)


def _put(where: Flags, are_right: Flags) -> Flags:
    """Return ``are_right`` in the places ``where`` they were found, false elsewhere."""
    found = np.zeros(len(where), dtype=bool)
    found[where] = are_right
    return found
