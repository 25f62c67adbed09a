"""Approvals of late costs: another person's consent that a cost of a closed time is booked, once.

An approval names the cost whole: body, table, version, kind, quantity and day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from contracts.errors import UsageError
from contracts.words import Words
from sharing.people import require
from sharing.requests.tables import next_number
from sharing.rights.assets import Cost, check, unbooked_runs
from sharing.rights.ledger import ApprovalRow, CostRow
from sharing.rights.periods import check_days
from sharing.rights.terms import city_day

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.people import Actor


def approve(control: Control, tree: Tree, cost: Cost, actor: Actor, at: datetime) -> str:
    """Approve that a cost of before the open period is booked; return the approval's id.

    Raises:
        BackDatedError, NoRightError: It could not be booked with an approval either.
        UsageError: It needs none, or no reason was given.
    """
    with control.write() as session:
        if not check(session, tree, cost, actor, "approve_cost", at):
            raise UsageError(
                Words(
                    f"{cost.incurred_on} 在未结账期内，不须批准。",
                    f"{cost.incurred_on} is in the open period.",
                ),
                Words("请直接记账。", "Book it."),
            )
        return _add(session, cost, cost.reason, actor, at)


def approve_runs(
    control: Control, tree: Tree, body: str, reason: str, actor: Actor, at: datetime
) -> list[str]:
    """Approve every run of a body that waits for it; return the approvals' ids.

    Raises UsageError where no reason was given.
    """
    require(actor, "approve_cost", body)
    with control.write() as session:
        used = select(CostRow.approval).where(CostRow.approval.is_not(None))
        given = set(
            session.scalars(
                select(ApprovalRow.run).where(ApprovalRow.body == body, ApprovalRow.id.not_in(used))
            )
        )
        return [
            _add(session, cost, reason, actor, at)
            for cost in unbooked_runs(session, control, tree, body, actor, at)
            if cost.run not in given and check_days(session, body, cost.incurred_on, city_day(at))
        ]


def _add(session: Session, cost: Cost, reason: str, actor: Actor, at: datetime) -> str:
    words = " ".join(reason.split())
    if not words:
        raise UsageError(
            Words("批准须写明理由。", "An approval says why."),
            Words("请写明理由。", "Give a reason."),
        )
    row = ApprovalRow(
        id=next_number(session, ApprovalRow.id, "A", at),
        body=cost.body,
        dataset=cost.dataset,
        version=cost.version,
        kind=cost.kind,
        quantity=cost.quantity,
        incurred_on=cost.incurred_on,
        run=cost.run,
        reason=words,
        actor=actor.name,
        at=at,
    )
    session.add(row)
    session.flush()
    return row.id
