"""``./jingshu share account``: the portal's accounts, their roles and passwords."""

from __future__ import annotations

import getpass
import json
from typing import TYPE_CHECKING

import click

from cli.acting import AS, actor
from cli.words import JSON, about, tell
from contracts.layout import Home
from contracts.words import text

if TYPE_CHECKING:
    from datetime import datetime

    from sharing.accounts.accounts import AccountView
    from sharing.people import Role


@click.group(
    **about(
        "建立门户账户、授予角色、停用账户。\n\n"
        "三员分立：系统管理员建账户而不授权，安全管理员授权而不建账户，审计员只读。",
        "Make the portal's accounts, give them roles, disable them.\n\n"
        "Three administrators: one makes accounts, one gives roles, one reads what they did.",
        "./jingshu share account bootstrap",
    )
)
def account() -> None:
    """Make the portal's accounts, give them roles, disable them."""


@account.command(
    **about(
        "建立最初的三员账户；一次性口令只显示这一次。",
        "Make the first three administrators; their one-time passwords are shown this once.",
        "./jingshu share account bootstrap --sysadmin wang.sys",
    )
)
@click.option(
    "--sysadmin",
    default="sysadmin",
    show_default=True,
    help=text("系统管理员的账户名。", "Account of the system administrator."),
)
@click.option(
    "--secadmin",
    default="secadmin",
    show_default=True,
    help=text("安全管理员的账户名。", "Account of the security administrator."),
)
@click.option(
    "--auditor",
    default="auditor",
    show_default=True,
    help=text("审计员的账户名。", "Account of the auditor."),
)
@JSON
def bootstrap(sysadmin: str, secadmin: str, auditor: str, as_json: bool) -> None:
    """Make the first three administrators; their one-time passwords are shown this once."""
    from contracts.moment import utc_now
    from sharing.accounts import accounts
    from sharing.accounts.passwords import Passwords
    from sharing.control import Control

    names: dict[Role, str] = {"sysadmin": sysadmin, "secadmin": secadmin, "auditor": auditor}
    with Control(Home.from_env()) as control:
        issued = accounts.bootstrap(control, Passwords(), getpass.getuser(), names, utc_now())
    if as_json:
        click.echo(json.dumps({"passwords": issued}, ensure_ascii=False))
        return
    for name, password in issued.items():
        _say_password(name, password)


@account.command(
    **about(
        "新建没有角色的账户；一次性口令只显示这一次。",
        "Make an account without roles; its one-time password is shown this once.",
        "./jingshu share account add li.health --body health",
    )
)
@click.argument("name")
@click.option(
    "--body",
    required=True,
    metavar="ID",
    help=text("所属单位，例如 health。", "The body, such as health."),
)
@AS
@JSON
def add(name: str, body: str, acting: str | None, as_json: bool) -> None:
    """Make an account without roles; its one-time password is shown this once."""
    from contracts.moment import utc_now
    from sharing.accounts import accounts
    from sharing.accounts.passwords import Passwords
    from sharing.control import Control

    with Control(Home.from_env()) as control:
        who = actor(control, acting)
        password = accounts.add_account(control, Passwords(), who, name, body, utc_now())
    if as_json:
        click.echo(json.dumps({"account": name, "password": password}))
        return
    _say_password(name, password)


@account.command(
    **about(
        "为账户签发一次性口令；锁定随即解除，已有登录随即失效。",
        "Give an account a one-time password; its lock and its logins end.",
        "./jingshu share account password li.health",
    )
)
@click.argument("name")
@AS
@JSON
def password(name: str, acting: str | None, as_json: bool) -> None:
    """Give an account a one-time password; its lock and its logins end."""
    from contracts.moment import utc_now
    from sharing.accounts import accounts
    from sharing.accounts.passwords import Passwords
    from sharing.control import Control

    with Control(Home.from_env()) as control:
        who = actor(control, acting)
        issued = accounts.reset_password(control, Passwords(), who, name, utc_now())
    if as_json:
        click.echo(json.dumps({"account": name, "password": issued}))
        return
    _say_password(name, issued)


@account.command(
    **about(
        "账户的角色以所列 ROLES 为准，不列则全部收回；账户随即退出登录。\n\n"
        "requester 申请人 · steward 数据管家 · cdo 首席数据官 · authority 数据主管部门 · "
        "sysadmin 系统管理员 · secadmin 安全管理员 · auditor 审计员",
        "Give an account exactly these ROLES; none takes all away. It is logged out.\n\n"
        "The roles: requester, steward, cdo, authority, sysadmin, secadmin, auditor.",
        "./jingshu share account roles li.health requester steward",
    )
)
@click.argument("name")
@click.argument("roles", nargs=-1)
@AS
def roles(name: str, roles: tuple[str, ...], acting: str | None) -> None:
    """Give an account exactly these ROLES; none takes all away. It is logged out."""
    from contracts.moment import utc_now
    from sharing.accounts import accounts
    from sharing.control import Control

    with Control(Home.from_env()) as control:
        accounts.set_roles(control, actor(control, acting), name, roles, utc_now())
    given = ", ".join(sorted(set(roles)))
    tell(f"{name} 的角色：{given or '无'}。", f"Roles of {name}: {given or 'none'}.")


@account.command(
    **about(
        "停用账户，立即不能再登录。",
        "Let nobody log in with an account any more, at once.",
        "./jingshu share account disable li.health",
    )
)
@click.argument("name")
@AS
def disable(name: str, acting: str | None) -> None:
    """Let nobody log in with an account any more, at once."""
    from contracts.moment import utc_now
    from sharing.accounts import accounts
    from sharing.control import Control

    with Control(Home.from_env()) as control:
        accounts.disable_account(control, actor(control, acting), name, utc_now())
    tell(f"已停用：{name}。", f"Disabled: {name}.")


@account.command(
    "list",
    **about(
        "列出全部账户及其角色。",
        "Show every account with its roles.",
        "./jingshu share account list --json",
    ),
)
@JSON
def list_(as_json: bool) -> None:
    """Show every account with its roles."""
    from sharing.accounts.accounts import list_accounts
    from sharing.control import Control

    with Control(Home.from_env()) as control:
        found = list_accounts(control)
    if as_json:
        click.echo(json.dumps({"accounts": [_as_json(a) for a in found]}, ensure_ascii=False))
        return
    for a in found:
        state = text("停用", "disabled") if a.disabled_at else ""
        click.echo(f"{a.name:24} {a.body:16} {', '.join(a.roles) or '—'}  {state}".rstrip())


def _say_password(name: str, issued: str) -> None:
    click.echo(f"{name}  {text('一次性口令', 'one-time password')}: {issued}")
    tell(
        "  限 72 小时内使用，登录后须另设口令。",
        "  It is good for 72 hours, to choose another one.",
    )


def _as_json(found: AccountView) -> dict[str, object]:
    return {
        "name": found.name,
        "body": found.body,
        "roles": list(found.roles),
        "created_at": found.created_at.isoformat(),
        "disabled_at": _iso(found.disabled_at),
        "locked_until": _iso(found.locked_until),
        "must_change": found.must_change,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
