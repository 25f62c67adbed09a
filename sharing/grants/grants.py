"""Grants: who may read which shared table, for what, until when; each change leaves evidence.

A grant opens its table only after its leaf is in the evidence log; a revocation closes it at once
and its leaf follows. ``owed.settle`` writes the leaves that a crash left owing, so both hold.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import String, bindparam, func, or_, select

from contracts.errors import JingshuError, UsageError
from contracts.model import CITY_TZ
from contracts.moment import iso, utc_now
from contracts.words import Words
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.control import PURPOSE_CHARACTERS, Grant, Recipient, UtcDateTime
from sharing.grants.recipients import create_recipient, require_recipient
from sharing.tables.names import Catalog, table_key
from sharing.tables.snapshot import read_snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import BindParameter, ColumnElement
    from sqlalchemy.orm import Session

    from sharing.control import Control
    from sharing.tables.names import SharedTable

State = Literal["active", "pending", "expired", "revoked"]


class NothingToRevokeError(JingshuError, LookupError):
    """A revocation that meets no open grant: the table was probably misspelt."""


@dataclass(frozen=True)
class OpenGrant:
    """A right to read a table now: from which networks, and from which version on.

    Without ``history_from`` it is the current version alone.
    """

    networks: str
    history_from: int | None


@dataclass(frozen=True)
class GrantView:
    """A grant as people see it."""

    recipient: str
    table: str
    purpose: str
    granted_at: datetime
    granted_by: str
    until: date | None
    history_from: int | None
    revoked_at: datetime | None
    state: State


@dataclass(frozen=True)
class Reach:
    """How far a grant reaches: to the end of which day in the city's zone, and how far back.

    From ``history_from`` on versions and changes are shared too; a number below 0 is the version of
    today. Without it the current version alone is.
    """

    until: date | None = None
    history_from: int | None = None


@dataclass(frozen=True)
class Wanted:
    """A grant to be opened: whose, of what, for what, until when (UTC), by which request."""

    recipient: str
    table: SharedTable
    purpose: str
    until_at: datetime | None = None
    history_from: int | None = None
    request: str | None = None


#: The current version, without an end.
CURRENT: Final = Reach()


def grant(
    control: Control,
    recipient: str,
    table: str,
    purpose: str,
    reach: Reach = CURRENT,
    *,
    actor: str,
    body: str | None = None,
) -> SharedTable:
    """Let ``recipient`` read ``table`` for ``purpose``, as far as ``reach`` says.

    The recipient is created where it is new, as ``body``'s where that is given. The same grant
    again changes nothing; another reach replaces the grant.

    Raises:
        UsageError: There is no such table, the purpose is empty, or the date is over.
        NotServedError: The table must not be shared.
        NotItsRecipientError: The recipient is known, and not the given body's.
    """
    found = Catalog(control).find(table)
    newest = read_snapshot(found.root, foreign=found.foreign).version
    purpose = " ".join(purpose.split())
    if not 0 < len(purpose) <= PURPOSE_CHARACTERS:
        raise UsageError(
            Words(
                f"授权须写明用途，1 到 {PURPOSE_CHARACTERS} 个字符。",
                f"A grant needs a purpose of 1 to {PURPOSE_CHARACTERS} characters.",
            ),
            Words("请用一句话说明数据的用途。", "Say in a sentence what the data is for."),
        )
    at, until_at, first = utc_now(), end_of(reach.until), reach.history_from
    if until_at is not None and until_at <= at:
        raise UsageError(
            Words(f"{reach.until} 已过。", f"{reach.until} is over."),
            Words("请写尚未到来的日期。", "Give a date that is still to come."),
        )
    create_recipient(control, recipient, actor, body)
    first = newest if first is not None and first < 0 else first
    with control.write() as session:
        open_grant(session, Wanted(recipient, found, purpose, until_at, first), actor, at)
    owed.settle(control, Grant)
    return found


def open_grant(session: Session, wanted: Wanted, actor: str, at: datetime) -> None:
    """Add a grant in a transaction of the caller's, whose leaf ``owed.settle`` then writes.

    An open grant of the same table for the same purpose and request is left, or closed where its
    end is another.
    """
    open_grants = session.scalars(
        select(Grant)
        .where(Grant.recipient == wanted.recipient, Grant.table == wanted.table.name)
        .where(Grant.purpose == wanted.purpose, Grant.revoked_at.is_(None))
    ).all()
    open_grants = [g for g in open_grants if _key(g) == wanted.table.key]
    reach = (wanted.until_at, wanted.request, wanted.history_from)
    if any((g.until_at, g.request, g.history_from) == reach for g in open_grants):
        return
    _close(session, open_grants, at, actor)
    session.add(
        Grant(
            id=uuid.uuid4().hex,
            recipient=wanted.recipient,
            share=wanted.table.share,
            schema=wanted.table.schema,
            table=wanted.table.name,
            purpose=wanted.purpose,
            granted_at=at,
            granted_by=actor,
            until_at=wanted.until_at,
            request=wanted.request,
            history_from=wanted.history_from,
        )
    )


def close_grants(session: Session, request: str, actor: str, at: datetime) -> None:
    """End a request's grants in a transaction of the caller's; ``owed.settle`` logs the leaves."""
    rows = session.scalars(
        select(Grant).where(Grant.request == request, Grant.revoked_at.is_(None))
    ).all()
    _close(session, rows, at, actor)


def revoke(
    control: Control,
    recipient: str,
    table: str | None = None,
    *,
    purpose: str | None = None,
    actor: str,
) -> list[str]:
    """End the recipient's grants of ``table``, or of all tables; return the tables' full names.

    With a ``purpose`` only those for it end. It works at once, on signed file URLs too, but not on
    those of a bucket that its store signed (``JINGSHU_BUCKET_URLS``): they work until they end.

    Raises:
        UsageError: There is no such recipient.
        NothingToRevokeError: No grant is open.
    """
    with control.write() as session:
        require_recipient(session, recipient)
        open_grants = [
            g
            for g in session.scalars(
                select(Grant).where(Grant.recipient == recipient, Grant.revoked_at.is_(None))
            )
            if (table is None or _is_named(g, table)) and purpose in (None, g.purpose)
        ]
        if not open_grants:
            raise NothingToRevokeError(
                Words(
                    f"{recipient} 没有 {table or '任何表'} 的有效授权。",
                    f"{recipient} holds no open grant of {table or 'any table'}.",
                ),
                Words("请看 ./jingshu share list。", "See ./jingshu share list."),
            )
        _close(session, open_grants, utc_now(), actor)
        names = sorted({_full_name(g) for g in open_grants})
    owed.settle(control, Grant)
    return names


def granted_tables(control: Control, recipient: str, at: datetime | None = None) -> frozenset[str]:
    """Return the keys of the tables that the recipient may read now."""
    asked = {"recipient": recipient, "at": at or utc_now()}
    with control.read() as session:
        return frozenset(table_key(*names) for names in session.execute(_GRANTED, asked))


def open_grant_of(
    control: Control, recipient: str, table: SharedTable, at: datetime | None = None
) -> OpenGrant | None:
    """Return what opens a table to a recipient now, or ``None``; it asks for this table alone."""
    asked = {"recipient": recipient, "share": table.share, "table": table.name}
    schema = None if table.foreign is None else table.schema
    with control.read() as session:
        found = session.execute(_OPEN, {**asked, "schema": schema, "at": at or utc_now()}).all()
    if not found:
        return None
    shared = [row.history_from for row in found if row.history_from is not None]
    return OpenGrant(found[0].networks, min(shared, default=None))


def list_grants(control: Control, at: datetime | None = None) -> list[GrantView]:
    """Return every grant there ever was, newest first."""
    at = at or utc_now()
    with control.read() as session:
        rows = session.scalars(select(Grant).order_by(Grant.granted_at.desc(), Grant.id)).all()
        return [
            GrantView(
                recipient=g.recipient,
                table=_full_name(g),
                purpose=g.purpose,
                granted_at=g.granted_at,
                granted_by=g.granted_by,
                until=_last_day(g.until_at),
                history_from=g.history_from,
                revoked_at=g.revoked_at,
                state=_state(g, at),
            )
            for g in rows
        ]


def _close(session: Session, rows: Sequence[Grant], at: datetime, actor: str) -> None:
    for row in rows:
        row.revoked_at, row.revoked_by = at, actor
    session.flush()


def _is_active(at: datetime | BindParameter[datetime]) -> tuple[ColumnElement[bool], ...]:
    return (
        Grant.grant_leaf_at.is_not(None),
        Grant.revoked_at.is_(None),
        or_(Grant.until_at.is_(None), Grant.until_at > at),
    )


#: Built once: the gateway asks these at every request, and building costs more than asking.
_GRANTED: Final = select(Grant.share, Grant.schema, Grant.table).where(
    Grant.recipient == bindparam("recipient"), *_is_active(bindparam("at", type_=UtcDateTime()))
)
_OPEN: Final = (
    select(Recipient.networks, Grant.history_from)
    .join(Recipient, Recipient.name == Grant.recipient)
    .where(
        Grant.recipient == bindparam("recipient"),
        Grant.share == bindparam("share"),
        Grant.table == bindparam("table"),
        # Our own tables' names are unique whatever their schema, which a contract may move.
        Grant.schema == func.coalesce(bindparam("schema", type_=String()), Grant.schema),
        *_is_active(bindparam("at", type_=UtcDateTime())),
    )
)


def _state(row: Grant, at: datetime) -> State:
    if row.revoked_at is not None:
        return "revoked"
    if row.until_at is not None and row.until_at <= at:
        return "expired"
    return "pending" if row.grant_leaf_at is None else "active"


def _key(row: Grant) -> str:
    return table_key(row.share, row.schema, row.table)


def _is_named(row: Grant, table: str) -> bool:
    return table.casefold() in (row.table.casefold(), _full_name(row).casefold())


def _full_name(row: Grant) -> str:
    return f"{row.share}.{row.schema}.{row.table}"


def end_of(until: date | None) -> datetime | None:
    """Return the end of a day in Beijing, in UTC."""
    if until is None:
        return None
    return datetime.combine(until + timedelta(days=1), time(), CITY_TZ).astimezone(UTC)


def _last_day(until_at: datetime | None) -> date | None:
    return None if until_at is None else until_at.astimezone(CITY_TZ).date() - timedelta(days=1)


def subject_of(row: Grant) -> str:
    """Return what a grant's leaves are about: recipient, table and the grant itself."""
    return f"{row.recipient}/{_full_name(row)}#{row.id}"


@owed.owes(Grant, "grant_leaf_at")
def grant_leaf(row: Grant) -> Leaf:
    """Return the leaf of a grant: to whom, what, for what, until when, by whom."""
    last_day = _last_day(row.until_at)
    return Leaf(
        type="grant",
        subject=subject_of(row),
        facts={
            "recipient": row.recipient,
            "table": _full_name(row),
            "purpose": row.purpose,
            "until": None if last_day is None else last_day.isoformat(),
            "granted_by": row.granted_by,
            **({"request": row.request} if row.request else {}),
            **({} if row.history_from is None else {"history_from": row.history_from}),
        },
        at=iso(row.granted_at),
    )


@owed.owes(Grant, "revoke_leaf_at", since="revoked_at")
def revoke_leaf(row: Grant) -> Leaf:
    """Return the leaf of a grant's end: whose, of what, by whom."""
    if row.revoked_at is None:
        raise ValueError(f"{row.id} is not revoked")
    return Leaf(
        type="revoke",
        subject=subject_of(row),
        facts={
            "recipient": row.recipient,
            "table": _full_name(row),
            "revoked_by": row.revoked_by,
        },
        at=iso(row.revoked_at),
    )
