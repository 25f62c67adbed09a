"""What data costs, measured and never dated back; and the cases of what it is in the books."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from contracts.delivery import Delivery
from contracts.errors import UsageError
from lineage import outbox, stages
from lineage.evidence.log import EvidenceLog
from sharing.people import ForbiddenError
from sharing.rights import assets
from sharing.rights.assets import BackDatedError, ClosedMonthRow, Cost, CostKind, rate, totals
from sharing.rights.recognition import (
    TESTS,
    AssetUse,
    Conditions,
    EntityType,
    Phase,
    recognise,
)
from sharing.rights.runs import measured_runs
from tests.unit.sharing.asking import MONDAY, person
from tests.unit.sharing.lakes import TREE
from tests.unit.sharing.trading import COST, STEWARD, TODAY

if TYPE_CHECKING:
    from contracts.layout import Home
    from sharing.control import Control

TABLE: Final = "health__disease_case"


def book(control: Control, cost: Cost = COST, at: datetime = MONDAY) -> str:
    return assets.book(control, TREE, cost, STEWARD, at)


def ran(home: Home, ended_at: datetime, seconds: float, version: int | None = 3) -> None:
    """Write the lineage of a publication that took so long."""
    contract = TREE.contract("health.disease_case")
    outbox.write(
        home,
        stages.publish_run(
            Delivery(contract, "health", ended_at.date()),
            batch_id=f"b{ended_at.timestamp()}",
            silver_version=version,
            rows_published=5,
            rows_quarantined=0,
            results=(),
            status="held" if version is None else "published",
            origin="real",
            started_at=ended_at - timedelta(seconds=seconds),
            ended_at=ended_at,
            reason="",
        ),
    )


@pytest.mark.parametrize(
    ("kind", "quantity", "fen"),
    [
        ("staff", 60, 20_000),
        ("staff", 90, 30_000),
        ("run", 3600, 800),
        ("run", 1, 0),
        ("run", 3, 1),
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
        (TABLE, None): {"staff": 30_000, "fee": 700},
        (TABLE, 3): {"staff": 20_000},
    }
    assert assets.costs(control, "heat_readiness") == []


@pytest.mark.parametrize(
    ("cost", "error", "words"),
    [
        (replace(COST, booked_on=TODAY - timedelta(days=1)), BackDatedError, "would be booked on"),
        (
            replace(COST, incurred_on=date(2023, 12, 31), booked_on=TODAY),
            BackDatedError,
            "was expensed",
        ),
        (replace(COST, booked_on=TODAY + timedelta(days=1)), UsageError, "still to come"),
        (replace(COST, quantity=0), UsageError, "above 0"),
        (replace(COST, quantity=-5), UsageError, "above 0"),
        (replace(COST, dataset="nowhere"), UsageError, "no table"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_nothing_is_dated_back(
    control: Control, cost: Cost, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        book(control, cost)
    assert assets.costs(control) == []


def test_2024_is_the_first_year(control: Control) -> None:
    first = date(2024, 1, 1)
    book(control, replace(COST, incurred_on=first, booked_on=first))


def test_a_closed_month_takes_nothing_more(control: Control) -> None:
    june = date(2026, 6, 30)
    book(control, replace(COST, incurred_on=june, booked_on=june))
    assets.close_month(control, "health", "2026-06", STEWARD, MONDAY)
    with pytest.raises(BackDatedError, match="2026-06 of health is closed"):
        book(control, replace(COST, incurred_on=june, booked_on=june))
    book(control, replace(COST, incurred_on=june, booked_on=TODAY))
    with control.read() as session:
        row = session.scalars(select(ClosedMonthRow)).one()
    assert (row.costs, row.amount_fen) == (1, 30_000)
    logged = EvidenceLog(control.home).find("asset:health/2026-06")
    assert logged is not None
    assert logged.leaf == assets.month_leaf(row)


@pytest.mark.parametrize("month", ["2026-07", "2026-08", "2026-13", "June"])
def test_only_a_month_that_is_over_is_closed(control: Control, month: str) -> None:
    with pytest.raises(UsageError, match="no month that is over"):
        assets.close_month(control, "health", month, STEWARD, MONDAY)


def test_a_month_is_closed_once(control: Control) -> None:
    assets.close_month(control, "health", "2026-06", STEWARD, MONDAY)
    with pytest.raises(UsageError, match="is closed"):
        assets.close_month(control, "health", "2026-06", STEWARD, MONDAY)
    assets.close_month(control, "civil", "2026-06", person("civil", "cdo"), MONDAY)


def test_what_is_wrong_is_reversed_by_a_row_of_today(control: Control) -> None:
    june = date(2026, 6, 30)
    wrong = book(control, replace(COST, incurred_on=june, booked_on=june))
    assets.close_month(control, "health", "2026-06", STEWARD, MONDAY)
    back = assets.reverse(control, wrong, "误记", STEWARD, MONDAY)
    first, second = assets.costs(control)
    assert (second.id, second.reverses, second.amount_fen) == (back, wrong, -first.amount_fen)
    assert (second.cost.booked_on, second.cost.incurred_on) == (TODAY, june)
    assert totals(assets.costs(control)) == {(TABLE, None): {"staff": 0}}
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
            assets.close_month(control, "health", "2026-06", stranger, MONDAY)


def test_runs_are_measured_from_their_lineage(home: Home, control: Control) -> None:
    ran(home, MONDAY - timedelta(hours=1), 1800.2)
    ran(home, MONDAY - timedelta(hours=2), 900, version=None)  # held: it made no version
    (run,) = measured_runs(home)
    assert (run.table, run.version, run.seconds) == (TABLE, 3, 1801)
    (cost_id,) = assets.book_runs(control, TREE, "health", STEWARD, MONDAY)
    assert assets.book_runs(control, TREE, "health", STEWARD, MONDAY) == [], "each run once"
    (booked,) = assets.costs(control)
    assert (booked.id, booked.amount_fen, booked.cost.run) == (cost_id, 400, run.run_id)
    assert (booked.cost.version, booked.cost.quantity) == (3, 1801)
    civil = person("civil", "steward")
    assert assets.book_runs(control, TREE, "civil", civil, MONDAY) == [], "it is not theirs"


def test_a_run_of_a_closed_month_is_booked_today_and_one_before_2024_never(
    home: Home, control: Control
) -> None:
    ran(home, datetime(2023, 12, 31, 1, tzinfo=UTC), 3600)
    ran(home, datetime(2026, 6, 30, 1, tzinfo=UTC), 3600)
    assets.close_month(control, "health", "2026-06", STEWARD, MONDAY)
    assets.book_runs(control, TREE, "health", STEWARD, MONDAY)
    (booked,) = assets.costs(control)
    assert (booked.cost.incurred_on, booked.cost.booked_on) == (date(2026, 6, 30), TODAY)


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
