"""verify: books are what they must be among themselves; their leaves are ``sharing.attest``'s.

Numbers without a gap, quantity × rate, reversals that are their cost below zero, days that were
open or approved, months closed in order with the costs they were closed with, and parts of the
clock that are the runs'. What a version before wrote is held to the rules it was written under.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from contracts.words import Words
from lineage.errors import LineageError
from sharing.attest.adopt import STATE
from sharing.attest.journal import MARK, key_of, subject_of
from sharing.rights.ledger import ApprovalRow, ClosedMonthRow, CostRow, MeasureRow
from sharing.rights.periods import digest, facts_before, month_after, month_rows
from sharing.rights.rates import Carry, rate_of
from sharing.rights.runs import measured_runs, parts_of
from sharing.rights.terms import city_day

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from jobs.verify.lake import Lake
    from lineage.evidence.leaf import Leaf

#: The leaf of a closed month in an earlier version.
_BEFORE: Final = "asset"


@dataclass(frozen=True)
class _Books:
    """One body's costs by number, its closed months, and all approvals by id."""

    costs: Sequence[CostRow]
    months: Sequence[ClosedMonthRow]
    approvals: Mapping[str, ApprovalRow]
    adopted: frozenset[tuple[str, str]]
    #: None where the events cannot be read, which ``verify`` names by itself.
    parts: Mapping[str, int] | None

    def is_adopted(self, row: CostRow | ClosedMonthRow) -> bool:
        """Whether a version before wrote it."""
        return (row.leaf_type, key_of(row)) in self.adopted

    def open_from(self, row: CostRow) -> date:
        """Return from which day on the books were open when a cost was booked."""
        closed = [m.month for m in self.months if m.at <= row.at]
        first = min(cost.booked_on for cost in self.costs)
        month = month_after(max(closed)) if closed else f"{first:%Y-%m}"
        return first.fromisoformat(f"{month}-01")


def problems(lake: Lake, session: Session) -> Iterator[tuple[str, Words | None]]:
    """Yield each row of the books with what is wrong with it, or None."""
    costs = session.scalars(select(CostRow).order_by(CostRow.body, CostRow.number)).all()
    months = session.scalars(select(ClosedMonthRow).order_by(ClosedMonthRow.month)).all()
    approvals = {row.id: row for row in session.scalars(select(ApprovalRow))}
    rounds = session.scalars(select(MeasureRow.until_at)).all()
    parts = _parts(lake, rounds)
    adopted = frozenset(
        subject_of(leaf) for leaf in lake.log if leaf.subject.endswith(f"{MARK}{STATE}")
    )
    for body in sorted({*(row.body for row in costs), *(row.body for row in months)}):
        books = _Books(
            [row for row in costs if row.body == body],
            [row for row in months if row.body == body],
            approvals,
            adopted,
            parts,
        )
        yield from _costs(books)
        yield from _months(session, books)
    yield from _logged_before(lake, {f"{m.body}/{m.month}": m for m in months})


def _costs(books: _Books) -> Iterator[tuple[str, Words | None]]:
    by_id = {row.id: row for row in books.costs}
    carries: dict[str, Carry] = {}
    for place, row in enumerate(books.costs, 1):
        where = f"share_costs {row.id}"
        carry = carries.get(row.kind, Carry())
        used = rate_of(row.kind, row.rate_version)
        if used is not None:
            carries[row.kind] = carry.after(used, row.quantity, row.amount_fen)
        if row.number != place:
            yield (
                where,
                Words(
                    f"其序号是 {row.number}；{row.body} 的账应接 {place}",
                    f"its number is {row.number}; the books of {row.body} go on with {place}",
                ),
            )
        elif used is None or used.unit != row.unit:
            yield (
                where,
                Words(
                    f"没有 {row.kind} 每 {row.unit} 的费率 {row.rate_version}",
                    f"there is no rate {row.rate_version} of {row.kind} a {row.unit}",
                ),
            )
        elif row.reverses is not None:
            yield where, _reversal(row, by_id.get(row.reverses))
        elif row.amount_fen != (due := carry.amount(used, row.quantity)):
            yield (
                where,
                Words(
                    f"它是 {row.amount_fen} 分；按数量与费率应为 {due} 分",
                    f"it is {row.amount_fen} fen; its quantity at its rate is {due}",
                ),
            )
        elif used.is_carried and not _is_its_part(books, row):
            yield (
                where,
                Words(
                    f"其 {row.quantity} 毫秒不是其运行所占的机器时间",
                    f"its {row.quantity} ms are not what its run took of the machine",
                ),
            )
        else:
            yield where, _days(books, row)


def _parts(lake: Lake, rounds: Sequence[datetime]) -> Mapping[str, int] | None:
    """Share machine time out again, as the rounds did."""
    if not rounds:
        return {}
    try:
        runs = [run for run in measured_runs(lake.home) if run.ended_at <= max(rounds)]
    except LineageError:
        return None
    return parts_of(runs, rounds)


def _is_its_part(books: _Books, row: CostRow) -> bool:
    if row.run is None or books.parts is None:
        return True
    return row.quantity == books.parts.get(row.run)


def _reversal(row: CostRow, of: CostRow | None) -> Words | None:
    if of is None:
        return Words(
            f"它冲回 {row.reverses}，而账里没有这一笔",
            f"it reverses {row.reverses}, which these books do not have",
        )
    is_below = (row.quantity, row.amount_fen) == (-of.quantity, -of.amount_fen)
    if is_below:
        return None
    back = -row.amount_fen
    return Words(
        f"它冲回 {back} 分，原为 {of.amount_fen} 分", f"it takes back {back} fen of {of.amount_fen}"
    )


def _days(books: _Books, row: CostRow) -> Words | None:
    """Say whether a cost was dated back, or is of before the open period with no approval."""
    if books.is_adopted(row):
        return None
    if row.booked_on != city_day(row.at):
        written = city_day(row.at)
        return Words(
            f"入账日是 {row.booked_on}；写入于 {written}",
            f"it is booked on {row.booked_on}; it was written on {written}",
        )
    opened = books.open_from(row)
    if opened <= row.incurred_on <= row.booked_on:
        return None
    approval = books.approvals.get(row.approval or "")
    if approval is None:
        return Words(
            f"它发生于 {row.incurred_on}，而账自 {opened} 起才开放",
            f"it came about on {row.incurred_on}, the books were open from {opened} on",
        )
    names = ("body", "dataset", "version", "kind", "quantity", "incurred_on", "run")
    is_it = all(getattr(approval, n) == getattr(row, n) for n in names)
    is_it = is_it and approval.actor != row.actor
    return None if is_it else Words(f"{approval.id} 不是它的批准", f"{approval.id} is not of it")


def _months(session: Session, books: _Books) -> Iterator[tuple[str, Words | None]]:
    before: ClosedMonthRow | None = None
    for month in books.months:
        rows = month_rows(session, month.body, month.month)
        problem = None
        if digest(rows) != month.costs_sha256:
            problem = Words(
                f"其 {len(rows)} 笔费用不是结账时的那些",
                f"its {len(rows)} costs are not those it was closed with",
            )
        elif before and not books.is_adopted(month) and month_after(before.month) != month.month:
            due = month_after(before.month)
            problem = Words(f"{due} 没有在它之前结账", f"{due} was not closed before it")
        yield f"share_closed_months {month.body} {month.month}", problem
        before = month


def _logged_before(
    lake: Lake, months: Mapping[str, ClosedMonthRow]
) -> Iterator[tuple[str, Words | None]]:
    """Hold the leaves that a version before left of closed months against their rows."""
    for leaf in lake.log:
        if leaf.type == _BEFORE:
            yield f"share_closed_months {leaf.subject}", _differs(leaf, months.get(leaf.subject))


def _differs(leaf: Leaf, row: ClosedMonthRow | None) -> Words | None:
    if row is None:
        return Words(f"它已不在；{leaf.key} 提到它", f"it is gone; {leaf.key} names it")
    is_it = facts_before(row) == (leaf.facts, leaf.at)
    return None if is_it else Words(f"它与 {leaf.key} 所说不符", f"it is not what {leaf.key} says")
