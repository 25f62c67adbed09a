"""Tables of local accounts: who may log in, what they did to whom, and who is logged in."""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003 - SQLAlchemy reads it at run time
from typing import TYPE_CHECKING, NoReturn

from sqlalchemy import ForeignKey, Index, String, event
from sqlalchemy.orm import Mapped, mapped_column

from contracts.errors import JingshuError
from contracts.words import Words
from sharing.control import ADDRESS_CHARACTERS, AttestedRow, Base

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.orm import Mapper

NAME_CHARACTERS = 63
DETAIL_CHARACTERS = 1000


class Account(AttestedRow):
    """Somebody who may log in.

    ``password_until`` is set where another person knows the password: it serves to choose an own
    one, until then. ``failed`` counts logins that were tried since the last that succeeded.
    """

    __tablename__ = "share_accounts"
    leaf_type = "account"
    attested = ("body", "roles", "password_hash", "password_until", "created_at", "disabled_at")
    #: Argon2's text has a salt of 128 random bits in it: its digest lets nobody guess a password.
    digested = frozenset({"password_hash"})
    name: Mapped[str] = mapped_column(String(NAME_CHARACTERS), primary_key=True)
    body: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    roles: Mapped[str] = mapped_column(String(255))
    password_hash: Mapped[str] = mapped_column(String(255))
    password_until: Mapped[datetime | None]
    failed: Mapped[int]
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class AccountEvent(AttestedRow):
    """What was done to an account, by whom; rows are only ever added."""

    __tablename__ = "share_account_events"
    leaf_type = "audit"
    attested = ("at", "actor", "account", "action", "detail")
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(255))
    account: Mapped[str] = mapped_column(String(NAME_CHARACTERS), index=True)
    action: Mapped[str] = mapped_column(String(32))
    detail: Mapped[str] = mapped_column(String(DETAIL_CHARACTERS))


class LoginSession(AttestedRow):
    """A login, known by the SHA-256 of its id only; it ends at the earliest of its times."""

    __tablename__ = "share_sessions"
    leaf_type = "session"
    attested = ("account", "created_at", "expires_at", "revoked_at")
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey(Account.name), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class LoginFailure(Base):
    """Logins that failed on one day (UTC) from one address for one reason: how often, and when.

    ``account`` is a name that is an account's; of any other, which may be a mistyped password,
    ``tried`` is a keyed digest. Neither: names past those that are told apart.
    """

    __tablename__ = "share_login_failures"
    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str | None] = mapped_column(String(NAME_CHARACTERS))
    tried: Mapped[str | None] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(ADDRESS_CHARACTERS))
    reason: Mapped[str] = mapped_column(String(16))
    day: Mapped[date]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    times: Mapped[int]

    __table_args__ = (Index("share_login_failures_of", "address", "day"),)


class AppendOnlyError(JingshuError, RuntimeError):
    """Somebody tried to change an audit row."""


def _refuse(_mapper: Mapper[AccountEvent], _connection: Connection, row: AccountEvent) -> NoReturn:
    raise AppendOnlyError(
        Words(
            f"账户审计记录 {row.id} 不能改，也不能删。",
            f"Account event {row.id} cannot be changed or removed.",
        ),
        Words("请另加一条更正。", "Add a row that corrects it."),
    )


event.listen(AccountEvent, "before_update", _refuse)
event.listen(AccountEvent, "before_delete", _refuse)
