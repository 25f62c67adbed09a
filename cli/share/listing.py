"""``./jingshu share rights listing``: offer a published product for trade (上架)."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.acting import AS, actor, local_user
from contracts.layout import Home
from contracts.requested import city_tree

if TYPE_CHECKING:
    from datetime import datetime

_JSON = click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")


@click.group(epilog="例 Example: ./jingshu share rights listing list")
def listing() -> None:
    """上架 Offer a published version of a shared table, with every proof; simulated data never.

    缺任一证明即不予上架，并逐条说明。 What lacks a proof is refused, with every reason.
    """


@listing.command(
    epilog="例 Example: ./jingshu share rights listing make emergency.heat_readiness demo "
    "--price-version 2026-1 --cost-fen 100000 --profit 1/20 --cap-fen 104000"
)
@click.argument("product")
@click.argument("policy")
@click.option("--price-version", required=True, metavar="V", help="价格规则版本 Of the price rule.")
@click.option("--cost-fen", required=True, type=int, help="成本（分） Cost of one order.")
@click.option("--profit", default="0", show_default=True, help="利润率 Share of the cost: 1/20.")
@click.option("--cap-fen", required=True, type=int, help="上限（分） The most it may cost.")
@click.option("--lister", metavar="B", help="上架单位 Who lists (default: who makes the product).")
@click.option(
    "--date", "on", type=click.DateTime(["%Y-%m-%d"]), help="业务日期 Of which date (the newest)."
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
    """上架 List PRODUCT as its share policy POLICY shows it."""
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
    click.echo(f"已上架 listed: {listing_id}  公益免费 free in the public interest · {fen} 分")


@listing.command(epilog="例 Example: ./jingshu share rights listing show L2026-0001 --out 包.json")
@click.argument("listing_id", metavar="ID")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="写入文件 Write the package here instead of printing it.",
)
def show(listing_id: str, out: Path | None) -> None:
    """上架包 The package: product, rights, compliance, quality, price, evidence; as JSON."""
    from contracts.errors import UsageError
    from sharing.control import Control
    from sharing.rights.listing import listings

    with Control(Home.from_env()) as control:
        found = next((one for one in listings(control) if one.id == listing_id), None)
    if found is None:
        raise UsageError(f"There is no listing {listing_id!r}.", "See … rights listing list.")
    if out is None:
        click.echo(found.bundle)
        return
    out.write_text(found.bundle, encoding="utf-8")
    click.echo(f"已写入 written: {out}")


@listing.command(
    epilog="例 Example: ./jingshu share rights listing withdraw L2026-0001 --reason 下架"
)
@click.argument("listing_id", metavar="ID")
@click.option("--reason", required=True, help="理由 Why.")
@AS
def withdraw(listing_id: str, reason: str, acting: str | None) -> None:
    """下架 End a listing; what was sold stays sold."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import listing as listed

    with Control(Home.from_env()) as control:
        body = next((one.lister for one in listed.listings(control) if one.id == listing_id), "")
        who = actor(control, acting) if acting else local_user(body)
        listed.withdraw(control, listing_id, reason, who, utc_now())
    click.echo(f"已下架 withdrawn: {listing_id}")


@listing.command("list", epilog="例 Example: ./jingshu share rights listing list --json")
@_JSON
def list_(as_json: bool) -> None:
    """列表 Show every listing with its prices."""
    from sharing.control import Control
    from sharing.rights.listing import listings

    with Control(Home.from_env()) as control:
        found = listings(control)
    if as_json:
        shown = [{n: v for n, v in vars(one).items() if n != "bundle"} for one in found]
        click.echo(json.dumps({"listings": shown}, ensure_ascii=False))
        return
    for one in found:
        state = "在架 open" if one.is_open else "已下架 withdrawn"
        price = f"{one.prices['commercial']} 分"
        click.echo(f"{one.id}  {one.table}@{one.version}  {one.lister}  {price}  {state}")
    if not found:
        click.echo("没有上架的产品 Nothing was listed.")


def _share(text: str) -> Fraction:
    from contracts.errors import UsageError

    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{text!r} is no share.", "Write it as 1/20 or 0.05.") from None
