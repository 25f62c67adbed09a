"""Reads ``slaProperties``: when a delivery is due and how long it is kept (ODCS v3.1, SLA).

Units are written out in full or as the standard abbreviates them; another unit is an error, never
a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any, Final

from contracts import model
from contracts.part import Part
from contracts.standard import SLA, SLA_UNCHECKED, nearest, refused
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contracts.document import Document, Place

_CYCLES: Final[Mapping[tuple[float, str], model.Cycle]] = {
    (1, "d"): "daily",
    (7, "d"): "weekly",
    (1, "w"): "weekly",
    (1, "m"): "monthly",
    (3, "m"): "quarterly",
    (1, "y"): "yearly",
}
_UNITS: Final[Mapping[str, str]] = {
    word: unit
    for unit, words in {
        "min": ("min", "minute", "minutes"),
        "h": ("h", "hr", "hour", "hours"),
        "d": ("d", "day", "days"),
        "w": ("w", "week", "weeks"),
        "m": ("m", "month", "months"),
        "y": ("y", "yr", "year", "years"),
    }.items()
    for word in words
}
_HOURS: Final = {"min": 1 / 60, "h": 1.0, "d": 24.0}
_DAYS: Final = {"d": 1, "w": 7, "m": 31, "y": 366}
_CITY_OFFSET: Final = timedelta(hours=8)


@dataclass(frozen=True)
class Levels(Part):
    """Reads the service levels: what a delivery is held against, and what only people can tell."""

    def levels(self) -> tuple[model.Schedule, tuple[str, ...]]:
        """Return the schedule, and the standard's other service levels by name."""
        fields: dict[str, Any] = {}
        unchecked: list[str] = []
        for i, item in enumerate(self.doc.data.get("slaProperties") or ()):
            place, name = ("slaProperties", i), str(item["property"])
            self.note(refused(self.doc, item, place, SLA))
            with self.faults.noted():
                if name in SLA_UNCHECKED:
                    unchecked.append(name)
                elif name not in READ:
                    raise self.doc.fail(
                        (*place, "property"),
                        Words(
                            f"没有程序读取服务级别 {name!r}",
                            f"nothing reads the service level {name!r}",
                        ),
                        nearest(name, (*READ, *SLA_UNCHECKED)),
                    )
                elif READ[name][0] in fields:
                    raise self.doc.fail(
                        place,
                        Words(f"{name} 在此出现两次", f"{name} stands here twice"),
                        Words("请保留其一。", "Keep one of the two."),
                    )
                else:
                    of, read = READ[name]
                    fields[of] = read(self.doc, item, place)
        schedule = self.read(
            lambda: self.doc.parse(model.Schedule, fields, ("slaProperties",)), model.Schedule()
        )
        return schedule, tuple(dict.fromkeys(unchecked))


def _measure(
    doc: Document, item: Mapping[str, Any], place: Place, default: str
) -> tuple[float, str]:
    value = item.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:  # noqa: PLR2004
        raise doc.fail(
            (*place, "value"),
            Words(f"{value!r} 不是时长", f"{value!r} is no span of time"),
            Words("请写不小于 0 的数及其单位。", "Write a number ≥ 0, and its unit."),
        )
    unit = _UNITS.get(str(item.get("unit") or default))
    if unit is None:
        raise doc.fail(
            (*place, "unit"),
            Words(f"{item.get('unit')!r} 不是时间单位", f"{item.get('unit')!r} is no unit of time"),
            Words("请用 min、h、d、w、m 或 y。", "Use min, h, d, w, m or y."),
        )
    return value, unit


def _cycle(doc: Document, item: Mapping[str, Any], place: Place) -> model.Cycle:
    measure = _measure(doc, item, place, "d")
    cycle = _CYCLES.get(measure)
    if cycle is None:
        span = f"{measure[0]:g} {measure[1]}"
        raise doc.fail(
            place,
            Words(f"没有 {span} 的周期", f"no cycle is {span}"),
            Words("请用 1 d、7 d、1 m、3 m、1 y。", "Use 1 d, 7 d, 1 m, 3 m, 1 y."),
        )
    return cycle


def _latency(doc: Document, item: Mapping[str, Any], place: Place) -> float:
    value, unit = _measure(doc, item, place, "h")
    if unit not in _HOURS:
        raise doc.fail(
            (*place, "unit"),
            Words(f"以 {unit!r} 计的时延不成期限", f"a latency in {unit!r} is no deadline"),
            Words("请用 h 或 d。", "Use h or d."),
        )
    return value * _HOURS[unit]


def _retention(doc: Document, item: Mapping[str, Any], place: Place) -> int:
    value, unit = _measure(doc, item, place, "d")
    if unit not in _DAYS:
        raise doc.fail(
            (*place, "unit"),
            Words(f"以 {unit!r} 计的保存期过短", f"a retention in {unit!r} is too short"),
            Words("请用 d、m 或 y。", "Use d, m or y."),
        )
    return int(value * _DAYS[unit])


def _clock(doc: Document, item: Mapping[str, Any], place: Place) -> time:
    """Parse ``HH:MM`` in city time; a written offset must be the city's."""
    text = item.get("value")
    try:
        if not isinstance(text, str) or ":" not in text:
            raise ValueError(text)  # noqa: TRY301  (YAML reads a bare 10:00 as the number 600)
        parsed = time.fromisoformat(text)
    except ValueError:
        raise doc.fail(
            place,
            Words(f"{text!r} 不是时刻", f"{text!r} is no time of day"),
            Words('请写 "HH:MM+08:00"，带引号。', 'Write "HH:MM+08:00", in quotes.'),
        ) from None
    if parsed.tzinfo is not None and parsed.utcoffset() != _CITY_OFFSET:
        raise doc.fail(
            place,
            Words(f"{text!r} 不是本市时间", f"{text!r} is not city time"),
            Words("请带 +08:00 书写。", "Write it with +08:00."),
        )
    return parsed.replace(tzinfo=None)


#: The service levels that are read, each into a field of the schedule.
READ: Final[Mapping[str, tuple[str, Callable[[Document, Mapping[str, Any], Place], Any]]]] = {
    "frequency": ("cycle", _cycle),
    "timeOfAvailability": ("available_at", _clock),
    "latency": ("latency_h", _latency),
    "retention": ("retention_d", _retention),
}
