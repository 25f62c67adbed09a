"""Which days a body's books are open for; months close in order, over their rows' digest."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from contracts.digest import sha256
from contracts.errors import JingshuError, UsageError
from contracts.moment import iso
from contracts.words import Words
from sharing.people import require
from sharing.rights.ledger import ClosedMonthRow, CostRow
from sharing.rights.register import read_register
from sharing.rights.terms import NoRightError, city_day

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from lineage.evidence.leaf import JsonScalar
    from sharing.control import Control
    from sharing.people import Actor

#: From when on data costs may be taken up (财会〔2023〕11号).
FIRST_DAY: Final = date(2024, 1, 1)
_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
#: What the digest of a month is over: what rows of every version have.
_DIGESTED: Final = (
    "id",
    "body",
    "dataset",
    "version",
    "kind",
    "quantity",
    "unit",
    "rate_version",
    "amount_fen",
    "incurred_on",
    "booked_on",
    "run",
    "reverses",
    "reason",
    "actor",
    "at",
)


class BackDatedError(JingshuError, ValueError):
    """A cost for a day that is too early, or in a closed month."""


def close_month(
    control: Control, tree: Tree, body: str, month: str, actor: Actor, at: datetime
) -> None:
    """Let a body's month (YYYY-MM) take no more costs, and put its rows in evidence.

    Raises:
        NoRightError: The body has no books: no costs, and no right in any table.
        UsageError: It is no month, not over yet, closed already, or an earlier one is open.
    """
    require(actor, "keep_ledger", body)
    is_over = _MONTH.fullmatch(month) and f"{FIRST_DAY:%Y-%m}" <= month < f"{city_day(at):%Y-%m}"
    if not is_over:
        raise UsageError(
            Words(f"{month!r} 不是已经结束的月份。", f"{month!r} is no month that is over."),
            Words("请写作 2026-06。", "Write it as 2026-06."),
        )
    with control.write() as session:
        _check_has_books(session, tree, body, city_day(at))
        if session.get(ClosedMonthRow, (body, month)) is not None:
            raise UsageError(
                Words(f"{body} 的 {month} 已结账。", f"{month} of {body} is closed."),
                Words("请记入以后的月份。", "Book in a later month."),
            )
        due = first_open_month(session, body)
        if due is not None and month != due:
            raise UsageError(
                Words(f"{body} 的 {due} 尚未结账。", f"{due} of {body} is to be closed first."),
                Words("请按月份顺序结账。", "Close months in order."),
            )
        rows = month_rows(session, body, month)
        session.add(
            ClosedMonthRow(
                body=body,
                month=month,
                costs=len(rows),
                amount_fen=sum(row.amount_fen for row in rows),
                costs_sha256=digest(rows),
                actor=actor.name,
                at=at,
            )
        )


def open_from(session: Session, body: str, today: date) -> date:
    """Return from which day on costs are taken without an approval.

    It is the first of the month after the newest closed one; where none is closed, of the month in
    which the body booked its first cost; before that, of this month.
    """
    month = first_open_month(session, body)
    return max(date.fromisoformat(f"{month or f'{today:%Y-%m}'}-01"), FIRST_DAY)


def first_open_month(session: Session, body: str) -> str | None:
    """Return the earliest month of a body that takes costs; None where it has no books yet."""
    newest = session.scalar(
        select(func.max(ClosedMonthRow.month)).where(ClosedMonthRow.body == body)
    )
    if newest is not None:
        return month_after(newest)
    first = session.scalar(select(func.min(CostRow.booked_on)).where(CostRow.body == body))
    return None if first is None else f"{first:%Y-%m}"


def month_after(month: str) -> str:
    """Return the month after one, both as YYYY-MM."""
    return f"{date.fromisoformat(f'{month}-28') + timedelta(days=4):%Y-%m}"


def check_days(session: Session, body: str, incurred_on: date, today: date) -> bool:
    """Tell whether a cost needs an approval: it came about before the open period.

    Raises:
        BackDatedError: It came about before 2024, or today's month is closed.
        UsageError: It has not come about yet.
    """
    if incurred_on < FIRST_DAY:
        raise BackDatedError(
            Words(
                f"{incurred_on} 早于 {FIRST_DAY}，已费用化。",
                f"What came about on {incurred_on} was expensed: it is before {FIRST_DAY}.",
            ),
            Words("不再追溯调整（财会〔2023〕11号）。", "It is not taken up again."),
        )
    if incurred_on > today:
        raise UsageError(
            Words(f"{incurred_on} 尚未到来。", f"{incurred_on} is still to come."),
            Words("请在发生后再记账。", "Book it once it came about."),
        )
    opened = open_from(session, body, today)
    if today < opened:
        raise BackDatedError(
            Words(f"{body} 的 {today:%Y-%m} 已结账。", f"{today:%Y-%m} of {body} is closed."),
            Words("请校准本机时钟。", "Set the machine's clock."),
        )
    return incurred_on < opened


def month_rows(session: Session, body: str, month: str) -> list[CostRow]:
    """Return the costs that a body booked in a month."""
    rows = session.scalars(select(CostRow).where(CostRow.body == body).order_by(CostRow.id))
    return [row for row in rows if f"{row.booked_on:%Y-%m}" == month]


def digest(rows: Iterable[CostRow]) -> str:
    """Return SHA-256 over costs as they are kept, one line each."""
    lines = (
        json.dumps([str(getattr(row, n)) for n in _DIGESTED], ensure_ascii=False) for row in rows
    )
    return sha256("".join(f"{line}\n" for line in lines))


def facts_before(row: ClosedMonthRow) -> tuple[dict[str, JsonScalar], str]:
    """Return facts and time of the ``asset`` leaf that a version before left of a month."""
    facts: dict[str, JsonScalar] = {
        "body": row.body,
        "month": row.month,
        "costs": row.costs,
        "amount_fen": row.amount_fen,
        "costs_sha256": row.costs_sha256,
        "actor": row.actor,
    }
    return facts, iso(row.at)


def _check_has_books(session: Session, tree: Tree, body: str, today: date) -> None:
    has_costs = session.scalar(select(CostRow.id).where(CostRow.body == body).limit(1))
    if has_costs is not None:
        return
    register = read_register(session, tree)
    tables = {
        *(feed.table for feed in tree.feeds()),
        *(product.product_table for product in tree.active_products()),
    }
    if not any(register.has_any(body, table, today) for table in tables):
        raise NoRightError(
            Words(
                f"{body} 没有账：没有记账，对任何表也没有权利。",
                f"{body} has no books: it has no costs, and no right in any table.",
            ),
            Words(
                "账属于持有、加工使用或经营数据的主体。",
                "Books are of a body that holds, processes or operates data.",
            ),
        )
