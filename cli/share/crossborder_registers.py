"""The registers of ``share crossborder``: exporters, assessments, papers and the zone's lists."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from cli.acting import AS, actor
from contracts.layout import Home
from contracts.requested import city_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from sharing.control import Control
    from sharing.crossborder.assessments import Assessment
    from sharing.crossborder.decide import Scope
    from sharing.crossborder.papers import PaperKind
    from sharing.crossborder.parties import Party
    from sharing.people import Actor

_DAY = click.DateTime(["%Y-%m-%d"])
_PAPERS = [
    *("impact_assessment", "separate_consent", "standard_contract", "certificate", "approval"),
    "outside_zone_list",
]
_KINDS = {
    "state_organ": "国家机关 state organ",
    "public_institution": "事业单位 public institution",
    "processor": "个人信息处理者 processor",
}
JSON = click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")
_ON = click.option(
    "--on",
    "on_date",
    type=_DAY,
    required=True,
    metavar="D",
    help="文件日期 Its date.",
)


_TABLE = click.option(
    "--table", required=True, metavar="T", help="所涉数据 The table that it is about."
)


def TO(command: Callable[..., None]) -> Callable[..., None]:  # noqa: N802 - as the options beside it
    """Add the options that say where data goes: to whom, in which country, for what."""
    for option in (
        click.option("--purpose", required=True, metavar="P", help="出境目的 What it is for."),
        click.option(
            "--country", required=True, metavar="XX", help="国家或地区 ISO 3166-1, such as SG."
        ),
        click.option("--to", required=True, metavar="R", help="境外接收方 Who receives it abroad."),
    ):
        command = option(command)
    return command


@click.command(
    epilog="例 Example: ./jingshu share crossborder assess x_data_co SA-2025-0007 --on 2025-03-10"
    " --table commerce__chain_stock --to Example-Pte-Ltd --country SG --purpose 库存分析"
)
@click.argument("exporter")
@click.argument("assessment_id", metavar="ID")
@_ON
@_TABLE
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
    """登记评估 Record the result of EXPORTER's security assessment ID: it holds three years."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.crossborder import assessments
    from sharing.crossborder.decide import Destination, Scope

    home, scope = Home.from_env(), Scope(exporter, table, Destination(to, country, purpose))
    with Control(home) as control:
        who, day, tree = actor(control, acting), on_date.date(), city_tree(home)
        made = assessments.record(control, tree, scope, assessment_id, day, who, utc_now())
    _show([made], as_json=as_json)


@click.command(epilog="例 Example: ./jingshu share crossborder ask SA-2025-0007 --on 2027-11-20")
@click.argument("assessment_id", metavar="ID")
@_ON
@AS
@JSON
def ask(assessment_id: str, on_date: datetime, acting: str | None, as_json: bool) -> None:
    """申请延期 Record that three more years of a security assessment were asked for."""
    from sharing.crossborder import assessments

    _follow(assessments.ask, assessment_id, on_date, acting, as_json=as_json)


@click.command(epilog="例 Example: ./jingshu share crossborder extend SA-2025-0007 --on 2027-11-20")
@click.argument("assessment_id", metavar="ID")
@_ON
@AS
@JSON
def extend(assessment_id: str, on_date: datetime, acting: str | None, as_json: bool) -> None:
    """登记延期 Record that three more years of a security assessment were approved."""
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


@click.command("assessments", epilog="例 Example: ./jingshu share crossborder assessments --json")
@JSON
def assessments_(as_json: bool) -> None:
    """评估列表 Show every security assessment: until when it holds, by when to ask for more."""
    from sharing.control import Control
    from sharing.crossborder.assessments import assessments

    with Control(Home.from_env()) as control:
        found = list(assessments(control).values())
    _show(found, as_json=as_json)


def _show(found: Sequence[Assessment], *, as_json: bool) -> None:
    if as_json:
        shown = [assessed(one) for one in found]
        click.echo(json.dumps({"assessments": shown}, ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.id}  {one.exporter}  {one.issued_on}  {until(one)}{_of(one.scope)}")
    if not found:
        click.echo("没有安全评估 No security assessment is recorded.")


def until(one: Assessment) -> str:
    """Say until when an assessment holds, and by when to ask for more."""
    by = f"最迟申请延期 ask for more by {one.ask_by or one.problem}"
    more = "已申请延期 more is asked for" if one.is_asked else by
    return f"有效至 holds to {one.last_day}，{more}"


def _of(scope: Scope | None) -> str:
    if scope is None:
        return (
            "\n  登记时未写明数据与接收方 recorded without its table and recipient: holds for none"
        )
    to = scope.destination
    return f"\n  {scope.dataset} → {to.recipient}（{to.country}）：{to.purpose}"


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
        "problem": one.problem,
        "table": one.scope.dataset if one.scope else None,
        "destination": vars(one.scope.destination) if one.scope else None,
    }


@click.command(
    epilog="\b\n例 Example:\n  ./jingshu share crossborder party x_data_co --name 示例数据有限公司"
    " --uscc 91110000MA0012345C"
)
@click.argument("party_id", metavar="ID")
@click.option("--name", default="", help="全称 Its full name.")
@click.option("--uscc", default="", metavar="CODE", help="统一社会信用代码 Its social credit code.")
@click.option(
    "--ciio", is_flag=True, help="关键信息基础设施运营者 It runs critical infrastructure."
)
@click.option("--ftz", is_flag=True, help="自贸区企业 It is established in the free-trade zone.")
@AS
def party(party_id: str, name: str, uscc: str, ciio: bool, ftz: bool, acting: str | None) -> None:
    """登记出境者 Register who exports, or what is known of a body of the city's; the newest counts.

    代码决定其法律性质。 Its code says whether it is a state organ, a public institution or another
    processor. Without --ciio or --ftz it is neither.
    """
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.crossborder import parties

    home, asked = Home.from_env(), parties.Registration(party_id, name, uscc, ciio, ftz)
    with Control(home) as control:
        who = actor(control, acting)
        made = parties.register(control, city_tree(home), asked, who, utc_now())
    click.echo(_party(made))


@click.command("parties", epilog="例 Example: ./jingshu share crossborder parties")
def parties_() -> None:
    """出境者名单 Show the registered exporters; bodies of the contracts need no registration."""
    from sharing.control import Control
    from sharing.crossborder.parties import parties

    with Control(Home.from_env()) as control:
        found = parties(control)
    for one in found:
        click.echo(_party(one))
    if not found:
        click.echo("没有登记的出境者 No exporter is registered.")


def _party(one: Party) -> str:
    ciio = "  关基 CIIO" if one.is_ciio else ""
    zone = "  自贸区 FTZ" if one.is_in_ftz else ""
    return f"{one.id}  {one.name}  {_KINDS[one.legal_kind]}{ciio}{zone}"


@click.command(
    epilog="\b\n例 Example:\n  ./jingshu share crossborder paper x_data_co impact_assessment PIA-7"
    " --on 2026-03-02 --table commerce__chain_stock --to Example-Pte-Ltd --country SG"
    " --purpose 库存分析"
)
@click.argument("exporter")
@click.argument("kind", type=click.Choice(_PAPERS))
@click.argument("number")
@_ON
@_TABLE
@TO
@click.option("--filed", type=_DAY, metavar="D", help="标准合同备案日 When a contract was filed.")
@click.option("--until", "last_day", type=_DAY, metavar="D", help="证书到期日 Its last day.")
@AS
def paper(
    exporter: str,
    kind: PaperKind,
    number: str,
    on_date: datetime,
    table: str,
    to: str,
    country: str,
    purpose: str,
    filed: datetime | None,
    last_day: datetime | None,
    acting: str | None,
) -> None:
    """登记文件 Record a paper that the law asks for; --on of a contract is when it takes effect."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.crossborder import papers
    from sharing.crossborder.decide import Destination, Scope

    home, scope = Home.from_env(), Scope(exporter, table, Destination(to, country, purpose))
    made = papers.Paper(
        kind,
        number,
        scope,
        on_date.date(),
        filed.date() if filed else None,
        last_day.date() if last_day else None,
    )
    with Control(home) as control:
        who = actor(control, acting)
        paper_id = papers.record(control, city_tree(home), made, who, utc_now())
    late = "，逾期备案 filed late" if made.is_filed_late else ""
    click.echo(f"已登记 recorded: {paper_id}{late}")


@click.command("papers", epilog="例 Example: ./jingshu share crossborder papers")
def papers_() -> None:
    """文件列表 Show every paper, what it is for and until when it holds."""
    from sharing.control import Control
    from sharing.crossborder.papers import papers

    with Control(Home.from_env()) as control:
        found = papers(control)
    for name, one in found.items():
        filed = f"  备案 filed {one.filed_on}" if one.filed_on else ""
        late = "（逾期 late）" if one.is_filed_late else ""
        end = f"  有效至 holds to {one.last_day}" if one.last_day else ""
        click.echo(
            f"{name}  {one.kind} {one.number}  {one.scope.exporter}  {one.on_date}"
            f"{filed}{late}{end}{_of(one.scope)}"
        )
    if not found:
        click.echo("没有登记的文件 No paper is recorded.")


@click.command(
    "zone-list",
    epilog="\b\n例 Example:\n  ./jingshu share crossborder zone-list list.csv --version 2024"
    " --source 京津冀公文1号 --on 2024-08-30",
)
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE"
)
@click.option("--version", required=True, metavar="V", help="版本 Its version.")
@click.option("--source", required=True, metavar="S", help="发布机关与文号 Who issued it, and no.")
@_ON
@AS
def zone_list(file: str, version: str, source: str, on_date: datetime, acting: str | None) -> None:
    """添加负面清单 Add the free-trade zone's negative list: what is on it needs its route.

    没有清单则不作判定。 Without one nothing from the zone is decided. The evidence log signs it.
    FILE has the columns industry, scenario, field, threshold and route, such as
    医药,临床研究,受试者姓名,10000,security_assessment.
    """
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.crossborder.zone import add_list, parse_list

    with click.open_file(file, "rb") as given:
        content = given.read()
    made = parse_list(content, version, source, on_date.date())
    with Control(Home.from_env()) as control:
        add_list(control, content, made, actor(control, acting), utc_now())
    click.echo(f"已添加 added: {made.version}（{len(made.fields)} 个字段 fields）")


COMMANDS = (
    assess,
    ask,
    extend,
    assessments_,
    party,
    parties_,
    paper,
    papers_,
    zone_list,
)
