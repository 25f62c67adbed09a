"""``./jingshu share rights``: who may hold, process and operate which table (确权)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from cli.acting import AS, actor
from cli.lazy import Entry, LazyGroup
from cli.words import JSON, about, tell
from contracts.layout import Home
from contracts.requested import city_tree
from contracts.words import text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sharing.rights.terms import Link, Right, RightType, Terms

ENTRIES: Final = {
    "listing": Entry(
        "cli.share.listing:listing",
        text("上架已发布的产品。", "Offer a published product for trade."),
    ),
    "trade": Entry(
        "cli.share.trade:trade", text("订单、退款与分配。", "Orders, refunds and who is paid.")
    ),
    "asset": Entry(
        "cli.share.asset:asset",
        text("数据成本与入表。", "Costs of data, and what they are in the books."),
    ),
}
_DAY = click.DateTime(["%Y-%m-%d"])
_REASON = click.option("--reason", required=True, help=text("理由。", "Why."))
_SCOPE = click.option(
    "--scope",
    multiple=True,
    default=("*",),
    show_default=True,
    help=text("用途（可多个）。", "For what use; may stand often."),
)
_TO = click.option(
    "--to",
    "to_on",
    type=_DAY,
    help=text(
        "截止日（含当日）；不写则无期限。",
        "The last day; without it there is no end.",
    ),
)


@click.group(
    cls=LazyGroup,
    entries=ENTRIES,
    **about(
        "登记表上分置的三项权利：持有、加工使用、经营。\n\n"
        "持有权归数源部门，由契约得出；加工使用权与经营权逐级授予，不得超出授予者自己的范围与期"
        "限。",
        "Three separate rights in a table: hold, process, operate.\n\n"
        "A provider holds its own tables; the other two rights are granted, never beyond the "
        "grantor's.",
        "./jingshu share rights check x_data_co health__disease_case process --use 公益",
    ),
)
def rights() -> None:
    """Three separate rights in a table: hold, process, operate."""


@rights.command(
    **about(
        "首次登记 HOLDER 对 DATASET（表名）的权利。",
        "Register a right of HOLDER in DATASET, a table's name.",
        "./jingshu share rights grant health__disease_case process x_data_co --legal-basis "
        "授权运营协议2026-3 --scope 公益 --to 2027-12-31",
    )
)
@click.argument("dataset")
@click.argument("right", type=click.Choice(["process", "operate"]))
@click.argument("holder")
@click.option(
    "--legal-basis",
    required=True,
    help=text("依据的法规或协议及其条款。", "The law or agreement, and article."),
)
@_SCOPE
@click.option(
    "--from",
    "from_on",
    type=_DAY,
    help=text("起始日（默认为今日）。", "The first day (default: today)."),
)
@_TO
@click.option(
    "--grantor",
    metavar="B",
    help=text(
        "授予者（默认为该表的持有者）。",
        "Who gives it (default: who holds the table).",
    ),
)
@AS
def grant(
    dataset: str,
    right: RightType,
    holder: str,
    legal_basis: str,
    scope: tuple[str, ...],
    from_on: datetime | None,
    to_on: datetime | None,
    grantor: str | None,
    acting: str | None,
) -> None:
    """Register a right of HOLDER in DATASET, a table's name."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import register
    from sharing.rights.terms import Asked, Terms, city_day, origin_holder

    home, now = Home.from_env(), utc_now()
    tree = city_tree(home)
    start = from_on.date() if from_on else city_day(now)
    terms = Terms(legal_basis, frozenset(scope), start, _day(to_on))
    giver = grantor or origin_holder(tree, dataset)
    with Control(home) as control:
        asked = Asked(dataset, right, holder, giver, terms)
        right_id = register.grant(control, tree, asked, actor(control, acting), now)
    what = f"{giver} → {holder}  {right} {dataset}"
    tell(f"已登记：{right_id}  {what}", f"Registered: {right_id}  {what}")


@rights.command(
    **about(
        "变更登记：权利的范围与截止日自今日起改变。",
        "Register another scope and end of a right, in force from today.",
        "./jingshu share rights change Q2026-0001 --scope 公益 --reason 调整",
    )
)
@click.argument("right_id", metavar="ID")
@_SCOPE
@_TO
@_REASON
@AS
def change(
    right_id: str, scope: tuple[str, ...], to_on: datetime | None, reason: str, acting: str | None
) -> None:
    """Register another scope and end of a right, in force from today."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import register

    home = Home.from_env()
    with Control(home) as control:
        who = actor(control, acting)
        register.change(
            control,
            city_tree(home),
            right_id,
            register.Extent(frozenset(scope), _day(to_on)),
            reason,
            who,
            utc_now(),
        )
    tell(f"已变更：{right_id}。", f"Changed: {right_id}.")


@rights.command(
    **about(
        "更正登记：权利的依据此前写错。",
        "Register that a right's legal basis was written wrongly.",
        "./jingshu share rights correct Q2026-0001 --legal-basis 授权运营协议2026-4 --reason 笔误",
    )
)
@click.argument("right_id", metavar="ID")
@click.option(
    "--legal-basis",
    required=True,
    help=text("应当写成的依据。", "The legal basis as it should have been written."),
)
@_REASON
@AS
def correct(right_id: str, legal_basis: str, reason: str, acting: str | None) -> None:
    """Register that a right's legal basis was written wrongly."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import register

    home = Home.from_env()
    with Control(home) as control:
        who = actor(control, acting)
        register.correct(control, city_tree(home), right_id, legal_basis, reason, who, utc_now())
    tell(f"已更正：{right_id}。", f"Corrected: {right_id}.")


@rights.command(
    **about(
        "注销登记：权利及由其派生的权利今日终止。",
        "End a right today, with all that came from it.",
        "./jingshu share rights revoke Q2026-0001 --reason 协议终止",
    )
)
@click.argument("right_id", metavar="ID")
@_REASON
@AS
def revoke(right_id: str, reason: str, acting: str | None) -> None:
    """End a right today, with all that came from it."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights import register

    home = Home.from_env()
    with Control(home) as control:
        register.cancel(
            control, city_tree(home), right_id, reason, actor(control, acting), utc_now()
        )
    tell(f"已注销：{right_id}。", f"Cancelled: {right_id}.")


@rights.command(
    "list",
    **about(
        "列出授予的权利：登记的，以及今日有效的。",
        "Show the granted rights, as registered and as in force today.",
        "./jingshu share rights list --dataset heat_readiness",
    ),
)
@click.option("--dataset", metavar="T", help=text("只看一个表。", "Of one table only."))
@JSON
def list_(dataset: str | None, as_json: bool) -> None:
    """Show the granted rights, as registered and as in force today."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights.register import read_register
    from sharing.rights.terms import city_day

    home = Home.from_env()
    today = city_day(utc_now())
    with Control(home) as control, control.read() as session:
        found = read_register(session, city_tree(home))
    shown = [
        _right_json(right, found.in_force(right, today))
        for right in found.rights.values()
        if dataset in (None, right.dataset)
    ]
    if as_json:
        click.echo(json.dumps({"rights": shown}, ensure_ascii=False))
        return
    for one in shown:
        state = text("有效", "in force") if one["in_force"] else text("无效", "not in force")
        until = f"{text('至', 'until')} {one['to']}" if one["to"] else text("无期限", "no end")
        click.echo(
            f"{one['id']}  {one['right']:8} {one['dataset']}  {one['grantor']} → {one['holder']}"
            f"  {', '.join(one['scope'])}  {until}  {state}"
        )
    if not shown:
        tell(
            "没有授予的权利；提供方持有自己的表。",
            "No right was granted; providers hold their own tables.",
        )


@rights.command(
    **about(
        "证明 HOLDER 享有某项权利，一直追溯到来源；没有则报错。",
        "Prove that HOLDER has a right, back to where it comes from; fails where it has not.",
        "./jingshu share rights check x_data_co health__disease_case process --use 公益",
    )
)
@click.argument("holder")
@click.argument("dataset")
@click.argument("right", type=click.Choice(["hold", "process", "operate"]))
@click.option(
    "--use",
    default="*",
    show_default=True,
    help=text("为何用途；* 为不限。", "For which use; * for any."),
)
@click.option(
    "--on", type=_DAY, help=text("在哪一天（默认为今日）。", "On which day (default: today).")
)
@JSON
def check(
    holder: str, dataset: str, right: RightType, use: str, on: datetime | None, as_json: bool
) -> None:
    """Prove that HOLDER has a right, back to where it comes from; fails where it has not."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.rights.register import require_rights
    from sharing.rights.terms import city_day

    home = Home.from_env()
    day = _day(on) or city_day(utc_now())
    with Control(home) as control:
        chain = require_rights(control, city_tree(home), holder, dataset, right, day, use)
    if as_json:
        click.echo(json.dumps({"chain": [link_json(x) for x in chain]}, ensure_ascii=False))
        return
    for link in chain:
        evidence = link.evidence_id or text("契约", "contract")
        click.echo(f"{link.grantor} → {link.holder}  {link.right_type}  {evidence}")


def link_json(link: Link) -> dict[str, Any]:
    """Return one step of a proof as JSON's own types."""
    days = {"from_on": _iso(link.from_on), "to_on": _iso(link.to_on)}
    return {**vars(link), "scope": list(link.scope), **days}


def _right_json(right: Right, in_force: Terms | None) -> dict[str, Any]:
    return {
        "id": right.id,
        "dataset": right.dataset,
        "right": right.right_type,
        "holder": right.holder,
        "grantor": right.grantor,
        "parent": right.parent,
        "legal_basis": right.terms.legal_basis,
        "scope": _sorted(right.terms.scope),
        "from": _iso(right.terms.from_on),
        "to": _iso(right.terms.to_on),
        "in_force": in_force is not None,
        "scope_in_force": _sorted(in_force.scope) if in_force else [],
        "entries": [
            {"kind": e.kind, "at": e.at.isoformat(), "evidence_id": e.evidence_id}
            for e in right.entries
        ],
    }


def _sorted(scope: Iterable[str]) -> list[str]:
    return sorted(scope)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(at: datetime | None) -> date | None:
    return None if at is None else at.date()
