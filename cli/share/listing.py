"""``./jingshu share rights listing``: offer a published product for trade (上架)."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.acting import AS, actor, local_user
from cli.words import JSON, about, tell
from contracts.layout import Home
from contracts.requested import city_tree
from contracts.words import Words, text

if TYPE_CHECKING:
    from datetime import datetime


@click.group(
    **about(
        "上架共享表的一个已发布版本，各项证明俱全；模拟数据一律不上架。\n\n"
        "缺任一证明即不予上架，并逐条说明。",
        "Offer a published version of a shared table, with every proof; simulated data "
        "never.\n\n"
        "What lacks a proof is refused, with every reason.",
        "./jingshu share rights listing list",
    )
)
def listing() -> None:
    """Offer a published version of a shared table, with every proof; simulated data never."""


@listing.command(
    **about(
        "按共享策略 POLICY 上架产品 PRODUCT。",
        "List PRODUCT as its share policy POLICY shows it.",
        "./jingshu share rights listing make emergency.heat_readiness demo --price-version "
        "2026-1 --cost-fen 100000 --profit 1/20 --cap-fen 104000",
    )
)
@click.argument("product")
@click.argument("policy")
@click.option(
    "--price-version",
    required=True,
    metavar="V",
    help=text("价格规则的版本。", "Version of the price rule."),
)
@click.option(
    "--cost-fen",
    required=True,
    type=int,
    help=text("一份订单的成本（分）。", "Cost of one order, in fen."),
)
@click.option(
    "--profit",
    default="0",
    show_default=True,
    help=text(
        "利润占成本的比例，例如 1/20。",
        "Profit as a share of the cost, such as 1/20.",
    ),
)
@click.option(
    "--cap-fen",
    required=True,
    type=int,
    help=text("价格上限（分）。", "The most it may cost, in fen."),
)
@click.option(
    "--lister",
    metavar="B",
    help=text(
        "上架单位（默认为产品的制作单位）。",
        "Who lists it (default: who makes the product).",
    ),
)
@click.option(
    "--date",
    "on",
    type=click.DateTime(["%Y-%m-%d"]),
    help=text("业务日期（默认为最新）。", "Of which business date (default: the newest)."),
)
@AS
def make(
    product: str,
    policy: str,
    price_version: str,
    cost_fen: int,
    profit: str,
    cap_fen: int,
    lister: str | None,
    on: datetime | None,
    acting: str | None,
) -> None:
    """List PRODUCT as its share policy POLICY shows it."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights.listing import Offer, list_product
    from sharing.rights.prices import PriceRule

    home = Home.from_env()
    tree = city_tree(home)
    body = lister or tree.contract(product).domain
    price = PriceRule(price_version, cost_fen, _share(profit), cap_fen)
    offer = Offer(product, policy, body, price, on.date() if on else None)
    with Control(home) as control:
        who = actor(control, acting) if acting else local_user(body)
        listing_id = list_product(control, tree, offer, who, utc_now())
    fen = price.price("commercial")
    tell(
        f"已上架：{listing_id}。公益使用免费，商业使用 {fen} 分。",
        f"Listed: {listing_id}. Free in the public interest, {fen} fen commercially.",
    )


@listing.command(
    **about(
        "以 JSON 显示上架包：产品、权利、合规、质量、价格与存证。",
        "Show the package as JSON: product, rights, compliance, quality, price, evidence.",
        "./jingshu share rights listing show L2026-0001 --out 包.json",
    )
)
@click.argument("listing_id", metavar="ID")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help=text(
        "不打印，把上架包写入这一文件。",
        "Write the package here instead of printing it.",
    ),
)
def show(listing_id: str, out: Path | None) -> None:
    """Show the package as JSON: product, rights, compliance, quality, price, evidence."""
    from contracts.errors import UsageError
    from sharing.control import Control
    from sharing.rights.listing import listings

    with Control(Home.from_env()) as control:
        found = next((one for one in listings(control) if one.id == listing_id), None)
    if found is None:
        raise UsageError(
            Words(f"没有上架 {listing_id!r}。", f"There is no listing {listing_id!r}."),
            Words("请见 … rights listing list。", "See … rights listing list."),
        )
    if out is None:
        click.echo(found.bundle)
        return
    out.write_text(found.bundle, encoding="utf-8")
    tell(f"已写入 {out}。", f"Written to {out}.")


@listing.command(
    **about(
        "下架；已售出的不受影响。",
        "End a listing; what was sold stays sold.",
        "./jingshu share rights listing withdraw L2026-0001 --reason 下架",
    )
)
@click.argument("listing_id", metavar="ID")
@click.option("--reason", required=True, help=text("理由。", "Why."))
@AS
def withdraw(listing_id: str, reason: str, acting: str | None) -> None:
    """End a listing; what was sold stays sold."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import listing as listed

    with Control(Home.from_env()) as control:
        body = next((one.lister for one in listed.listings(control) if one.id == listing_id), "")
        who = actor(control, acting) if acting else local_user(body)
        listed.withdraw(control, listing_id, reason, who, utc_now())
    tell(f"已下架：{listing_id}。", f"Withdrawn: {listing_id}.")


@listing.command(
    "list",
    **about(
        "列出全部上架及其价格。",
        "Show every listing with its prices.",
        "./jingshu share rights listing list --json",
    ),
)
@JSON
def list_(as_json: bool) -> None:
    """Show every listing with its prices."""
    from sharing.control import Control
    from sharing.rights.listing import listings

    with Control(Home.from_env()) as control:
        found = listings(control)
    if as_json:
        shown = [{n: v for n, v in vars(one).items() if n != "bundle"} for one in found]
        click.echo(json.dumps({"listings": shown}, ensure_ascii=False))
        return
    for one in found:
        state = text("在架", "open") if one.is_open else text("已下架", "withdrawn")
        price = f"{one.prices['commercial']} {text('分', 'fen')}"
        click.echo(f"{one.id}  {one.table}@{one.version}  {one.lister}  {price}  {state}")
    if not found:
        tell("没有上架的产品。", "Nothing was listed.")


def _share(given: str) -> Fraction:
    from contracts.errors import UsageError

    try:
        return Fraction(given)
    except (ValueError, ZeroDivisionError):
        raise UsageError(
            Words(f"{given!r} 不是比例。", f"{given!r} is no share."),
            Words("请写成 1/20 或 0.05。", "Write it as 1/20 or 0.05."),
        ) from None
