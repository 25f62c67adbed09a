"""``./jingshu share rights trade``: orders, refunds and who is paid, in integer 分 (交易与结算)."""

from __future__ import annotations

import json
from dataclasses import asdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from cli.acting import AS, actor
from contracts.layout import Home
from contracts.requested import city_tree

if TYPE_CHECKING:
    from sharing.rights.prices import Use
    from sharing.rights.split import Share
    from sharing.rights.trades import Trade

_JSON = click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")


@click.group(epilog="例 Example: ./jingshu share rights trade list")
def trade() -> None:
    """交易 Take orders of listed products, settle them by a split rule, give money back.

    金额一律为整数分，各方之和恒等于总额；同一订单号只成交一次。
    Amounts are whole 分 and the parts are the amount; an order number trades once.
    """


@trade.command(
    epilog="例 Example: ./jingshu share rights trade rule 2026-1 health=1/3 civil=1/3 "
    "emergency=1/3:500"
)
@click.argument("version")
@click.argument("shares", nargs=-1, required=True, metavar="PARTY=SHARE[:MIN_FEN]…")
@AS
def rule(version: str, shares: tuple[str, ...], acting: str | None) -> None:
    """分配规则 Keep a version of who gets what; shares are 1 together, exactly."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights.split import SplitRule
    from sharing.rights.trades import add_rule

    made = SplitRule(version, tuple(_share(text) for text in shares))
    with Control(Home.from_env()) as control:
        add_rule(control, made, actor(control, acting), utc_now())
    click.echo(f"已登记 kept: {version}（{len(made.shares)} 方 parties）")


@trade.command(
    epilog="例 Example: ./jingshu share rights trade order PO-1 L2026-0001 --buyer x_data_co "
    "--use commercial --rule 2026-1"
)
@click.argument("order_id", metavar="ORDER")
@click.argument("listing", metavar="LISTING")
@click.option("--buyer", required=True, metavar="B", help="买方（单位） The body that buys.")
@click.option(
    "--use",
    required=True,
    type=click.Choice(["public_interest", "commercial"]),
    help="用途 What for: the first is free.",
)
@click.option("--rule", required=True, metavar="V", help="分配规则版本 Which split rule.")
@AS
@_JSON
def order(
    order_id: str, listing: str, buyer: str, use: Use, rule: str, acting: str | None, as_json: bool
) -> None:
    """下单 Take an order of LISTING at its price and settle it; sent twice, it trades once."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import trades

    home = Home.from_env()
    with Control(home) as control:
        asked = trades.Order(order_id, listing, buyer, use, rule)
        made = trades.trade(control, city_tree(home), asked, actor(control, acting), utc_now())
    _say(made, as_json=as_json)


@trade.command(epilog="例 Example: ./jingshu share rights trade refund PO-1 --reason 重复下单")
@click.argument("order_id", metavar="ORDER")
@click.option("--reason", required=True, help="理由 Why.")
@AS
@_JSON
def refund(order_id: str, reason: str, acting: str | None, as_json: bool) -> None:
    """退款 Give an order's money back, each party its part."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import trades

    with Control(Home.from_env()) as control:
        made = trades.refund(control, order_id, reason, actor(control, acting), utc_now())
    _say(made, as_json=as_json)


@trade.command("list", epilog="例 Example: ./jingshu share rights trade list --json")
@_JSON
def list_(as_json: bool) -> None:
    """列表 Show every trade and refund, and what each party has got."""
    from sharing.control import Control
    from sharing.rights import trades

    with Control(Home.from_env()) as control:
        found, held = trades.trades(control), trades.balances(control)
    if as_json:
        document = {"trades": [_as_json(t) for t in found], "balances": dict(held)}
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    for one in found:
        click.echo(_line(one))
    for party, fen in held.items():
        click.echo(f"{party:24} {fen} 分")
    if not found:
        click.echo("没有交易 Nothing was traded.")


def _say(made: Trade, *, as_json: bool) -> None:
    click.echo(json.dumps(_as_json(made), ensure_ascii=False) if as_json else _line(made))


def _line(made: Trade) -> str:
    parts = "，".join(f"{party} {fen}" for party, fen in made.parts.items())
    what = f"退款 refund of {made.refund_of}" if made.refund_of else made.order.use
    return f"{made.id}  {made.order.order_id}  {what}  {made.amount_fen} 分 = {parts}"


def _as_json(made: Trade) -> dict[str, Any]:
    return {**asdict(made), "at": made.at.isoformat()}


def _share(text: str) -> Share:
    from contracts.errors import UsageError
    from sharing.rights.split import Share

    party, _, rest = text.partition("=")
    share, _, least = rest.partition(":")
    try:
        return Share(party, Fraction(share), int(least or 0))
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{text!r} is no share.", "Write it as health=1/3 or =1/3:500.") from None
