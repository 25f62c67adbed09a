"""Decide whether data may go abroad: the rows of a version of the rules, the first match wins.

Source: 促进和规范数据跨境流动规定 (CAC, 2024-03-22) Art. 3–9; PIPL Art. 36–41; 网络数据安全管理条例
Art. 35, 37; 数据安全法 Art. 36. The order of the rows is this project's choice; nothing here is
legal advice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from contracts.errors import UsageError
from contracts.words import Words
from sharing.crossborder.rules import Outcome, Rule, Rulebook, rulebooks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contracts.model import Level

Grade = Literal["general", "important", "core", "secret"]
#: Cases of Art. 5 (the person's own contract, employment under lawful rules, life and property) and
#: of 网络数据安全管理条例 Art. 35(6): what a law makes one's duty.
Necessity = Literal["contract_with_person", "human_resources", "emergency", "statutory_duty"]
#: What a free-trade zone's negative list asks of what is on it.
Route = Literal["security_assessment", "contract_or_certification"]
_COUNTRY: Final = re.compile("[A-Z]{2}")
_CHARACTERS: Final = 200


@dataclass(frozen=True)
class Counters:
    """Distinct persons since 1 January of one exporter; exempt exports (rows 3–6) are not in it."""

    general: int = 0
    sensitive: int = 0

    def __post_init__(self) -> None:
        if self.general < 0 or self.sensitive < 0:
            raise UsageError(
                Words("人数为负。", "A count of persons is negative."),
                Words("请重新计数。", "Count them again."),
            )

    @property
    def has_persons(self) -> bool:
        """Whether anybody is counted."""
        return self.general + self.sensitive > 0


@dataclass(frozen=True)
class Destination:
    """Who receives what goes abroad, in which country or region (ISO 3166-1), and for what."""

    recipient: str
    country: str
    purpose: str

    def __post_init__(self) -> None:
        for text in (self.recipient, self.purpose):
            if not 0 < len(text.strip()) <= _CHARACTERS or not text.isprintable():
                raise UsageError(
                    Words(
                        "出境须写明境外接收方与目的。",
                        "An export names its recipient and its purpose.",
                    ),
                    Words(
                        f"请写明，各不超过 {_CHARACTERS} 字。",
                        f"Name both, in up to {_CHARACTERS} characters each.",
                    ),
                )
        if not _COUNTRY.fullmatch(self.country) or self.country == "CN":
            raise UsageError(
                Words(
                    f"{self.country!r} 不是境外的国家或地区代码。",
                    f"{self.country!r} is no country or region abroad.",
                ),
                Words(
                    "请用 ISO 3166-1 的两位字母，如 SG。",
                    "Use two letters of ISO 3166-1, such as SG.",
                ),
            )


@dataclass(frozen=True)
class Scope:
    """What an assessment or another paper is about: whose export of which table, where to."""

    exporter: str
    dataset: str
    destination: Destination


@dataclass(frozen=True)
class Facts:
    """What a decision is made of; ``counters`` include this export.

    ``has_security_assessment`` says that one holds on the day; ``is_assessment_over`` that the one
    which the export names holds no more. ``is_held_by_organ`` asks whose the data is by origin, and
    ``has_title`` whether the exporter may use it. Decisions before 2026-3 know neither these nor
    what follows them: there the defaults stand, and no row of those versions asks for them.
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
    is_held_by_organ: bool = False
    has_title: bool = True
    is_for_foreign_authority: bool = False
    has_approval: bool = False
    zone_list: str | None = None
    """The version of the zone's negative list that was consulted; None: there is none."""
    zone_route: Route | None = None
    """What that list asks of this export, by columns that it names."""
    is_zone_open: bool = False
    """Whether that list may ask for more: no name decides it, nor has anybody who read it."""
    holders: tuple[str, ...] = ()
    title: str = ""
    """By what the exporter may use the data: as its holder, by a right, or by a grant."""
    because: str = ""
    """Why the export is necessary, where it is claimed to be."""
    destination: Destination | None = None
    lacking: tuple[str, ...] = ()
    """Papers that the law asks for and that are not on record for this export."""

    def __post_init__(self) -> None:
        if self.counters.has_persons and not self.has_personal_information:
            raise UsageError(
                Words(
                    "数据被称为不含个人信息，却计有人数。",
                    "Persons are counted in data said to be without personal information.",
                ),
                Words("请写明其含个人信息。", "Say that it holds personal information."),
            )


@dataclass(frozen=True)
class Decision:
    """Which row matched, what follows, by which version of the rules and at which counts."""

    row: int
    outcome: Outcome
    rule_version: str
    counters: Counters
    source: str


def _is_kept_home(f: Facts, _: Rule) -> bool:
    is_organs = f.is_state_organ or f.is_held_by_organ
    return f.grade in ("core", "secret") or (f.level == "L4" and is_organs)


def _is_organ_unassessed(f: Facts, _: Rule) -> bool:
    is_organs = f.is_state_organ or f.is_held_by_organ
    is_assessed = f.has_security_assessment and not f.is_assessment_over
    return is_organs and f.has_personal_information and not is_assessed


def _is_outside_list(f: Facts, _: Rule) -> bool:
    return f.is_in_ftz and f.zone_route is None and not f.is_on_negative_list


def _is_reached(f: Facts, rule: Rule) -> bool:
    return rule.is_reached(f.counters.general, f.counters.sensitive)


#: One condition a row, of whatever version; what a version lacks does not match in it. Row 9 begins
#: at one sensitive person, so one leaves row 10.
CONDITIONS: Final[Mapping[int, Callable[[Facts, Rule], bool]]] = {
    0: _is_kept_home,
    1: _is_organ_unassessed,
    2: lambda f, _: f.grade == "important",
    3: lambda f, _: not f.has_personal_information,
    4: lambda f, _: f.is_foreign_collected_only,
    5: lambda f, _: f.necessity is not None,
    6: _is_outside_list,
    7: lambda f, _: f.is_ciio,
    8: _is_reached,
    9: _is_reached,
    10: lambda _, __: True,
    11: lambda f, _: f.is_for_foreign_authority and not f.has_approval,
    12: lambda f, _: not f.has_title,
    13: lambda f, _: f.is_in_ftz and f.zone_list is None,
    14: lambda f, _: f.is_in_ftz and f.zone_route == "security_assessment",
    15: lambda f, _: f.is_in_ftz and f.zone_route == "contract_or_certification",
    16: lambda f, _: f.is_in_ftz and f.is_zone_open,
}
#: Rows whose persons do not count towards rows 8–10.
UNCOUNTED_ROWS: Final = frozenset({3, 4, 5, 6})


def decide(facts: Facts, book: Rulebook | None = None) -> Decision:
    """Return what the first matching row of a version says of an export; None: of the newest.

    What is to be assessed is denied where the assessment that it relies on is over (Art. 9).
    """
    book = book or rulebooks()[-1]
    for rule in book.rules:
        if CONDITIONS[rule.row](facts, rule):
            is_denied = rule.outcome == "security_assessment" and facts.is_assessment_over
            outcome: Outcome = "deny" if is_denied else rule.outcome
            return Decision(rule.row, outcome, book.version, facts.counters, rule.source)
    raise AssertionError("the last row matches everything")


def is_counted(outcome: str, row: int) -> bool:
    """Tell whether an export's persons count: not where it may not go, or is exempt by rows 3–6."""
    return outcome not in ("deny", "undetermined") and row not in UNCOUNTED_ROWS


def may_go(facts: Facts, decision: Decision) -> bool:
    """Tell whether the export may begin: its route is complete and no paper lacks."""
    if decision.outcome in ("deny", "undetermined") or facts.lacking:
        return False
    return decision.outcome != "security_assessment" or facts.has_security_assessment
