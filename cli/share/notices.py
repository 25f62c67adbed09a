"""``./jingshu share notices``: find what is to be told, send it, show it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli.acting import AS, actor
from cli.words import JSON, about, shown, tell
from contracts.errors import UsageError
from contracts.layout import Home
from contracts.model import CITY_TZ
from contracts.words import Words, text

if TYPE_CHECKING:
    from sharing.control import Control


@click.group(
    **about(
        "通知各单位数据迟到、扣留与撤回，以及期限和不兼容变更。\n\n"
        "地址写在 JINGSHU_HOME/notices.toml。",
        "Tell bodies of late, held and withdrawn data, of deadlines and breaking changes.\n\n"
        "Addresses are in JINGSHU_HOME/notices.toml.",
        "./jingshu share notices collect && ./jingshu share notices send",
    )
)
def notices() -> None:
    """Tell bodies of late, held and withdrawn data, of deadlines and breaking changes."""


@notices.command(
    **about(
        "把近日每件新事写成通知放入待发箱；不发送。",
        "Put a notice of each new fact of the last days into the outbox; sends nothing.",
        "./jingshu share notices collect --days 7",
    )
)
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    default=7,
    show_default=True,
    help=text("最近多少天。", "How many days back."),
)
@AS
@JSON
def collect(days: int, acting: str | None, as_json: bool) -> None:
    """Put a notice of each new fact of the last days into the outbox; sends nothing."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.notices.collect import collect as look

    with Control(Home.from_env()) as control:
        _require(control, acting)
        new = look(control, utc_now(), days)
    if as_json:
        click.echo(json.dumps({"new": new}))
        return
    tell(f"{new} 条新通知。", f"{new} new notices.")


@notices.command(
    **about(
        "发送到期的通知；失败的稍后重试。\n\n退出码：1 有未发出的。",
        "Send what is due; what fails is tried again later.\n\nExit code: 1 if something failed.",
        "./jingshu share notices send --seconds 60",
    )
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    default=60.0,
    show_default=True,
    help=text("超过这么多秒后不再取新的通知。", "Take no new ones after so many seconds."),
)
@AS
@JSON
def send(seconds: float, acting: str | None, as_json: bool) -> int:
    """Send what is due; what fails is tried again later."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.notices import outbox
    from sharing.notices.addresses import read_book
    from sharing.notices.deliver import Sender, drain

    home = Home.from_env()
    book = read_book(home)
    with Control(home) as control:
        _require(control, acting)
        outbox.address(control, book, utc_now())
        done = drain(control, Sender(home, book), budget_s=seconds)
    if as_json:
        click.echo(json.dumps(asdict(done)))
    else:
        tell(
            f"已发 {done.sent} 条，待重试 {done.failed} 条，放弃 {done.dead} 条。",
            f"Sent {done.sent}, to retry {done.failed}, given up {done.dead}.",
        )
    return 1 if done.failed or done.dead else 0


@notices.command(
    "list",
    **about(
        "列出最新的通知及其结果。",
        "Show the newest notices and what became of them.",
        "./jingshu share notices list --json",
    ),
)
@AS
@JSON
def list_(acting: str | None, as_json: bool) -> None:
    """Show the newest notices and what became of them."""
    from sharing.control import Control
    from sharing.notices.outbox import list_notices

    with Control(Home.from_env()) as control:
        _require(control, acting)
        found = list_notices(control)
    if as_json:
        listed = [asdict(n) | {"made_at": n.made_at.isoformat()} for n in found]
        click.echo(json.dumps({"notices": listed}, ensure_ascii=False))
        return
    for n in found:
        to = f"{n.body}:{n.role}" if n.role else n.body
        when = f"{n.made_at.astimezone(CITY_TZ):%Y-%m-%d %H:%M}"
        click.echo(f"{when}  {n.state:11} {to:24} {shown(n.subject)}  {shown(n.reason)}".rstrip())


@notices.command(
    **about(
        "向 notices.toml 所列的 ADDRESS 试发一封；待发箱不变。",
        "Send a test to ADDRESS, which notices.toml must name; the outbox stays as it is.",
        "./jingshu share notices test data@health.example.gov.cn",
    )
)
@click.argument("address")
@AS
def test(address: str, acting: str | None) -> None:
    """Send a test to ADDRESS, which notices.toml must name; the outbox stays as it is."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.notices.addresses import read_book
    from sharing.notices.deliver import Sender, a_test

    home = Home.from_env()
    book = read_book(home)
    entry = book.find(address)
    if entry is None:
        known = ", ".join(e.address for e in book.to)
        raise UsageError(
            Words(
                f"notices.toml 没有列出 {address!r}。", f"notices.toml does not name {address!r}."
            ),
            Words(f"请使用所列地址：{known or '无'}。", f"Use what it names: {known or 'none'}."),
        )
    with Control(home) as control:
        _require(control, acting)
    at = utc_now()
    Sender(home, book).send(a_test(entry, at), at)
    tell(f"已发：{address}。", f"Sent: {address}.")


def _require(control: Control, acting: str | None) -> None:
    """Let only the system administrator on: an account, or the operating system's user."""
    from sharing.people import require

    who = actor(control, acting)
    require(who, "manage_notices", who.body)
