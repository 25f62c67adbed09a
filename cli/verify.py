"""``./jingshu verify``: prove the invariants from the stored files (核验)."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from contracts.layout import Home
from contracts.requested import city_tree

if TYPE_CHECKING:
    from jobs.verify import Finding, Report
    from lineage.evidence.anchored import Anchoring


@click.command(epilog="例 Example: ./jingshu verify --json")
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")
def verify(as_json: bool) -> int:
    """核验 Prove the invariants of this lake from its stored files alone.

    逐条说明查了多少、哪里不成立；未完成的步骤另列为"恢复中"；并说明日志锚定于何处。
    Says of each invariant how much was checked and what does not hold, and where; a step that was
    begun and not finished is recovering: running it again heals it. It says what the log is
    anchored to: without a copy that others hold, whoever has the log's key could rebuild it.

    退出码 Exit code: 0 成立 holds · 1 不成立 broken · 2 用法 usage.
    """
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
        "findings": [asdict(f) for f in report.broken],
        "recovering": [asdict(f) for f in report.recovering],
    }


def _show(home: Home, report: Report, anchor: Anchoring | None) -> None:
    from jobs.verify import INVARIANTS

    if not report.checked:
        click.echo(f"{home.root} 是空的，无可核验 is empty: there is nothing to prove.")
        return
    for number, meaning in INVARIANTS.items():
        broken = sum(f.invariant == number for f in report.broken)
        mark = "✗" if broken else "✓"
        count = f"{report.checked[number]:>6,} 项 checked"
        click.echo(f"{mark} {number}  {count}  {meaning}{f'：{broken}' if broken else ''}")
    if report.recovering:
        click.echo("\n恢复中 Recovering (run the step again, it finishes):")
        _list(report.recovering)
    if report.broken:
        click.echo(f"\n不成立 {len(report.broken)} does not hold:")
        _list(report.broken)
    else:
        mark = "" if anchor is None else f" · {anchor.mark}"
        click.echo(f"\n所有不变量成立 all invariants hold{mark}")
    for sentence in [] if anchor is None else anchor.sentences():
        click.echo(sentence)


def _list(findings: list[Finding]) -> None:
    for f in findings:
        click.echo(f"  [{f.invariant}] {f.where}: {f.problem}")
