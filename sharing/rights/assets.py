"""The books of what data costs: staff, runs, storage and fees, by body, table and version, in 分.

A body keeps books of tables in which it has a right. A cost is booked on the day of booking; what
came about before the open period needs somebody else's approval, and nothing is of before 2024
(财会〔2023〕11号: earlier expense is not taken up again). What is wrong is reversed by a row below
zero, and may then be booked again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import func, select

from contracts.errors import UsageError
from contracts.words import Words
from sharing.people import require
from sharing.requests.tables import next_number
from sharing.rights.ledger import ApprovalRow, CostRow, MeasureRow
from sharing.rights.periods import FIRST_DAY, BackDatedError, check_days
from sharing.rights.rates import Carry, CostKind, rate, rate_of
from sharing.rights.register import read_register
from sharing.rights.runs import dataset_of, measured_runs, parts_of
from sharing.rights.terms import NoRightError, city_day, origin_holder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.people import Actor

#: How long a run has to have ended before it is measured: its events are written after it ended.
SETTLED_AFTER: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Cost:
    """What is to be booked for a body: ``quantity`` in the rate's unit, incurred on a day.

    ``version`` None where it is of the table, not of one version; ``stage`` of a run only.
    """

    body: str
    dataset: str
    kind: CostKind
    quantity: int
    incurred_on: date
    version: int | None = None
    reason: str = ""
    run: str | None = None
    stage: str | None = None


@dataclass(frozen=True)
class Booked:
    """A cost as people see it; ``number`` is its place in its body's books."""

    id: str
    number: int
    cost: Cost
    booked_on: date
    unit: str
    amount_fen: int
    reverses: str | None
    approval: str | None


@dataclass(frozen=True)
class BookedRuns:
    """The costs that were made of runs, and how many runs wait for an approval."""

    made: tuple[str, ...]
    waiting: int


def book(
    control: Control,
    tree: Tree,
    cost: Cost,
    actor: Actor,
    at: datetime,
    approval: str | None = None,
) -> str:
    """Book a cost today, at the rate of the day it came about; return its id.

    Raises:
        BackDatedError: It came about before 2024, or before the open period without an approval.
        NoRightError: The body had no right in the table that day.
        UsageError: There is no such table or rate, the quantity is not above 0, or the approval is
            of something else, used, or one's own.
    """
    with control.write() as session:
        is_late = check(session, tree, cost, actor, "keep_ledger", at)
        if is_late and approval is None:
            raise BackDatedError(
                Words(
                    f"{cost.incurred_on} 早于未结账期。",
                    f"What came about on {cost.incurred_on} is of before the open period.",
                ),
                Words(
                    "请由他人批准后补记：… rights asset approve。",
                    "Have it approved by another person: … rights asset approve.",
                ),
            )
        if approval is not None:
            _check_approval(session, approval, cost, actor)
        return _add(session, cost, actor, at, approval).id


def check(
    session: Session, tree: Tree, cost: Cost, actor: Actor, action: str, at: datetime
) -> bool:
    """Tell whether a cost is of before the open period.

    Raises:
        BackDatedError, NoRightError, UsageError: As ``book`` does.
    """
    require(actor, action, cost.body)
    if cost.quantity <= 0:
        raise UsageError(
            Words("费用的数量须大于 0。", "A cost has a quantity above 0."),
            Words("要冲销费用，请用冲回。", "To take one back, reverse it."),
        )
    if not read_register(session, tree).has_any(cost.body, cost.dataset, cost.incurred_on):
        holder = origin_holder(tree, cost.dataset)
        raise NoRightError(
            Words(
                f"{cost.body} 在 {cost.incurred_on} 对 {cost.dataset} 没有任何权利，不得记账。",
                f"{cost.body} had no right in {cost.dataset} on {cost.incurred_on}.",
            ),
            Words(f"应由原始持有方 {holder} 记账。", f"Its holder by origin books it: {holder}."),
        )
    return check_days(session, cost.body, cost.incurred_on, city_day(at))


def book_runs(control: Control, tree: Tree, body: str, actor: Actor, at: datetime) -> BookedRuns:
    """Book today every run of a table that the body holds by origin, unless it is booked.

    A run is in one body's books only. One of before the open period waits for an approval; one of
    before 2024 is not taken up. What was reversed is booked again.
    """
    require(actor, "keep_ledger", body)
    with control.write() as session:
        approved = _unused_approvals(session, body, actor)
        made, waiting = [], 0
        for cost in unbooked_runs(session, control, tree, body, actor, at):
            mine = approved.get(cost.run or "")
            if check_days(session, body, cost.incurred_on, city_day(at)) and mine is None:
                waiting += 1
                continue
            of_it = replace(cost, quantity=mine.quantity) if mine else cost
            made.append(_add(session, of_it, actor, at, mine.id if mine else None).id)
        return BookedRuns(tuple(made), waiting)


def unbooked_runs(
    session: Session, control: Control, tree: Tree, body: str, actor: Actor, at: datetime
) -> list[Cost]:
    """Return the costs of the body's runs that no cost in force is of, the oldest first.

    Machine time is shared out to all runs that have ended, whoever's they are.
    """
    until = at - SETTLED_AFTER
    rounds = list(session.scalars(select(MeasureRow.until_at).order_by(MeasureRow.seq)))
    runs = [run for run in measured_runs(control.home) if run.ended_at <= until]
    if any(not rounds or run.ended_at > rounds[-1] for run in runs):
        row = MeasureRow(seq=len(rounds), until_at=until, actor=actor.name, at=at)
        session.add(row)
        rounds.append(until)
    parts = parts_of(runs, rounds)
    held, booked = _held(tree, body), set(_booked_runs(session, body))
    return [
        Cost(
            body,
            dataset_of(tree, run),
            "run",
            parts[run.run_id],
            city_day(run.ended_at),
            run.version,
            run=run.run_id,
            stage=run.stage,
        )
        for run in sorted(runs, key=lambda run: (run.ended_at, run.run_id))
        if dataset_of(tree, run) in held
        and run.run_id not in booked
        and parts.get(run.run_id)
        and city_day(run.ended_at) >= FIRST_DAY
    ]


def reverse(control: Control, cost_id: str, reason: str, actor: Actor, at: datetime) -> str:
    """Take a cost back by a row of today; return that row's id.

    Raises UsageError where there is no such cost, it was reversed, or no reason was given.
    """
    words = " ".join(reason.split())
    if not words:
        raise UsageError(
            Words("冲回须写明理由。", "A reversal says why."),
            Words("请写明理由。", "Give a reason."),
        )
    with control.write() as session:
        row = session.get(CostRow, cost_id)
        if row is None or row.reverses is not None:
            raise UsageError(
                Words(f"没有费用 {cost_id!r}。", f"There is no cost {cost_id!r}."),
                Words("请看 … rights asset list。", "See … rights asset list."),
            )
        require(actor, "keep_ledger", row.body)
        if session.scalars(select(CostRow).where(CostRow.reverses == cost_id)).one_or_none():
            raise UsageError(
                Words(f"{cost_id} 已冲回。", f"{cost_id} is reversed."),
                Words("请按应有的内容重新记账。", "Book it again as it should be."),
            )
        today = city_day(at)
        check_days(session, row.body, today, today)
        kept = {c.key: getattr(row, c.key) for c in CostRow.__table__.columns}
        new = {
            "id": next_number(session, CostRow.id, "B", at),
            "number": _next_in_books(session, row.body),
            "quantity": -row.quantity,
            "amount_fen": -row.amount_fen,
            "booked_on": today,
            "reverses": cost_id,
            "approval": None,
            "reason": words,
            "actor": actor.name,
            "at": at,
        }
        session.add(CostRow(**kept | new))
        return str(new["id"])


def costs(control: Control, dataset: str | None = None, body: str | None = None) -> list[Booked]:
    """Return the costs of a table and a body, or of all, each body's by its numbers."""
    order = select(CostRow).order_by(CostRow.body, CostRow.number)
    with control.read() as session:
        rows = session.scalars(order).all()
    wanted = (r for r in rows if dataset in (None, r.dataset) and body in (None, r.body))
    return [_booked(row) for row in wanted]


def totals(
    booked: Iterable[Booked],
) -> Mapping[tuple[str, str, int | None], Mapping[CostKind, int]]:
    """Add costs up by body, table and version, and in each by kind, in 分. Pure."""
    found: dict[tuple[str, str, int | None], dict[CostKind, int]] = {}
    for one in booked:
        of = found.setdefault((one.cost.body, one.cost.dataset, one.cost.version), {})
        of[one.cost.kind] = of.get(one.cost.kind, 0) + one.amount_fen
    return found


def _add(session: Session, cost: Cost, actor: Actor, at: datetime, approval: str | None) -> CostRow:
    found = rate(cost.kind, cost.incurred_on)
    row = CostRow(
        id=next_number(session, CostRow.id, "B", at),
        number=_next_in_books(session, cost.body),
        **vars(cost),
        unit=found.unit,
        rate_version=found.version,
        amount_fen=_carried(session, cost.body, cost.kind).amount(found, cost.quantity),
        booked_on=city_day(at),
        approval=approval,
        actor=actor.name,
        at=at,
    )
    session.add(row)
    session.flush()
    return row


def _next_in_books(session: Session, body: str) -> int:
    newest = session.scalar(select(func.max(CostRow.number)).where(CostRow.body == body))
    return (newest or 0) + 1


def _carried(session: Session, body: str, kind: CostKind) -> Carry:
    """Return the sum of a body's carried costs of a kind, reversals included."""
    sums = session.execute(
        select(CostRow.rate_version, func.sum(CostRow.quantity), func.sum(CostRow.amount_fen))
        .where(CostRow.body == body, CostRow.kind == kind)
        .group_by(CostRow.rate_version)
    )
    whole = Carry(Fraction(0))
    for version, quantity, fen in sums:
        found = rate_of(kind, version)
        if found is not None:
            whole = whole.after(found, int(quantity), int(fen))
    return whole


def _check_approval(session: Session, approval: str, cost: Cost, actor: Actor) -> None:
    row = session.get(ApprovalRow, approval)
    names = ("body", "dataset", "version", "kind", "quantity", "incurred_on", "run")
    if row is None or any(getattr(row, name) != getattr(cost, name) for name in names):
        raise UsageError(
            Words(f"{approval!r} 不是这笔费用的批准。", f"{approval!r} approves no such cost."),
            Words(
                "请按这笔费用重新申请批准：… rights asset approve。",
                "Have this very cost approved: … rights asset approve.",
            ),
        )
    if row.actor == actor.name:
        raise UsageError(
            Words(f"批准人 {actor.name} 不得自行记账。", f"{actor.name} approved it."),
            Words("请由他人记账。", "Have another person book it."),
        )
    if session.scalar(select(CostRow.id).where(CostRow.approval == approval)) is not None:
        raise UsageError(
            Words(f"批准 {approval} 已使用。", f"{approval} is used."),
            Words(
                "一次批准只记一笔：请重新申请。", "An approval is of one cost: ask for a new one."
            ),
        )


def _unused_approvals(session: Session, body: str, actor: Actor) -> dict[str, ApprovalRow]:
    """Return others' approvals of runs that no cost was booked by, by run."""
    used = select(CostRow.approval).where(CostRow.approval.is_not(None))
    rows = session.scalars(
        select(ApprovalRow)
        .where(
            ApprovalRow.body == body,
            ApprovalRow.run.is_not(None),
            ApprovalRow.actor != actor.name,
            ApprovalRow.id.not_in(used),
        )
        .order_by(ApprovalRow.id)
    )
    return {str(row.run): row for row in rows}


def _booked_runs(session: Session, body: str) -> Iterator[str]:
    """Yield the runs that a cost in force is of: it is not reversed."""
    taken_back = select(CostRow.reverses).where(CostRow.reverses.is_not(None))
    found = session.scalars(
        select(CostRow.run).where(
            CostRow.body == body,
            CostRow.run.is_not(None),
            CostRow.reverses.is_(None),
            CostRow.id.not_in(taken_back),
        )
    )
    yield from (run for run in found if run is not None)


def _held(tree: Tree, body: str) -> frozenset[str]:
    """Return the tables that a body holds by origin."""
    feeds = {feed.table for feed in tree.feeds() if feed.provider == body}
    made = {p.product_table for p in tree.active_products() if p.domain == body}
    return frozenset(feeds | made)


def _booked(row: CostRow) -> Booked:
    cost = Cost(
        row.body,
        row.dataset,
        cast("CostKind", row.kind),
        row.quantity,
        row.incurred_on,
        row.version,
        row.reason,
        row.run,
        row.stage,
    )
    return Booked(
        row.id,
        row.number,
        cost,
        row.booked_on,
        row.unit,
        row.amount_fen,
        row.reverses,
        row.approval,
    )
