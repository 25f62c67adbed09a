"""Calendars of working days that an operator adds: the State Council's yearly notice as a CSV.

For a year that the installed ``chinesecalendar`` does not know yet. The file lies in
``JINGSHU_HOME/calendars/<year>.csv``; what it says is signed by the evidence log, whose leaf names
its digest, the notice and who added it, and ``verify`` holds the file against it.

Columns: ``date`` (ISO 8601), ``kind`` (``holiday`` or ``workday``), ``name``. Listed are the days
that are not as their weekday: holidays from Monday to Friday or longer, and Saturdays and Sundays
that are worked (调休).
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from contracts.errors import UsageError
from contracts.words import Words
from jobs.record import leaves
from jobs.verify.report import checked
from lineage.evidence.durable import write_durably
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from sharing.people import require

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from contracts.layout import Home
    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked
    from sharing.people import Actor

_COLUMNS: Final = ["date", "kind", "name"]
#: Statutory holidays on a fixed day of every year (全国年节及纪念日放假办法, 2024-11-10).
_ALWAYS: Final = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))
_LEAST_HOLIDAYS: Final = 13
_SATURDAY: Final = 5


@dataclass(frozen=True)
class Calendar:
    """The days of one year that are not as their weekday: True where they are worked."""

    year: int
    days: Mapping[date, bool]

    def is_workday(self, day: date) -> bool:
        """Tell whether offices work on a day of this year."""
        return self.days.get(day, day.weekday() < _SATURDAY)


def add_calendar(home: Home, content: bytes, notice: str, actor: Actor) -> Calendar:
    """Keep the calendar of a year, with its leaf; another notice of the same year replaces it.

    Raises:
        UsageError: The file is no calendar of one year, or no notice is named.
        ForbiddenError: The actor may not.
    """
    require(actor, "keep_calendar", actor.body)
    calendar = parse_calendar(content)
    if not notice.strip():
        raise UsageError(
            Words("未写明国务院通知的文号。", "The State Council's notice is not named."),
            Words(
                "请填写文号，如 国办发明电〔2026〕8号。", "Name it, such as 国办发明电〔2026〕8号."
            ),
        )
    path = _path(home, calendar.year)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, content, scratch=path.parent / ".drafts")
    digest = hashlib.sha256(content).hexdigest()
    leaf = leaves.leaf(
        "calendar",
        _subject(home, calendar.year, digest),
        {"sha256": digest, "notice": notice.strip(), "days": len(calendar.days),
         "actor": actor.name, "body": actor.body},
    )  # fmt: skip
    leaves.state(home, leaf)
    return calendar


def _subject(home: Home, year: int, digest: str) -> str:
    """Return what a calendar's leaf is about; one that is taken up again has a leaf of its own."""
    log, subject = EvidenceLog(home), f"{year}#{digest[:12]}"
    if log.find(f"calendar:{subject}") is None:
        return subject
    entries = (Leaf.parse(entry) for _, entry in log.entries())
    of_year = [x for x in entries if x.type == "calendar" and x.subject.startswith(f"{year}#")]
    is_newest = of_year[-1].facts["sha256"] == digest
    return of_year[-1].subject if is_newest else f"{subject}/{len(of_year)}"


def parse_calendar(content: bytes) -> Calendar:
    """Read a calendar; UsageError names the line that is wrong, and what is missing."""
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error):
        rows = []
    if not rows or list(rows[0]) != _COLUMNS:
        head = ",".join(_COLUMNS)
        raise UsageError(
            Words("这个文件不是工作日历。", "The file is no calendar of working days."),
            Words(f"首行须为 {head}（UTF-8）。", f"Its first line is: {head} (UTF-8)."),
        )
    days: dict[date, bool] = {}
    for number, row in enumerate(rows, 2):
        day, is_worked = _day(row, number)
        if day in days:
            raise _wrong(number, Words(f"{day} 重复", f"{day} stands twice"))
        days[day] = is_worked
    years = {day.year for day in days}
    if len(years) != 1:
        raise UsageError(
            Words(f"须只含一年，这里有 {len(years)} 年。", f"It speaks of {len(years)} years."),
            Words("请一年一个文件。", "Give each its own file."),
        )
    [year] = years
    lacking = [date(year, *day) for day in _ALWAYS if days.get(date(year, *day), True)]
    holidays = sum(not is_worked for is_worked in days.values())
    if lacking or holidays < _LEAST_HOLIDAYS:
        named = ", ".join(map(str, lacking))
        days_zh = named or f"{_LEAST_HOLIDAYS} 天中只有 {holidays} 天"
        days_en = named or f"{holidays} of {_LEAST_HOLIDAYS} holidays"
        raise UsageError(
            Words(f"缺法定节假日：{days_zh}。", f"It lacks statutory holidays: {days_en}."),
            Words(
                "请按通知逐日列出，落在周末的也要列。",
                "List every day of the notice, also those on a weekend.",
            ),
        )
    return Calendar(year, days)


def calendar_of(home: Home, year: int) -> Calendar | None:
    """Return the calendar that was added for a year; None where there is none."""
    path = _path(home, year)
    try:
        changed_ns = path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    return _read(path, changed_ns)


def calendars(lake: Lake) -> Iterator[Checked]:
    """Invariant 6: each added calendar is the one that its newest leaf names."""
    newest = {leaf.subject.partition("#")[0]: leaf for leaf in lake.log if leaf.type == "calendar"}
    folder = lake.home.root / "calendars"
    files = {path.stem: path for path in folder.glob("*.csv")}
    for year in sorted(newest.keys() | files.keys()):
        problem = None
        if year not in newest:
            problem = Words("没有存证提到它：无人添加过", "no leaf names it: nobody added it")
        elif year not in files:
            problem = Words("文件已不在，其存证还在", "the file is gone, and its leaf is there")
        elif hashlib.sha256(files[year].read_bytes()).hexdigest() != newest[year].facts["sha256"]:
            problem = Words("添加之后被改过", "it was changed since it was added")
        yield checked(6, f"calendars/{year}.csv", problem)


def _day(row: Mapping[str, str], number: int) -> tuple[date, bool]:
    try:
        day = date.fromisoformat(row["date"] or "")
    except (ValueError, TypeError):
        raise _wrong(
            number, Words("日期须写作 2027-01-01", "the date is written 2027-01-01")
        ) from None
    if row["kind"] not in ("holiday", "workday"):
        raise _wrong(number, Words("kind 须为 holiday 或 workday", "kind is holiday or workday"))
    if row["kind"] == "workday" and day.weekday() < _SATURDAY:
        raise _wrong(number, Words(f"{day} 本是工作日", f"{day} is a working day as it is"))
    return day, row["kind"] == "workday"


def _wrong(number: int, problem: Words) -> UsageError:
    return UsageError(
        Words(f"第 {number} 行：{problem.zh}。", f"Line {number}: {problem.en}."),
        Words("请改正这一行。", "Mend the line."),
    )


def _path(home: Home, year: int) -> Path:
    return home.root / "calendars" / f"{year}.csv"


@lru_cache(maxsize=8)
def _read(path: Path, _changed_ns: int) -> Calendar:
    return parse_calendar(path.read_bytes())
