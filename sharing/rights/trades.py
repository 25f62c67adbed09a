"""Orders of listed products and who is paid of them, in integer 分 under a version of the rule.

An order has its buyer's own number, so that sending it twice trades once. Money goes back by a row
of the same parts below zero; nothing is ever changed. What is logged names bodies, never persons.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  (SQLAlchemy reads it)
from fractions import Fraction
from typing import TYPE_CHECKING, Final, cast

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, ForeignKey, String, Text, func, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.digest import sha256
from contracts.errors import JingshuError, UsageError
from contracts.moment import iso
from contracts.words import Words
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.control import Base
from sharing.owed import OwingRow
from sharing.people import require
from sharing.readable import read_by
from sharing.requests.tables import next_number
from sharing.rights.listing import datasets_in, open_listing
from sharing.rights.register import read_register
from sharing.rights.split import Share, SplitRule, split
from sharing.rights.terms import NoRightError, city_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.people import Actor
    from sharing.rights.listing import ListingRow
    from sharing.rights.prices import Use

_SHARES: Final = TypeAdapter(list[tuple[str, str, int]])
_PARTS: Final = TypeAdapter(dict[str, int])
_BUYER: Final = re.compile(r"[a-z][a-z0-9_-]{1,62}")
_ORDER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class TradeConflictError(JingshuError, ValueError):
    """An order or rule that is known with other contents."""


def read_shares(text: str) -> tuple[Share, ...]:
    """Read who gets what: a list of party, share and least amount (分)."""
    found = _SHARES.validate_json(text, strict=True)
    return tuple(Share(party, Fraction(share), least) for party, share, least in found)


def read_parts(text: str) -> Mapping[str, int]:
    """Read each party's part of a trade in 分."""
    return _PARTS.validate_json(text, strict=True)


class SplitRuleRow(OwingRow):
    """A version of who gets what; it never changes."""

    __tablename__ = "share_split_rules"
    version: Mapped[str] = mapped_column(String(63), primary_key=True)
    shares: Mapped[str] = read_by(read_shares)
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


class TradeRow(OwingRow):
    """One order, or its refund; ``order_id`` is the buyer's, a refund has that of its order."""

    __tablename__ = "share_trades"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    order_id: Mapped[str] = mapped_column(String(64), index=True)
    refund_of: Mapped[str | None] = mapped_column(ForeignKey("share_trades.id"), unique=True)
    listing: Mapped[str] = mapped_column(String(16), index=True)
    buyer: Mapped[str] = mapped_column(String(63))
    use: Mapped[str] = mapped_column(String(16))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    rule: Mapped[str] = mapped_column(ForeignKey(SplitRuleRow.version))
    parts: Mapped[str] = read_by(read_parts)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


class SettlementRow(Base):
    """What one party gets of a trade, or gives back."""

    __tablename__ = "share_settlements"
    trade: Mapped[str] = mapped_column(ForeignKey(TradeRow.id), primary_key=True)
    party: Mapped[str] = mapped_column(String(63), primary_key=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True)
class Order:
    """An order under its buyer's own number, for a use, to be split by a version of the rule."""

    order_id: str
    listing: str
    buyer: str
    use: Use
    rule: str


@dataclass(frozen=True)
class Trade:
    """A trade as people see it: its amount and its parts in 分, which are the amount."""

    id: str
    order: Order
    amount_fen: int
    parts: Mapping[str, int]
    refund_of: str | None
    at: datetime


def add_rule(control: Control, rule: SplitRule, actor: Actor, at: datetime) -> None:
    """Keep a version of who gets what; the same again changes nothing.

    Raises:
        TradeConflictError: The version is known with other shares.
        UsageError: A party is no body's name.
    """
    require(actor, "settle_trade", actor.body)
    for share in rule.shares:
        _check_body(share.party)
    with control.write() as session:
        known = session.get(SplitRuleRow, rule.version)
        text = _rule_text(rule)
        if known is not None and known.shares != text:
            raise TradeConflictError(
                Words(
                    f"分配规则 {rule.version} 已有，份额不同。",
                    f"The split rule {rule.version} is known with other shares.",
                ),
                Words("请用新的版本号。", "Name a new version."),
            )
        if known is None:
            row = SplitRuleRow(version=rule.version, shares=text, actor=actor.name, at=at)
            session.add(row)
    owed.settle(control, SplitRuleRow, TradeRow)


def trade(control: Control, tree: Tree, order: Order, actor: Actor, at: datetime) -> Trade:
    """Take an order of a listing at its price and settle it; the same order again is the same.

    Raises:
        TradeConflictError: The order's number is known with other contents.
        NoRightError: The lister may not operate it any more.
        UsageError: There is no such open listing or rule, or a name is none.
        SplitError: The price does not cover what the rule guarantees.
    """
    require(actor, "settle_trade", order.buyer)
    _check_order(order)
    with control.write() as session:
        known = session.scalars(
            select(TradeRow).where(
                TradeRow.order_id == order.order_id, TradeRow.refund_of.is_(None)
            )
        ).one_or_none()
        made = _same(known, order) if known else _taken(session, tree, order, actor, at)
    owed.settle(control, SplitRuleRow, TradeRow)
    return made


def refund(control: Control, order_id: str, reason: str, actor: Actor, at: datetime) -> Trade:
    """Give an order's money back, each party its part; done twice it is done once.

    Raises UsageError where there is no such order, or no reason was given.
    """
    words = " ".join(reason.split())
    if not words:
        raise UsageError(
            Words("退款须写明理由。", "A refund says why."), Words("请写明理由。", "Give a reason.")
        )
    with control.write() as session:
        rows = session.scalars(select(TradeRow).where(TradeRow.order_id == order_id)).all()
        paid = next((r for r in rows if r.refund_of is None), None)
        if paid is None:
            raise UsageError(
                Words(f"没有订单 {order_id!r}。", f"There is no order {order_id!r}."),
                Words("请看 … rights trade list。", "See … rights trade list."),
            )
        require(actor, "settle_trade", paid.buyer)
        back = next((r for r in rows if r.refund_of is not None), None)
        if back is None:
            was = _trade(paid)
            parts = {party: -fen for party, fen in was.parts.items()}
            back = _add(session, was.order, parts, actor, at, (paid.id, words))
        made = _trade(back)
    owed.settle(control, SplitRuleRow, TradeRow)
    return made


def trades(control: Control) -> list[Trade]:
    """Return every trade and refund, the oldest first."""
    with control.read() as session:
        return [_trade(row) for row in session.scalars(select(TradeRow).order_by(TradeRow.id))]


def balances(control: Control) -> Mapping[str, int]:
    """Return what each party has got in all, in 分."""
    with control.read() as session:
        rows = session.execute(
            select(SettlementRow.party, func.sum(SettlementRow.amount_fen))
            .group_by(SettlementRow.party)
            .order_by(SettlementRow.party)
        )
        return {party: int(total) for party, total in rows}


def read_rule(session: Session, version: str) -> SplitRule:
    """Return a version of who gets what; UsageError names those that there are."""
    row = session.get(SplitRuleRow, version)
    if row is None:
        known = ", ".join(session.scalars(select(SplitRuleRow.version).order_by(SplitRuleRow.at)))
        raise UsageError(
            Words(f"没有分配规则 {version!r}。", f"There is no split rule {version!r}."),
            Words(f"现有：{known or '无'}。", f"There are: {known or 'none'}."),
        )
    return rule_of(row)


def rule_of(row: SplitRuleRow) -> SplitRule:
    """Return the split rule that a row keeps."""
    return SplitRule(row.version, read_shares(row.shares))


def settlement(amount_fen: int, rule: SplitRule) -> Mapping[str, int]:
    """Return each party's part of an order; what is free leaves nothing to guarantee."""
    return split(amount_fen, rule) if amount_fen else {s.party: 0 for s in rule.shares}


@owed.owes(SplitRuleRow)
def rule_leaf(row: SplitRuleRow) -> Leaf:
    """Return the leaf of a version of the split rule."""
    facts = {"shares": row.shares, "actor": row.actor}
    return Leaf(type="trade", subject=f"rule/{row.version}", facts=facts, at=iso(row.at))


@owed.owes(TradeRow)
def trade_leaf(row: TradeRow) -> Leaf:
    """Return the leaf of a trade or refund: bodies and amounts; the order's number by digest."""
    return Leaf(
        type="trade",
        subject=row.id,
        facts={
            "order_sha256": sha256(row.order_id),
            "refund_of": row.refund_of,
            "listing": row.listing,
            "buyer": row.buyer,
            "use": row.use,
            "amount_fen": row.amount_fen,
            "rule": row.rule,
            "parts": row.parts,
            "reason_sha256": sha256(row.reason),
            "actor": row.actor,
        },
        at=iso(row.at),
    )


def _check_order(order: Order) -> None:
    if not _ORDER.fullmatch(order.order_id):
        raise UsageError(
            Words(f"{order.order_id!r} 不是订单号。", f"{order.order_id!r} is no order number."),
            Words("请用字母、数字、点、下划线、连字符。", "Use letters, digits, . _ -."),
        )
    _check_body(order.buyer)


def _check_body(name: str) -> None:
    if not _BUYER.fullmatch(name):
        raise UsageError(
            Words(f"{name!r} 不是主体名称。", f"{name!r} is no body's name."),
            Words(
                "请用小写字母、数字、下划线、连字符；不写个人。",
                "Use lower-case letters, digits, _ and -; no persons.",
            ),
        )


def _check_rights(
    session: Session, tree: Tree, listed: ListingRow, order: Order, at: datetime
) -> None:
    """Raise NoRightError where a right that the listing was made with has ended since."""
    register = read_register(session, tree)
    for dataset in datasets_in(listed.bundle):
        if not register.chain(listed.lister, dataset, "operate", city_day(at), order.use):
            raise NoRightError(
                Words(
                    f"{listed.lister} 已无权为 {order.use} 经营 {dataset}。",
                    f"{listed.lister} has no right to operate {dataset} for {order.use} any more.",
                ),
                Words(
                    f"请下架 {listed.id}，或重新取得授予。",
                    f"Withdraw {listed.id}, or have the right granted again.",
                ),
            )


def _taken(session: Session, tree: Tree, order: Order, actor: Actor, at: datetime) -> Trade:
    """Settle a new order of an open listing at its price."""
    listed = open_listing(session, order.listing)
    _check_rights(session, tree, listed, order, at)
    rule = read_rule(session, order.rule)
    amount = listed.commercial_fen if order.use == "commercial" else 0
    return _trade(_add(session, order, settlement(amount, rule), actor, at))


def _same(known: TradeRow, order: Order) -> Trade:
    found = _trade(known)
    if found.order != order:
        raise TradeConflictError(
            Words(
                f"订单 {order.order_id} 已是 {known.id}，内容不同。",
                f"The order {order.order_id} is {known.id}, with other contents.",
            ),
            Words("请换一个订单号。", "Send it under another number."),
        )
    return found


def _add(
    session: Session,
    order: Order,
    parts: Mapping[str, int],
    actor: Actor,
    at: datetime,
    refunded: tuple[str | None, str] = (None, ""),
) -> TradeRow:
    row = TradeRow(
        id=next_number(session, TradeRow.id, "T", at),
        **vars(order),
        refund_of=refunded[0],
        amount_fen=sum(parts.values()),
        parts=json.dumps(dict(parts), ensure_ascii=False, sort_keys=True),
        reason=refunded[1],
        actor=actor.name,
        at=at,
    )
    session.add(row)
    session.flush()
    session.add_all(SettlementRow(trade=row.id, party=p, amount_fen=n) for p, n in parts.items())
    return row


def _trade(row: TradeRow) -> Trade:
    order = Order(row.order_id, row.listing, row.buyer, cast("Use", row.use), row.rule)
    return Trade(row.id, order, row.amount_fen, read_parts(row.parts), row.refund_of, row.at)


def _rule_text(rule: SplitRule) -> str:
    shares = [[s.party, str(s.share), s.min_fen] for s in rule.shares]
    return json.dumps(shares, ensure_ascii=False)
