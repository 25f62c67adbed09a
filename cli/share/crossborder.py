"""``./jingshu share crossborder``: whether data may go abroad (数据出境)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from cli.acting import AS, actor
from cli.share.crossborder_registers import (
    COMMANDS,
    JSON,
    TO,
    assessed,
    until,
)
from contracts.layout import Home
from contracts.requested import city_tree

if TYPE_CHECKING:
    from sharing.crossborder.decide import Necessity
    from sharing.crossborder.exports import Decided


@click.group(epilog="例 Example: ./jingshu share crossborder list")
def crossborder() -> None:
    """出境 Decide on data going abroad, by persons counted in the published tables.

    自当年 1 月 1 日起按出境者累计去重；仅供参考，不是法律意见。
    Distinct persons since 1 January, per exporter; no legal advice.
    """


@crossborder.command(
    epilog="\b\n例 Example:\n"
    "  ./jingshu share crossborder decide x_data_co commerce__chain_stock"
    " --to Example-Pte-Ltd --country SG --purpose 库存分析"
)
@click.argument("exporter")
@click.argument("table")
@TO
@click.option("--column", "columns", multiple=True, help="只出境这些列 Only these columns go.")
@click.option(
    "--assessment", metavar="ID", help="安全评估编号 The record of a security assessment."
)
@click.option("--foreign-only", is_flag=True, help="境外收集、境内只加工 Collected abroad only.")
@click.option(
    "--necessity",
    type=click.Choice(["contract_with_person", "human_resources", "emergency", "statutory_duty"]),
    help="必要情形 A case of Art. 5, or a statutory duty; give --because and --column too.",
)
@click.option("--because", default="", help="必要的理由 Why it is necessary.")
@click.option("--ftz", is_flag=True, help="自贸区内 The exporter is in the free-trade zone.")
@click.option("--negative-list", is_flag=True, help="在负面清单内 The data is on its list.")
@click.option(
    "--ciio", is_flag=True, help="关键信息基础设施运营者 It runs critical infrastructure."
)
@click.option(
    "--foreign-authority",
    is_flag=True,
    help="境外司法或执法机构请求 A foreign judicial or law-enforcement body asks for it.",
)
@AS
@JSON
def decide(
    exporter: str,
    table: str,
    to: str,
    country: str,
    purpose: str,
    columns: tuple[str, ...],
    assessment: str | None,
    foreign_only: bool,
    necessity: Necessity | None,
    because: str,
    ftz: bool,
    negative_list: bool,
    ciio: bool,
    foreign_authority: bool,
    acting: str | None,
    as_json: bool,
) -> None:
    """判定 Say what holds for EXPORTER's export of TABLE, and keep it as evidence."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.crossborder import exports
    from sharing.crossborder.decide import Destination

    home = Home.from_env()
    how = exports.Circumstances(
        assessment,
        foreign_only,
        necessity,
        because,
        ftz,
        negative_list,
        ciio,
        foreign_authority,
    )
    export = exports.Export(exporter, table, Destination(to, country, purpose), columns, how)
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
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.crossborder import exports

    with Control(Home.from_env()) as control:
        exports.give_up(control, export_id, reason, actor(control, acting), utc_now())
    click.echo(f"已撤回 given up: {export_id}")


@crossborder.command("list", epilog="例 Example: ./jingshu share crossborder list --json")
@JSON
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
        more += f"\n  安全评估 assessment {made.assessment.id}：{until(made.assessment)}"
    if made.facts.lacking:
        more += f"\n  尚缺 lacking: {', '.join(made.facts.lacking)}"
    if to := made.facts.destination:
        more = f"\n  → {to.recipient}（{to.country}）：{to.purpose}{more}"
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
        "may_go": made.may_go,
        "lacking": list(made.facts.lacking),
        "holders": list(made.facts.holders),
        "title": made.facts.title,
        "zone_list": made.facts.zone_list,
        "destination": vars(made.facts.destination) if made.facts.destination else None,
        "assessment": assessed(made.assessment) if made.assessment else None,
    }


for _command in COMMANDS:
    crossborder.add_command(_command)
