"""Disclosure control: what can be worked out of totals, and what groups on Spark come to."""

from __future__ import annotations

from datetime import date
from itertools import product as combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.model import Lowering
from contracts.product import Policy, Product, Release, Total
from jobs.checks.disclosure import Measured, is_recoverable, margins, measure, suppressed
from tests.support.lineage.made import PRODUCT, column

if TYPE_CHECKING:
    from contracts.model import Contract

K = 4
_CELLS = st.lists(st.integers(0, 9), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("hidden", "total", "k", "is_known"),
    [
        (0, 0, 20, False),
        (1, 7, 20, True),
        (1, 25, 20, False),  # it was hidden for others' sake, and tells of 25 people
        (1, None, 20, True),
        (2, None, 20, False),
        (2, 2, 20, True),  # 1 and 1
        (2, 38, 20, True),  # 19 and 19
        (2, 9, 20, False),
        (3, 3, 20, True),
    ],
)
def test_what_a_margin_gives_away(hidden: int, total: int | None, k: int, is_known: bool) -> None:  # noqa: FBT001
    assert is_recoverable(hidden, total, k) is is_known


@given(_CELLS)
def test_no_hidden_cell_has_one_possible_value(cells: list[int]) -> None:
    """Try every way to fill the hidden cells that the total allows: none is the only one."""
    shown = suppressed(cells, K)
    assert all(c is None or c == cell for c, cell in zip(shown, cells, strict=True))
    assert not any(c is not None and 0 < c < K for c in shown)
    hidden = [i for i, c in enumerate(shown) if c is None]
    if not hidden or len(hidden) == len(cells):
        return  # nothing is hidden, or nothing but the total is shown
    rest = sum(cells[i] for i in hidden)
    ways = [w for w in combinations(range(1, K), repeat=len(hidden)) if sum(w) == rest]
    if len(hidden) == 1:
        assert rest >= K, "only a cell of k or more may stand alone"
    elif ways:
        assert len(ways) > 1


def test_enough_cells_are_hidden_and_no_more() -> None:
    assert suppressed([30, 25, 40], 20) == (30, 25, 40)
    assert suppressed([3, 25, 40], 20) == (None, None, 40)
    assert suppressed([3, 5, 40], 20) == (None, None, 40)
    assert suppressed([1, 1, 40, 90], 20) == (None, None, None, 90)
    assert suppressed([3, 0, 25], 20) == (None, 0, None)


APPROVED = Lowering(
    function="aggregate_k",
    approval="DG-1",
    approved_by="cdo",
    approved_on=date(2026, 1, 1),
    reason="统计",
)


def made(*totals: Total, **policy: object) -> tuple[Contract, Policy]:
    columns = (
        column("street", "街道", "L1"),
        column("birth_year", "年份", "L2"),
        column("illness", "疾病", "L2"),
        column("persons", "人数", "L2", lowering=APPROVED).model_copy(update={"type": "integer"}),
        column("total", "合计", "L2").model_copy(update={"type": "integer"}),
    )
    kept = {n: Release(mask="keep") for n in ("street", "birth_year", "illness", "persons")}
    wanted = Policy.model_validate({"name": "demo", "columns": kept} | policy)
    plan = Product(inputs=(), sql="x.sql", k=3, policies=(wanted,), totals=totals)
    return PRODUCT.model_copy(update={"columns": columns, "product": plan}), wanted


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        (Measured(9, 20, 2, 20, 2), ""),
        (Measured(9, 19, None, 20, None), "k = 19 < 20"),
        (Measured(9, 20, 1, 20, 2), "l = 1 < 2"),
        (Measured(0, None, None, 20, 2), ""),
    ],
)
def test_a_share_below_its_policy_says_so(measured: Measured, said: str) -> None:
    assert said in (measured.problem.en if measured.problem else "")
    assert bool(measured.problem) == bool(said)


@pytest.mark.spark
def test_groups_and_cells_are_measured(spark_remote: str) -> None:
    from jobs.spark.session import session

    rows = session().createDataFrame(
        [
            ("A", 1980, "感冒", 30),
            ("A", 1980, "哮喘", 25),
            ("A", 1980, "感冒", 0),
            ("B", 1990, "感冒", 22),
            ("B", 1990, None, None),
        ],
        "street string, birth_year int, illness string, persons bigint",
    )
    aggregate, policy = made(k=20)
    assert measure(aggregate, policy, rows) == Measured(5, 22, None, 20, None)
    persons, policy = made(
        k=2, l=2, quasi_identifiers=("street", "birth_year"), sensitive=("illness",)
    )
    found = measure(persons, policy, rows)
    assert found == Measured(5, 2, 1, 2, 2)
    assert "l = 1 < 2" in str(found.problem)
    assert measure(persons, policy, rows.where("street = 'A'")) == Measured(3, 3, 2, 2, 2)
    assert measure(persons, policy, rows.where("false")) == Measured(0, None, None, 2, 2)
    assert measure(persons, policy, rows.where("persons = 22")).problem


@pytest.mark.spark
def test_a_total_that_gives_a_cell_away_is_found(spark_remote: str) -> None:
    from jobs.spark.session import session

    rows = session().createDataFrame(
        [("A", 5, None, 7), ("A", 6, 5, 7), ("B", 5, None, 5), ("B", 6, None, 5), ("C", 7, 9, 9)],
        "street string, birth_year int, persons bigint, total bigint",
    )
    here = Total(column="persons", by=("street",), total="total")
    elsewhere = Total(column="persons", by=("birth_year",))
    one, two = margins(made(here, elsewhere)[0], rows)
    assert (one.status, one.checked, one.failed) == ("failed", 3, 1)
    assert (two.status, two.checked, two.failed) == ("failed", 3, 1)
    assert one.rule_id == "secondary_suppression.persons"
    (fine,) = margins(made(here)[0], rows.where("street <> 'A'"))
    assert fine.status == "passed"
