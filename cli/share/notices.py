"""``./jingshu share notices``: find what is to be told, send it, show it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli.acting import AS, actor
from contracts.errors import UsageError
from contracts.layout import Home
from contracts.model import CITY_TZ

if TYPE_CHECKING:
    from sharing.control import Control

_JSON = click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")


@click.group(epilog="例 Example: ./jingshu share notices collect && ./jingshu share notices send")
def notices() -> None:
    """通知 Tell bodies of late, held and withdrawn data, of deadlines and breaking changes.

    地址写在 JINGSHU_HOME/notices.toml。 Addresses are in JINGSHU_HOME/notices.toml.
    """


@notices.command(epilog="例 Example: ./jingshu share notices collect --days 7")
@click.option(
    "--days", type=click.IntRange(1, 366), default=7, show_default=True, help="天数 Days."
)
@AS
@_JSON
def collect(days: int, acting: str | None, as_json: bool) -> None:
    """收集 Put a notice of each new fact of the last days into the outbox; sends nothing."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.notices.collect import collect as look

    with Control(Home.from_env()) as control:
        _require(control, acting)
        new = look(control, utc_now(), days)
    click.echo(json.dumps({"new": new}) if as_json else f"新通知 new notices: {new}")


@notices.command(epilog="例 Example: ./jingshu share notices send --seconds 60")
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    default=60.0,
    show_default=True,
    help="最长用时 Take no new ones after so many seconds.",
)
@AS
@_JSON
def send(seconds: float, acting: str | None, as_json: bool) -> int:
    """发送 Send what is due; what fails is tried again later. Exit code 1: something failed."""
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
        click.echo(f"已发 sent {done.sent} · 待重试 to retry {done.failed} · 放弃 dead {done.dead}")
    return 1 if done.failed or done.dead else 0


@notices.command("list", epilog="例 Example: ./jingshu share notices list --json")
@AS
@_JSON
def list_(acting: str | None, as_json: bool) -> None:
    """列表 Show the newest notices and what became of them."""
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
        click.echo(f"{when}  {n.state:11} {to:24} {n.subject}  {n.reason}".rstrip())


@notices.command(epilog="例 Example: ./jingshu share notices test data@health.example.gov.cn")
@click.argument("address")
@AS
def test(address: str, acting: str | None) -> None:
    """试发 Send a test to ADDRESS, which notices.toml must name; the outbox stays as it is."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.notices.addresses import read_book
    from sharing.notices.deliver import Sender, a_test

    home = Home.from_env()
    book = read_book(home)
    entry = book.find(address)
    if entry is None:
        known = ", ".join(e.address for e in book.to) or "none"
        raise UsageError(f"notices.toml does not name {address!r}.", f"It names: {known}.")
    with Control(home) as control:
        _require(control, acting)
    at = utc_now()
    Sender(home, book).send(a_test(entry, at), at)
    click.echo(f"已发 sent: {address}")


def _require(control: Control, acting: str | None) -> None:
    """Let only the system administrator on: an account, or the operating system's user."""
    from sharing.people import require

    who = actor(control, acting)
    require(who, "manage_notices", who.body)
