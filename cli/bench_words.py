"""What each measurement found, told to whoever reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.words import printed
from contracts.words import text

if TYPE_CHECKING:
    from bench.city import CityFigures
    from bench.evidence import EvidenceFigures
    from bench.masking import MaskingFigures
    from bench.share import ShareFigures
    from bench.trial import TrialFigures

_MB = 1 << 20


def masking_in_words(figures: MaskingFigures) -> str:
    """Tell what the masks and the sealing cost."""
    unit = text("行/s", "rows/s")
    masks = "\n".join(
        f"  {m.name:18} {m.median_s:7.2f} s {m.rows_per_s:12,.0f} {unit}" for m in figures.masks
    )
    sealed = "\n".join(
        f"  {s.contract_id:24} "
        + text(
            f"{s.rows:8,} 行，{s.sealed_columns} 列：",
            f"{s.rows:8,} rows, {s.sealed_columns} columns:",
        )
        + f" {s.sealed_s:6.2f} s / {s.plain_s:6.2f} s = {s.ratio} ×"
        for s in figures.sealed
    )
    title = text(
        f"遮蔽，{figures.rows:,} 行写成 Parquet：", f"masks, {figures.rows:,} rows to Parquet:"
    )
    against = text("封存／明文，从落地到发布：", "sealed / in clear, land to publish:")
    return f"{title}\n{masks}\n{against}\n{sealed}"


def share_in_words(figures: ShareFigures) -> str:
    """Tell what the gateway costs."""
    reads = "\n".join(
        printed(
            f"  {r.format:8} 经网关 {r.through_s:6.2f} s，纯文件服务 {r.plain_s:6.2f} s："
            f"{r.ratio} ×，本地盘 {r.disk_s:6.2f} s：{r.ratio_to_disk} ×",
            f"  {r.format:8} gateway {r.through_s:6.2f} s, plain file server {r.plain_s:6.2f} s:"
            f" {r.ratio} ×, disk {r.disk_s:6.2f} s: {r.ratio_to_disk} ×",
        )
        for r in figures.reads
    )
    median, p99 = figures.metadata_p50_ms, figures.metadata_p99_ms
    small, big = figures.memory_small_bytes / _MB, figures.memory_big_bytes / _MB
    return printed(
        f"{figures.rows:,} 行：\n{reads}\n"
        f"元数据，{figures.tables:,} 张表：中位 {median:.1f} ms，p99 {p99:.1f} ms\n"
        f"{figures.clients} 个客户端同时读取：{figures.client_requests} 次，"
        f"{figures.client_errors} 次出错，p99 {figures.client_p99_ms:,.0f} ms\n"
        f"网关内存：{small:,.0f} MiB，十倍行数后 {big:,.0f} MiB",
        f"{figures.rows:,} rows:\n{reads}\n"
        f"metadata, {figures.tables:,} tables: median {median:.1f} ms, p99 {p99:.1f} ms\n"
        f"{figures.clients} clients at once: {figures.client_requests} reads,"
        f" {figures.client_errors} errors, p99 {figures.client_p99_ms:,.0f} ms\n"
        f"gateway memory: {small:,.0f} MiB, after ten times the rows {big:,.0f} MiB",
    )


def evidence_in_words(figures: EvidenceFigures) -> str:
    """Tell what the log costs at each size."""
    rows = "\n".join(
        f"{s.leaves:>10,} {s.append_per_s:>9,.0f} {s.append_per_cpu_s:>9,.0f}"
        f" {s.alone_ms:>8.1f} {s.alone_cpu_ms:>8.1f} {s.alone_syncs:>6.1f} {s.alone_sync_ms:>8.1f}"
        f" {s.proof_ms:>8.1f} {s.proof_cpu_ms:>7.1f} {s.longest_proof_ms:>8.1f}"
        f" {s.consistency_ms:>8.1f}"
        f" {s.verify_s:>8.1f} {s.verify_cpu_s:>8.1f} {s.verify_cpu_s / s.leaves * 1e6:>8.1f}"
        for s in figures.sizes
    )
    heads = (
        "    leaves  append/s    /CPU s alone ms   CPU ms  syncs  sync ms"
        " proof ms  CPU ms  longest consist.  verify s    CPU s  µs/leaf"
    )
    peak, disk = figures.peak_bytes / _MB, figures.disk_bytes / _MB
    return printed(
        f"每批 {figures.batch:,} 条；单条（alone）一次追加一条\n{heads}\n{rows}\n"
        f"内存峰值 {peak:,.0f} MiB，磁盘 {disk:,.0f} MiB",
        f"batches of {figures.batch:,}; alone: one leaf an append\n{heads}\n{rows}\n"
        f"peak memory {peak:,.0f} MiB, disk {disk:,.0f} MiB",
    )


def city_in_words(figures: CityFigures) -> str:
    """Tell what a day of the city takes, and where its time goes."""
    busy = "\n".join(f"  {name:32} {seconds:8.1f} CPU s" for name, seconds in figures.cpu_s.items())
    stages = "\n".join(
        printed(
            f"  {s.name:10} {s.runs:4} 次  中位 {s.median_s:6.2f} s"
            f"  最长 {s.longest_s:6.1f} s  合计 {s.total_s:7.1f} s",
            f"  {s.name:10} {s.runs:4} runs  median {s.median_s:6.2f} s"
            f"  longest {s.longest_s:6.1f} s  total {s.total_s:7.1f} s",
        )
        for s in figures.stages
    )
    parses = "\n".join(
        f"  {p.file:12} {p.schedule:7} {p.dags:4} DAGs  {p.parse_s:6.2f} s  ({p.cpu_s:.2f} CPU s)"
        for p in figures.parses
    )
    most, peak, disk = (
        figures.most_tasks_a_delivery,
        figures.peak_bytes / _MB,
        figures.disk_bytes / _MB,
    )
    return printed(
        f"{figures.providers} 家提供方，{figures.deliveries} 次交付，{figures.rows_landed:,} 行\n"
        f"全程 {figures.all_s:.0f} s，其中当日 {figures.day_s:.0f} s，"
        f"空跑 Airflow {figures.empty_s:.0f} s：{figures.ratio} ×，每次交付 ≤ {most} 个任务\n"
        f"时间去向（2 核）：\n{busy}\n各阶段：\n{stages}\n"
        f"读取 DAG 文件，每个在新进程里：\n{parses}\n"
        f"内存峰值 {peak:,.0f} MiB，磁盘 {disk:,.0f} MiB",
        f"{figures.providers} providers, {figures.deliveries} deliveries,"
        f" {figures.rows_landed:,} rows\n"
        f"all {figures.all_s:.0f} s, of it the day {figures.day_s:.0f} s,"
        f" empty Airflow {figures.empty_s:.0f} s: {figures.ratio} ×, ≤ {most} tasks a delivery\n"
        f"where the time went (2 cores):\n{busy}\nstages:\n{stages}\n"
        f"reading the DAG files, each in a cold process:\n{parses}\n"
        f"peak memory {peak:,.0f} MiB, disk {disk:,.0f} MiB",
    )


def trial_in_words(figures: TrialFigures) -> str:
    """Tell how long one small file takes, first and warm."""
    f = figures
    return printed(
        f"{f.contract}，{f.rows:,} 行：首次 {f.first_s:.1f} s，热机 {f.warm_s:.1f} s"
        f"（最长 {f.slowest_s:.1f} s）；纯 Spark 作业 {f.bare_s:.2f} s，为其 {f.ratio} ×",
        f"{f.contract}, {f.rows:,} rows: first {f.first_s:.1f} s, warm {f.warm_s:.1f} s"
        f" (slowest {f.slowest_s:.1f} s); a bare Spark job {f.bare_s:.2f} s, {f.ratio} × as long",
    )
