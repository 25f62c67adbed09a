"""What data is in the books (入表): a decision with its reasons, pure.

Source: 企业数据资源相关会计处理暂行规定 (财会〔2023〕11号, in force 2024-01-01), which is for
enterprises, with CAS 6 (intangible assets) and CAS 1 (inventories) as the domain reference, §5,
tells them; bureaus follow 财资〔2023〕141号 and 财资〔2024〕1号. This is no accountant's advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from contracts.errors import UsageError
from contracts.words import Words

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
_NO_ENTERPRISE: Final = Words(
    "行政事业单位不是企业：适用财资〔2023〕141号和财资〔2024〕1号",
    "a bureau is no enterprise: 财资〔2023〕141号 and 财资〔2024〕1号 hold",
)
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
            known = ", ".join(TESTS)
            raise UsageError(
                Words(
                    f"{strange[0]!r} 不是《企业会计准则第 6 号》的判断条件。",
                    f"{strange[0]!r} is no test of CAS 6.",
                ),
                Words(f"请用 {known}。", f"Use {known}."),
            )


@dataclass(frozen=True)
class Recognition:
    """Which case holds, its line of the balance sheet, and why."""

    case: Case
    line: str | None
    reasons: tuple[Words, ...]


def recognise(entity_type: EntityType, use: AssetUse, conditions: Conditions) -> Recognition:
    """Return what a data resource is in its holder's books, and why."""
    if entity_type == "administrative_unit":
        return _as("administrative", _NO_ENTERPRISE)
    lacking = tuple(_lacking(conditions))
    if lacking:
        return _as("disclosed_only", *lacking)
    if use == "held_for_sale":
        return _as(
            "inventory",
            Words(
                "日常活动中持有以备出售：《企业会计准则第 1 号》",
                "it is held for sale in daily activity: CAS 1",
            ),
        )
    return _own(conditions)


def _own(conditions: Conditions) -> Recognition:
    """Judge what is used in the holder's own business: CAS 6."""
    if conditions.phase == "acquired":
        return _as(
            "intangible_asset",
            Words(
                "外购自用：《企业会计准则第 6 号》；摊销、测试、减值",
                "bought for its own business: CAS 6; amortise, test, impair",
            ),
        )
    if conditions.phase == "research":
        return _as(
            "expensed",
            Words(
                "研究阶段支出费用化：《企业会计准则第 6 号》",
                "the research phase is expensed: CAS 6",
            ),
        )
    unmet = [test for test in TESTS if test not in conditions.tests]
    if unmet:
        return _as("expensed", *(_unmet(test) for test in unmet))
    if conditions.phase == "development":
        return _as(
            "development_expenditure",
            Words(
                "处于开发阶段，《企业会计准则第 6 号》的五项条件均已满足",
                "in development, and the five tests of CAS 6 are met",
            ),
        )
    return _as(
        "intangible_asset",
        Words(
            "开发完成，五项条件均曾满足：《企业会计准则第 6 号》；摊销、减值",
            "developed, and the five tests were met: CAS 6; amortise, impair",
        ),
    )


def _unmet(test: Test) -> Words:
    return Words(
        f"《企业会计准则第 6 号》：未表明满足 {test}", f"CAS 6: it is not shown that it is {test}"
    )


def _lacking(conditions: Conditions) -> Iterator[Words]:
    if not conditions.is_controlled:
        yield Words("企业既不拥有也不控制它", "the enterprise neither owns nor controls it")
    if not conditions.has_probable_benefits:
        yield Words("不是很可能带来经济利益", "that it brings benefits is not probable")
    if not conditions.is_cost_measurable:
        yield Words("其成本不能可靠计量", "its cost cannot be measured reliably")


def _as(case: Case, *reasons: Words) -> Recognition:
    return Recognition(case, LINES[case], reasons)
