"""The ledger of what data costs: staff, runs, storage and fees, by table and version, in 分.

Nothing is dated back: a cost is booked on or after the day it came about, none is of before 2024,
and none goes into a closed month (财会〔2023〕11号: earlier expense is not taken up again). What is
wrong is reversed by a row below zero. Closing a month puts the digest of its rows in evidence.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast, get_args

from sqlalchemy import BigInteger, Date, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.errors import JingshuError, UsageError
from jobs.leaves import iso
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.control import Base
from sharing.owed import OwingRow
from sharing.people import require
from sharing.requests.tables import next_number
from sharing.rights.runs import measured_runs
from sharing.rights.terms import city_day, origin_holder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.people import Actor
    from sharing.rights.runs import Measured

CostKind = Literal["staff", "run", "storage", "fee"]
COST_KINDS: Final[tuple[CostKind, ...]] = get_args(CostKind)
#: From when on data costs may be taken up (财会〔2023〕11号).
FIRST_DAY: Final = date(2024, 1, 1)
_RATES: Final = Path(__file__).with_name("rates.csv")
_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


class BackDatedError(JingshuError, ValueError):
    """A cost for a day that is too early, or in a closed month."""


class CostRow(Base):
    """One cost, or the reversal of one (``reverses``); rows are only ever added."""

    __tablename__ = "share_costs"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    body: Mapped[str] = mapped_column(String(63), index=True)
    dataset: Mapped[str] = mapped_column(String(255), index=True)
    version: Mapped[int | None]
    kind: Mapped[str] = mapped_column(String(16))
    quantity: Mapped[int] = mapped_column(BigInteger)
    unit: Mapped[str] = mapped_column(String(16))
    rate_version: Mapped[str] = mapped_column(String(16))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    incurred_on: Mapped[date] = mapped_column(Date)
    booked_on: Mapped[date] = mapped_column(Date)
    run: Mapped[str | None] = mapped_column(String(64), index=True)
    reverses: Mapped[str | None] = mapped_column(String(16), unique=True)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


class ClosedMonthRow(OwingRow):
    """A body's month that takes no more costs, with the digest of those it has."""

    __tablename__ = "share_closed_months"
    body: Mapped[str] = mapped_column(String(63), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    costs: Mapped[int]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    costs_sha256: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


@dataclass(frozen=True)
class Rate:
    """What ``per`` units of a kind cost in 分, on which days."""

    version: str
    kind: CostKind
    unit: str
    per: int
    fen: int
    valid_from: date
    valid_to: date | None

    def amount(self, quantity: int) -> int:
        """Return the cost of a quantity in 分; half a 分 is one."""
        return (2 * quantity * self.fen + self.per) // (2 * self.per)


@dataclass(frozen=True)
class Cost:
    """What is to be booked for a body: ``quantity`` in the rate's unit, incurred on a day.

    ``version`` None where it is of the table, not of one version.
    """

    body: str
    dataset: str
    kind: CostKind
    quantity: int
    incurred_on: date
    booked_on: date
    version: int | None = None
    reason: str = ""
    run: str | None = None


@dataclass(frozen=True)
class Booked:
    """A cost as people see it."""

    id: str
    cost: Cost
    unit: str
    amount_fen: int
    reverses: str | None


def book(control: Control, tree: Tree, cost: Cost, actor: Actor, at: datetime) -> str:
    """Book a cost at the rate of the day it came about; return its id.

    Raises:
        BackDatedError: It is booked before it came about, before 2024, or in a closed month.
        UsageError: There is no such table or rate, or the quantity is not above 0.
    """
    require(actor, "keep_ledger", cost.body)
    origin_holder(tree, cost.dataset)
    if cost.quantity <= 0:
        raise UsageError("A cost has a quantity above 0.", "To take one back, reverse it.")
    with control.write() as session:
        row = _row(session, cost, actor, at)
        session.add(row)
        return row.id


def book_runs(control: Control, tree: Tree, body: str, actor: Actor, at: datetime) -> list[str]:
    """Book every measured run that made a table which the body holds, once; return the new ids.

    What ran in a month that is closed is booked today; what ran before 2024 is not taken up.
    """
    require(actor, "keep_ledger", body)
    held = _held(tree, body)
    runs = [run for run in measured_runs(control.home) if run.table in held]
    with control.write() as session:
        known = set(session.scalars(select(CostRow.run).where(CostRow.body == body)))
        made = []
        for run in sorted(runs, key=lambda run: (run.ended_at, run.run_id)):
            if run.run_id in known or city_day(run.ended_at) < FIRST_DAY or run.seconds <= 0:
                continue
            row = _row(session, _cost_of(session, run, body, at), actor, at)
            session.add(row)
            session.flush()
            made.append(row.id)
        return made


def reverse(control: Control, cost_id: str, reason: str, actor: Actor, at: datetime) -> str:
    """Take a cost back by a row of today; return that row's id.

    Raises UsageError where there is no such cost, it was reversed, or no reason was given.
    """
    words = " ".join(reason.split())
    if not words:
        raise UsageError("A reversal says why.", "Give a reason.")
    with control.write() as session:
        row = session.get(CostRow, cost_id)
        if row is None or row.reverses is not None:
            raise UsageError(f"There is no cost {cost_id!r}.", "See … rights asset list.")
        require(actor, "keep_ledger", row.body)
        if session.scalars(select(CostRow).where(CostRow.reverses == cost_id)).one_or_none():
            raise UsageError(f"{cost_id} is reversed.", "Book it again as it should be.")
        today = city_day(at)
        _check_open(session, row.body, today)
        kept = {c.key: getattr(row, c.key) for c in CostRow.__table__.columns}
        new = {
            "id": next_number(session, CostRow.id, "B", at),
            "quantity": -row.quantity,
            "amount_fen": -row.amount_fen,
            "booked_on": today,
            "reverses": cost_id,
            "reason": words,
            "actor": actor.name,
            "at": at,
        }
        session.add(CostRow(**kept | new))
        return str(new["id"])


def close_month(control: Control, body: str, month: str, actor: Actor, at: datetime) -> None:
    """Let a body's month (YYYY-MM) take no more costs, and put its rows in evidence.

    Raises UsageError where it is no month, not over yet, or closed already.
    """
    require(actor, "keep_ledger", body)
    if not _MONTH.fullmatch(month) or month >= f"{city_day(at):%Y-%m}":
        raise UsageError(f"{month!r} is no month that is over.", "Write it as 2026-06.")
    with control.write() as session:
        if session.get(ClosedMonthRow, (body, month)) is not None:
            raise UsageError(f"{month} of {body} is closed.", "Book in a later month.")
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
    settle(control)


def costs(control: Control, dataset: str | None = None) -> list[Booked]:
    """Return the costs of a table, or all, the oldest first, with what reverses them."""
    with control.read() as session:
        rows = session.scalars(select(CostRow).order_by(CostRow.id)).all()
    return [_booked(row) for row in rows if dataset in (None, row.dataset)]


def totals(booked: Iterable[Booked]) -> Mapping[tuple[str, int | None], Mapping[CostKind, int]]:
    """Add costs up by table and version, and in each by kind, in 分. Pure."""
    found: dict[tuple[str, int | None], dict[CostKind, int]] = {}
    for one in booked:
        of = found.setdefault((one.cost.dataset, one.cost.version), {})
        of[one.cost.kind] = of.get(one.cost.kind, 0) + one.amount_fen
    return found


@cache
def rates() -> tuple[Rate, ...]:
    """Return the dated rate table, ``rates.csv``."""
    with _RATES.open(encoding="utf-8", newline="") as file:
        return tuple(
            Rate(
                row["version"],
                cast("CostKind", row["kind"]),
                row["unit"],
                int(row["per"]),
                int(row["fen"]),
                date.fromisoformat(row["valid_from"]),
                date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            )
            for row in csv.DictReader(file)
        )


def rate(kind: CostKind, on: date) -> Rate:
    """Return the rate of a kind on a day; UsageError where there is none."""
    for found in rates():
        is_valid = found.valid_from <= on and (found.valid_to is None or on <= found.valid_to)
        if found.kind == kind and is_valid:
            return found
    raise UsageError(f"There is no rate of {kind} on {on}.", "Add it to rates.csv, with its days.")


def settle(control: Control) -> None:
    """Write the leaves that closed months still owe."""
    owed.settle(control, ClosedMonthRow)


@owed.owes(ClosedMonthRow)
def month_leaf(row: ClosedMonthRow) -> Leaf:
    """Return the leaf of a closed month: how many costs, how much, and their digest."""
    return Leaf(
        type="asset",
        subject=f"{row.body}/{row.month}",
        facts={
            "body": row.body,
            "month": row.month,
            "costs": row.costs,
            "amount_fen": row.amount_fen,
            "costs_sha256": row.costs_sha256,
            "actor": row.actor,
        },
        at=iso(row.at),
    )


def month_rows(session: Session, body: str, month: str) -> list[CostRow]:
    """Return the costs that a body booked in a month."""
    rows = session.scalars(select(CostRow).where(CostRow.body == body).order_by(CostRow.id))
    return [row for row in rows if f"{row.booked_on:%Y-%m}" == month]


def digest(rows: Iterable[CostRow]) -> str:
    """Return SHA-256 over costs as they are kept, one line each."""
    names = [c.key for c in CostRow.__table__.columns]
    lines = (json.dumps([str(getattr(row, n)) for n in names], ensure_ascii=False) for row in rows)
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _row(session: Session, cost: Cost, actor: Actor, at: datetime) -> CostRow:
    _check_dates(session, cost, city_day(at))
    found = rate(cost.kind, cost.incurred_on)
    return CostRow(
        id=next_number(session, CostRow.id, "B", at),
        **vars(cost),
        unit=found.unit,
        rate_version=found.version,
        amount_fen=found.amount(cost.quantity),
        actor=actor.name,
        at=at,
    )


def _check_dates(session: Session, cost: Cost, today: date) -> None:
    if cost.incurred_on < FIRST_DAY:
        raise BackDatedError(
            f"What came about on {cost.incurred_on} was expensed: it is before {FIRST_DAY}.",
            "It is not taken up again (财会〔2023〕11号).",
        )
    if cost.booked_on < cost.incurred_on:
        raise BackDatedError(
            f"It came about on {cost.incurred_on} and would be booked on {cost.booked_on}.",
            "Book it on that day or later.",
        )
    if cost.booked_on > today:
        raise UsageError(f"{cost.booked_on} is still to come.", "Book it today.")
    _check_open(session, cost.body, cost.booked_on)


def _check_open(session: Session, body: str, on: date) -> None:
    if _is_closed(session, body, on):
        raise BackDatedError(
            f"{on:%Y-%m} of {body} is closed.", "Book it in a month that is open: today."
        )


def _is_closed(session: Session, body: str, on: date) -> bool:
    return session.get(ClosedMonthRow, (body, f"{on:%Y-%m}")) is not None


def _held(tree: Tree, body: str) -> frozenset[str]:
    """Return the tables that a body holds by origin."""
    feeds = {feed.table for feed in tree.feeds() if feed.provider == body}
    made = {p.product_table for p in tree.active_products() if p.domain == body}
    return frozenset(feeds | made)


def _cost_of(session: Session, run: Measured, body: str, at: datetime) -> Cost:
    ran_on = city_day(run.ended_at)
    booked_on = city_day(at) if _is_closed(session, body, ran_on) else ran_on
    return Cost(body, run.table, "run", run.seconds, ran_on, booked_on, run.version, run=run.run_id)


def _booked(row: CostRow) -> Booked:
    cost = Cost(
        row.body,
        row.dataset,
        cast("CostKind", row.kind),
        row.quantity,
        row.incurred_on,
        row.booked_on,
        row.version,
        row.reason,
        row.run,
    )
    return Booked(row.id, cost, row.unit, row.amount_fen, row.reverses)
