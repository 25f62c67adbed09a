"""Orders, refunds and settlements: whole 分, once, and the parts are the amount."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from contracts.errors import UsageError
from contracts.layout import Home
from lineage.evidence.log import EvidenceLog
from sharing.control import Control
from sharing.people import ForbiddenError
from sharing.rights import listing, register, trades
from sharing.rights.register import read_register
from sharing.rights.split import Share, SplitError, SplitRule
from sharing.rights.terms import NoRightError
from sharing.rights.trades import Order, SettlementRow, TradeConflictError, TradeRow, settlement
from tests.support.sharing.asking import MONDAY, person
from tests.support.sharing.lakes import TREE, HeatLake
from tests.support.sharing.trading import AUTHORITY, CHEAP, LISTER, ORDER, THIRDS, give_rights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GUARANTEED: Final = SplitRule(
    "guaranteed", (Share("civil", Fraction(0), 20_000), Share("emergency", Fraction(1)))
)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a listing at 10,000 分, and two split rules."""
    home = Home(tmp_path_factory.mktemp("stocked") / "home")
    HeatLake(home).make()
    with Control(home) as control:
        give_rights(control)
        listing.list_product(control, TREE, CHEAP, LISTER, MONDAY)
        for rule in (THIRDS, GUARANTEED):
            trades.add_rule(control, rule, AUTHORITY, MONDAY)
    return home


@pytest.fixture
def shop(stocked: Home, tmp_path: Path) -> Iterator[Control]:
    """A copy of that home, to trade in."""
    shutil.copytree(stocked.root, tmp_path / "shop")
    with Control(Home(tmp_path / "shop")) as control:
        yield control


def buy(control: Control, order: Order = ORDER, days: int = 0) -> trades.Trade:
    return trades.trade(control, TREE, order, AUTHORITY, MONDAY + timedelta(days=days))


def test_ten_thousand_fen_in_three(shop: Control) -> None:
    made = buy(shop)
    assert made.amount_fen == 10_000
    assert made.parts == {"civil": 3334, "health": 3333, "emergency": 3333}
    assert trades.balances(shop) == {"civil": 3334, "emergency": 3333, "health": 3333}


def test_an_order_number_trades_once(shop: Control) -> None:
    first = buy(shop)
    assert buy(shop, days=1) == first
    with pytest.raises(TradeConflictError, match="with other contents"):
        buy(shop, replace(ORDER, buyer="x_shop"))
    assert len(trades.trades(shop)) == 1
    assert sum(trades.balances(shop).values()) == 10_000


def test_an_order_that_crashed_before_its_leaf_is_whole_when_sent_again(
    shop: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(EvidenceLog, "append", crash)
        with pytest.raises(OSError, match="no space"):
            buy(shop)
    assert buy(shop).id == "T2026-0001"
    assert EvidenceLog(shop.home).find("trade:T2026-0001")


def test_the_public_interest_is_free(shop: Control) -> None:
    made = buy(shop, replace(ORDER, use="public_interest"))
    assert (made.amount_fen, set(made.parts.values())) == (0, {0})
    free = replace(ORDER, order_id="PO-2", use="public_interest", rule="guaranteed")
    assert buy(shop, free).amount_fen == 0, "nothing is guaranteed of nothing"


def test_a_refund_is_the_order_below_zero_and_once(shop: Control) -> None:
    paid = buy(shop)
    back = trades.refund(shop, "PO-1", "重复下单", AUTHORITY, MONDAY)
    assert back.refund_of == paid.id
    assert back.parts == {party: -fen for party, fen in paid.parts.items()}
    assert trades.refund(shop, "PO-1", "再次", AUTHORITY, MONDAY) == back
    assert set(trades.balances(shop).values()) == {0}
    assert [t.amount_fen for t in trades.trades(shop)] == [10_000, -10_000]
    assert buy(shop) == paid, "the number stays taken"


@pytest.mark.parametrize(
    ("order", "error", "words"),
    [
        (replace(ORDER, listing="L1999-0001"), UsageError, "no listing"),
        (replace(ORDER, rule="nothing"), UsageError, "no split rule"),
        (replace(ORDER, rule="guaranteed"), SplitError, "do not cover"),
        (replace(ORDER, order_id="13800138000 李"), UsageError, "no order number"),
        (replace(ORDER, buyer="李四"), UsageError, "no body's name"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_what_cannot_be_ordered(
    shop: Control, order: Order, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        buy(shop, order)
    assert trades.trades(shop) == []


def test_a_withdrawn_listing_sells_nothing(shop: Control) -> None:
    listing.withdraw(shop, "L2026-0001", "下架", LISTER, MONDAY)
    with pytest.raises(UsageError, match="is withdrawn"):
        buy(shop)


def test_a_right_that_ended_sells_nothing(shop: Control) -> None:
    with shop.read() as session:
        rights = read_register(session, TREE).rights.values()
    ended = next(r for r in rights if (r.grantor, r.right_type) == ("health", "operate"))
    register.cancel(shop, TREE, ended.id, "收回", person("health", "cdo"), MONDAY)
    with pytest.raises(NoRightError, match="no right to operate health__disease_case"):
        buy(shop)


def test_a_rule_never_changes(shop: Control) -> None:
    trades.add_rule(shop, THIRDS, AUTHORITY, MONDAY)
    with pytest.raises(TradeConflictError, match="other shares"):
        trades.add_rule(shop, replace(GUARANTEED, version="thirds"), AUTHORITY, MONDAY)
    with pytest.raises(UsageError, match="no body's name"):
        trades.add_rule(shop, SplitRule("v", (Share("张三", Fraction(1)),)), AUTHORITY, MONDAY)


def test_only_the_authority_settles(shop: Control) -> None:
    for stranger in (person("emergency", "cdo"), person("x_data_co", "requester")):
        with pytest.raises(ForbiddenError):
            trades.trade(shop, TREE, ORDER, stranger, MONDAY)
        with pytest.raises(ForbiddenError):
            trades.add_rule(shop, THIRDS, stranger, MONDAY)
    buy(shop)
    with pytest.raises(ForbiddenError):
        trades.refund(shop, "PO-1", "…", person("emergency", "cdo"), MONDAY)
    with pytest.raises(UsageError, match="says why"):
        trades.refund(shop, "PO-1", " ", AUTHORITY, MONDAY)
    with pytest.raises(UsageError, match="no order 'PO-2'"):
        trades.refund(shop, "PO-2", "…", AUTHORITY, MONDAY)


def test_the_leaf_says_what_the_row_does_and_no_order_number(shop: Control) -> None:
    made = buy(shop)
    with shop.read() as session:
        row = session.scalars(select(TradeRow)).one()
        parts = session.scalars(select(SettlementRow)).all()
    logged = EvidenceLog(shop.home).find(f"trade:{made.id}")
    assert logged is not None
    assert logged.leaf == trades.trade_leaf(row)
    assert "PO-1" not in logged.leaf.canonical().decode()
    assert sum(p.amount_fen for p in parts) == row.amount_fen == 10_000


@given(
    st.integers(0, 10**12),
    st.lists(st.integers(1, 50), min_size=1, max_size=6),
)
def test_a_settlement_and_its_refund_are_nothing_together(amount: int, weights: list[int]) -> None:
    shares = [Share(f"p{i}", Fraction(w, sum(weights))) for i, w in enumerate(weights)]
    parts = settlement(amount, SplitRule("v", tuple(shares)))
    assert sum(parts.values()) == amount
    assert all(type(fen) is int and fen >= 0 for fen in parts.values())
    assert sum(parts.values()) + sum(-fen for fen in parts.values()) == 0
