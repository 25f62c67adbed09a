"""``./jingshu verify``: prove the invariants from the stored files (核验)."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from cli.words import JSON, about, shown, tell
from contracts.layout import Home
from contracts.requested import city_tree
from contracts.words import Words

if TYPE_CHECKING:
    from jobs.verify import Finding, Report
    from lineage.evidence.anchored import Anchoring


@click.command(
    **about(
        "只凭存下的文件证明本湖的各项不变量。\n\n"
        "逐条说明查了多少、什么不成立、在哪里；开始了而未完成的步骤列为“恢复中”，再运行一次即可补全。"
        "并说明日志锚定于何处：没有他人持有的副本，持有日志密钥的人就能重造日志。\n\n"
        "退出码：0 成立 · 1 不成立 · 2 用法有误。",
        "Prove the invariants of this lake from its stored files alone.\n\n"
        "Says of each invariant how much was checked and what does not hold, and where; a step that"
        " was begun and not finished is recovering: running it again heals it. It says what the"
        " log is anchored to: without a copy that others hold, whoever has the log's key could"
        " rebuild it.\n\n"
        "Exit code: 0 holds · 1 broken · 2 usage.",
        "./jingshu verify --json",
    )
)
@JSON
def verify(as_json: bool) -> int:
    """Prove the invariants of this lake from its stored files alone."""
    from lineage.evidence.anchored import anchoring
    from sharing.verify.prove import prove

    home = Home.from_env()
    report = prove(home, city_tree(home))
    anchor = anchoring(home, datetime.now(UTC))
    if as_json:
        found = {**_as_json(report), "anchor": None if anchor is None else anchor.to_json()}
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        _show(home, report, anchor)
    return 0 if report.is_whole else 1


def _as_json(report: Report) -> dict[str, object]:
    return {
        "holds": report.is_whole,
        "checked": {str(n): report.checked[n] for n in sorted(report.checked)},
        "findings": [_finding(f) for f in report.broken],
        "recovering": [_finding(f) for f in report.recovering],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {**asdict(finding), "problem": finding.problem.en}


def _show(home: Home, report: Report, anchor: Anchoring | None) -> None:
    from jobs.verify import INVARIANTS

    if not report.checked:
        tell(
            f"{home.root} 是空的，没有什么可核验。",
            f"{home.root} is empty: there is nothing to prove.",
        )
        return
    for number, meaning in INVARIANTS.items():
        broken = sum(f.invariant == number for f in report.broken)
        mark = "✗" if broken else "✓"
        count, means = f"{report.checked[number]:>6,}", meaning
        tell(
            f"{mark} {number}  {count} 项  {means.zh}{f'：{broken}' if broken else ''}",
            f"{mark} {number}  {count} checked  {means.en}{f': {broken}' if broken else ''}",
        )
    if report.recovering:
        tell(
            "\n恢复中（再运行一次该步骤即可补全）：",
            "\nRecovering (run the step again, it finishes):",
        )
        _list(report.recovering)
    if report.broken:
        count = str(len(report.broken))
        tell(f"\n{count} 处不成立：", f"\n{count} does not hold:")
        _list(report.broken)
    else:
        anchored = Words("", "") if anchor is None else anchor.mark
        tell(
            f"\n所有不变量成立{f' · {anchored.zh}' if anchored.zh else ''}",
            f"\nall invariants hold{f' · {anchored.en}' if anchored.en else ''}",
        )
    for sentence in [] if anchor is None else anchor.sentences():
        click.echo(shown(sentence))


def _list(findings: list[Finding]) -> None:
    for f in findings:
        click.echo(f"  [{f.invariant}] {f.where}: {shown(f.problem)}")
