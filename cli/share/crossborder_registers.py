"""The registers of ``share crossborder``: exporters, assessments, papers and the zone's lists."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from cli.acting import AS, actor
from cli.words import JSON, about, shown, tell
from contracts.layout import Home
from contracts.requested import city_tree
from contracts.words import Words, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from sharing.control import Control
    from sharing.crossborder.assessments import Assessment
    from sharing.crossborder.decide import Scope
    from sharing.crossborder.parties import Party
    from sharing.people import Actor

DAY = click.DateTime(["%Y-%m-%d"])
_KINDS = {
    "state_organ": Words("国家机关", "state organ"),
    "public_institution": Words("事业单位", "public institution"),
    "processor": Words("个人信息处理者", "processor"),
}
#: The date that a paper bears.
ON = click.option(
    "--on",
    "on_date",
    type=DAY,
    required=True,
    metavar="D",
    help=text("文件日期。", "Date of the paper."),
)


#: What an assessment or a paper is about.
TABLE = click.option(
    "--table",
    required=True,
    metavar="T",
    help=text("所涉数据的表。", "The table that it is about."),
)


def TO(command: Callable[..., None]) -> Callable[..., None]:  # noqa: N802 - as the options beside it
    """Add the options that say where data goes: to whom, in which country, for what."""
    for option in (
        click.option(
            "--purpose", required=True, metavar="P", help=text("出境目的。", "What it is for.")
        ),
        click.option(
            "--country",
            required=True,
            metavar="XX",
            help=text(
                "国家或地区的 ISO 3166-1 代码，例如 SG。",
                "Country or region by ISO 3166-1, such as SG.",
            ),
        ),
        click.option(
            "--to", required=True, metavar="R", help=text("境外接收方。", "Who receives it abroad.")
        ),
    ):
        command = option(command)
    return command


@click.command(
    **about(
        "登记 EXPORTER 的安全评估 ID 的结果，有效期三年。",
        "Record the result of EXPORTER's security assessment ID: it holds three years.",
        "./jingshu share crossborder assess x_data_co SA-2024-0007 --on 2024-03-25 --table "
        "commerce__chain_stock --to Example-Pte-Ltd --country SG --purpose 库存分析",
    )
)
@click.argument("exporter")
@click.argument("assessment_id", metavar="ID")
@ON
@TABLE
@TO
@AS
@JSON
def assess(
    exporter: str,
    assessment_id: str,
    on_date: datetime,
    table: str,
    to: str,
    country: str,
    purpose: str,
    acting: str | None,
    as_json: bool,
) -> None:
    """Record the result of EXPORTER's security assessment ID: it holds three years."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.crossborder import assessments
    from sharing.crossborder.decide import Destination, Scope

    home, scope = Home.from_env(), Scope(exporter, table, Destination(to, country, purpose))
    with Control(home) as control:
        who, day, tree = actor(control, acting), on_date.date(), city_tree(home)
        made = assessments.record(control, tree, scope, assessment_id, day, who, utc_now())
    _show([made], as_json=as_json)


@click.command(
    **about(
        "登记已就安全评估申请延期三年。",
        "Record that three more years of a security assessment were asked for.",
        "./jingshu share crossborder ask SA-2024-0007 --on 2026-07-01",
    )
)
@click.argument("assessment_id", metavar="ID")
@ON
@AS
@JSON
def ask(assessment_id: str, on_date: datetime, acting: str | None, as_json: bool) -> None:
    """Record that three more years of a security assessment were asked for."""
    from sharing.crossborder import assessments

    _follow(assessments.ask, assessment_id, on_date, acting, as_json=as_json)


@click.command(
    **about(
        "登记安全评估已获准延期三年。",
        "Record that three more years of a security assessment were approved.",
        "./jingshu share crossborder extend SA-2024-0007 --on 2026-07-13",
    )
)
@click.argument("assessment_id", metavar="ID")
@ON
@AS
@JSON
def extend(assessment_id: str, on_date: datetime, acting: str | None, as_json: bool) -> None:
    """Record that three more years of a security assessment were approved."""
    from sharing.crossborder import assessments

    _follow(assessments.extend, assessment_id, on_date, acting, as_json=as_json)


def _follow(
    step: Callable[[Control, str, date, Actor, datetime], Assessment],
    assessment_id: str,
    on_date: datetime,
    acting: str | None,
    *,
    as_json: bool,
) -> None:
    from contracts.moment import utc_now
    from sharing.control import Control

    with Control(Home.from_env()) as control:
        made = step(control, assessment_id, on_date.date(), actor(control, acting), utc_now())
    _show([made], as_json=as_json)


@click.command(
    "assessments",
    **about(
        "列出全部安全评估：有效至何日，最迟何日申请延期。",
        "Show every security assessment: until when it holds, by when to ask for more.",
        "./jingshu share crossborder assessments --json",
    ),
)
@JSON
def assessments_(as_json: bool) -> None:
    """Show every security assessment: until when it holds, by when to ask for more."""
    from sharing.control import Control
    from sharing.crossborder.assessments import assessments

    with Control(Home.from_env()) as control:
        found = list(assessments(control).values())
    _show(found, as_json=as_json)


def _show(found: Sequence[Assessment], *, as_json: bool) -> None:
    if as_json:
        listed = [assessed(one) for one in found]
        click.echo(json.dumps({"assessments": listed}, ensure_ascii=False))
        return
    for one in found:
        head, ends = f"{one.id}  {one.exporter}  {one.issued_on}", until(one)
        tell(f"{head}  {ends.zh}", f"{head}  {ends.en}")
        tell_scope(one.scope)
    if not found:
        tell("没有安全评估。", "No security assessment is recorded.")


def until(one: Assessment) -> Words:
    """Say until when an assessment holds, and by when to ask for more."""
    holds = Words(f"有效至 {one.last_day}", f"It holds to {one.last_day}")
    if one.is_asked:
        return Words(f"{holds.zh}，已申请延期。", f"{holds.en}; more is asked for.")
    if one.ask_by is None:
        why = one.problem or Words("", "")
        return Words(f"{holds.zh}。{why.zh}", f"{holds.en}. {why.en}")
    by = one.ask_by
    return Words(f"{holds.zh}，最迟 {by} 申请延期。", f"{holds.en}; ask for more by {by}.")


def tell_scope(scope: Scope | None) -> None:
    """Print what an assessment or a paper is about."""
    if scope is None:
        tell(
            "  登记时未写明数据与接收方，因此不适用于任何出境。",
            "  It was recorded without its table and recipient, and holds for none.",
        )
        return
    to = scope.destination
    arrow = f"  {scope.dataset} → {to.recipient}"
    tell(f"{arrow}（{to.country}）：{to.purpose}", f"{arrow} ({to.country}): {to.purpose}")


def assessed(one: Assessment) -> dict[str, Any]:
    """Return an assessment as JSON shows it."""
    return {
        "id": one.id,
        "exporter": one.exporter,
        "issued_on": one.issued_on.isoformat(),
        "extensions": one.extensions,
        "is_asked": one.is_asked,
        "last_day": one.last_day.isoformat(),
        "ask_by": one.ask_by.isoformat() if one.ask_by else None,
        "problem": None if one.problem is None else one.problem.en,
        "table": one.scope.dataset if one.scope else None,
        "destination": vars(one.scope.destination) if one.scope else None,
    }


@click.command(
    **about(
        "登记出境者，或本市某单位的已知情况；以最新一次为准。\n\n"
        "代码决定其法律性质：国家机关、事业单位或者其他个人信息处理者。不写 --ciio 或 --ftz，即"
        "两者皆非。",
        "Register who exports, or what is known of a body of the city's; the newest counts.\n\n"
        "Its code says whether it is a state organ, a public institution or another processor. "
        "Without --ciio or --ftz it is neither.",
        "./jingshu share crossborder party x_data_co --name 示例数据有限公司 --uscc "
        "91110000MA0012345C",
    )
)
@click.argument("party_id", metavar="ID")
@click.option("--name", default="", help=text("全称。", "Its full name."))
@click.option(
    "--uscc", default="", metavar="CODE", help=text("统一社会信用代码。", "Its social credit code.")
)
@click.option(
    "--ciio",
    is_flag=True,
    help=text(
        "出境者是关键信息基础设施运营者。",
        "The exporter runs critical infrastructure.",
    ),
)
@click.option(
    "--ftz",
    is_flag=True,
    help=text("设立在自贸区内。", "It is established in the free-trade zone."),
)
@AS
def party(party_id: str, name: str, uscc: str, ciio: bool, ftz: bool, acting: str | None) -> None:
    """Register who exports, or what is known of a body of the city's; the newest counts."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.crossborder import parties

    home, asked = Home.from_env(), parties.Registration(party_id, name, uscc, ciio, ftz)
    with Control(home) as control:
        who = actor(control, acting)
        made = parties.register(control, city_tree(home), asked, who, utc_now())
    click.echo(_party(made))


@click.command(
    "parties",
    **about(
        "列出登记的出境者；契约中的单位无须登记。",
        "Show the registered exporters; bodies of the contracts need no registration.",
        "./jingshu share crossborder parties",
    ),
)
def parties_() -> None:
    """Show the registered exporters; bodies of the contracts need no registration."""
    from sharing.control import Control
    from sharing.crossborder.parties import parties

    with Control(Home.from_env()) as control:
        found = parties(control)
    for one in found:
        click.echo(_party(one))
    if not found:
        tell("没有登记的出境者。", "No exporter is registered.")


def _party(one: Party) -> str:
    ciio = f"  {text('关基', 'CIIO')}" if one.is_ciio else ""
    zone = f"  {text('自贸区', 'FTZ')}" if one.is_in_ftz else ""
    return f"{one.id}  {one.name}  {shown(_KINDS[one.legal_kind])}{ciio}{zone}"


COMMANDS = (
    assess,
    ask,
    extend,
    assessments_,
    party,
    parties_,
)
