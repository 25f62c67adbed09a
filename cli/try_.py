"""``./jingshu try``: one file through every stage, nothing published (试算)."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.one_file import CONTRACT, DAY, PROVIDER, SIMULATED, say_noticed, say_which
from cli.words import about, shown, tell
from contracts.loading import load_tree
from contracts.words import Words, text

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.trial import BadRow, Clock, Trial

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
    "publish": Words("可发布", "would be published"),
    "hold": Words("会被扣留", "would be held"),
    "reject": Words("会被退回", "would be rejected"),
}


@click.command(
    "try",
    **about(
        "让一个文件走完接收、落地、精炼和审核，不发布任何数据。\n\n"
        "用 ./jingshu up 的 Spark，没有则自行启动并停止；一切写在临时目录，用后即删。"
        "只显示一、二级列的值。\n\n"
        "退出码：0 可发布 · 1 会被扣留、退回或拒收 · 2 用法有误。",
        "Take one file through pull, land, refine and audit; publish nothing.\n\n"
        "Uses the Spark of ./jingshu up, or starts one and stops it. Everything is written to a"
        " folder that goes away. Values are shown of L1 and L2 columns only.\n\n"
        "Exit code: 0 would be published · 1 would be held, rejected or refused · 2 usage.",
        "./jingshu try 病例.csv --contract health.disease_case --date 2026-07-15 --simulated",
    ),
)
@click.argument("file", type=_FILE)
@CONTRACT
@PROVIDER
@DAY
@SIMULATED
@click.option(
    "--rows",
    "shown",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    metavar="N",
    help=text("显示几行坏行。", "How many bad rows to show."),
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=text("输出一个 JSON 对象，含全部坏行。", "Print one JSON object, with all bad rows."),
)
def try_file(
    file: Path,
    contract: str,
    provider: str | None,
    day: datetime | None,
    simulated: bool,
    shown: int,
    as_json: bool,
) -> int:
    """Take one file through pull, land, refine and audit; publish nothing."""
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
        "checks": [{**r.model_dump(), "message": r.message} for r in trial.results],
        "bad_rows": [_bad_row(row) for row in trial.bad_rows],
        "seconds": dict(trial.seconds),
    }


def _bad_row(row: BadRow) -> dict[str, object]:
    return {
        "line": row.line,
        "reasons": [{**vars(r), "message": r.message} for r in row.reasons],
    }


def _show(trial: Trial, most: int) -> None:
    say_which(trial.given)
    tell(
        f"落地 {trial.rows_landed:,} = 合格 {trial.rows_good:,}"
        f" + 坏行 {trial.rows_bad:,} + 重复 {trial.rows_duplicate:,}",
        f"landed {trial.rows_landed:,} = good {trial.rows_good:,}"
        f" + bad {trial.rows_bad:,} + duplicate {trial.rows_duplicate:,}",
    )
    say_noticed(trial.findings, trial.notes)
    if trial.bad_rows and most:
        tell("\n坏行：", "\nBad rows:")
    line = text("行", "line")
    for row in trial.bad_rows[:most]:
        for reason in row.reasons:
            value = "" if reason.value is None else f" = {reason.value!r}"
            why = f"{shown(reason.message)}{value}"
            click.echo(f"  {line} {row.line:>6}  {reason.rule_id:<28} {why}")
    if (more := len(trial.bad_rows) - most) > 0:
        tell(f"  … 另有 {more} 行", f"  … {more} more")
    tell("\n检查：", "\nChecks:")
    for r in trial.results:
        count = f"{r.failed or 0:,}/{r.checked:,}" if r.checked is not None else ""
        click.echo(f"  {_MARKS[r.status]} {r.rule_id:<32} {count:>14}  {shown(r.message)}")
    verdict, ground = _VERDICTS[trial.decision], Words.read(trial.reason)
    click.echo("")
    tell(f"{verdict.zh}：{ground.zh}", f"{verdict.en}: {ground.en}")


def _spent(clock: Clock, *, is_own: bool) -> None:
    """Say what the seconds were spent on, and how to save those of a Spark started for one file."""
    worth = {name: s for name, s in clock.seconds.items() if s >= _WORTH_TELLING_S}
    parts = " · ".join(f"{text(_STAGES[name], name)} {s:.1f}" for name, s in worth.items())
    total_s = sum(clock.seconds.values())
    tell(f"用时 {total_s:.1f} s：{parts}", f"took {total_s:.1f} s: {parts}")
    if is_own:
        tell(
            "Spark 只为此文件启动；先运行 ./jingshu up，以后每次只需几秒。",
            "Spark was started for this file alone; after ./jingshu up each try takes seconds.",
        )
