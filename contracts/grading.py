"""Grading (分级): what a harm comes to, and what a table's columns come to together.

Source: GB/T 43697-2024, 就高从严; the matrix and the measures are reference tables of the tree, so
that the data authority amends them without code. What a table says of itself is held against this.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, get_args

from contracts.errors import UsageError
from contracts.model import LEVELS, max_level
from contracts.reference import PACKAGED, reference_csv
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from contracts.glossary import Term
    from contracts.model import Contract, Level
    from contracts.vocabulary import Gb43697, QuasiIdentifier

HarmedObject = Literal[
    "national_security", "economy", "social_order", "public_interest", "organisation", "individual"
]
Degree = Literal["very_serious", "serious", "slight", "none"]

#: Together they single out most people (domain reference §3); any one of them does not.
MEETING: Final[frozenset[QuasiIdentifier]] = frozenset(("district", "birth_date", "sex"))
#: Persons above which a table is one level higher.
MANY_PERSONS: Final = 1_000_000
#: Persons from which general data is important data (网络数据安全管理条例, Art. 28).
IMPORTANT_PERSONS: Final = 10_000_000
_GRADES: Final[tuple[Gb43697, ...]] = ("general", "important", "core")


@dataclass(frozen=True)
class Grade:
    """A cell of the matrix; core data has no level, because it is refused."""

    gb43697: Gb43697
    level: Level | None


@dataclass(frozen=True)
class Measures:
    """What a level asks for, as the reference table words it."""

    grade: str
    name: str
    at_rest: str
    approval: str
    release_form: str
    audit: str


@dataclass(frozen=True)
class TableGrade:
    """What a table comes to, and why it is above its highest column, where it is."""

    gb43697: Gb43697
    level: Level
    reasons: tuple[Words, ...] = ()


def grade(harmed: HarmedObject, degree: Degree, root: Path = PACKAGED.parent) -> Grade:
    """Return what harm of a degree to an object makes of data (GB/T 43697-2024, matrix).

    Raises UsageError for an object or a degree that the matrix does not have.
    """
    found = _matrix(reference_csv(root, "reference/grading_matrix.csv")).get((harmed, degree))
    if found is None:
        objects, degrees = get_args(HarmedObject), get_args(Degree)
        raise UsageError(
            Words(
                f"定级矩阵中没有对 {harmed!r} 的 {degree!r} 危害。",
                f"The matrix has no harm {degree!r} to {harmed!r}.",
            ),
            Words(
                f"对象请用 {'、'.join(objects)} 之一，程度请用 {'、'.join(degrees)} 之一。",
                f"Use one of {', '.join(objects)}, with {', '.join(degrees)}.",
            ),
        )
    return found


def measures(of: Level | Gb43697, root: Path = PACKAGED.parent) -> Measures:
    """Return what a level, important data or core data asks for; UsageError for other words."""
    found = _measures(reference_csv(root, "reference/grading_measures.csv")).get(of)
    if found is None:
        raise UsageError(
            Words(f"没有针对 {of!r} 的保护措施。", f"There are no measures for {of!r}."),
            Words(
                f"请用 {'、'.join(LEVELS)}、important 或 core。",
                f"Use {', '.join(LEVELS)}, important or core.",
            ),
        )
    return found


@cache
def _matrix(file: Path) -> Mapping[tuple[str, str], Grade]:
    with file.open(encoding="utf-8-sig", newline="") as handle:
        return {
            (row["harmed_object"], row["degree"]): Grade(
                next(g for g in _GRADES if g == row["gb43697"]),
                next((level for level in LEVELS if level == row["level"]), None),
            )
            for row in csv.DictReader(handle)
        }


@cache
def _measures(file: Path) -> Mapping[str, Measures]:
    with file.open(encoding="utf-8-sig", newline="") as handle:
        return {row["grade"]: Measures(**row) for row in csv.DictReader(handle)}


def next_level(level: Level) -> Level:
    """Return the level above; L4 stays L4."""
    return LEVELS[min(LEVELS.index(level) + 1, len(LEVELS) - 1)]


def quasi_identifiers(
    contract: Contract, glossary: Mapping[str, Term]
) -> Mapping[str, QuasiIdentifier]:
    """Return the columns that help to single out a person, and as what: declared, or by name."""
    found = {
        c.name: c.quasi_identifier
        or (glossary[c.name].quasi_identifier if c.name in glossary else None)
        for c in contract.columns
    }
    return {name: role for name, role in found.items() if role is not None}


def table_grade(
    columns: Iterable[Level], roles: Iterable[QuasiIdentifier], persons: int | None
) -> TableGrade:
    """Return what a table comes to: its highest column, and one level more where people stand out.

    ``roles`` are its columns' quasi-identifiers, ``persons`` how many people its rows are about.
    """
    highest = max_level(tuple(columns))
    reasons = []
    if frozenset(roles) >= MEETING:
        reasons.append(
            Words("其中同时有区、出生日期和性别", "district, birth date and sex meet in it")
        )
    if persons is not None and persons > MANY_PERSONS:
        many = f"{persons:,}"
        reasons.append(Words(f"其各行涉及 {many} 人", f"its rows are about {many} persons"))
    is_important = persons is not None and persons >= IMPORTANT_PERSONS
    level = next_level(highest) if reasons else highest
    return TableGrade(
        "important" if is_important else "general",
        max_level((level, "L4")) if is_important else level,
        tuple(reasons),
    )


def grade_of(contract: Contract, glossary: Mapping[str, Term]) -> TableGrade:
    """Return what a contract's columns come to, whatever it says of itself."""
    return table_grade(
        (c.effective_level for c in contract.columns),
        quasi_identifiers(contract, glossary).values(),
        contract.grading.persons if contract.grading else None,
    )


def is_below(declared: Gb43697, needed: Gb43697) -> bool:
    """Tell whether one grade of the standard is less than another."""
    return _GRADES.index(declared) < _GRADES.index(needed)
