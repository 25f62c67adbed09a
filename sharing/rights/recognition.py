"""What data is in the books (入表): a decision with its reasons, pure.

Source: 企业数据资源相关会计处理暂行规定 (财会〔2023〕11号, in force 2024-01-01), which is for
enterprises, with CAS 6 (intangible assets) and CAS 1 (inventories) as the domain reference, §5,
tells them; bureaus follow 财资〔2023〕141号 and 财资〔2024〕1号. This is no accountant's advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from contracts.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EntityType = Literal["enterprise", "administrative_unit"]
AssetUse = Literal["own_business", "held_for_sale"]
Phase = Literal["acquired", "research", "development", "completed"]
#: CAS 6's five tests of development: all of them, or it is expensed.
Test = Literal[
    "technically_feasible",
    "meant_to_be_completed",
    "brings_benefits",
    "has_resources",
    "cost_measured",
]
TESTS: Final[tuple[Test, ...]] = get_args(Test)
Case = Literal[
    "intangible_asset",
    "inventory",
    "development_expenditure",
    "expensed",
    "disclosed_only",
    "administrative",
]
#: The line of the balance sheet, each with "其中：数据资源"; None where there is none.
LINES: Final[Mapping[Case, str | None]] = {
    "intangible_asset": "无形资产",
    "inventory": "存货",
    "development_expenditure": "开发支出",
    "expensed": None,
    "disclosed_only": None,
    "administrative": None,
}


@dataclass(frozen=True)
class Conditions:
    """What is known of a data resource; ``tests`` are those of CAS 6 that its development meets."""

    is_controlled: bool
    has_probable_benefits: bool
    is_cost_measurable: bool
    phase: Phase = "acquired"
    tests: frozenset[Test] = frozenset()

    def __post_init__(self) -> None:
        if strange := sorted(self.tests - set(TESTS)):
            raise UsageError(f"{strange[0]!r} is no test of CAS 6.", f"Use {', '.join(TESTS)}.")


@dataclass(frozen=True)
class Recognition:
    """Which case holds, its line of the balance sheet, and why."""

    case: Case
    line: str | None
    reasons: tuple[str, ...]


def recognise(entity_type: EntityType, use: AssetUse, conditions: Conditions) -> Recognition:
    """Return what a data resource is in its holder's books, and why."""
    if entity_type == "administrative_unit":
        reason = "a bureau is no enterprise: 财资〔2023〕141号 and 财资〔2024〕1号 hold"
        return _as("administrative", reason)
    lacking = tuple(_lacking(conditions))
    if lacking:
        return _as("disclosed_only", *lacking)
    if use == "held_for_sale":
        return _as("inventory", "it is held for sale in daily activity: CAS 1")
    return _own(conditions)


def _own(conditions: Conditions) -> Recognition:
    """Judge what is used in the holder's own business: CAS 6."""
    if conditions.phase == "acquired":
        return _as("intangible_asset", "bought for its own business: CAS 6; amortise, test, impair")
    if conditions.phase == "research":
        return _as("expensed", "the research phase is expensed: CAS 6")
    unmet = [test for test in TESTS if test not in conditions.tests]
    if unmet:
        return _as("expensed", *(f"CAS 6: it is not shown that it is {test}" for test in unmet))
    if conditions.phase == "development":
        return _as("development_expenditure", "in development, and the five tests of CAS 6 are met")
    return _as(
        "intangible_asset", "developed, and the five tests were met: CAS 6; amortise, impair"
    )


def _lacking(conditions: Conditions) -> Iterator[str]:
    if not conditions.is_controlled:
        yield "the enterprise neither owns nor controls it"
    if not conditions.has_probable_benefits:
        yield "that it brings benefits is not probable"
    if not conditions.is_cost_measurable:
        yield "its cost cannot be measured reliably"


def _as(case: Case, *reasons: str) -> Recognition:
    return Recognition(case, LINES[case], reasons)
