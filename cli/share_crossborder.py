"""``./jingshu share crossborder``: whether data may go abroad (数据出境)."""

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
    from sharing.crossborder.decide import Necessity
    from sharing.crossborder.exports import Decided
    from sharing.people import Actor

_JSON = click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")
_ON = click.option(
    "--on",
    "on_date",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    metavar="D",
    help="文件日期 Its date.",
)


@click.group(epilog="例 Example: ./jingshu share crossborder list")
def crossborder() -> None:
    """出境 Decide on data going abroad, by persons counted in the published tables.

    自当年 1 月 1 日起按出境者累计去重；仅供参考，不是法律意见。
    Distinct persons since 1 January, per exporter; no legal advice.
    """


@crossborder.command(
    epilog="例 Example: ./jingshu share crossborder decide x_data_co commerce__chain_stock"
)
@click.argument("exporter")
@click.argument("table")
@click.option("--column", "columns", multiple=True, help="只出境这些列 Only these columns go.")
@click.option(
    "--assessment", metavar="ID", help="安全评估编号 The record of a security assessment."
)
@click.option("--foreign-only", is_flag=True, help="境外收集、境内只加工 Collected abroad only.")
@click.option(
    "--necessity",
    type=click.Choice(["contract_with_person", "human_resources", "emergency"]),
    help="必要情形 A case of Art. 5.",
)
@click.option("--ftz", is_flag=True, help="自贸区内 The exporter is in the free-trade zone.")
@click.option("--negative-list", is_flag=True, help="在负面清单内 The data is on its list.")
@click.option(
    "--ciio", is_flag=True, help="关键信息基础设施运营者 It runs critical infrastructure."
)
@AS
@_JSON
def decide(
    exporter: str,
    table: str,
    columns: tuple[str, ...],
    assessment: str | None,
    foreign_only: bool,
    necessity: Necessity | None,
    ftz: bool,
    negative_list: bool,
    ciio: bool,
    acting: str | None,
    as_json: bool,
) -> None:
    """判定 Say what holds for EXPORTER's export of TABLE, and keep it as evidence."""
    from sharing.control import Control, utc_now
    from sharing.crossborder import exports

    home = Home.from_env()
    how = exports.Circumstances(assessment, foreign_only, necessity, ftz, negative_list, ciio)
    export = exports.Export(exporter, table, columns, how)
    with Control(home) as control:
        who = actor(control, acting)
        made = exports.decide_export(control, city_tree(home), export, who, utc_now())
    click.echo(json.dumps(_as_json(made), ensure_ascii=False) if as_json else _line(made))


@crossborder.command(
    "give-up", epilog="例 Example: ./jingshu share crossborder give-up X2026-0001 --reason 未实施"
)
@click.argument("export_id", metavar="ID")
@click.option("--reason", required=True, help="理由 Why.")
@AS
def give_up(export_id: str, reason: str, acting: str | None) -> None:
    """未实施 Note that an export was not carried out: its persons no longer count."""
    from sharing.control import Control, utc_now
    from sharing.crossborder import exports

    with Control(Home.from_env()) as control:
        exports.give_up(control, export_id, reason, actor(control, acting), utc_now())
    click.echo(f"已撤回 given up: {export_id}")


@crossborder.command(
    epilog="例 Example: ./jingshu share crossborder assess x_data_co SA-2025-0007 --on 2025-03-10"
)
@click.argument("exporter")
@click.argument("assessment_id", metavar="ID")
@_ON
@AS
@_JSON
def assess(
    exporter: str, assessment_id: str, on_date: datetime, acting: str | None, as_json: bool
) -> None:
    """登记评估 Record the result of EXPORTER's security assessment ID: it holds three years."""
    from sharing.control import Control, utc_now
    from sharing.crossborder import assessments

    with Control(Home.from_env()) as control:
        who, day = actor(control, acting), on_date.date()
        made = assessments.record(control, exporter, assessment_id, day, who, utc_now())
    _show([made], as_json=as_json)


@crossborder.command(
    epilog="例 Example: ./jingshu share crossborder ask SA-2025-0007 --on 2027-11-20"
)
@click.argument("assessment_id", metavar="ID")
@_ON
@AS
@_JSON
def ask(assessment_id: str, on_date: datetime, acting: str | None, as_json: bool) -> None:
    """申请延期 Record that three more years of a security assessment were asked for."""
    from sharing.crossborder import assessments

    _follow(assessments.ask, assessment_id, on_date, acting, as_json=as_json)


@crossborder.command(
    epilog="例 Example: ./jingshu share crossborder extend SA-2025-0007 --on 2027-11-20"
)
@click.argument("assessment_id", metavar="ID")
@_ON
@AS
@_JSON
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
    from sharing.control import Control, utc_now

    with Control(Home.from_env()) as control:
        made = step(control, assessment_id, on_date.date(), actor(control, acting), utc_now())
    _show([made], as_json=as_json)


@crossborder.command(
    "assessments", epilog="例 Example: ./jingshu share crossborder assessments --json"
)
@_JSON
def assessments_(as_json: bool) -> None:
    """评估列表 Show every security assessment: until when it holds, by when to ask for more."""
    from sharing.control import Control
    from sharing.crossborder.assessments import assessments

    with Control(Home.from_env()) as control:
        found = list(assessments(control).values())
    _show(found, as_json=as_json)


def _show(found: Sequence[Assessment], *, as_json: bool) -> None:
    if as_json:
        shown = [_assessed(one) for one in found]
        click.echo(json.dumps({"assessments": shown}, ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.id}  {one.exporter}  {one.issued_on}  {_until(one)}")
    if not found:
        click.echo("没有安全评估 No security assessment is recorded.")


def _until(one: Assessment) -> str:
    by = f"最迟申请延期 ask for more by {one.ask_by or one.problem}"
    more = "已申请延期 more is asked for" if one.is_asked else by
    return f"有效至 holds to {one.last_day}，{more}"


def _assessed(one: Assessment) -> dict[str, Any]:
    return {
        "id": one.id,
        "exporter": one.exporter,
        "issued_on": one.issued_on.isoformat(),
        "extensions": one.extensions,
        "is_asked": one.is_asked,
        "last_day": one.last_day.isoformat(),
        "ask_by": one.ask_by.isoformat() if one.ask_by else None,
        "problem": one.problem,
    }


@crossborder.command("list", epilog="例 Example: ./jingshu share crossborder list --json")
@_JSON
def list_(as_json: bool) -> None:
    """列表 Show every decision with its rule and counts."""
    from sharing.control import Control
    from sharing.crossborder.exports import decisions

    with Control(Home.from_env()) as control:
        found = decisions(control)
    if as_json:
        shown = [_as_json(one) for one in found]
        click.echo(json.dumps({"decisions": shown}, ensure_ascii=False))
        return
    for one in found:
        click.echo(_line(one))
    if not found:
        click.echo("没有出境判定 Nothing was decided.")


def _line(made: Decided) -> str:
    decision = made.decision
    counted = f"一般 general {decision.counters.general} · 敏感 {decision.counters.sensitive}"
    state = "" if made.is_carried_out else "  未实施 given up"
    more = f"\n  {made.reason}" if made.reason else ""
    if made.assessment is not None:
        more += f"\n  安全评估 assessment {made.assessment.id}：{_until(made.assessment)}"
    return (
        f"{made.id}  {made.exporter} {made.table}  {decision.outcome}"
        f"（第 {decision.row} 行 row, {decision.rule_version}）  {counted}{state}\n"
        f"  {decision.source}{more}"
    )


def _as_json(made: Decided) -> dict[str, Any]:
    decision = made.decision
    return {
        "id": made.id,
        "exporter": made.exporter,
        "table": made.table,
        "row": decision.row,
        "outcome": decision.outcome,
        "rule_version": decision.rule_version,
        "source": decision.source,
        "counters": vars(decision.counters),
        "own": vars(made.own),
        "origin": made.origin,
        "is_carried_out": made.is_carried_out,
        "at": made.at.isoformat(),
        "reason": made.reason,
        "assessment": _assessed(made.assessment) if made.assessment else None,
    }
