"""Logins: a new random id each time, an absolute and an idle end, a lock that slows guessing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from contracts.errors import JingshuError
from contracts.words import Words
from sharing.accounts.accounts import AccountView, note, view
from sharing.accounts.failures import Failure, note_failure
from sharing.accounts.tables import NAME_CHARACTERS, Account, LoginSession

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from sharing.accounts.failures import Reason
    from sharing.accounts.passwords import Passwords
    from sharing.control import Control
    from sharing.people import Actor

#: A login ends after this long, however busy.
ABSOLUTE: Final = timedelta(hours=8)
#: … and after this long without a request.
IDLE: Final = timedelta(minutes=30)
#: ``seen_at`` is written at most this often: reading a page must not cost a write each time.
_SEEN_EVERY: Final = timedelta(minutes=1)
#: Wrong passwords in a row before an account is locked.
FREE_TRIES: Final = 5
_FIRST_LOCK: Final = timedelta(seconds=30)
#: Whoever locks others out on purpose cannot do it for longer than this at a time.
LONGEST_LOCK: Final = timedelta(minutes=15)
_ID_BYTES: Final = 32


class LoginRefusedError(JingshuError, PermissionError):
    """A login that failed; it does not say which of the reasons it was."""


@dataclass(frozen=True)
class OpenSession:
    """A login: the secret id that only its browser knows, and the account."""

    id: str = field(repr=False)
    account: AccountView

    @property
    def csrf_token(self) -> str:
        """Return what a form of this login must carry (OWASP: HMAC of the session)."""
        return token_of(self.id)


def actor_of(session: OpenSession) -> Actor:
    """Return who acts in a login."""
    return session.account.actor


def token_of(secret: str) -> str:
    """Return the CSRF token that belongs to a secret cookie."""
    return hmac.new(secret.encode(), b"jingshu csrf", hashlib.sha256).hexdigest()


def is_token_of(token: str, secret: str) -> bool:
    """Tell whether a token belongs to a secret cookie, in the same time whatever it is."""
    return hmac.compare_digest(token.encode("utf-8", "replace"), token_of(secret).encode())


def log_in(
    control: Control,
    passwords: Passwords,
    name: str,
    password: str,
    at: datetime,
    *,
    instead_of: str | None = None,
    address: str = "",
) -> OpenSession:
    """Open a session under a new id; the one that the browser had ends.

    An attempt counts as failed before the password is looked at, so that many at once are as slow
    as many in a row. One that failed is on record, with its ``address``.

    Raises:
        LoginRefusedError: Wrong name or password, or the account is locked or disabled.
    """
    kept, reason = _begin_attempt(control, name, at)
    is_right = passwords.is_right(password, kept)
    if kept is None or not is_right:
        note_failure(control, Failure(name, address, reason, at))
        raise _refused()
    renewed = passwords.hash(password) if passwords.is_outdated(kept) else kept
    secret = secrets.token_urlsafe(_ID_BYTES)
    with control.write() as session:
        row = session.get(Account, name)
        if row is None or row.password_hash != kept or row.disabled_at is not None:
            raise _refused()
        row.password_hash, row.failed, row.locked_until = renewed, 0, None
        if instead_of is not None:
            _end(session, instead_of, at)
        session.add(
            LoginSession(
                sha256=_digest(secret),
                account=name,
                created_at=at,
                seen_at=at,
                expires_at=_last_moment(row, at),
            )
        )
        note(session, name, name, "login", "", at)
        return OpenSession(secret, view(row))


def find_session(control: Control, secret: str, at: datetime) -> OpenSession | None:
    """Return the login with this id while it holds, with the account as it is now."""
    with control.read() as session:
        found = session.execute(
            select(LoginSession, Account)
            .join(Account, Account.name == LoginSession.account)
            .where(LoginSession.sha256 == _digest(secret))
            .where(LoginSession.revoked_at.is_(None), LoginSession.expires_at > at)
            .where(LoginSession.seen_at > at - IDLE, Account.disabled_at.is_(None))
        ).one_or_none()
        if found is None:
            return None
        opened, seen_at = OpenSession(secret, view(found[1])), found[0].seen_at
    if at - seen_at >= _SEEN_EVERY:
        with control.write() as session:
            row = session.get_one(LoginSession, _digest(secret))
            row.seen_at = max(row.seen_at, at)
    return opened


def log_out(control: Control, opened: OpenSession, at: datetime) -> None:
    """End a login."""
    name = opened.account.name
    with control.write() as session:
        _end(session, opened.id, at)
        note(session, name, name, "logout", "", at)


def lock_after(failed: int) -> timedelta:
    """Return for how long an account is locked after so many failures in a row."""
    beyond = failed - FREE_TRIES
    if beyond < 0:
        return timedelta(0)
    return min(_FIRST_LOCK * (1 << min(beyond, 16)), LONGEST_LOCK)


def _begin_attempt(control: Control, name: str, at: datetime) -> tuple[str | None, Reason]:
    """Count an attempt; return the hash to compare with, and why it fails where it does.

    There is no hash where nothing may open the account.
    """
    if len(name) > NAME_CHARACTERS:
        return None, "unknown"
    with control.write() as session:
        # Locked, where the database can: two attempts at once must count as two.
        row = session.get(Account, name, with_for_update=True)
        if row is None:
            return None, "unknown"
        if row.disabled_at is not None:
            return None, "disabled"
        if row.locked_until is not None and row.locked_until > at:
            return None, "locked"
        row.failed += 1
        lock = lock_after(row.failed)
        if lock:
            row.locked_until = at + lock
            note(session, name, name, "lock", f"failed={row.failed} for={lock}", at)
        is_over = row.password_until is not None and row.password_until <= at
        return (None, "expired") if is_over else (row.password_hash, "password")


def _end(session: Session, secret: str, at: datetime) -> None:
    row = session.get(LoginSession, _digest(secret))
    if row is not None and row.revoked_at is None:
        row.revoked_at = at


def _last_moment(row: Account, at: datetime) -> datetime:
    end = at + ABSOLUTE
    return end if row.password_until is None else min(end, row.password_until)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _refused() -> LoginRefusedError:
    return LoginRefusedError(
        Words(
            "账户或口令不对，或账户被暂时锁定。",
            "The name or the password is wrong, or the account is locked for some minutes.",
        ),
        Words(
            "请稍后再试，或联系系统管理员。", "Try again later, or ask the system administrator."
        ),
    )
