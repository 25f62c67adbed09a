"""``./jingshu batch``: see why a batch is where it is, and decide about it (批次)."""

from __future__ import annotations

import getpass
import json
from typing import TYPE_CHECKING, Any, get_args

import click

from cli.batch_shown import finding_line, meaning, show_batch, show_list
from cli.words import JSON, about, shown, tell
from contracts.delivery import BatchStatus
from contracts.layout import Home
from contracts.loading import load_tree
from contracts.requested import city_tree
from contracts.words import Words, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from contracts.model import Contract
    from contracts.tree import Tree
    from jobs.operations.decisions import Outcome
    from jobs.record.governance import BatchRow, CheckRow, DeliveryRow, FindingRow
    from jobs.trial import BadRow

_REASON = click.option(
    "--reason",
    required=True,
    metavar="R",
    help=text("理由，写成一句话。", "Why, in a sentence."),
)
_ACTOR = click.option(
    "--actor",
    metavar="A",
    help=text("决定人（默认为登录名）。", "Who decides (default: your login)."),
)


@click.group(
    **about(
        "列出批次，查看一批为何处于现状，并对它作出决定。\n\n"
        "ID 可只写开头几位。每项决定记入治理表与存证日志。",
        "List batches, see why one is where it is, and decide about it.\n\n"
        "ID may be just its beginning. Each decision goes into governance and the evidence log.",
        "./jingshu batch show 20260715-0123456789ab",
    )
)
def batch() -> None:
    """List batches, see why one is where it is, and decide about it."""


@batch.command(
    "list",
    **about(
        "按日期和表列出每个批次的最新状态。\n\n拒收的交付没有批次，列在最后。",
        "List the newest state of every batch, by date and table.\n\n"
        "Refused deliveries, of which no batch came, stand at the end.",
        "./jingshu batch list --date 2026-07-15 --status held",
    ),
)
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="D",
    help=text("业务日期。", "Business date."),
)
@click.option(
    "--status",
    type=click.Choice(get_args(BatchStatus)),
    help=text("只列这种状态。", "Only these."),
)
@JSON
def list_(day: datetime | None, status: str | None, as_json: bool) -> None:
    """List the newest state of every batch, by date and table."""
    from jobs.record import governance

    home, of = Home.from_env(), day.date() if day else None
    rows = [r for r in governance.latest_batches(home, of) if status in (None, r.status)]
    rows.sort(key=lambda r: (r.business_date, r.table, r.revision))
    refused = governance.refused_deliveries(home, of) if status in (None, "refused") else []
    refused.sort(key=lambda r: (r.business_date, r.provider, r.dataset))
    if as_json:
        told = [*map(_as_json, rows), *map(_refused, refused)]
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for r in rows:
        mark = f"{text('模拟', 'simulated')} " if r.origin == "simulated" else ""
        counts = f"{r.rows_landed:>8,} {r.rows_published:>8,} {r.rows_quarantined:>6,}"
        why = "" if r.status == "published" else f"  {shown(r.reason)[:80]}"
        click.echo(
            f"{r.business_date} {r.table:<30} {r.batch_id} {r.status:<10} {counts} {mark}{why}"
        )
    for d in refused:
        table = f"{d.provider}__{d.dataset}"
        click.echo(f"{d.business_date} {table:<30} {'—':<21} {d.state:<10} {shown(d.reason)[:80]}")
    zh, en = f"共 {len(rows)} 批", f"{len(rows)} batches"
    if refused:
        zh += f" · {len(refused)} 次交付被拒收，没有批次"
        en += f" · {len(refused)} refused deliveries without a batch"
    tell(zh, en)


@batch.command(
    **about(
        "显示一个批次为何处于现状，以及可以怎么办。\n\n"
        "列出未通过的检查、内容与定级不符之处、样例坏行（行号与原因，三级以上列不显示值）、"
        "原文件、任务日志、存证和可用的命令。",
        "Show why a batch is where it is, and what can be done.\n\n"
        "Its failed checks, what it holds that its contract does not say, sample bad rows (lines"
        " and reasons, values of L1 and L2 columns only), its file, the logs of its Airflow run,"
        " its evidence and the commands that may follow.",
        "./jingshu batch show 20260715-0123 --json",
    )
)
@click.argument("batch_id", metavar="ID")
@JSON
def show(batch_id: str, as_json: bool) -> None:
    """Show why a batch is where it is, and what can be done."""
    from infra.stack.trail import trail
    from jobs.operations.decisions import known_batch
    from jobs.record import governance

    home, tree = Home.from_env(), load_tree()
    row = known_batch(home, batch_id)
    failed = [
        c for c in governance.check_results(home, [row.batch_id]) if c.status in ("failed", "error")
    ]
    found = [f for f in governance.findings(home, row.business_date) if _is_of(f, row)]
    contract = tree.sources.get(row.contract_id)
    bad = _bad_rows(home, tree, contract, row) if contract else ()
    leaves = _leaves(home, row)
    folder = home.raw(row.provider, row.dataset, row.batch_id)
    kept = _below(home, folder / row.file_name)
    manifest = _below(home, folder / "manifest.json")
    went = trail(home, row.table, row.batch_id)
    logs = [str(log.relative_to(home.root)) for log in went.logs] if went else []
    if as_json:
        told = {
            **_as_json(row),
            "meaning": meaning(row).stored(),
            "raw": kept,
            "manifest": manifest,
            "airflow": {"dag_id": went.dag_id, "run_id": went.run_id, "url": went.url, "logs": logs}
            if went
            else None,
            "failed_checks": [_check(c) for c in failed],
            "findings": [_finding(f) for f in found],
            "bad_rows": [_bad(b) for b in bad],
            "leaves": leaves,
            "commands": list(commands(row)),
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    show_batch(row, (kept, manifest), failed, bad)
    title = text("内容与定级不符", "What its contract does not say")
    show_list(title, [finding_line(f) for f in found])
    if went:
        where = went.url or text("（未运行）", "(the stack is not up)")
        show_list(
            text("Airflow 运行", "Airflow run"), [f"{went.dag_id} {went.run_id}", where, *logs]
        )
    show_list(text("存证", "Evidence"), leaves)
    show_list(text("可做", "What may follow"), list(commands(row)))


def _below(home: Home, file: Path) -> str | None:
    return str(file.relative_to(home.root)) if file.is_file() else None


def _bad_rows(home: Home, tree: Tree, contract: Contract, row: BatchRow) -> tuple[BadRow, ...]:
    """Return a batch's bad rows: from quarantine, or from its stage while it is held."""
    from contracts.delivery import Delivery
    from jobs.publish.quarantine import bad_rows
    from jobs.tables.quarantine import of_batches
    from jobs.trial import shown_rows

    if row.rows_quarantined:
        found = of_batches(home, row.table, [row.batch_id])
    elif row.status == "held" and contract.version == row.contract_version:
        # Only the contract that judged it can read the stage's masks.
        delivery = Delivery(contract, row.provider, row.business_date, tree.root)
        found = bad_rows(home, delivery, row.batch_id)
    else:
        found = None
    return shown_rows(contract, found.sort_by("_source_line")) if found is not None else ()


def _leaves(home: Home, row: BatchRow) -> list[str]:
    from lineage.evidence.leaf import Leaf
    from lineage.evidence.log import EvidenceLog

    subject = f"{row.table}@{row.batch_id}"
    keys = (Leaf.parse(entry).key for _, entry in EvidenceLog(home).entries())
    return [k for k in keys if k.partition(":")[2].split("/")[0] == subject]


def commands(row: BatchRow) -> Iterator[str]:
    """Yield the commands that a batch's state allows."""
    from jobs.record.conservation import was_shown

    act = f"./jingshu batch {{}} {row.batch_id}"
    if row.status == "held":
        yield f"{act.format('release')} --reason …"
        yield f"{act.format('reject')} --reason …"
    if row.status in ("held", "rejected", "failed", "landed"):
        yield act.format("retry")
    if row.status != "withdrawn" and was_shown(row):
        yield f"{act.format('withdraw')} --reason …"
    if row.rows_quarantined:
        yield f"./jingshu quarantine list --batch {row.batch_id}"


@batch.command(
    **about(
        "发布一个未达标而暂扣的批次；其坏行仍不放出。",
        "Publish a held batch although its thresholds failed; its bad rows stay out.",
        "./jingshu batch release 20260715-0123 --reason 已与单位核对",
    )
)
@click.argument("batch_id", metavar="ID")
@_REASON
@_ACTOR
@JSON
def release(batch_id: str, reason: str, actor: str | None, as_json: bool) -> None:
    """Publish a held batch although its thresholds failed; its bad rows stay out."""
    from jobs.operations import decisions

    who = actor or getpass.getuser()
    _decide(lambda h: decisions.release(h, city_tree(h), batch_id, who, reason), as_json=as_json)


@batch.command(
    **about(
        "退回一个暂扣的批次；原件保留。",
        "Turn a held batch down; its original bytes stay.",
        "./jingshu batch reject 20260715-0123 --reason 请重报",
    )
)
@click.argument("batch_id", metavar="ID")
@_REASON
@_ACTOR
@JSON
def reject(batch_id: str, reason: str, actor: str | None, as_json: bool) -> None:
    """Turn a held batch down; its original bytes stay."""
    from jobs.operations import decisions

    who = actor or getpass.getuser()
    _decide(lambda h: decisions.reject(h, batch_id, who, reason), as_json=as_json)


@batch.command(
    **about(
        "撤回一个已发布的批次；它取代的数据恢复可见，所供的产品重建。",
        "Take a published batch back; what it replaced returns, its products are rebuilt.",
        "./jingshu batch withdraw 20260715-0123 --reason 单位撤回",
    )
)
@click.argument("batch_id", metavar="ID")
@_REASON
@_ACTOR
@JSON
def withdraw(batch_id: str, reason: str, actor: str | None, as_json: bool) -> None:
    """Take a published batch back; what it replaced returns, its products are rebuilt."""
    from jobs.operations import decisions

    who = actor or getpass.getuser()
    _decide(
        lambda h: decisions.withdraw(h, city_tree(h), batch_id, who, reason),
        as_json=as_json,
        needs_spark=True,
    )


@batch.command(
    **about(
        "按现行契约重新落地、审核并发布一个批次。\n\n退出码：0 已发布 · 1 仍未通过 · 2 用法有误。",
        "Land, audit and publish a batch again under the contract now in force.\n\n"
        "Exit code: 0 published · 1 still not · 2 usage.",
        "./jingshu batch retry 20260715-0123456789ab",
    )
)
@click.argument("batch_id", metavar="ID")
@JSON
def retry(batch_id: str, as_json: bool) -> int:
    """Land, audit and publish a batch again under the contract now in force."""
    from jobs.operations import decisions

    outcome = _decide(
        lambda h: decisions.retry(h, city_tree(h), batch_id), as_json=as_json, needs_spark=True
    )
    return 0 if outcome.status in ("published", "superseded", "withdrawn") else 1


def _decide(
    decision: Callable[[Home], Outcome], *, as_json: bool, needs_spark: bool = False
) -> Outcome:
    """Run a decision and say what came of it; Spark is started only where it is needed."""
    from cli.interrupts import interruptible
    from cli.spark import running_spark, use_spark
    from jobs.spark.session import SparkUnavailableError

    home = Home.from_env()
    with interruptible(), use_spark() if needs_spark else running_spark() as is_there:
        try:
            outcome = decision(home)
        except SparkUnavailableError:
            if needs_spark or is_there:
                raise
            with use_spark():
                outcome = decision(home)
    if as_json:
        told = {
            "batch_id": outcome.batch_id,
            "status": outcome.status,
            "is_new": outcome.is_new,
            "note": outcome.note,
            "silver_version": outcome.silver_version,
            "returned": list(outcome.returned),
            "rebuilt": list(outcome.rebuilt),
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return outcome
    unchanged = Words("", "") if outcome.is_new else Words("（未变）", " (unchanged)")
    note, became = Words.read(outcome.note), f"{outcome.batch_id} {outcome.status}"
    tell(f"{became}{unchanged.zh}：{note.zh}", f"{became}{unchanged.en}: {note.en}")
    for product in outcome.rebuilt:
        tell(f"  重建 {product}", f"  rebuilt {product}")
    return outcome


def _as_json(row: BatchRow) -> dict[str, Any]:
    return _plain(vars(row))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        k: v if isinstance(v, str | int | float | None) else v.isoformat()
        for k, v in values.items()
    }


def _refused(delivery: DeliveryRow) -> dict[str, Any]:
    """Return a refused delivery as a batch that never was: no id, no file, no row."""
    names = ("recorded_at", "provider", "dataset", "contract_id", "contract_version", "reason")
    told = {n: getattr(delivery, n) for n in (*names, "business_date")}
    without = dict.fromkeys(("batch_id", "revision", "origin", "file_name", "silver_version"))
    parts = ("landed", "published", "quarantined", "duplicate")
    rows = dict.fromkeys((f"rows_{part}" for part in parts), 0)
    times = {"started_at": delivery.received_at, "finished_at": delivery.recorded_at}
    return _plain({**told, **without, **rows, **times, "status": delivery.state})


def _check(check: CheckRow) -> dict[str, Any]:
    names = ("rule_id", "column", "dimension", "severity", "status", "checked", "failed")
    told = {n: getattr(check, n) for n in (*names, "threshold")}
    return {**told, "message": check.message}


def _is_of(finding: FindingRow, row: BatchRow) -> bool:
    return (finding.table_name, finding.batch_id) == (row.table, row.batch_id)


def _finding(finding: FindingRow) -> dict[str, Any]:
    names = ("column", "kind", "status", "declared_level", "proposed_level", "checked", "matching")
    return {n: getattr(finding, n) for n in names}


def _bad(row: BadRow) -> dict[str, Any]:
    reasons = [{**vars(r), "message": r.message} for r in row.reasons]
    return {"line": row.line, "reasons": reasons}
