"""Runs every check of a city: those of its lake, and those of its control data, over one lake.

A check that cannot read a record says so, and proves the others; one that comes to no end is a
finding, and all the others still run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.words import Words
from jobs.verify.prove import CHECKS as OF_THE_LAKE
from jobs.verify.report import Finding, Report, checked
from sharing.calendars import calendars
from sharing.readable import error_line
from sharing.verify.attested import attested
from sharing.verify.catalogue import catalogue
from sharing.verify.grants import grants
from sharing.verify.lake import CityLake
from sharing.verify.records import records
from sharing.verify.requests import requests
from sharing.verify.rights import rights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from contracts.layout import Home
    from contracts.tree import Tree
    from jobs.verify.report import Checked

    Check = Callable[[CityLake], Iterable[Checked]]

CHECKS: Final[tuple[Check, ...]] = (
    *OF_THE_LAKE,
    records,
    grants,
    requests,
    rights,
    catalogue,
    calendars,
    attested,
)
#: A record that cannot be read breaks invariant 6, and so does a check that comes to no end:
#: whatever it was to prove, its records are not whole.
_RECORDS: Final = 6


def prove(home: Home, tree: Tree) -> Report:
    """Check every invariant of a city and return what was found; nothing, of an empty home."""
    report = Report()
    if not home.root.is_dir() or not any(home.root.iterdir()):
        return report
    lake = CityLake(home, tree)
    for check in CHECKS:
        report.add(answers(check, lake))
    return report


def answers(check: Check, lake: CityLake) -> Iterator[Checked]:
    """Yield what a check found, and each record that it cannot read."""
    lake.records.asked.clear()
    yield from _found(check, lake)
    for row in sorted(lake.records.unreadable, key=lambda row: row.where):
        if row.kind in lake.records.asked:
            name = _name(check)
            problem = Words(
                f"检查 {name} 无法读取它：{row.problem}",
                f"check {name} cannot read it: {row.problem}",
            )
            yield checked(_RECORDS, row.where, problem)


def _found(check: Check, lake: CityLake) -> list[Checked]:
    try:
        return list(check(lake))
    except Exception as error:  # noqa: BLE001 - what is planted may break anything
        stopped = error
    try:
        if lake.records.asked:
            lake.records.survey()
            return list(check(lake))
    except Exception as error:  # noqa: BLE001 - see above
        stopped = error
    line = error_line(stopped)
    problem = Words(f"它没有结束：{line}", f"it came to no end: {line}")
    return [(_RECORDS, Finding(_RECORDS, f"check {_name(check)}", problem))]


def _name(check: Check) -> str:
    """Return a check's name with its module's, where they are not the same."""
    module = check.__module__.rpartition(".")[2]
    return module if module == check.__name__ else f"{module}.{check.__name__}"
