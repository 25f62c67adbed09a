"""Arrow's arrays as NumPy sees them: flags, texts of one width as rows of octets, days."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
Octets = np.ndarray[tuple[int, int], np.dtype[np.uint8]]


def flags(found: pa.Array) -> Flags:
    """Return an array of booleans; NULL is false."""
    return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False), dtype=bool)


def octets(texts: pa.Array, width: int) -> Octets:
    """Return texts as rows of octets; each has ``width`` of them in UTF-8, and none is NULL."""
    those = texts.cast(pa.binary()).cast(pa.binary(width))
    start = those.offset * width
    found = np.frombuffer(those.buffers()[1] or b"", np.uint8)
    return found[start : start + len(those) * width].reshape(len(those), width)


def days_of(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, Flags]:
    """Return days as ``datetime64[D]``, and which of them the calendar has (years 0 to 9999)."""
    is_month = (month >= 1) & (month <= 12)  # noqa: PLR2004  (months of a year)
    first = (year - 1970) * 12 + np.where(is_month, month, 1) - 1
    months = first.astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    return days, np.asarray(is_month & (day >= 1) & (days.astype("datetime64[M]") == months))
