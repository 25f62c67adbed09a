"""verify: rights, trades, costs and decisions on exports are what the evidence log says of them.

And what they must be among themselves: parts that are their amount, refunds that are the order
below zero, closed months that kept their costs, decisions that follow from their facts, and
listings that are still proved to be real.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import select

from contracts.errors import UsageError
from contracts.words import Words
from jobs.verify.report import checked
from sharing.crossborder.decide import is_counted
from sharing.crossborder.records import ExportRow, counted_persons, export_leaf
from sharing.rights.listing import ListingRow, listing_leaf
from sharing.rights.offered import NotListableError, RealOrigin, SimulatedDataError, offered
from sharing.rights.register import RightRow, right_leaf
from sharing.rights.split import SplitError
from sharing.rights.trades import (
    SettlementRow,
    SplitRuleRow,
    TradeRow,
    read_parts,
    rule_leaf,
    rule_of,
    settlement,
    trade_leaf,
)
from sharing.verify import books, crossborder
from sharing.verify.grants import logged, without_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.orm import Session

    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked
    from lineage.evidence.leaf import Leaf
    from sharing.rights.split import SplitRule
    from sharing.verify.lake import CityLake

_OF_NO_EXPORT = Words("它不属于任何出境", "it is of no export")
_LEAVES = ("rights", "trade", "crossborder")


def rights(lake: CityLake) -> Iterator[Checked]:
    """Invariants 6 and 8: each row has its leaf, which says the same, and each leaf its row.

    A row that still owes its leaf is recovering.
    """
    if not lake.records.are_kept:
        yield from without_rows(lake, _LEAVES, frozenset())
        return
    with lake.records.read() as session:
        wanted = list(_wanted(session))
        problems = [
            *_settlements(session),
            *books.problems(lake, session),
            *_persons(session),
            *crossborder.decisions(session),
            *crossborder.dates(session),
            *crossborder.reliance(session),
        ]
        listed = session.scalars(select(ListingRow).where(ListingRow.seq == 0)).all()
    for leaf, leaf_at, table in wanted:
        yield logged(lake, leaf, table, is_owed=leaf_at is None)
    yield from without_rows(lake, _LEAVES, frozenset(leaf.key for leaf, _, _ in wanted))
    for where, problem in problems:
        yield checked(6, f"control.db {where}", problem)
    for row in listed:
        yield checked(8, f"control.db share_listings {row.id}", _not_real(lake, row))


def _wanted(session: Session) -> Iterator[tuple[Leaf, datetime | None, str]]:
    """Yield the leaf that each row should have left, whether it has, and the row's table."""
    for right in session.scalars(select(RightRow).order_by(RightRow.id, RightRow.seq)):
        yield right_leaf(right), right.leaf_at, "share_rights"
    for listing in session.scalars(select(ListingRow).order_by(ListingRow.id, ListingRow.seq)):
        yield listing_leaf(listing), listing.leaf_at, "share_listings"
    for rule in session.scalars(select(SplitRuleRow).order_by(SplitRuleRow.version)):
        yield rule_leaf(rule), rule.leaf_at, "share_split_rules"
    for trade in session.scalars(select(TradeRow).order_by(TradeRow.id)):
        yield trade_leaf(trade), trade.leaf_at, "share_trades"
    for export in session.scalars(select(ExportRow).order_by(ExportRow.id, ExportRow.seq)):
        yield export_leaf(export), export.leaf_at, "share_exports"
    yield from crossborder.leaves(session)


def _settlements(session: Session) -> Iterator[tuple[str, Words | None]]:
    """Hold every trade against its rule, its settlement rows and, of a refund, its order."""
    rules_of = {row.version: rule_of(row) for row in session.scalars(select(SplitRuleRow))}
    trades = {row.id: row for row in session.scalars(select(TradeRow).order_by(TradeRow.id))}
    paid: dict[str, dict[str, int]] = {}
    for row in session.scalars(select(SettlementRow)):
        paid.setdefault(row.trade, {})[row.party] = row.amount_fen
    for trade in trades.values():
        order = trades.get(trade.refund_of or "", trade)
        rule, parts = rules_of.get(trade.rule), paid.get(trade.id, {})
        yield f"share_trades {trade.id}", _unequal(trade, order, rule, parts)


def _unequal(
    trade: TradeRow, order: TradeRow, rule: SplitRule | None, parts: dict[str, int]
) -> Words | None:
    if parts != read_parts(trade.parts):
        return Words(
            "其结算行不是结算时的各份", "its settlement rows are not the parts it was settled with"
        )
    if sum(parts.values()) != trade.amount_fen:
        total = sum(parts.values())
        return Words(
            f"其各份合计 {total} 分，金额为 {trade.amount_fen} 分",
            f"its parts are {total} fen together, its amount {trade.amount_fen}",
        )
    if trade.refund_of and trade.amount_fen != -order.amount_fen:
        back = -trade.amount_fen
        return Words(
            f"它退回 {back} 分，原为 {order.amount_fen} 分",
            f"it gives back {back} fen of {order.amount_fen}",
        )
    if rule is None:
        return Words(f"其分配规则 {trade.rule} 已不在", f"its split rule {trade.rule} is gone")
    paid = {party: abs(fen) for party, fen in parts.items()}
    try:
        by_rule = settlement(abs(trade.amount_fen), rule)
    except SplitError as error:
        return error.words
    problem = Words(
        f"其各份不是按 {trade.rule} 分得的", f"its parts are not what {trade.rule} makes of them"
    )
    return None if paid == by_rule else problem


def _persons(session: Session) -> Iterator[tuple[str, Words | None]]:
    """Hold the persons that are kept of each export against what was counted in it."""
    kept = counted_persons(session)
    newest = {row.id: row for row in session.scalars(select(ExportRow).order_by(ExportRow.seq))}
    for row in newest.values():
        wanted = row.own_general + row.own_sensitive
        if row.kind != "decided" or not is_counted(row.outcome, row.rule_row):
            wanted = 0
        found = kept.pop(row.id, 0)
        is_wrong = found != wanted
        told = Words(
            f"存有 {found} 人，应计 {wanted} 人", f"{found} persons are kept, {wanted} count"
        )
        yield f"share_export_persons {row.id}", told if is_wrong else None
    yield from ((f"share_export_persons {name}", _OF_NO_EXPORT) for name in kept)


def _not_real(lake: Lake, row: ListingRow) -> Words | None:
    """Say why what was listed is not real; None where each record of it says that it is.

    What is not published any more has no records to ask: that is for its lister to withdraw.
    """
    try:
        found = offered(
            lake.home, lake.tree, row.product, row.policy, date.fromisoformat(row.business_date)
        )
        RealOrigin(found.claims)
    except SimulatedDataError as error:
        why = error.words
        return Words(f"它已上架：{why.zh}", f"it is listed: {why.en}")
    except (NotListableError, UsageError):
        return None
    if row.origin == "real":
        return None
    return Words(f"它以 {row.origin} 上架", f"it is listed as {row.origin}")
