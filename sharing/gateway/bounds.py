"""What a file's statistics say for certain: least and greatest values, each in its column's type.

Only whole numbers, dates and text are compared. Floats are not, for NaN and the two zeros; times
are not, for Delta cuts their bounds to milliseconds; decimals and the rest are seldom asked for.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sharing.tables.datafile import DataFile
    from sharing.tables.snapshot import Snapshot

Value = str | int | date

WHOLE: Final = frozenset({"byte", "short", "integer", "long"})
#: The type of a column that is none of Delta's primitive types, or is compared by other rules than
#: its bounds: a collation's, or CHAR's, which pads what it is compared with.
OTHER: Final = "other"
#: Metadata of a field by which Spark compares text otherwise than byte by byte.
_BY_RULE: Final = ("__COLLATIONS", "__CHAR_VARCHAR_TYPE_STRING")
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: The shortest text that a writer may have cut (Iceberg cuts at 16 characters, Delta at 32).
_CUT_AT: Final = 16
#: What Delta writes behind a greatest text that it cut.
_TIES: Final = "\ufffd\U0010ffff"
_LAST: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)


@dataclass(frozen=True)
class Bounds:
    """What is known of one file's columns, by lower-case name; ``nulls`` are exact numbers.

    ``kinds`` has every column of the table, with Delta's type, or ``OTHER``, or empty where more
    columns than one are called so.
    """

    kinds: Mapping[str, str]
    low: Mapping[str, Value | None]
    high: Mapping[str, Value | None]
    nulls: Mapping[str, int]
    rows: int | None


def kinds_of(snapshot: Snapshot) -> dict[str, str]:
    """Return the types of a version's columns; names that differ by case alone have none."""
    found: dict[str, str] = {}
    for field in json.loads(snapshot.schema_json)["fields"]:
        name, kind = field["name"].lower(), field["type"]
        is_plain = isinstance(kind, str) and not any(
            key in _BY_RULE for key in field.get("metadata") or {}
        )
        found[name] = "" if name in found else kind if is_plain else OTHER
    return found


def bounds_of(file: DataFile, kinds: Mapping[str, str], physical: Mapping[str, str]) -> Bounds:
    """Read a file's statistics and partition; ``physical`` are lower-case names by those in it."""
    stats = json.loads(file.stats) if file.stats else {}
    rows = stats.get("numRecords")
    low = {n: _least(v) for n, v in _values(stats.get("minValues"), kinds, physical)}
    high = {n: greatest(v) for n, v in _values(stats.get("maxValues"), kinds, physical)}
    nulls = {physical[k]: n for k, n in stats.get("nullCount", {}).items() if k in physical}
    for real, text in file.partition.items():
        name = physical[real]
        # An empty text is read as null by some clients, and as itself by others.
        low[name] = high[name] = typed(kinds[name], text) if text else None
        nulls.pop(name, None)
        if text or (text is None and rows is not None):
            nulls[name] = 0 if text else rows
    # Rows that a deletion vector hides are still counted in nullCount, so it is no exact number.
    exact = {} if file.vector or file.inline_vector else nulls
    return Bounds(kinds, low, high, exact, rows)


def typed(kind: str, value: object) -> Value | None:
    """Read a value of a log as a column's type; ``None`` where that is not certain."""
    if kind in WHOLE and type(value) is not bool:
        return whole(str(value))
    if kind == "date":
        return day(str(value))
    return value if kind == "string" and isinstance(value, str) else None


def whole(text: str) -> int | None:
    """Read a whole number in plain digits, as every engine does."""
    return int(text) if _NUMBER.fullmatch(text) else None


def day(text: str) -> date | None:
    """Read a date in the one form that every engine reads alike."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _values(
    bounds: Mapping[str, Any] | None, kinds: Mapping[str, str], physical: Mapping[str, str]
) -> Iterator[tuple[str, Value | None]]:
    for real, value in (bounds or {}).items():
        if real in physical:
            yield physical[real], typed(kinds[physical[real]], value)


def _least(value: Value | None) -> Value | None:
    """Take off what stands for half a character where a text was cut."""
    return value.rstrip(_TIES) if isinstance(value, str) else value


def greatest(value: Value | None) -> Value | None:
    """Return what no value is above, if a text was cut: then more may follow it.

    Delta cuts between two halves of a character too, and its mark is below characters of four
    bytes, so the mark and what is before it tell nothing.
    """
    if not isinstance(value, str):
        return value
    core = value.rstrip(_TIES)
    if core == value and len(value) < _CUT_AT:
        return value
    core = core if core == value else core[:-1]
    while core and ord(core[-1]) == _LAST:
        core = core[:-1]
    if not core:
        return None
    following = ord(core[-1]) + 1
    return core[:-1] + chr(following if following not in _SURROGATES else _SURROGATES.stop)
