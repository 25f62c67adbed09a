"""``./jingshu bench``: what this machine makes of it, as ratios in one run."""

from __future__ import annotations

import json
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.bench_delivery import delivery

if TYPE_CHECKING:
    from bench.city import CityFigures
    from bench.evidence import EvidenceFigures
    from bench.masking import MaskingFigures
    from bench.share import ShareFigures
    from bench.trial import TrialFigures

_DAY = click.DateTime(["%Y-%m-%d"])
_MB = 1 << 20


@click.group(epilog="例 Example: ./jingshu bench city")
def bench() -> None:
    """测速 Measure this project on this machine, both sides in one run."""


bench.add_command(delivery)


@bench.command(epilog="例 Example: ./jingshu bench city --json")
@click.option("--date", "day", type=_DAY, metavar="D", help="业务日期 (default: 2026-07-15).")
@click.option("--scale", type=click.IntRange(min=1), default=1, help="沙盘规模 City size.")
@click.option("--keep", type=click.Path(file_okay=False), metavar="DIR", help="保留 Keep the lake.")
@click.option("--json", "as_json", is_flag=True, help="末行 JSON One JSON object, last line.")
def city(day: datetime | None, scale: int, keep: str | None, as_json: bool) -> int:
    """全城一日 A city's first day against the same Airflow with two empty tasks a delivery."""
    from bench.city import measure
    from cli.interrupts import interruptible
    from cli.progress import progress

    with tempfile.TemporaryDirectory(prefix="jingshu-bench-") as made:
        folder = Path(keep).resolve() if keep else Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        with interruptible(), progress() as shown:
            figures = measure(folder, day.date() if day else date(2026, 7, 15), scale, shown)
    click.echo(json.dumps(figures.to_dict()) if as_json else _in_words(figures))
    return 0


@bench.command(epilog="例 Example: ./jingshu bench masking --rows 500000")
@click.option(
    "--rows",
    type=click.IntRange(min=1000),
    default=1_000_000,
    show_default=True,
    help="遮蔽行数 How many rows each mask is written over.",
)
@click.option("--json", "as_json", is_flag=True, help="末行 JSON One JSON object, last line.")
def masking(rows: int, as_json: bool) -> int:
    """遮蔽与封存 Each mask's rows a second, and a sealed batch against one in clear."""
    from bench.masking import measure
    from cli.spark import use_spark
    from contracts.loading import load_tree

    with tempfile.TemporaryDirectory(prefix="jingshu-bench-") as made, use_spark():
        figures = measure(Path(made), load_tree(), rows, lambda text: click.echo(text, err=True))
    click.echo(json.dumps(figures.to_dict()) if as_json else _masking_in_words(figures))
    return 0


def _masking_in_words(figures: MaskingFigures) -> str:
    masks = "\n".join(
        f"  {m.name:18} {m.median_s:7.2f} s {m.rows_per_s:12,.0f} 行 rows/s" for m in figures.masks
    )
    sealed = "\n".join(
        f"  {s.contract_id:24} {s.rows:8,} 行 rows, {s.sealed_columns} 列 columns:"
        f" {s.sealed_s:6.2f} s / {s.plain_s:6.2f} s = {s.ratio} ×"
        for s in figures.sealed
    )
    return (
        f"遮蔽 masks, {figures.rows:,} 行 rows to Parquet:\n{masks}\n"
        f"封存 sealed / 明文 in clear, land to publish:\n{sealed}"
    )


@bench.command("try", epilog="例 Example: ./jingshu bench try --json")
@click.option("--json", "as_json", is_flag=True, help="末行 JSON One JSON object, last line.")
def try_(as_json: bool) -> int:
    """试算 One small file tried, first and warm, against a bare Spark job over it."""
    from bench.trial import measure
    from cli.spark import use_spark
    from contracts.loading import load_tree

    with tempfile.TemporaryDirectory(prefix="jingshu-bench-") as made, use_spark() as is_there:
        found = measure(
            Path(made),
            load_tree(),
            lambda text: click.echo(text, err=True),
            is_own=not is_there,
        )
    click.echo(json.dumps(found.to_dict()) if as_json else _trial_in_words(found))
    return 0


def _trial_in_words(figures: TrialFigures) -> str:
    return (
        f"{figures.contract}, {figures.rows:,} 行 rows:"
        f" 首次 first {figures.first_s:.1f} s,"
        f" 热机 warm {figures.warm_s:.1f} s（最长 slowest {figures.slowest_s:.1f} s）\n"
        f"纯 Spark 作业 a bare Spark job {figures.bare_s:.2f} s: {figures.ratio} ×"
    )


@bench.command(epilog="例 Example: ./jingshu bench lineage --events 20000 --json")
@click.option("--events", type=click.IntRange(min=100), default=200_000, help="事件数 Events.")
@click.option("--json", "as_json", is_flag=True, help="末行 JSON One JSON object, last line.")
def lineage(events: int, as_json: bool) -> int:
    """血缘 Questions to the lineage index, with this many events on disk."""
    from dataclasses import asdict

    from bench.lineage import in_words, measure
    from cli.progress import PlainProgress
    from contracts.layout import Home
    from contracts.loading import load_tree

    with tempfile.TemporaryDirectory(prefix="jingshu-bench-") as made:
        figures = measure(Home(Path(made)), load_tree(), events, PlainProgress().say)
    found = {**asdict(figures), "slowest_ms": figures.slowest_ms}
    click.echo(json.dumps(found) if as_json else in_words(figures))
    return 0


@bench.command(epilog="例 Example: ./jingshu bench evidence --leaves 100000")
@click.option(
    "--leaves",
    type=click.IntRange(min=10_000),
    default=1_000_000,
    show_default=True,
    help="存证条数 How many leaves the log gets.",
)
@click.option("--json", "as_json", is_flag=True, help="末行 JSON One JSON object, last line.")
def evidence(leaves: int, as_json: bool) -> int:
    """存证 Append, prove and verify at a quarter, a half and all of the leaves."""
    from bench.evidence import measure

    with tempfile.TemporaryDirectory(prefix="jingshu-bench-") as made:
        figures = measure(Path(made), leaves, lambda text: click.echo(text, err=True))
    click.echo(json.dumps(figures.to_dict()) if as_json else _evidence_in_words(figures))
    return 1 if any(size.findings for size in figures.sizes) else 0


@bench.command(epilog="例 Example: ./jingshu bench share --rows 1000000 --tables 100")
@click.option(
    "--rows",
    type=click.IntRange(min=1000),
    default=10_000_000,
    show_default=True,
    help="行数 Rows of the table that is read whole.",
)
@click.option(
    "--tables",
    type=click.IntRange(min=64),
    default=1000,
    show_default=True,
    help="表数 How many tables there are besides.",
)
@click.option("--json", "as_json", is_flag=True, help="末行 JSON One JSON object, last line.")
def share(rows: int, tables: int, as_json: bool) -> int:
    """共享 Rows through the gateway against the same files directly; 64 clients at once."""
    from bench.share import measure

    with tempfile.TemporaryDirectory(prefix="jingshu-bench-") as made:
        figures = measure(Path(made), rows, tables, 64, lambda text: click.echo(text, err=True))
    click.echo(json.dumps(figures.to_dict()) if as_json else _share_in_words(figures))
    return 1 if figures.client_errors else 0


def _share_in_words(figures: ShareFigures) -> str:
    reads = "\n".join(
        f"  {r.format:8} 经网关 gateway {r.through_s:6.2f} s,"
        f" 纯文件服务 plain file server {r.plain_s:6.2f} s: {r.ratio} ×,"
        f" 本地盘 disk {r.disk_s:6.2f} s: {r.ratio_to_disk} ×"
        for r in figures.reads
    )
    return (
        f"{figures.rows:,} 行 rows:\n{reads}\n"
        f"元数据 metadata, {figures.tables:,} 张表 tables: 中位 median"
        f" {figures.metadata_p50_ms:.1f} ms, p99 {figures.metadata_p99_ms:.1f} ms\n"
        f"{figures.clients} 个客户端 clients at once: {figures.client_requests} 次读取 reads,"
        f" {figures.client_errors} 次出错 errors, p99 {figures.client_p99_ms:,.0f} ms\n"
        f"网关内存 gateway memory: {figures.memory_small_bytes / _MB:,.0f} MiB,"
        f" 十倍行数后 after ten times the rows {figures.memory_big_bytes / _MB:,.0f} MiB"
    )


def _evidence_in_words(figures: EvidenceFigures) -> str:
    rows = "\n".join(
        f"{s.leaves:>10,} {s.append_per_s:>9,.0f} {s.append_per_cpu_s:>9,.0f}"
        f" {s.alone_ms:>8.1f} {s.alone_cpu_ms:>8.1f} {s.alone_syncs:>6.1f} {s.alone_sync_ms:>8.1f}"
        f" {s.proof_ms:>8.1f} {s.proof_cpu_ms:>7.1f} {s.longest_proof_ms:>8.1f}"
        f" {s.consistency_ms:>8.1f}"
        f" {s.verify_s:>8.1f} {s.verify_cpu_s:>8.1f} {s.verify_cpu_s / s.leaves * 1e6:>8.1f}"
        for s in figures.sizes
    )
    return (
        f"每批 batches of {figures.batch:,}; 单条 alone: one leaf an append\n"
        "    leaves  append/s    /CPU s alone ms   CPU ms  syncs  sync ms"
        " proof ms  CPU ms  longest consist.  verify s    CPU s  µs/leaf\n"
        f"{rows}\n"
        f"内存峰值 peak memory {figures.peak_bytes / _MB:,.0f} MiB,"
        f" 磁盘 disk {figures.disk_bytes / _MB:,.0f} MiB"
    )


def _in_words(figures: CityFigures) -> str:
    busy = "\n".join(f"  {name:32} {seconds:8.1f} CPU s" for name, seconds in figures.cpu_s.items())
    stages = "\n".join(
        f"  {s.name:10} {s.runs:4} 次 runs  中位 median {s.median_s:6.2f} s"
        f"  最长 longest {s.longest_s:6.1f} s  合计 total {s.total_s:7.1f} s"
        for s in figures.stages
    )
    parses = "\n".join(
        f"  {p.file:12} {p.schedule:7} {p.dags:4} DAGs  {p.parse_s:6.2f} s  ({p.cpu_s:.2f} CPU s)"
        for p in figures.parses
    )
    return (
        f"{figures.providers} 家 providers, {figures.deliveries} 份 deliveries,"
        f" {figures.rows_landed:,} 行 rows\n"
        f"全程 all {figures.all_s:.0f} s, 其中当日 of it the day {figures.day_s:.0f} s,"
        f" 空跑 empty Airflow {figures.empty_s:.0f} s: {figures.ratio} ×,"
        f" ≤ {figures.most_tasks_a_delivery} 个任务 tasks a delivery\n"
        f"时间去向 where the time went (2 cores):\n{busy}\n各阶段 stages:\n{stages}\n"
        f"读取 DAG 文件 reading the DAG files, each in a cold process:\n{parses}\n"
        f"内存峰值 peak memory {figures.peak_bytes / _MB:,.0f} MiB,"
        f" 磁盘 disk {figures.disk_bytes / _MB:,.0f} MiB"
    )
