"""Dates and timestamps that were written in a declared format, a whole column at once.

A text that is not written so, or names no day or no time that there is, is NULL: nothing is
guessed. A time without an offset is the city's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts.model import CITY_TZ
from contracts.time_format import month_number, time_format
from jobs.arrays import days_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contracts.time_format import TimeFormat
    from jobs.arrays import Flags

    Whole = np.ndarray[tuple[int], np.dtype[np.int64]]

#: Years of four digits; others are typing errors, and most readers cannot hold them.
_FIRST, _LAST = np.datetime64("1000-01-01"), np.datetime64("9999-12-31")
_DAY_US: Final = 86_400_000_000
_SECOND_US: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: China has kept one time without summer time since.
_SINGLE_TIME_US: Final = int(np.datetime64("1992-01-01", "us").astype(np.int64))
_NO_OFFSET: Final = 0
#: Serials below are off by one: spreadsheets count a 29 February 1900 that never was.
_FIRST_SERIAL, _LAST_SERIAL = 61, 2958465
_SERIAL_ZERO: Final = np.datetime64("1899-12-30").astype(np.int64)


def dates(texts: pa.Array, form: str) -> pa.Array:
    """Return the days (date32) that texts name; one with an offset names its day in UTC."""
    local, valid = _written(texts, time_format(form))
    return _masked(local // _DAY_US, valid, pa.int64()).cast(pa.int32()).cast(pa.date32())


def timestamps(texts: pa.Array, form: str) -> pa.Array:
    """Return the instants (microseconds, UTC) that texts name."""
    read = time_format(form)
    local, valid = _written(texts, read)
    if not read.says_zone:
        local = _of_city(local, valid)
    return _masked(local, valid, pa.timestamp("us", "UTC"))


def serial_dates(numbers: pa.Array) -> pa.Array:
    """Return the days of a spreadsheet's day numbers, counted from 1899-12-30."""
    values = np.asarray(pc.fill_null(numbers, 0.0))
    valid = (values >= _FIRST_SERIAL) & (values <= _LAST_SERIAL)
    days = np.where(valid, values, 0).astype(np.int64) + _SERIAL_ZERO
    return _masked(days, valid, pa.int64()).cast(pa.int32()).cast(pa.date32())


def _masked(values: Whole, valid: Flags, kind: pa.DataType) -> pa.Array:
    return pa.array(values, pa.int64(), mask=~valid).cast(kind)


def _written(texts: pa.Array, form: TimeFormat) -> tuple[Whole, Flags]:
    """Return microseconds since 1970 as written, the offset taken off, and which texts say any."""
    found = pc.extract_regex(texts, form.regex)
    valid = np.asarray(pc.is_valid(found).to_numpy(zero_copy_only=False))
    parts = {name: pc.struct_field(found, name) for name in form.parts}
    days, is_day = _days(parts, len(texts))
    micros, is_time = _times(parts, len(texts))
    local = days * _DAY_US + micros
    valid &= is_day & is_time
    if "offset" in parts:
        local -= _each(parts["offset"], _offset_s, _NO_OFFSET) * _SECOND_US
    if "zone" in parts:
        local, is_zone = _zoned(local, parts["zone"], valid)
        valid &= is_zone
    day = (local // _DAY_US).astype("datetime64[D]")
    valid &= (day >= _FIRST) & (day <= _LAST)
    return local, valid


def _days(parts: Mapping[str, pa.Array], length: int) -> tuple[Whole, Flags]:
    year = _number(parts, "year", length, 1970)
    if "short_year" in parts:
        year = 2000 + _number(parts, "short_year", length, 0)
    month = _number(parts, "month", length, 1)
    if "month_name" in parts:
        month = _each(parts["month_name"], month_number, 1)
    days, is_day = days_of(year, month, _number(parts, "day", length, 1))
    return days.astype(np.int64), is_day


def _times(parts: Mapping[str, pa.Array], length: int) -> tuple[Whole, Flags]:
    """Return microseconds of the day, and which of these there are."""
    hour = _number(parts, "hour", length, 0)
    valid = hour <= 23  # noqa: PLR2004  (hours of a day)
    if "half_hour" in parts:
        half = _number(parts, "half_hour", length, 12)
        valid &= (half >= 1) & (half <= 12)  # noqa: PLR2004  (hours of a clock)
        is_after = _each(parts["half"], lambda t: t.upper() == "PM", 0) if "half" in parts else 0
        hour = half % 12 + 12 * is_after
    minute, second = _number(parts, "minute", length, 0), _number(parts, "second", length, 0)
    valid &= (minute <= 59) & (second <= 59)  # noqa: PLR2004  (minutes, seconds)
    micros = ((hour * 60 + minute) * 60 + second) * _SECOND_US
    if "fraction" in parts:
        digits = pc.utf8_slice_codeunits(pc.utf8_rpad(parts["fraction"], 9, "0"), 0, 6)
        micros = micros + _numbers(digits, 0)
    return micros, np.asarray(valid)


def _number(parts: Mapping[str, pa.Array], name: str, length: int, missing: int) -> Whole:
    if name not in parts:
        return np.full(length, missing, np.int64)
    return _numbers(parts[name], missing)


def _numbers(digits: pa.Array, missing: int) -> Whole:
    """Return texts of digits as numbers; ``missing`` where there are none."""
    there = pc.if_else(pc.equal(digits, ""), pa.scalar(None, pa.string()), digits)
    return np.asarray(pc.fill_null(pc.cast(there, pa.int64()), missing))


def _each(texts: pa.Array, function: Callable[[str], int], missing: int) -> Whole:
    """Put a function to each distinct text that says something."""
    coded = texts.dictionary_encode()
    values = [function(t) if t else missing for t in coded.dictionary.to_pylist()]
    taken = pc.take(pa.array([int(v) for v in values], pa.int64()), coded.indices)
    return np.asarray(pc.fill_null(taken, missing))


def _offset_s(text: str) -> int:
    if text.upper() == "Z":
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if text.startswith("-") else seconds


def _of_city(local: Whole, valid: Flags) -> Whole:
    """Return the instants of city times; of an hour that a clock showed twice, the first."""
    known = local - 8 * 3600 * _SECOND_US
    for i in np.flatnonzero(valid & (local < _SINGLE_TIME_US)):
        known[i] = _instant_us(int(local[i]), CITY_TZ)
    return known


def _zoned(local: Whole, zones: pa.Array, valid: Flags) -> tuple[Whole, Flags]:
    """Return the instants of times in named zones, and which zones there are."""
    instants, is_zone = local.copy(), np.zeros(len(local), dtype=bool)
    names = zones.to_pylist()
    for i in np.flatnonzero(valid):
        zone = _zone(names[i])
        if zone is not None:
            instants[i], is_zone[i] = _instant_us(int(local[i]), zone), True
    return instants, is_zone


@cache
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _instant_us(local_us: int, zone: ZoneInfo) -> int:
    """Return the UTC microseconds of a wall clock's; what a clock skipped is read as before it."""
    days, rest = divmod(local_us, _DAY_US)
    shown = (_EPOCH + timedelta(days=days, microseconds=rest)).replace(tzinfo=zone)
    offset = shown.utcoffset() or timedelta(0)
    return local_us - (offset.days * _DAY_US + offset.seconds * _SECOND_US)
