"""``./jingshu share rights trade``: orders, refunds and who is paid, in integer 分 (交易与结算)."""

from __future__ import annotations

import json
from dataclasses import asdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from cli.acting import AS, actor
from cli.words import JSON, about, tell
from contracts.layout import Home
from contracts.requested import city_tree
from contracts.words import Words, text

if TYPE_CHECKING:
    from sharing.rights.prices import Use
    from sharing.rights.split import Share
    from sharing.rights.trades import Trade


@click.group(
    **about(
        "接收上架产品的订单，按分配规则结算，办理退款。\n\n"
        "金额一律为整数分，各方之和恒等于总额；同一订单号只成交一次。",
        "Take orders of listed products, settle them by a split rule, give money back.\n\n"
        "Amounts are whole fen and the parts are the amount; an order number trades once.",
        "./jingshu share rights trade list",
    )
)
def trade() -> None:
    """Take orders of listed products, settle them by a split rule, give money back."""


@trade.command(
    **about(
        "登记一版分配规则；各方份额之和恰为 1。",
        "Keep a version of who gets what; shares are 1 together, exactly.",
        "./jingshu share rights trade rule 2026-1 health=1/3 civil=1/3 emergency=1/3:500",
    )
)
@click.argument("version")
@click.argument("shares", nargs=-1, required=True, metavar="PARTY=SHARE[:MIN_FEN]…")
@AS
def rule(version: str, shares: tuple[str, ...], acting: str | None) -> None:
    """Keep a version of who gets what; shares are 1 together, exactly."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights.split import SplitRule
    from sharing.rights.trades import add_rule

    made = SplitRule(version, tuple(_share(given) for given in shares))
    with Control(Home.from_env()) as control:
        add_rule(control, made, actor(control, acting), utc_now())
    parties = len(made.shares)
    tell(f"已登记 {version}：{parties} 方。", f"Kept {version}: {parties} parties.")


@trade.command(
    **about(
        "按价接收 LISTING 的订单并结算；重复提交只成交一次。",
        "Take an order of LISTING at its price and settle it; sent twice, it trades once.",
        "./jingshu share rights trade order PO-1 L2026-0001 --buyer x_data_co --use commercial "
        "--rule 2026-1",
    )
)
@click.argument("order_id", metavar="ORDER")
@click.argument("listing", metavar="LISTING")
@click.option("--buyer", required=True, metavar="B", help=text("买方单位。", "The body that buys."))
@click.option(
    "--use",
    required=True,
    type=click.Choice(["public_interest", "commercial"]),
    help=text("用途；第一种免费。", "What for: the first is free."),
)
@click.option(
    "--rule",
    required=True,
    metavar="V",
    help=text("分配规则的版本。", "Which version of the split rule."),
)
@AS
@JSON
def order(
    order_id: str, listing: str, buyer: str, use: Use, rule: str, acting: str | None, as_json: bool
) -> None:
    """Take an order of LISTING at its price and settle it; sent twice, it trades once."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import trades

    home = Home.from_env()
    with Control(home) as control:
        asked = trades.Order(order_id, listing, buyer, use, rule)
        made = trades.trade(control, city_tree(home), asked, actor(control, acting), utc_now())
    _say(made, as_json=as_json)


@trade.command(
    **about(
        "退还一份订单的款项，各方各退其所得。",
        "Give an order's money back, each party its part.",
        "./jingshu share rights trade refund PO-1 --reason 重复下单",
    )
)
@click.argument("order_id", metavar="ORDER")
@click.option("--reason", required=True, help=text("理由。", "Why."))
@AS
@JSON
def refund(order_id: str, reason: str, acting: str | None, as_json: bool) -> None:
    """Give an order's money back, each party its part."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import trades

    with Control(Home.from_env()) as control:
        made = trades.refund(control, order_id, reason, actor(control, acting), utc_now())
    _say(made, as_json=as_json)


@trade.command(
    "list",
    **about(
        "列出全部交易与退款，以及各方所得。",
        "Show every trade and refund, and what each party has got.",
        "./jingshu share rights trade list --json",
    ),
)
@JSON
def list_(as_json: bool) -> None:
    """Show every trade and refund, and what each party has got."""
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
        click.echo(f"{party:24} {fen} {text('分', 'fen')}")
    if not found:
        tell("没有交易。", "Nothing was traded.")


def _say(made: Trade, *, as_json: bool) -> None:
    click.echo(json.dumps(_as_json(made), ensure_ascii=False) if as_json else _line(made))


def _line(made: Trade) -> str:
    parts = ", ".join(f"{party} {amount}" for party, amount in made.parts.items())
    refund_of = f"{text('退款', 'refund of')} {made.refund_of}"
    what, fen = refund_of if made.refund_of else made.order.use, text("分", "fen")
    return f"{made.id}  {made.order.order_id}  {what}  {made.amount_fen} {fen} = {parts}"


def _as_json(made: Trade) -> dict[str, Any]:
    return {**asdict(made), "at": made.at.isoformat()}


def _share(given: str) -> Share:
    from contracts.errors import UsageError
    from sharing.rights.split import Share

    party, _, rest = given.partition("=")
    share, _, least = rest.partition(":")
    try:
        return Share(party, Fraction(share), int(least or 0))
    except (ValueError, ZeroDivisionError):
        raise UsageError(
            Words(f"{given!r} 不是份额。", f"{given!r} is no share."),
            Words(
                "请写成 health=1/3 或 health=1/3:500。", "Write it as health=1/3 or health=1/3:500."
            ),
        ) from None
