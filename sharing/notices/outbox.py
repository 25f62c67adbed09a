"""The outbox: each notice once, each address of it claimed by one sender at a time.

At least once: a sender that dies between sending and marking leaves a claim that runs out, and the
notice goes again under the same id. Whoever receives it twice can tell.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, cast

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, mapped_column

from contracts.words import Words
from sharing.control import Base

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sharing.control import Control
    from sharing.notices.addresses import Book, Via
    from sharing.notices.notice import Notice

#: How long a claim holds: longer than one sending may take (deliver.SENDING_S).
LEASE: Final = timedelta(minutes=5)
#: After so many failures an address is given up for a notice.
MOST_ATTEMPTS: Final = 10
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=6)
_REASON_CHARACTERS: Final = 300
_ADDRESS_CHARACTERS: Final = 2000


class NoticeRow(Base):
    """A notice; ``key`` is the digest of kind, fact, body and role."""

    __tablename__ = "share_notices"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    body: Mapped[str] = mapped_column(String(63))
    role: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(998))
    text: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(index=True)
    addressed_at: Mapped[datetime | None]


class NoticeSending(Base):
    """What became of a notice at one address."""

    __tablename__ = "share_notice_sendings"
    id: Mapped[int] = mapped_column(primary_key=True)
    notice: Mapped[str] = mapped_column(ForeignKey(NoticeRow.key), index=True)
    via: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(_ADDRESS_CHARACTERS))
    attempts: Mapped[int]
    next_at: Mapped[datetime]
    claim: Mapped[str | None] = mapped_column(String(32))
    claimed_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(_REASON_CHARACTERS))

    __table_args__ = (
        UniqueConstraint("notice", "address", name="share_notice_sendings_once"),
        Index("share_notice_sendings_due", "sent_at", "dead_at", "next_at"),
    )


@dataclass(frozen=True)
class Claimed:
    """A sending that this sender alone may try, until its lease ends."""

    id: int
    claim: str
    key: str
    kind: str
    subject: str
    text: str
    made_at: datetime
    via: Via
    address: str


@dataclass(frozen=True)
class NoticeView:
    """A notice as people see it; ``state`` is that of its worst address.

    ``subject`` and ``reason`` are stored words.
    """

    key: str
    kind: str
    body: str
    role: str
    subject: str
    made_at: datetime
    state: Literal["sent", "waiting", "dead", "unaddressed"]
    attempts: int
    reason: str


def put(control: Control, notices: Iterable[Notice], at: datetime) -> int:
    """Add the notices that are new; return how many."""
    wanted = {n.key: n for n in notices}
    with control.write() as session:
        known = set(session.scalars(select(NoticeRow.key).where(NoticeRow.key.in_(wanted))))
        for key, notice in wanted.items():
            if key not in known:
                session.add(
                    NoticeRow(
                        key=key,
                        kind=notice.kind,
                        body=notice.body,
                        role=notice.role,
                        subject=notice.subject,
                        text=notice.text,
                        made_at=at,
                    )
                )
    return len(wanted.keys() - known)


def address(control: Control, book: Book, at: datetime) -> int:
    """Give each notice its addresses; one that nobody hears waits for the book to name somebody."""
    with control.write() as session:
        rows = session.scalars(
            select(NoticeRow).where(NoticeRow.addressed_at.is_(None)).order_by(NoticeRow.made_at)
        ).all()
        given = 0
        for row in rows:
            for entry in book.listening(row.body, row.role):
                session.add(
                    NoticeSending(
                        notice=row.key,
                        via=entry.via,
                        address=entry.address,
                        attempts=0,
                        next_at=at,
                        reason="",
                    )
                )
                row.addressed_at = at
                given += 1
    return given


def claim(control: Control, at: datetime) -> Claimed | None:
    """Take the sending that has been due longest, for as long as the lease."""
    mine = secrets.token_hex(16)
    with control.write() as session:
        found = session.execute(
            select(NoticeSending, NoticeRow)
            .join(NoticeRow, NoticeRow.key == NoticeSending.notice)
            .where(NoticeSending.sent_at.is_(None), NoticeSending.dead_at.is_(None))
            .where(NoticeSending.next_at <= at)
            .where(NoticeSending.claimed_until.is_(None) | (NoticeSending.claimed_until <= at))
            .order_by(NoticeSending.next_at, NoticeSending.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=NoticeSending)
        ).first()
        if found is None:
            return None
        sending, notice = found
        sending.claim, sending.claimed_until = mine, at + LEASE
        return Claimed(
            id=sending.id,
            claim=mine,
            key=notice.key,
            kind=notice.kind,
            subject=notice.subject,
            text=notice.text,
            made_at=notice.made_at,
            via=cast("Via", sending.via),
            address=sending.address,
        )


def mark_sent(control: Control, claimed: Claimed, at: datetime) -> bool:
    """Note that a sending arrived; return whether the claim still held."""
    with control.write() as session:
        row = _held(session.get(NoticeSending, claimed.id), claimed)
        if row is None:
            return False
        row.attempts += 1
        row.sent_at, row.claim, row.claimed_until, row.reason = at, None, None, ""
    return True


def mark_failed(
    control: Control, claimed: Claimed, at: datetime, reason: str, *, is_final: bool
) -> bool:
    """Note a failure: try again later, or give up; return whether it was given up."""
    with control.write() as session:
        row = _held(session.get(NoticeSending, claimed.id), claimed)
        if row is None:
            return False
        row.attempts += 1
        row.reason = " ".join(reason.split())[:_REASON_CHARACTERS]
        row.claim, row.claimed_until = None, None
        row.next_at = at + pause_after(row.attempts)
        if is_final or row.attempts >= MOST_ATTEMPTS:
            row.dead_at = at
        return row.dead_at is not None


def postpone(control: Control, address: str, at: datetime, until: datetime) -> None:
    """Leave an endpoint that does not answer alone: all that is due there waits, untried."""
    with control.write() as session:
        session.execute(
            update(NoticeSending)
            .where(NoticeSending.address == address, NoticeSending.next_at < until)
            .where(NoticeSending.sent_at.is_(None), NoticeSending.dead_at.is_(None))
            .where(NoticeSending.claimed_until.is_(None) | (NoticeSending.claimed_until <= at))
            .values(next_at=until)
        )


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many failures: a minute, doubled each time, at most 6 h."""
    return min(_FIRST_PAUSE * (1 << min(max(attempts - 1, 0), 16)), _LONGEST_PAUSE)


def list_notices(control: Control, limit: int = 200) -> list[NoticeView]:
    """Return the newest notices."""
    with control.read() as session:
        rows = session.scalars(
            select(NoticeRow).order_by(NoticeRow.made_at.desc(), NoticeRow.key).limit(limit)
        ).all()
        sendings: dict[str, list[NoticeSending]] = {}
        for sending in session.scalars(
            select(NoticeSending).where(NoticeSending.notice.in_([r.key for r in rows]))
        ):
            sendings.setdefault(sending.notice, []).append(sending)
        return [_view(row, sendings.get(row.key, [])) for row in rows]


def _view(row: NoticeRow, sendings: list[NoticeSending]) -> NoticeView:
    state: Literal["sent", "waiting", "dead", "unaddressed"] = "sent"
    if not sendings:
        state = "unaddressed"
    elif any(s.dead_at for s in sendings):
        state = "dead"
    elif any(s.sent_at is None for s in sendings):
        state = "waiting"
    return NoticeView(
        key=row.key,
        kind=row.kind,
        body=row.body,
        role=row.role,
        subject=row.subject,
        made_at=row.made_at,
        state=state,
        attempts=sum(s.attempts for s in sendings),
        reason=_reasons(sendings),
    )


def _reasons(sendings: list[NoticeSending]) -> str:
    """Return why sendings failed, each reason once, as one stored text."""
    found = [Words.read(r) for r in dict.fromkeys(s.reason for s in sendings if s.reason)]
    return Words("；".join(r.zh for r in found), "; ".join(r.en for r in found)).stored()


def _held(row: NoticeSending | None, claimed: Claimed) -> NoticeSending | None:
    return row if row is not None and row.claim == claimed.claim else None
