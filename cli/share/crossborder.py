"""``./jingshu share crossborder``: whether data may go abroad (数据出境)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from cli.acting import AS, actor
from cli.share.crossborder_papers import PAPERS
from cli.share.crossborder_registers import COMMANDS, TO, assessed, until
from cli.words import JSON, about, tell
from contracts.layout import Home
from contracts.requested import city_tree
from contracts.words import Words, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sharing.crossborder.decide import Necessity
    from sharing.crossborder.exports import Decided


@click.group(
    **about(
        "判定数据能否出境，人数以已发布的表计。\n\n"
        "自当年 1 月 1 日起按出境者累计去重；仅供参考，不是法律意见。",
        "Decide on data going abroad, by persons counted in the published tables.\n\n"
        "Distinct persons since 1 January, per exporter; no legal advice.",
        "./jingshu share crossborder list",
    )
)
def crossborder() -> None:
    """Decide on data going abroad, by persons counted in the published tables."""


@crossborder.command(
    **about(
        "判定 EXPORTER 将 TABLE 出境适用什么规则，并存证。",
        "Say what holds for EXPORTER's export of TABLE, and keep it as evidence.",
        "./jingshu share crossborder decide x_data_co commerce__chain_stock --to "
        "Example-Pte-Ltd --country SG --purpose 库存分析",
    )
)
@click.argument("exporter")
@click.argument("table")
@TO
@click.option(
    "--column", "columns", multiple=True, help=text("只有这些列出境。", "Only these columns go.")
)
@click.option(
    "--assessment",
    metavar="ID",
    help=text("安全评估编号。", "The record of a security assessment."),
)
@click.option(
    "--foreign-only",
    is_flag=True,
    help=text("境外收集，境内只作加工。", "Collected abroad, and only processed here."),
)
@click.option(
    "--necessity",
    type=click.Choice(["contract_with_person", "human_resources", "emergency", "statutory_duty"]),
    help=text(
        "第五条所列的必要情形，或法定职责；须同时给出 --because 与 --column。",
        "A case of Article 5, or a statutory duty; give --because and --column too.",
    ),
)
@click.option("--because", default="", help=text("必要的理由。", "Why it is necessary."))
@click.option(
    "--ftz",
    is_flag=True,
    help=text("出境者在自贸区内。", "The exporter is in the free-trade zone."),
)
@click.option(
    "--negative-list",
    is_flag=True,
    help=text("数据在自贸区负面清单内。", "The data is on the zone's negative list."),
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
    "--foreign-authority",
    is_flag=True,
    help=text(
        "由境外司法或者执法机构请求。",
        "A foreign judicial or law-enforcement body asks for it.",
    ),
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
    """Say what holds for EXPORTER's export of TABLE, and keep it as evidence."""
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
    if as_json:
        click.echo(json.dumps(_as_json(made), ensure_ascii=False))
        return
    _show(made)


@crossborder.command(
    "give-up",
    **about(
        "登记某次出境未实施；其人数不再累计。",
        "Note that an export was not carried out: its persons no longer count.",
        "./jingshu share crossborder give-up X2026-0001 --reason 未实施",
    ),
)
@click.argument("export_id", metavar="ID")
@click.option("--reason", required=True, help=text("理由。", "Why."))
@AS
def give_up(export_id: str, reason: str, acting: str | None) -> None:
    """Note that an export was not carried out: its persons no longer count."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.crossborder import exports

    with Control(Home.from_env()) as control:
        exports.give_up(control, export_id, reason, actor(control, acting), utc_now())
    tell(f"已登记未实施：{export_id}。", f"Given up: {export_id}.")


@crossborder.command(
    "list",
    **about(
        "列出全部判定及其规则与人数。",
        "Show every decision with its rule and counts.",
        "./jingshu share crossborder list --json",
    ),
)
@JSON
def list_(as_json: bool) -> None:
    """Show every decision with its rule and counts."""
    from sharing.control import Control
    from sharing.crossborder.exports import decisions

    with Control(Home.from_env()) as control:
        found = decisions(control)
    if as_json:
        shown = [_as_json(one) for one in found]
        click.echo(json.dumps({"decisions": shown}, ensure_ascii=False))
        return
    for one in found:
        _show(one)
    if not found:
        tell("没有出境判定。", "Nothing was decided.")


def _show(made: Decided) -> None:
    decision = made.decision
    state = Words("", "") if made.is_carried_out else Words("  未实施", "  given up")
    general, sensitive = decision.counters.general, decision.counters.sensitive
    head = f"{made.id}  {made.exporter} {made.table}  {decision.outcome}"
    tell(
        f"{head}（第 {decision.row} 行，{decision.rule_version}）"
        f"  一般 {general} · 敏感 {sensitive}{state.zh}",
        f"{head} (row {decision.row}, {decision.rule_version})"
        f"  general {general} · sensitive {sensitive}{state.en}",
    )
    for line in _details(made):
        tell(f"  {line.zh}", f"  {line.en}")


def _details(made: Decided) -> Iterator[Words]:
    yield Words.read(made.decision.source)
    if to := made.facts.destination:
        arrow = f"→ {to.recipient}"
        yield Words(
            f"{arrow}（{to.country}）：{to.purpose}", f"{arrow} ({to.country}): {to.purpose}"
        )
    if made.reason:
        yield Words.read(made.reason)
    if made.assessment is not None:
        of, id_ = until(made.assessment), made.assessment.id
        yield Words(f"安全评估 {id_}：{of.zh}", f"Assessment {id_}: {of.en}")
    if lacking := made.facts.lacking:
        yield Words(f"尚缺：{'、'.join(lacking)}。", f"Lacking: {', '.join(lacking)}.")


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


for _command in (*COMMANDS, *PAPERS):
    crossborder.add_command(_command)
