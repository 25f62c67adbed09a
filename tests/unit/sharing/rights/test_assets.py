"""What data costs, measured and never dated back; and the cases of what it is in the books."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import UsageError
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from sharing.people import ForbiddenError
from sharing.rights import approvals, assets, periods
from sharing.rights.assets import Cost, totals
from sharing.rights.ledger import CostRow
from sharing.rights.periods import BackDatedError
from sharing.rights.rates import CostKind, rate
from sharing.rights.recognition import TESTS, AssetUse, Conditions, EntityType, Phase, recognise
from sharing.rights.terms import NoRightError
from tests.support.sharing.asking import MONDAY, person
from tests.support.sharing.lakes import TREE
from tests.support.sharing.trading import COST, STEWARD, TODAY, give_rights

if TYPE_CHECKING:
    from datetime import datetime

    from sharing.control import Control

TABLE: Final = "health__disease_case"
CDO: Final = person("health", "cdo")
#: The last days of the months before.
JUNE: Final = MONDAY - timedelta(days=13)
APRIL: Final = MONDAY - timedelta(days=74)


def book(control: Control, cost: Cost = COST, at: datetime = MONDAY) -> str:
    return assets.book(control, TREE, cost, STEWARD, at)


def cost_row(cost_id: str, number: int) -> CostRow:
    return CostRow(
        id=cost_id,
        body="health",
        number=number,
        dataset=TABLE,
        kind="fee",
        quantity=1,
        unit="fen",
        rate_version="2026-1",
        amount_fen=1,
        incurred_on=TODAY,
        booked_on=TODAY,
        reason="",
        actor="test",
        at=MONDAY,
    )


@pytest.mark.parametrize(
    ("kind", "quantity", "fen"),
    [
        ("staff", 60, 20_000),
        ("staff", 90, 30_000),
        ("run", 3_600_000, 800),
        ("run", 2249, 0),
        ("run", 2250, 1),
        ("storage", 30_720, 60),
        ("storage", 256, 1),
        ("storage", 255, 0),
        ("fee", 12_345, 12_345),
    ],
)
def test_rates_make_whole_fen(kind: CostKind, quantity: int, fen: int) -> None:
    assert rate(kind, TODAY).amount(quantity) == fen


def test_there_is_no_rate_before_there_was_one() -> None:
    with pytest.raises(UsageError, match="no rate of staff on 2023-12-31"):
        rate("staff", date(2023, 12, 31))


def test_costs_add_up_by_version_and_kind(control: Control) -> None:
    book(control)
    book(control, replace(COST, kind="fee", quantity=700))
    book(control, replace(COST, quantity=60, version=3))
    assert totals(assets.costs(control)) == {
        ("health", TABLE, None): {"staff": 30_000, "fee": 700},
        ("health", TABLE, 3): {"staff": 20_000},
    }
    assert assets.costs(control, "heat_readiness") == []


@pytest.mark.parametrize(
    ("cost", "error", "words"),
    [
        (replace(COST, incurred_on=date(2023, 12, 31)), BackDatedError, "was expensed"),
        (replace(COST, incurred_on=date(2024, 3, 1)), BackDatedError, "before the open period"),
        (replace(COST, incurred_on=date(2026, 6, 30)), BackDatedError, "before the open period"),
        (replace(COST, incurred_on=TODAY + timedelta(days=1)), UsageError, "still to come"),
        (replace(COST, quantity=0), UsageError, "above 0"),
        (replace(COST, quantity=-5), UsageError, "above 0"),
        (replace(COST, dataset="nowhere"), UsageError, "no table"),
        (replace(COST, dataset="civil__elder_service"), NoRightError, "had no right in"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_nothing_is_dated_back(
    control: Control, cost: Cost, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        book(control, cost)
    assert assets.costs(control) == []


def test_an_unknown_body_has_no_books(control: Control) -> None:
    typo = person("helath", "steward")
    with pytest.raises(NoRightError, match="helath had no right in"):
        assets.book(control, TREE, replace(COST, body="helath"), typo, MONDAY)
    with pytest.raises(NoRightError, match="helath has no books"):
        periods.close_month(control, TREE, "helath", "2026-06", typo, MONDAY)


def test_one_who_may_process_a_table_has_its_own_books_of_it(control: Control) -> None:
    give_rights(control, "高温应急")
    keeper = person("emergency", "steward")
    mine = replace(COST, body="emergency", quantity=60)
    assets.book(control, TREE, mine, keeper, MONDAY)
    book(control)
    assert totals(assets.costs(control)) == {
        ("emergency", TABLE, None): {"staff": 20_000},
        ("health", TABLE, None): {"staff": 30_000},
    }
    assert [(c.cost.body, c.number) for c in assets.costs(control)] == [
        ("emergency", 1),
        ("health", 1),
    ]
    before = replace(mine, incurred_on=TODAY - timedelta(days=1))
    with pytest.raises(NoRightError, match="on 2026-07-12"):
        assets.book(control, TREE, before, keeper, MONDAY)


@pytest.mark.parametrize("month", ["2026-07", "2026-08", "2026-13", "June", "2023-12"])
def test_only_a_month_that_is_over_is_closed(control: Control, month: str) -> None:
    with pytest.raises(UsageError, match="no month that is over"):
        periods.close_month(control, TREE, "health", month, STEWARD, MONDAY)


def test_a_month_is_closed_once_and_after_the_one_before(control: Control) -> None:
    book(control, replace(COST, incurred_on=date(2026, 4, 9)), APRIL)
    for month, due in (("2026-05", "2026-04"), ("2026-03", "2026-04")):
        with pytest.raises(UsageError, match=f"{due} of health is to be closed first"):
            periods.close_month(control, TREE, "health", month, STEWARD, MONDAY)
    for month in ("2026-04", "2026-05"):
        periods.close_month(control, TREE, "health", month, STEWARD, MONDAY)
        with pytest.raises(UsageError, match="is closed"):
            periods.close_month(control, TREE, "health", month, STEWARD, MONDAY)
    periods.close_month(control, TREE, "civil", "2026-06", person("civil", "cdo"), MONDAY)
    leaves = [Leaf.parse(entry) for _, entry in EvidenceLog(control.home).entries()]
    assert [x.facts["costs"] for x in leaves if x.type == "closing"] == ["1", "0", "0"]


def test_a_cost_of_a_closed_month_needs_another_persons_approval(control: Control) -> None:
    book(control, replace(COST, incurred_on=date(2026, 6, 29)), JUNE)
    periods.close_month(control, TREE, "health", "2026-06", STEWARD, MONDAY)
    late = replace(COST, incurred_on=date(2026, 6, 30), reason="漏记")
    with pytest.raises(BackDatedError, match="before the open period"):
        book(control, late)
    with pytest.raises(ForbiddenError):
        approvals.approve(control, TREE, late, STEWARD, MONDAY)
    with pytest.raises(UsageError, match="in the open period"):
        approvals.approve(control, TREE, replace(late, incurred_on=TODAY), CDO, MONDAY)
    approved = approvals.approve(control, TREE, late, CDO, MONDAY)
    with pytest.raises(UsageError, match="approved it"):
        assets.book(control, TREE, late, CDO, MONDAY, approved)
    with pytest.raises(UsageError, match="approves no such cost"):
        assets.book(control, TREE, replace(late, quantity=91), STEWARD, MONDAY, approved)
    assets.book(control, TREE, late, STEWARD, MONDAY, approved)
    with pytest.raises(UsageError, match="is used"):
        assets.book(control, TREE, late, STEWARD, MONDAY, approved)
    assert [(c.booked_on, c.approval) for c in assets.costs(control)] == [
        (date(2026, 6, 30), None),
        (TODAY, approved),
    ]


def test_what_is_wrong_is_reversed_by_a_row_of_today(control: Control) -> None:
    june = date(2026, 6, 30)
    wrong = book(control, replace(COST, incurred_on=june), JUNE)
    periods.close_month(control, TREE, "health", "2026-06", STEWARD, MONDAY)
    back = assets.reverse(control, wrong, "误记", STEWARD, MONDAY)
    first, second = assets.costs(control)
    assert (second.id, second.reverses, second.amount_fen) == (back, wrong, -first.amount_fen)
    assert (second.booked_on, second.cost.incurred_on) == (TODAY, june)
    assert totals(assets.costs(control)) == {("health", TABLE, None): {"staff": 0}}
    with pytest.raises(UsageError, match="is reversed"):
        assets.reverse(control, wrong, "再次", STEWARD, MONDAY)
    with pytest.raises(UsageError, match="no cost"):
        assets.reverse(control, back, "…", STEWARD, MONDAY)
    with pytest.raises(UsageError, match="says why"):
        assets.reverse(control, wrong, "", STEWARD, MONDAY)


def test_only_its_own_steward_or_head_keeps_a_ledger(control: Control) -> None:
    for stranger in (person("civil", "cdo"), person("gov_data", "authority")):
        with pytest.raises(ForbiddenError):
            assets.book(control, TREE, COST, stranger, MONDAY)
        with pytest.raises(ForbiddenError):
            periods.close_month(control, TREE, "health", "2026-06", stranger, MONDAY)


def test_numbers_go_on_after_9999(control: Control) -> None:
    with control.write() as session:
        session.add(cost_row("B2026-9999", 1))
    assert book(control) == "B2026-10000"
    assert book(control) == "B2026-10001"


WHOLE: Final = Conditions(is_controlled=True, has_probable_benefits=True, is_cost_measurable=True)
DEVELOPED: Final = replace(WHOLE, phase="development", tests=frozenset(TESTS))


@pytest.mark.parametrize(
    ("use", "conditions", "case", "line"),
    [
        ("own_business", WHOLE, "intangible_asset", "无形资产"),
        ("own_business", replace(DEVELOPED, phase="completed"), "intangible_asset", "无形资产"),
        ("held_for_sale", WHOLE, "inventory", "存货"),
        ("own_business", DEVELOPED, "development_expenditure", "开发支出"),
        ("own_business", replace(DEVELOPED, phase="research"), "expensed", None),
        ("own_business", replace(DEVELOPED, tests=frozenset(TESTS[1:])), "expensed", None),
        ("own_business", replace(WHOLE, phase="completed"), "expensed", None),
        ("own_business", replace(WHOLE, is_controlled=False), "disclosed_only", None),
        ("held_for_sale", replace(WHOLE, has_probable_benefits=False), "disclosed_only", None),
        ("held_for_sale", replace(WHOLE, is_cost_measurable=False), "disclosed_only", None),
    ],
)
def test_each_case_of_an_enterprise(
    use: AssetUse, conditions: Conditions, case: str, line: str | None
) -> None:
    found = recognise("enterprise", use, conditions)
    assert (found.case, found.line) == (case, line)
    assert found.reasons


_conditions = st.builds(
    Conditions,
    is_controlled=st.booleans(),
    has_probable_benefits=st.booleans(),
    is_cost_measurable=st.booleans(),
    phase=st.sampled_from(["acquired", "research", "development", "completed"]),
    tests=st.frozensets(st.sampled_from(TESTS)),
)
_uses = st.sampled_from(["own_business", "held_for_sale"])


@given(_uses, _conditions)
def test_a_bureau_is_no_enterprise(use: Any, conditions: Conditions) -> None:
    found = recognise("administrative_unit", use, conditions)
    assert (found.case, found.line) == ("administrative", None)


@given(_uses, _conditions)
def test_nothing_is_on_the_balance_sheet_without_the_three_conditions(
    use: Any, conditions: Conditions
) -> None:
    entity: EntityType = "enterprise"
    found = recognise(entity, use, conditions)
    if found.line is not None:
        assert conditions.is_controlled
        assert conditions.has_probable_benefits
        assert conditions.is_cost_measurable
    phase: Phase = conditions.phase
    if found.case == "development_expenditure":
        assert phase == "development"
        assert conditions.tests == set(TESTS)


def test_no_other_test_is_made_up() -> None:
    with pytest.raises(UsageError, match="no test of CAS 6"):
        replace(WHOLE, tests=frozenset({"hopeful"}))  # type: ignore[arg-type]
