"""The versions of the rules on exports: each with its day, its rows in order and its thresholds.

``rules.csv`` holds every version there was, side by side. ``valid_from`` is the day from which the
law of a version is in force; a later version of the same day mends how that law was read. The rows
of a version match in the order of the file; a row's number is its name.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

from contracts.errors import UsageError
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

Outcome = Literal[
    "deny", "security_assessment", "contract_or_certification", "exempt", "undetermined"
]
FILE: Final = Path(__file__).with_name("rules.csv")
#: Rows that a version must have, for their thresholds or because they match everything.
_NEEDED: Final = frozenset(range(11))
_LAST: Final = 10


@dataclass(frozen=True)
class Rule:
    """One row of a version: its outcome, the counts of persons it begins at, where it is written.

    None is no threshold; a row with two is reached by either.
    """

    version: str
    row: int
    outcome: Outcome
    general_from: int | None
    sensitive_from: int | None
    source: str

    def is_reached(self, general: int, sensitive: int) -> bool:
        """Tell whether counts of distinct persons come to one of its thresholds."""
        return (self.general_from is not None and general >= self.general_from) or (
            self.sensitive_from is not None and sensitive >= self.sensitive_from
        )


@dataclass(frozen=True)
class Rulebook:
    """One version of the rules, in force from a day on."""

    version: str
    valid_from: date
    rules: tuple[Rule, ...]

    def rule(self, row: int) -> Rule:
        """Return the row of a number; KeyError where this version has none."""
        found = next((rule for rule in self.rules if rule.row == row), None)
        if found is None:
            raise KeyError(row)
        return found


@cache
def rulebooks(file: Path = FILE) -> tuple[Rulebook, ...]:
    """Return every version, the oldest first.

    Raises UsageError for a version that lacks a row, repeats one, is out of order or in two parts.
    """
    with file.open(encoding="utf-8", newline="") as opened:
        lines = list(csv.DictReader(opened))
    groups = groupby(lines, key=lambda line: (line["version"], line["valid_from"]))
    books = tuple(
        Rulebook(version, date.fromisoformat(day), tuple(_rule(line) for line in rows))
        for (version, day), rows in groups
    )
    for book in books:
        rows = [rule.row for rule in book.rules]
        if not set(rows) >= _NEEDED or len(set(rows)) != len(rows) or rows[-1] != _LAST:
            raise _broken(
                Words(
                    f"版本 {book.version} 的第 0–10 行须各有一次，且第 10 行在最后",
                    f"version {book.version} does not hold rows 0–10, 10 last, once each",
                )
            )
    days = [book.valid_from for book in books]
    if not books or days != sorted(days) or len({b.version for b in books}) != len(books):
        raise _broken(
            Words(
                "各版本须按生效日期排列，且各自连续",
                "its versions are not in the order of their days, each in one part",
            )
        )
    return books


def rulebook_on(day: date, books: Sequence[Rulebook] | None = None) -> Rulebook:
    """Return the version in force on a day; UsageError where none was yet."""
    found = [b for b in (rulebooks() if books is None else books) if b.valid_from <= day]
    if not found:
        raise UsageError(
            Words(f"{day} 尚无出境规则。", f"No rules on exports were in force on {day}."),
            Words(
                "请在 sharing/crossborder/rules.csv 中补充。",
                "Add them to sharing/crossborder/rules.csv.",
            ),
        )
    return found[-1]


def rulebook_of(
    version: str, day: date, books: Sequence[Rulebook] | None = None
) -> Rulebook | None:
    """Return the version that a decision of a day names, where its law was in force that day.

    None: there is no such version, or on that day the law was another.
    """
    known = rulebooks() if books is None else books
    in_force = [b.valid_from for b in known if b.valid_from <= day]
    found = next((b for b in known if b.version == version), None)
    return found if found and in_force and found.valid_from == in_force[-1] else None


def _rule(line: dict[str, str]) -> Rule:
    outcome = line["outcome"]
    if outcome not in get_args(Outcome):
        raise _broken(Words(f"{outcome!r} 不是判定结果", f"{outcome!r} is no outcome"))
    general, sensitive = (
        int(line[name]) if line[name] else None for name in ("general_from", "sensitive_from")
    )
    return Rule(
        line["version"],
        int(line["row"]),
        outcome,  # type: ignore[arg-type]  # it was just compared
        general,
        sensitive,
        line["source"],
    )


def _broken(problem: Words) -> UsageError:
    return UsageError(
        Words(f"出境规则 rules.csv 有误：{problem.zh}。", f"rules.csv: {problem.en}."),
        Words("请改正该文件。", "Mend the file."),
    )
