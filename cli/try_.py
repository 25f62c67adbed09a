"""``./jingshu try``: one file through every stage, nothing published (试算)."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contracts.loading import load_tree

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.trial import Clock, Trial

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MARKS = {"passed": "✓", "failed": "✗", "error": "!", "not_executable": "–"}
_STAGES = {
    "contracts": "契约",
    "start spark": "启动",
    "connect": "连接",
    "pull": "接收",
    "land": "落地",
    "refine": "精炼",
    "audit": "审核",
    "stop spark": "停止",
}
_WORTH_TELLING_S = 0.05
_VERDICTS = {
    "publish": "可发布 would be published",
    "hold": "会被扣留 would be held",
    "reject": "会被退回 would be rejected",
}


@click.command(
    "try",
    epilog="例 Example: ./jingshu try 病例.csv --contract health.disease_case --date 2026-07-15 "
    "--simulated",
)
@click.argument("file", type=_FILE)
@click.option("--contract", required=True, metavar="C", help="契约 Its id, or a contract file.")
@click.option("--provider", metavar="P", help="提供方 Whose export it is (default: the first).")
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), metavar="D", help="业务日期 Business date."
)
@click.option("--simulated", is_flag=True, help="模拟数据 The file is simulated data.")
@click.option(
    "--rows",
    "shown",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    metavar="N",
    help="显示几行坏行 How many bad rows to show.",
)
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object, all rows.")
def try_file(
    file: Path,
    contract: str,
    provider: str | None,
    day: datetime | None,
    simulated: bool,
    shown: int,
    as_json: bool,
) -> int:
    """试算 Take one file through pull, land, refine and audit; publish nothing.

    用运行中的 Spark（./jingshu up），没有则自行启动并停止；一切写在临时目录，用后即删。
    Uses the Spark of ./jingshu up, or starts one and stops it. Everything is written to a folder
    that goes away. Values are shown of L1 and L2 columns only.

    退出码 Exit code: 0 可发布 would be published · 1 会被扣留、退回或拒收 would not · 2 用法 usage.
    """
    from cli.interrupts import interruptible
    from cli.spark import use_spark
    from jobs.trial import Clock, given
    from jobs.trial import try_file as run_trial

    clock = Clock()
    with clock.stage("contracts"):
        taken = given(
            load_tree(),
            file,
            contract,
            provider=provider,
            business_date=day.date() if day else None,
            is_simulated=simulated,
        )
    with interruptible(), ExitStack() as spark:
        with clock.stage("start spark"):
            is_own = not spark.enter_context(use_spark())
        trial = run_trial(taken, clock)
        with clock.stage("stop spark"):
            spark.close()
    if as_json:
        click.echo(json.dumps(_as_json(trial), ensure_ascii=False))
    else:
        _show(trial, shown)
        _spent(clock, is_own=is_own)
    return 0 if trial.decision == "publish" else 1


def _as_json(trial: Trial) -> dict[str, object]:
    delivery = trial.given.delivery
    told = ("batch_id", "rows_landed", "rows_good", "rows_bad", "rows_duplicate", "decision")
    return {
        "file": str(trial.given.file),
        "contract": delivery.contract.id,
        "contract_version": delivery.contract.version,
        "provider": delivery.provider,
        "business_date": delivery.business_date.isoformat(),
        "origin": trial.given.origin,
        **{name: getattr(trial, name) for name in told},
        "reason": trial.reason,
        "findings": list(trial.findings),
        "notes": list(trial.notes),
        "checks": [r.model_dump() for r in trial.results],
        "bad_rows": [asdict(row) for row in trial.bad_rows],
        "seconds": dict(trial.seconds),
    }


def _show(trial: Trial, shown: int) -> None:
    delivery = trial.given.delivery
    mark = "模拟数据 simulated · " if trial.given.origin == "simulated" else ""
    click.echo(f"{mark}{delivery.name} · {delivery.contract.id} {delivery.contract.version}")
    click.echo(
        f"落地 landed {trial.rows_landed:,} = 合格 good {trial.rows_good:,}"
        f" + 坏行 bad {trial.rows_bad:,} + 重复 duplicate {trial.rows_duplicate:,}"
    )
    for finding in trial.findings:
        click.echo(f"注意 noticed: {finding}")
    for note in trial.notes:
        click.echo(f"如约 as agreed: {note}")
    if trial.bad_rows and shown:
        click.echo("\n坏行 Bad rows:")
    for row in trial.bad_rows[:shown]:
        for reason in row.reasons:
            value = "" if reason.value is None else f" = {reason.value!r}"
            click.echo(f"  行 line {row.line:>6}  {reason.rule_id:<28} {reason.message}{value}")
    if len(trial.bad_rows) > shown:
        click.echo(f"  … 另有 {len(trial.bad_rows) - shown} 行 more")
    click.echo("\n检查 Checks:")
    for r in trial.results:
        count = f"{r.failed or 0:,}/{r.checked:,}" if r.checked is not None else ""
        click.echo(f"  {_MARKS[r.status]} {r.rule_id:<32} {count:>14}  {r.message}")
    click.echo(f"\n{_VERDICTS[trial.decision]}: {trial.reason}")


def _spent(clock: Clock, *, is_own: bool) -> None:
    """Say what the seconds were spent on, and how to save those of a Spark started for one file."""
    parts = [
        f"{_STAGES[name]} {name} {seconds:.1f}"
        for name, seconds in clock.seconds.items()
        if seconds >= _WORTH_TELLING_S
    ]
    click.echo(f"用时 took {sum(clock.seconds.values()):.1f} s: {' · '.join(parts)}")
    if is_own:
        click.echo(
            "Spark 只为此文件启动；先运行 ./jingshu up，以后每次只需几秒。\n"
            "Spark was started for this file alone; after ./jingshu up each try takes seconds."
        )
