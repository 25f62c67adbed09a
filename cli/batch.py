"""``./jingshu batch``: see why a batch is where it is, and decide about it (批次)."""

from __future__ import annotations

import getpass
import json
from typing import TYPE_CHECKING, Any, get_args

import click

from contracts.delivery import BatchStatus
from contracts.layout import Home
from contracts.loading import load_tree
from contracts.requested import city_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from contracts.model import Contract
    from contracts.tree import Tree
    from jobs.operations.decisions import Outcome
    from jobs.record.governance import BatchRow, CheckRow, DeliveryRow, FindingRow
    from jobs.trial import BadRow

_SAMPLE = 10
_MEANING = {
    "landed": "已入湖，尚未审核；正在处理，或中途停止"
    " landed and not judged yet: its run goes on, or was cut short",
    "published": "合格行已可读，坏行在隔离区 its good rows are visible, its bad rows in quarantine",
    "held": "检查未达标，未对外可见，等人放行、退回或重试"
    " its checks failed, nothing of it is visible; a person releases, rejects or retries it",
    "rejected": "未通过，未对外可见，原件已留存"
    " turned down: nothing of it is visible, its original bytes are kept",
    "refused": "拒收，什么都没有保存 refused: nothing of it was stored",
    "failed": "处理出错，与数据质量无关；排除后重试"
    " a task gave up, which says nothing about the data: mend the cause, then retry",
    "superseded": "同期更新的数据已取代它 newer data of its period took its place",
    "withdrawn": "已由人撤回，不再可见 a person took it back: it is no longer visible",
}
_REASON = click.option("--reason", required=True, metavar="R", help="理由 Why, in a sentence.")
_ACTOR = click.option("--actor", metavar="A", help="决定人 Who decides (default: your login).")
_JSON = click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")


@click.group(epilog="例 Example: ./jingshu batch show 20260715-0123456789ab")
def batch() -> None:
    """批次 List batches, see why one is where it is, and decide about it.

    ID 可只写开头几位。每项决定记入治理表与存证日志。
    ID may be just its beginning. Each decision goes into governance and the evidence log.
    """


@batch.command("list", epilog="例 Example: ./jingshu batch list --date 2026-07-15 --status held")
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), metavar="D", help="业务日期 Business date."
)
@click.option("--status", type=click.Choice(get_args(BatchStatus)), help="状态 Only these.")
@_JSON
def list_(day: datetime | None, status: str | None, as_json: bool) -> None:
    """列表 List the newest state of every batch, by date and table.

    拒收的交付没有批次，列在最后。 Refused deliveries, of which no batch came, stand at the end.
    """
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
        mark = "模拟 " if r.origin == "simulated" else ""
        counts = f"{r.rows_landed:>8,} {r.rows_published:>8,} {r.rows_quarantined:>6,}"
        why = "" if r.status == "published" else f"  {r.reason[:80]}"
        click.echo(
            f"{r.business_date} {r.table:<30} {r.batch_id} {r.status:<10} {counts} {mark}{why}"
        )
    for d in refused:
        table = f"{d.provider}__{d.dataset}"
        click.echo(f"{d.business_date} {table:<30} {'—':<21} {d.state:<10} {d.reason[:80]}")
    without = f" · {len(refused)} 次交付被拒收，没有批次 refused deliveries without a batch"
    click.echo(f"{len(rows)} 批 batches{without if refused else ''}")


@batch.command(epilog="例 Example: ./jingshu batch show 20260715-0123 --json")
@click.argument("batch_id", metavar="ID")
@_JSON
def show(batch_id: str, as_json: bool) -> None:
    """查看 Show why a batch is where it is, and what can be done.

    未通过的检查、内容与定级不符之处、样例坏行（行号与原因，三级以上列不显示值）、原文件、任务日志、存证、可用命令。
    Its failed checks, what it holds that its contract does not say, sample bad rows (lines and
    reasons, values of L1 and L2 columns only), its file, the logs of its Airflow run, its evidence
    and the commands that may follow.
    """
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
            "meaning": meaning(row),
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
    _show(row, (kept, manifest), failed, bad)
    _list("内容与定级不符 What its contract does not say", [_sentence(f) for f in found])
    if went:
        where = went.url or "（未运行 the stack is not up）"
        _list("运行 Airflow run", [f"{went.dag_id} {went.run_id}", where, *logs])
    _list("存证 Evidence", leaves)
    _list("可做 What may follow", list(commands(row)))


def _below(home: Home, file: Path) -> str | None:
    return str(file.relative_to(home.root)) if file.is_file() else None


def meaning(row: BatchRow) -> str:
    """Say in words what a batch's status means, in both languages."""
    from portal.words import BATCH, word_for

    return f"{word_for(BATCH, row.status).zh}：{_MEANING.get(row.status, '')}".rstrip("：")


def _show(
    row: BatchRow,
    kept: tuple[str | None, str | None],
    failed: list[CheckRow],
    bad: tuple[BadRow, ...],
) -> None:
    mark = "模拟数据 simulated · " if row.origin == "simulated" else ""
    click.echo(f"{mark}{row.table} {row.business_date} 第 {row.revision} 版 revision")
    click.echo(f"批次 batch {row.batch_id} · {row.contract_id} {row.contract_version}")
    click.echo(f"状态 {row.status}: {row.reason}".rstrip(" :"))
    click.echo(f"　　 {meaning(row)}")
    click.echo(
        f"落地 landed {row.rows_landed:,} · 发布 published {row.rows_published:,}"
        f" · 隔离 quarantined {row.rows_quarantined:,} · 重复 duplicate {row.rows_duplicate:,}"
    )
    file, manifest = kept
    click.echo(f"原文件 raw: {file or f'{row.file_name}（未留存 not kept）'}")
    click.echo(f"清单 manifest: {manifest or '（未留存 not kept）'}")
    checks = [
        f"{c.severity:<8} {c.rule_id:<30} {c.failed or 0:,}/{c.checked or 0:,}  {c.message}"
        for c in failed
    ]
    _list("未通过的检查 Failed checks", checks)
    rows = []
    for one in bad[:_SAMPLE]:
        for reason in one.reasons:
            value = "" if reason.value is None else f" = {reason.value!r}"
            rows.append(f"行 line {one.line:>6}  {reason.rule_id:<28} {reason.message}{value}")
    if len(bad) > _SAMPLE:
        rows.append(f"… 另有 {len(bad) - _SAMPLE} 行 more")
    _list("坏行 Bad rows", rows)


def _list(title: str, lines: list[str]) -> None:
    if lines:
        click.echo(f"\n{title}:")
    for line in lines:
        click.echo(f"  {line}")


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


@batch.command(epilog="例 Example: ./jingshu batch release 20260715-0123 --reason 已与单位核对")
@click.argument("batch_id", metavar="ID")
@_REASON
@_ACTOR
@_JSON
def release(batch_id: str, reason: str, actor: str | None, as_json: bool) -> None:
    """放行 Publish a held batch although its thresholds failed; its bad rows stay out."""
    from jobs.operations import decisions

    who = actor or getpass.getuser()
    _decide(lambda h: decisions.release(h, city_tree(h), batch_id, who, reason), as_json=as_json)


@batch.command(epilog="例 Example: ./jingshu batch reject 20260715-0123 --reason 请重报")
@click.argument("batch_id", metavar="ID")
@_REASON
@_ACTOR
@_JSON
def reject(batch_id: str, reason: str, actor: str | None, as_json: bool) -> None:
    """退回 Turn a held batch down; its original bytes stay."""
    from jobs.operations import decisions

    who = actor or getpass.getuser()
    _decide(lambda h: decisions.reject(h, batch_id, who, reason), as_json=as_json)


@batch.command(epilog="例 Example: ./jingshu batch withdraw 20260715-0123 --reason 单位撤回")
@click.argument("batch_id", metavar="ID")
@_REASON
@_ACTOR
@_JSON
def withdraw(batch_id: str, reason: str, actor: str | None, as_json: bool) -> None:
    """撤回 Take a published batch back; what it replaced returns, its products are rebuilt."""
    from jobs.operations import decisions

    who = actor or getpass.getuser()
    _decide(
        lambda h: decisions.withdraw(h, city_tree(h), batch_id, who, reason),
        as_json=as_json,
        needs_spark=True,
    )


@batch.command(epilog="例 Example: ./jingshu batch retry 20260715-0123456789ab")
@click.argument("batch_id", metavar="ID")
@_JSON
def retry(batch_id: str, as_json: bool) -> int:
    """重试 Land, audit and publish a batch again under the contract now in force.

    退出码 Exit code: 0 已发布 published · 1 仍未通过 still not · 2 用法 usage.
    """
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
    unchanged = "" if outcome.is_new else "（未变 unchanged）"
    click.echo(f"{outcome.batch_id} {outcome.status}{unchanged}: {outcome.note}")
    for product in outcome.rebuilt:
        click.echo(f"  重建 rebuilt {product}")
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
    return {n: getattr(check, n) for n in (*names, "threshold", "message")}


def _is_of(finding: FindingRow, row: BatchRow) -> bool:
    return (finding.table_name, finding.batch_id) == (row.table, row.batch_id)


def _sentence(finding: FindingRow) -> str:
    from portal.decisions import OF_FINDING, finding_sentence

    word = OF_FINDING[finding.status].word
    return f"{word.zh} {word.en}: {finding_sentence(finding)}"


def _finding(finding: FindingRow) -> dict[str, Any]:
    names = ("column", "kind", "status", "declared_level", "proposed_level", "checked", "matching")
    return {n: getattr(finding, n) for n in names}


def _bad(row: BadRow) -> dict[str, Any]:
    return {"line": row.line, "reasons": [vars(r) for r in row.reasons]}
