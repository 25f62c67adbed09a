"""The papers of ``share crossborder`` that the law asks for, and the zone's negative lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from cli.acting import AS, actor
from cli.share.crossborder_registers import DAY, ON, TABLE, TO, tell_scope
from cli.words import about, tell
from contracts.layout import Home
from contracts.requested import city_tree
from contracts.words import Words, text

if TYPE_CHECKING:
    from datetime import datetime

    from sharing.crossborder.papers import PaperKind

_PAPERS: Final = [
    "impact_assessment",
    "separate_consent",
    "standard_contract",
    "certificate",
    "outside_zone_list",
    "approval",
]


@click.command(
    **about(
        "登记法律要求的文件；合同的 --on 为其生效日。",
        "Record a paper that the law asks for; --on of a contract is when it takes effect.",
        "./jingshu share crossborder paper x_data_co impact_assessment PIA-7 --on 2026-03-02 "
        "--table commerce__chain_stock --to Example-Pte-Ltd --country SG --purpose 库存分析",
    )
)
@click.argument("exporter")
@click.argument("kind", type=click.Choice(_PAPERS))
@click.argument("number")
@ON
@TABLE
@TO
@click.option(
    "--filed",
    type=DAY,
    metavar="D",
    help=text("标准合同备案日。", "When a standard contract was filed."),
)
@click.option(
    "--until",
    "last_day",
    type=DAY,
    metavar="D",
    help=text("有效期的最后一日。", "The last day on which it holds."),
)
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
    """Record a paper that the law asks for; --on of a contract is when it takes effect."""
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
    late = Words("，逾期备案", ", filed late") if made.is_filed_late else Words("", "")
    tell(f"已登记：{paper_id}{late.zh}。", f"Recorded: {paper_id}{late.en}.")


@click.command(
    "papers",
    **about(
        "列出全部文件、所涉事项及有效期。",
        "Show every paper, what it is for and until when it holds.",
        "./jingshu share crossborder papers",
    ),
)
def papers_() -> None:
    """Show every paper, what it is for and until when it holds."""
    from sharing.control import Control
    from sharing.crossborder.papers import papers

    with Control(Home.from_env()) as control:
        found = papers(control)
    for name, one in found.items():
        filed = f"  {text('备案', 'filed')} {one.filed_on}" if one.filed_on else ""
        late = f"  {text('逾期', 'late')}" if one.is_filed_late else ""
        end = f"  {text('有效至', 'holds to')} {one.last_day}" if one.last_day else ""
        head = f"{name}  {one.kind} {one.number}  {one.scope.exporter}  {one.on_date}"
        click.echo(f"{head}{filed}{late}{end}")
        tell_scope(one.scope)
    if not found:
        tell("没有登记的文件。", "No paper is recorded.")


@click.command(
    "zone-list",
    **about(
        "添加自贸区负面清单：清单内的数据须走所列路径。\n\n"
        "没有清单则不作自贸区判定；清单由存证日志签名。FILE 的列为 industry、scenario、field、"
        "threshold 与 route，例如 医药,临床研究,受试者姓名,10000,security_assessment。",
        "Add the free-trade zone's negative list: what is on it needs its route.\n\n"
        "Without one nothing from the zone is decided; the evidence log signs it. FILE has the "
        "columns industry, scenario, field, threshold and route, such as medicine,clinical "
        "research,subject name,10000,security_assessment.",
        "./jingshu share crossborder zone-list list.csv --version 2024 --source 京津冀公文1号 "
        "--on 2024-08-30",
    ),
)
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE"
)
@click.option(
    "--version", required=True, metavar="V", help=text("清单版本。", "Version of the list.")
)
@click.option(
    "--source",
    required=True,
    metavar="S",
    help=text("发布机关与文号。", "Who issued it, and under which number."),
)
@ON
@AS
def zone_list(file: str, version: str, source: str, on_date: datetime, acting: str | None) -> None:
    """Add the free-trade zone's negative list: what is on it needs its route."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.crossborder.zone import add_list, parse_list

    with click.open_file(file, "rb") as given:
        content = given.read()
    made = parse_list(content, version, source, on_date.date())
    with Control(Home.from_env()) as control:
        add_list(control, content, made, actor(control, acting), utc_now())
    fields = len(made.fields)
    tell(f"已添加 {made.version}：{fields} 个字段。", f"Added {made.version}: {fields} fields.")


PAPERS: Final = (paper, papers_, zone_list)
