"""Local accounts: made, given roles, disabled; each by the administrator whose duty it is.

Three administrators (三员分立, GB/T 22239-2019 §8.1.4.2): the system administrator makes accounts
and gives no role, the security administrator gives roles and makes no account, the auditor reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import select

from contracts.errors import JingshuError, UsageError
from contracts.words import Words
from sharing.accounts.passwords import one_time_password, require_strong
from sharing.accounts.tables import DETAIL_CHARACTERS, Account, AccountEvent, LoginSession
from sharing.people import (
    DATA_AUTHORITY,
    GIVEN_ROLES,
    Actor,
    ForbiddenError,
    Role,
    require,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from sharing.accounts.passwords import Passwords
    from sharing.control import Control

ADMINISTRATORS: Final[tuple[Role, ...]] = ("sysadmin", "secadmin", "auditor")
#: How long a password that somebody else knows lets its account in, to choose another.
ONE_TIME_LIFE: Final = timedelta(hours=72)
#: So many wrong present passwords end an account's logins.
MOST_WRONG: Final = 5
_ACCOUNT: Final = Words("账户", "account")
_BODY: Final = Words("部门", "body")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class SeparationError(JingshuError, PermissionError):
    """Rights that one account, or one person's act, must not join."""


@dataclass(frozen=True)
class AccountView:
    """An account as administrators see it: never its password's hash."""

    name: str
    body: str
    roles: tuple[Role, ...]
    created_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None
    must_change: bool

    @property
    def actor(self) -> Actor:
        """Return who the account is when it acts."""
        return Actor(self.name, self.body, frozenset(self.roles))


def add_account(
    control: Control, passwords: Passwords, actor: Actor, name: str, body: str, at: datetime
) -> str:
    """Make an account without roles; return its one-time password, which is not kept.

    Raises:
        ForbiddenError: The actor is no system administrator.
        UsageError: The name or the body is none, or the account exists.
    """
    require(actor, "manage_accounts", actor.body)
    _require_name(name, _ACCOUNT)
    _require_name(body, _BODY)
    password = one_time_password()
    kept = passwords.hash(password)
    with control.write() as session:
        if session.get(Account, name) is not None:
            raise _is_taken(name)
        session.add(_new(name, body, kept, at))
        note(session, actor.name, name, "add", f"body={body}", at)
    return password


def set_roles(
    control: Control, actor: Actor, name: str, roles: Iterable[str], at: datetime
) -> None:
    """Give an account exactly these roles; who is logged in with it is logged out.

    Raises:
        ForbiddenError: The actor is no security administrator, or the account is the actor's own.
        SeparationError: One account would hold an administrator's role and another one.
        UsageError: There is no such account or role.
    """
    require(actor, "manage_roles", actor.body)
    wanted = require_separate(roles)
    with control.write() as session:
        row = _account(session, name)
        if name == actor.name:
            raise ForbiddenError(
                Words(f"{name} 不能改自己的角色。", f"{name} may not change its own roles."),
                Words("请另一位安全管理员办理。", "Ask the other security administrator."),
            )
        before = roles_of(row)
        _require_others(session, row, lost=set(before) - set(wanted))
        row.roles = ",".join(wanted)
        end_sessions(session, name, at)
        change = f"{'+'.join(before) or 'none'} -> {'+'.join(wanted) or 'none'}"
        note(session, actor.name, name, "roles", change, at)


def disable_account(control: Control, actor: Actor, name: str, at: datetime) -> None:
    """Let nobody log in with an account any more, at once; a repeat changes nothing.

    Raises:
        ForbiddenError: The actor is no system administrator.
        SeparationError: It is the last account of an administrator's role.
    """
    require(actor, "manage_accounts", actor.body)
    with control.write() as session:
        row = _account(session, name)
        if row.disabled_at is not None:
            return
        _require_others(session, row, lost=set(roles_of(row)))
        row.disabled_at = at
        end_sessions(session, name, at)
        note(session, actor.name, name, "disable", "", at)


def reset_password(
    control: Control, passwords: Passwords, actor: Actor, name: str, at: datetime
) -> str:
    """Give an account a one-time password and return it; its lock and its logins end.

    Raises:
        ForbiddenError: The actor is no system administrator.
        SeparationError: The account is another administrator's, whom the actor could then play.
    """
    require(actor, "manage_accounts", actor.body)
    password = one_time_password()
    kept = passwords.hash(password)
    with control.write() as session:
        row = _account(session, name)
        others = set(roles_of(row)) & set(ADMINISTRATORS) - actor.roles
        if others:
            raise _not_yours(name, ", ".join(sorted(others)))
        row.password_hash, row.password_until = kept, at + ONE_TIME_LIFE
        row.failed, row.locked_until = 0, None
        end_sessions(session, name, at)
        note(session, actor.name, name, "reset_password", "", at)
    return password


def change_password(
    control: Control, passwords: Passwords, name: str, old: str, new: str, at: datetime
) -> None:
    """Replace an account's own password; every login with it ends.

    Raises:
        WeakPasswordError: The new one is too easy to guess.
        ForbiddenError: The old one is wrong; after some times the account is logged out, so that a
            login left open is no place to guess.
    """
    with control.read() as session:
        row = _account(session, name)
        body, kept = row.body, row.password_hash
    if not passwords.is_right(old, kept):
        _count_wrong(control, name, at)
        raise ForbiddenError(
            Words("当前口令不对。", "The present password is wrong."),
            Words("请重新输入。", "Type it again."),
        )
    require_strong(new, name, body)
    if passwords.is_right(new, kept):
        raise UsageError(
            Words("新口令与当前口令相同。", "The new password is the present one."),
            Words("请换一个。", "Choose another."),
        )
    hashed = passwords.hash(new)
    with control.write() as session:
        row = _account(session, name)
        if row.password_hash != kept:
            raise ForbiddenError(
                Words("口令刚被改过。", "The password was changed meanwhile."),
                Words("请重新登录。", "Log in again."),
            )
        row.password_hash, row.password_until = hashed, None
        end_sessions(session, name, at)
        note(session, name, name, "change_password", "", at)


def _count_wrong(control: Control, name: str, at: datetime) -> None:
    with control.write() as session:
        row = _account(session, name)
        row.failed += 1
        if row.failed >= MOST_WRONG:
            end_sessions(session, name, at)
            note(session, name, name, "log_out", f"wrong present passwords: {row.failed}", at)


def bootstrap(
    control: Control, passwords: Passwords, actor: str, names: Mapping[Role, str], at: datetime
) -> dict[str, str]:
    """Make the three first administrators; return their one-time passwords by account.

    Raises:
        SeparationError: There are administrators already, or two of the names are the same.
    """
    if len(set(names.values())) != len(ADMINISTRATORS) or set(names) != set(ADMINISTRATORS):
        raise SeparationError(
            Words("三员须为三个账户。", "Three administrators are three accounts."),
            Words("请给三个名称。", "Name three."),
        )
    for name in names.values():
        _require_name(name, _ACCOUNT)
    issued = {name: one_time_password() for name in names.values()}
    kept = {name: passwords.hash(password) for name, password in issued.items()}
    with control.write() as session:
        held = {role for row in session.scalars(select(Account)) for role in roles_of(row)}
        if held & set(ADMINISTRATORS):
            raise SeparationError(
                Words("已有管理员。", "There are administrators already."),
                Words("请由他们建账户、授权。", "Let them make and empower accounts."),
            )
        for role, name in names.items():
            if session.get(Account, name) is not None:
                raise _is_taken(name)
            row = _new(name, DATA_AUTHORITY, kept[name], at)
            row.roles = role
            session.add(row)
            note(session, actor, name, "bootstrap", f"roles={role}", at)
    return issued


def list_accounts(control: Control) -> list[AccountView]:
    """Return every account, by name."""
    with control.read() as session:
        return [view(row) for row in session.scalars(select(Account).order_by(Account.name))]


def actor_named(control: Control, name: str) -> Actor:
    """Return who an account is when it acts; UsageError where it is none or is disabled."""
    with control.read() as session:
        row = _account(session, name)
        if row.disabled_at is not None:
            raise UsageError(
                Words(f"账户 {name} 已停用。", f"The account {name} is disabled."),
                Words("请换一个账户。", "Act as another."),
            )
        return view(row).actor


def view(row: Account) -> AccountView:
    """Return what may be shown of an account."""
    return AccountView(
        name=row.name,
        body=row.body,
        roles=roles_of(row),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        locked_until=row.locked_until,
        must_change=row.password_until is not None,
    )


def roles_of(row: Account) -> tuple[Role, ...]:
    """Return an account's roles, in the order of people.ROLES."""
    return cast("tuple[Role, ...]", tuple(r for r in row.roles.split(",") if r))


def require_separate(roles: Iterable[str]) -> tuple[Role, ...]:
    """Return roles in order; SeparationError where an administrator's comes with any other."""
    wanted = set(roles)
    if unknown := sorted(wanted - set(GIVEN_ROLES)):
        names = ", ".join(unknown)
        raise UsageError(
            Words(f"没有可授予的角色 {names}。", f"There is no role {names} to give."),
            Words(f"可选：{'、'.join(GIVEN_ROLES)}。", f"Choose of: {', '.join(GIVEN_ROLES)}."),
        )
    administering = wanted & set(ADMINISTRATORS)
    if administering and len(wanted) > 1:
        joined = sorted(wanted)
        raise SeparationError(
            Words(
                f"一个账户不能兼任 {'、'.join(joined)}。",
                f"One account cannot be {' and '.join(joined)}.",
            ),
            Words(
                "三员分立：请给管理员账户只授一个角色。",
                "Give an administrator's account that one role alone.",
            ),
        )
    return tuple(r for r in GIVEN_ROLES if r in wanted)


def end_sessions(session: Session, name: str, at: datetime) -> None:
    """Log an account out everywhere."""
    for row in session.scalars(
        select(LoginSession).where(LoginSession.account == name, LoginSession.revoked_at.is_(None))
    ):
        row.revoked_at = at


def note(
    session: Session, actor: str, account: str, action: str, detail: str, at: datetime
) -> None:
    """Add an audit row."""
    shortened = detail[:DETAIL_CHARACTERS]
    session.add(AccountEvent(at=at, actor=actor, account=account, action=action, detail=shortened))


def _is_taken(name: str) -> UsageError:
    return UsageError(
        Words(f"账户 {name} 已存在。", f"There is an account {name} already."),
        Words("请换一个名称。", "Choose another name."),
    )


def _new(name: str, body: str, kept: str, at: datetime) -> Account:
    return Account(
        name=name,
        body=body,
        roles="",
        password_hash=kept,
        password_until=at + ONE_TIME_LIFE,
        failed=0,
        created_at=at,
    )


def _account(session: Session, name: str) -> Account:
    row = session.get(Account, name)
    if row is None:
        raise UsageError(
            Words(f"没有账户 {name!r}。", f"There is no account {name!r}."),
            Words(
                "请查看：./jingshu share account list。",
                "List them: ./jingshu share account list.",
            ),
        )
    return row


def _require_others(session: Session, row: Account, lost: set[Role]) -> None:
    """Keep an enabled account of each administrator's role."""
    others = session.scalars(
        select(Account).where(Account.name != row.name, Account.disabled_at.is_(None))
    )
    held = {role for other in others for role in roles_of(other)}
    alone = ", ".join(sorted((lost & set(ADMINISTRATORS)) - held))
    if alone and row.disabled_at is None:
        raise SeparationError(
            Words(f"{row.name} 是最后一个 {alone}。", f"{row.name} is the last {alone}."),
            Words("请先另设一个。", "Make another account that is first."),
        )


def _not_yours(name: str, roles: str) -> SeparationError:
    return SeparationError(
        Words(
            f"{name} 是 {roles}，其口令不由另一类管理员重置。",
            f"{name} is {roles}: its password is not yours to set.",
        ),
        Words(
            "请本人修改，或在服务器上重置。",
            "Let that person change it, or set it on the machine itself.",
        ),
    )


def _require_name(name: str, kind: Words) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            Words(f"{name!r} 不能作为{kind.zh}名称。", f"{name!r} cannot name the {kind.en}."),
            Words(
                "请用小写字母、数字、点、下划线或连字符，以字母或数字开头。",
                "Use lower-case letters, digits, '.', '_' and '-', beginning with a letter or"
                " digit.",
            ),
        )
