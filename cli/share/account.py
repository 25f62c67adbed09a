"""``./jingshu share account``: the portal's accounts, their roles and passwords."""

from __future__ import annotations

import getpass
import json
from typing import TYPE_CHECKING

import click

from cli.acting import AS, actor
from contracts.layout import Home

if TYPE_CHECKING:
    from sharing.accounts.accounts import AccountView
    from sharing.people import Role

_JSON = click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")


@click.group(epilog="例 Example: ./jingshu share account bootstrap")
def account() -> None:
    """账户 Make the portal's accounts, give them roles, disable them.

    三员分立：系统管理员建账户而不授权，安全管理员授权而不建账户，审计员只读。
    Three administrators: one makes accounts, one gives roles, one reads what they did.
    """


@account.command(epilog="例 Example: ./jingshu share account bootstrap --sysadmin wang.sys")
@click.option("--sysadmin", default="sysadmin", show_default=True, help="系统管理员 Its account.")
@click.option("--secadmin", default="secadmin", show_default=True, help="安全管理员 Its account.")
@click.option("--auditor", default="auditor", show_default=True, help="审计员 Its account.")
@_JSON
def bootstrap(sysadmin: str, secadmin: str, auditor: str, as_json: bool) -> None:
    """初始化 Make the first three administrators; their one-time passwords are shown this once."""
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


@account.command(epilog="例 Example: ./jingshu share account add li.health --body health")
@click.argument("name")
@click.option("--body", required=True, metavar="ID", help="单位 The body, such as health.")
@AS
@_JSON
def add(name: str, body: str, acting: str | None, as_json: bool) -> None:
    """新建 Make an account without roles; its one-time password is shown this once."""
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


@account.command(epilog="例 Example: ./jingshu share account password li.health")
@click.argument("name")
@AS
@_JSON
def password(name: str, acting: str | None, as_json: bool) -> None:
    """重置口令 Give an account a one-time password; its lock and its logins end."""
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


@account.command(epilog="例 Example: ./jingshu share account roles li.health requester steward")
@click.argument("name")
@click.argument("roles", nargs=-1)
@AS
def roles(name: str, roles: tuple[str, ...], acting: str | None) -> None:
    """授权 Give an account exactly these ROLES; none takes all away. It is logged out.

    requester 申请人 · steward 数据管家 · cdo 首席数据官 · authority 数据主管部门 ·
    sysadmin 系统管理员 · secadmin 安全管理员 · auditor 审计员
    """
    from contracts.moment import utc_now
    from sharing.accounts import accounts
    from sharing.control import Control

    with Control(Home.from_env()) as control:
        accounts.set_roles(control, actor(control, acting), name, roles, utc_now())
    click.echo(f"已授权 roles of {name}: {', '.join(sorted(set(roles))) or '无 none'}")


@account.command(epilog="例 Example: ./jingshu share account disable li.health")
@click.argument("name")
@AS
def disable(name: str, acting: str | None) -> None:
    """停用 Let nobody log in with an account any more, at once."""
    from contracts.moment import utc_now
    from sharing.accounts import accounts
    from sharing.control import Control

    with Control(Home.from_env()) as control:
        accounts.disable_account(control, actor(control, acting), name, utc_now())
    click.echo(f"已停用 disabled: {name}")


@account.command("list", epilog="例 Example: ./jingshu share account list --json")
@_JSON
def list_(as_json: bool) -> None:
    """列表 Show every account with its roles."""
    from sharing.accounts.accounts import list_accounts
    from sharing.control import Control

    with Control(Home.from_env()) as control:
        found = list_accounts(control)
    if as_json:
        click.echo(json.dumps({"accounts": [_as_json(a) for a in found]}, ensure_ascii=False))
        return
    for a in found:
        state = "停用 disabled" if a.disabled_at else ""
        click.echo(f"{a.name:24} {a.body:16} {', '.join(a.roles) or '—'}  {state}".rstrip())


def _say_password(name: str, issued: str) -> None:
    click.echo(f"{name}  一次性口令 one-time password: {issued}")
    click.echo("  限 72 小时，登录后须改 Good for 72 hours, to choose another.")


def _as_json(found: AccountView) -> dict[str, object]:
    def text(at: object) -> str | None:
        return None if at is None else str(at)

    return {
        "name": found.name,
        "body": found.body,
        "roles": list(found.roles),
        "created_at": found.created_at.isoformat(),
        "disabled_at": text(found.disabled_at and found.disabled_at.isoformat()),
        "locked_until": text(found.locked_until and found.locked_until.isoformat()),
        "must_change": found.must_change,
    }
