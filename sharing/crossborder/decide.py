"""Decide whether data may go abroad: rows 0–10 of ``rules.csv``, top-down, the first match wins.

Source: 促进和规范数据跨境流动规定 (CAC, 2024-03-22) Art. 3–9; PIPL Art. 36; 网络数据安全管理条例
Art. 37. The order of the rows is this project's choice; nothing here is legal advice.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

from contracts.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contracts.model import Level

Outcome = Literal["deny", "security_assessment", "contract_or_certification", "exempt"]
Grade = Literal["general", "important", "core", "secret"]
#: Art. 5's cases: the person's own contract, employment under lawful rules, life and property.
Necessity = Literal["contract_with_person", "human_resources", "emergency"]

GENERAL_CONTRACT: Final = 100_000
GENERAL_ASSESSMENT: Final = 1_000_000
SENSITIVE_ASSESSMENT: Final = 10_000
_FILE: Final = Path(__file__).with_name("rules.csv")
_NEGATIVE_LIST: Final = Path(__file__).with_name("negative_list.csv")


@dataclass(frozen=True)
class Counters:
    """Distinct persons since 1 January of one exporter; exempt exports (rows 3–6) are not in it."""

    general: int = 0
    sensitive: int = 0

    def __post_init__(self) -> None:
        if self.general < 0 or self.sensitive < 0:
            raise UsageError("A count of persons is negative.", "Count them again.")

    @property
    def has_persons(self) -> bool:
        """Whether anybody is counted."""
        return self.general + self.sensitive > 0


@dataclass(frozen=True)
class Facts:
    """What a decision is made of; ``counters`` include this export.

    ``has_security_assessment`` says that one holds on the day; ``is_assessment_over`` that the one
    which the export names holds no more.
    """

    grade: Grade
    level: Level
    is_state_organ: bool
    has_personal_information: bool
    counters: Counters = Counters()
    has_security_assessment: bool = False
    is_foreign_collected_only: bool = False
    necessity: Necessity | None = None
    is_in_ftz: bool = False
    is_on_negative_list: bool = False
    is_ciio: bool = False
    is_assessment_over: bool = False

    def __post_init__(self) -> None:
        if self.counters.has_persons and not self.has_personal_information:
            raise UsageError(
                "Persons are counted in data said to be without personal information.",
                "Say that it holds personal information.",
            )


@dataclass(frozen=True)
class Decision:
    """Which row matched, what follows, by which version of the rules and at which counts."""

    row: int
    outcome: Outcome
    rule_version: str
    counters: Counters
    source: str


@dataclass(frozen=True)
class Rule:
    """One row of the table: its outcome and where it is written."""

    version: str
    row: int
    outcome: Outcome
    source: str


@dataclass(frozen=True)
class Listed:
    """A field of a free-trade zone's negative list."""

    version: str
    industry: str
    scenario: str
    field: str
    threshold: str
    route: str


def _is_kept_home(f: Facts) -> bool:
    return f.grade in ("core", "secret") or (f.level == "L4" and f.is_state_organ)


def _is_organ_unassessed(f: Facts) -> bool:
    is_assessed = f.has_security_assessment and not f.is_assessment_over
    return f.is_state_organ and f.has_personal_information and not is_assessed


def _is_to_assess(f: Facts) -> bool:
    c = f.counters
    return c.sensitive >= SENSITIVE_ASSESSMENT or c.general >= GENERAL_ASSESSMENT


#: One condition a row; row 9 has no lower bound of sensitive persons, so one leaves row 10.
CONDITIONS: Final[Mapping[int, Callable[[Facts], bool]]] = {
    0: _is_kept_home,
    1: _is_organ_unassessed,
    2: lambda f: f.grade == "important",
    3: lambda f: not f.has_personal_information,
    4: lambda f: f.is_foreign_collected_only,
    5: lambda f: f.necessity is not None,
    6: lambda f: f.is_in_ftz and not f.is_on_negative_list,
    7: lambda f: f.is_ciio,
    8: _is_to_assess,
    9: lambda f: f.counters.general >= GENERAL_CONTRACT or f.counters.sensitive > 0,
    10: lambda _: True,
}
#: Rows whose persons do not count towards rows 8–10.
UNCOUNTED_ROWS: Final = frozenset({3, 4, 5, 6})


def decide(facts: Facts) -> Decision:
    """Return what the first matching row says of an export.

    What is to be assessed is denied where the assessment that it relies on is over (Art. 9).
    """
    for rule in rules():
        if CONDITIONS[rule.row](facts):
            is_denied = rule.outcome == "security_assessment" and facts.is_assessment_over
            outcome = "deny" if is_denied else rule.outcome
            return Decision(rule.row, outcome, rule.version, facts.counters, rule.source)
    raise AssertionError("the last row matches everything")


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rows of ``rules.csv`` in order.

    Raises UsageError where its rows are not those that have a condition.
    """
    with _FILE.open(encoding="utf-8", newline="") as file:
        found = tuple(
            Rule(r["version"], int(r["row"]), _outcome(r["outcome"]), r["source"])
            for r in csv.DictReader(file)
        )
    if [r.row for r in found] != list(CONDITIONS) or len({r.version for r in found}) != 1:
        raise UsageError(
            f"rules.csv does not hold rows 0–{max(CONDITIONS)} of one version.",
            "Write each row once, in order.",
        )
    return found


def negative_list() -> tuple[Listed, ...]:
    """Return the fields on the zone's negative list; none is shipped, for none was read."""
    with _NEGATIVE_LIST.open(encoding="utf-8", newline="") as file:
        return tuple(Listed(**row) for row in csv.DictReader(file))


def _outcome(text: str) -> Outcome:
    if text not in get_args(Outcome):
        raise UsageError(f"rules.csv: {text!r} is no outcome.", f"Use {get_args(Outcome)}.")
    return text  # type: ignore[return-value]  # it was just compared
