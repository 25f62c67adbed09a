"""校核纠错: a recipient says that data is wrong, and its provider owes an answer.

Each correction is an issue at the provider: open until it is corrected, or rejected with a reason.
Source: State Council Decree 809, Art. 26.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  (SQLAlchemy reads it)
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.digest import sha256
from contracts.errors import UsageError
from contracts.moment import iso
from contracts.words import Words
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.control import Base
from sharing.people import require
from sharing.requests.allowing import RequestStateError
from sharing.requests.parties import sources_of
from sharing.requests.tables import next_number, read_ask
from sharing.requests.timers import CORRECTION_DAYS
from sharing.workdays import CalendarMissingError, end_of_workday, latest_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.people import Actor

Answer = Literal["corrected", "rejected"]
_OPEN: Final = "open"


class CorrectionRow(Base):
    """One issue; ``said`` and ``reason`` are people's words and stay out of the log."""

    __tablename__ = "share_corrections"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    ask: Mapped[str] = mapped_column(String(16), index=True)
    contract: Mapped[str] = mapped_column(String(255))
    provider: Mapped[str] = mapped_column(String(63), index=True)
    said: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime]
    asked_by: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(String(255))
    asked_leaf_at: Mapped[datetime | None]
    answered_leaf_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Correction:
    """An issue as people see it; ``due_at`` None where the year's calendar is missing."""

    id: str
    ask: str
    contract: str
    provider: str
    statement: str
    state: str
    asked_at: datetime
    due_at: datetime | None
    answered_at: datetime | None
    reason: str | None

    def is_overdue(self, at: datetime) -> bool:
        """Tell whether it was answered, or is still open, after its time."""
        return (self.answered_at or at) > self.ends_at

    @property
    def ends_at(self) -> datetime:
        """When its time is over: by the calendar, or in any case where that is missing."""
        return self.due_at or latest_end(self.asked_at, CORRECTION_DAYS)


@dataclass(frozen=True)
class Fault:
    """What is claimed to be wrong: of which source, in people's words."""

    contract: str
    provider: str
    statement: str


def ask_correction(
    control: Control, tree: Tree, ask_id: str, fault: Fault, actor: Actor, at: datetime
) -> str:
    """Open an issue at a provider of a request's source; return its id, such as ``C2026-0001``.

    Raises:
        RequestStateError: The request was never delivered.
        UsageError: The request does not read that contract of that provider.
    """
    words = " ".join(fault.statement.split())
    contract, provider = fault.contract, fault.provider
    with control.write() as session:
        ask = read_ask(session, ask_id)
        require(actor, "ask_correction", ask.asked.body)
        if ask.last("deliver") is None:
            raise RequestStateError(
                Words(f"{ask_id} 尚未交付。", f"{ask_id} was never delivered."),
                Words("交付后才能纠错。", "Wait for the delivery: nothing can be wrong yet."),
            )
        read = sources_of(ask.asked, tree)
        if (contract, provider) not in read:
            raise _not_read(ask_id, fault, read)
        if not words:
            raise UsageError(
                Words("纠错未写明错在哪里。", "A correction says what is wrong."),
                Words("请写明，勿写个人信息。", "Describe it, without persons."),
            )
        correction_id = next_number(session, CorrectionRow.id, "C", at)
        session.add(
            CorrectionRow(
                id=correction_id,
                ask=ask_id,
                contract=contract,
                provider=provider,
                said=words,
                asked_at=at,
                asked_by=actor.name,
                state=_OPEN,
            )
        )
    owed.settle(control, CorrectionRow)
    return correction_id


def answer_correction(
    control: Control, correction_id: str, answer: Answer, reason: str, actor: Actor, at: datetime
) -> None:
    """Close an issue: corrected, or rejected; either way with a reason.

    Raises:
        RequestStateError: It is answered already.
        UsageError: There is no such issue, or no reason was given.
    """
    words = " ".join(reason.split())
    with control.write() as session:
        row = session.get(CorrectionRow, correction_id)
        if row is None:
            raise UsageError(
                Words(
                    f"没有纠错 {correction_id!r}。", f"There is no correction {correction_id!r}."
                ),
                Words(
                    "见申请列表：./jingshu share request list。",
                    "See ./jingshu share request list.",
                ),
            )
        require(actor, "answer_correction", row.provider)
        if row.state != _OPEN:
            raise RequestStateError(
                Words(
                    f"{correction_id} 已经答复，现为 {row.state}。",
                    f"{correction_id} is {row.state}.",
                ),
                Words("请另提一件。", "Open a new one."),
            )
        if not words:
            raise UsageError(
                Words("答复须写理由。", "An answer gives its reason."),
                Words("请写明做了什么，或为何不成立。", "Say what was done, or why not."),
            )
        row.state, row.reason, row.answered_at, row.answered_by = answer, words, at, actor.name
    owed.settle(control, CorrectionRow)


def list_corrections(control: Control) -> list[Correction]:
    """Return every issue, the oldest first."""
    with control.read() as session:
        rows = session.scalars(select(CorrectionRow).order_by(CorrectionRow.id)).all()
        return [
            Correction(
                row.id,
                row.ask,
                row.contract,
                row.provider,
                row.said,
                row.state,
                row.asked_at,
                _due_at(row.asked_at),
                row.answered_at,
                row.reason,
            )
            for row in rows
        ]


@owed.owes(CorrectionRow, "asked_leaf_at")
def asked_leaf(row: CorrectionRow) -> Leaf:
    """Return the leaf of an issue's opening."""
    facts = {"ask": row.ask, "contract": row.contract, "provider": row.provider}
    return _leaf(row, "asked", row.asked_at, {**facts, "said_sha256": sha256(row.said)})


@owed.owes(CorrectionRow, "answered_leaf_at", since="answered_at")
def answered_leaf(row: CorrectionRow) -> Leaf:
    """Return the leaf of an issue's answer."""
    return _leaf(
        row, "answered", row.answered_at, {"state": row.state, "reason_sha256": sha256(row.reason)}
    )


def _not_read(ask_id: str, fault: Fault, read: Sequence[tuple[str, str]]) -> UsageError:
    return UsageError(
        Words(
            f"{ask_id} 不含 {fault.provider} 的 {fault.contract}。",
            f"{ask_id} reads no {fault.contract} of {fault.provider}.",
        ),
        Words(
            f"所含数据：{'、'.join(f'{p} 的 {c}' for c, p in read)}。",
            f"It reads: {', '.join(f'{c} of {p}' for c, p in read)}.",
        ),
    )


def _leaf(row: CorrectionRow, what: str, at: datetime | None, facts: dict[str, str | None]) -> Leaf:
    if at is None:
        raise ValueError(str(Words(f"{row.id} 尚未办到 {what}。", f"{row.id} is not {what} yet.")))
    return Leaf(
        type="correction",
        subject=f"{row.id}#{what}",
        facts=facts,
        at=iso(at),
    )


def _due_at(asked_at: datetime) -> datetime | None:
    try:
        return end_of_workday(asked_at, CORRECTION_DAYS)
    except CalendarMissingError:
        return None
