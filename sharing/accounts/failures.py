"""Logins that failed: who was tried, from where, why, how often; a row a day for each of these.

What is kept is bounded: names that are no account's are told apart up to a number per address and
day, and the oldest rows make room.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import delete, func, select

from sharing.accounts.tables import Account, LoginFailure
from sharing.attest.key import mac
from sharing.control import ADDRESS_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from sharing.control import Control

Reason = Literal["unknown", "disabled", "locked", "expired", "password"]
#: Names that are no account's, told apart per address and day.
MOST_NAMES: Final = 20
#: Rows that are kept of accounts, and as many of other names.
MOST_ROWS: Final = 5_000
_PURPOSE: Final = "tried name"


@dataclass(frozen=True)
class Failure:
    """A login that failed; ``address`` is empty where it is not known."""

    name: str
    address: str
    reason: Reason
    at: datetime


def note_failure(control: Control, failure: Failure) -> None:
    """Count a login that failed in the row of its day, name, address and reason."""
    at = failure.at.astimezone(UTC)
    address = failure.address[:ADDRESS_CHARACTERS]
    with control.write() as session:
        known, tried = _who(session, control, failure, address)
        row = session.scalars(
            select(LoginFailure)
            .where(LoginFailure.address == address, LoginFailure.day == at.date())
            .where(LoginFailure.reason == failure.reason)
            .where(LoginFailure.account.is_not_distinct_from(known))
            .where(LoginFailure.tried.is_not_distinct_from(tried))
        ).one_or_none()
        if row is not None:
            row.times, row.last_at = row.times + 1, at
            return
        session.add(
            LoginFailure(
                account=known,
                tried=tried,
                address=address,
                reason=failure.reason,
                day=at.date(),
                first_at=at,
                last_at=at,
                times=1,
            )
        )
        session.flush()
        _make_room(session, is_known=known is not None)


def newest_failures(session: Session, most: int) -> Sequence[LoginFailure]:
    """Return the rows that were counted up last, newest first."""
    ordered = select(LoginFailure).order_by(LoginFailure.last_at.desc(), LoginFailure.id.desc())
    return session.scalars(ordered.limit(most)).all()


def _who(
    session: Session, control: Control, failure: Failure, address: str
) -> tuple[str | None, str | None]:
    """Return the account that was tried, or the keyed digest of a name that is none."""
    if failure.reason != "unknown" and session.get(Account, failure.name) is not None:
        return failure.name, None
    # People type their password where the name belongs.
    tried = mac(control.home, _PURPOSE, failure.name.encode("utf-8", "replace"))
    names = session.scalars(
        select(LoginFailure.tried)
        .where(LoginFailure.address == address, LoginFailure.tried.is_not(None))
        .where(LoginFailure.day == failure.at.astimezone(UTC).date())
    ).all()
    return None, tried if tried in names or len(names) < MOST_NAMES else None


def _make_room(session: Session, *, is_known: bool) -> None:
    account = LoginFailure.account
    kind = account.is_not(None) if is_known else account.is_(None)
    count = session.scalar(select(func.count()).select_from(LoginFailure).where(kind)) or 0
    if count <= MOST_ROWS:
        return
    oldest = select(LoginFailure.id).where(kind).order_by(LoginFailure.last_at, LoginFailure.id)
    ids = session.scalars(oldest.limit(count - MOST_ROWS)).all()
    session.execute(delete(LoginFailure).where(LoginFailure.id.in_(ids)))
