"""What resident identity numbers are made of: GB 11643-1999, check by ISO 7064 MOD 11-2."""

from __future__ import annotations

from typing import Final

import numpy as np

from jobs.arrays import Flags, days_of

_WEIGHTS: Final = np.array((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))
_CHECKS: Final = np.frombuffer(b"10X98765432", np.uint8)


def digits(first: np.ndarray) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return the first 17 octets of each number as digits."""
    return first[:, :17].astype(np.int64) - ord("0")


def check_characters(first: np.ndarray) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """Return the octet that belongs behind each row of 17 digits."""
    return np.asarray(_CHECKS[(first @ _WEIGHTS) % 11])


def births(first: np.ndarray) -> tuple[np.ndarray, Flags]:
    """Return the days of birth in rows of 17 digits, and which of them the calendar has."""
    year = first[:, 6:10] @ np.array((1000, 100, 10, 1))
    month = first[:, 10] * 10 + first[:, 11]
    day = first[:, 12] * 10 + first[:, 13]
    return days_of(year, month, day)
