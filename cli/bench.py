"""``./jingshu bench``: what this machine makes of it, as ratios in one run."""

from __future__ import annotations

import json
import tempfile
from datetime import date, datetime
from pathlib import Path

import click

from cli.bench_delivery import delivery
from cli.words import JSON_LAST, about
from contracts.words import text

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(
    **about(
        "在本机测量本项目，对比的两方在同一次运行里测。",
        "Measure this project on this machine, both sides in one run.",
        "./jingshu bench city",
    )
)
def bench() -> None:
    """Measure this project on this machine, both sides in one run."""


bench.add_command(delivery)


@bench.command(
    **about(
        "测量城市的第一天，与同一个 Airflow 给每次交付跑两个空任务相比。",
        "Measure a city's first day against the same Airflow with two empty tasks a delivery.",
        "./jingshu bench city --json",
    )
)
@click.option(
    "--date",
    "day",
    type=_DAY,
    metavar="D",
    help=text("业务日期（默认 2026-07-15）。", "Business date (default: 2026-07-15)."),
)
@click.option(
    "--scale", type=click.IntRange(min=1), default=1, help=text("沙盘规模。", "City size.")
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help=text("把湖留在这里。", "Keep the lake here."),
)
@JSON_LAST
def city(day: datetime | None, scale: int, keep: str | None, as_json: bool) -> int:
    """Measure a city's first day against the same Airflow with two empty tasks a delivery."""
    from bench.city import measure
    from cli.bench_words import city_in_words
    from cli.interrupts import interruptible
    from cli.progress import progress

    with tempfile.TemporaryDirectory(prefix="jingshu-bench-") as made:
        folder = Path(keep).resolve() if keep else Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        with interruptible(), progress() as shown:
            figures = measure(folder, day.date() if day else date(2026, 7, 15), scale, shown)
    click.echo(json.dumps(figures.to_dict()) if as_json else city_in_words(figures))
    return 0


@bench.command(
    **about(
        "测量各种遮蔽每秒处理的行数，以及封存一个批次与明文相比的用时。",
        "Measure each mask's rows a second, and a sealed batch against one in clear.",
        "./jingshu bench masking --rows 500000",
    )
)
@click.option(
    "--rows",
    type=click.IntRange(min=1000),
    default=1_000_000,
    show_default=True,
    help=text("每种遮蔽写多少行。", "How many rows each mask is written over."),
)
@JSON_LAST
def masking(rows: int, as_json: bool) -> int:
    """Measure each mask's rows a second, and a sealed batch against one in clear."""
    from bench.masking import measure
    from cli.bench_words import masking_in_words
    from cli.spark import use_spark
    from contracts.loading import load_tree

    with tempfile.TemporaryDirectory(prefix="jingshu-bench-") as made, use_spark():
        figures = measure(Path(made), load_tree(), rows, lambda text: click.echo(text, err=True))
    click.echo(json.dumps(figures.to_dict()) if as_json else masking_in_words(figures))
    return 0


@bench.command(
    "try",
    **about(
        "试算一个小文件：首次与热机各用时多少，与对同一文件的纯 Spark 作业相比。",
        "Try one small file, first and warm, against a bare Spark job over it.",
        "./jingshu bench try --json",
    ),
)
@JSON_LAST
def try_(as_json: bool) -> int:
    """Try one small file, first and warm, against a bare Spark job over it."""
    from bench.trial import measure
    from cli.bench_words import trial_in_words
    from cli.spark import use_spark
    from contracts.loading import load_tree

    with tempfile.TemporaryDirectory(prefix="jingshu-bench-") as made, use_spark() as is_there:
        found = measure(
            Path(made),
            load_tree(),
            lambda told: click.echo(told, err=True),
            is_own=not is_there,
        )
    click.echo(json.dumps(found.to_dict()) if as_json else trial_in_words(found))
    return 0


@bench.command(
    **about(
        "测量磁盘上有这么多事件时，向血缘索引提问的用时。",
        "Measure questions to the lineage index, with this many events on disk.",
        "./jingshu bench lineage --events 20000 --json",
    )
)
@click.option(
    "--events",
    type=click.IntRange(min=10_000),  # some days: what is asked is of the eighth
    default=200_000,
    help=text("事件数。", "How many events."),
)
@JSON_LAST
def lineage(events: int, as_json: bool) -> int:
    """Measure questions to the lineage index, with this many events on disk."""
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


@bench.command(
    **about(
        "在四分之一、一半和全部存证处，测量追加、出证和核验的用时。",
        "Measure appending, proving and verifying at a quarter, a half and all of the leaves.",
        "./jingshu bench evidence --leaves 100000",
    )
)
@click.option(
    "--leaves",
    type=click.IntRange(min=10_000),
    default=1_000_000,
    show_default=True,
    help=text("日志写入多少条存证。", "How many leaves the log gets."),
)
@JSON_LAST
def evidence(leaves: int, as_json: bool) -> int:
    """Measure appending, proving and verifying at a quarter, a half and all of the leaves."""
    from bench.evidence import measure
    from cli.bench_words import evidence_in_words

    with tempfile.TemporaryDirectory(prefix="jingshu-bench-") as made:
        figures = measure(Path(made), leaves, lambda text: click.echo(text, err=True))
    click.echo(json.dumps(figures.to_dict()) if as_json else evidence_in_words(figures))
    return 1 if any(size.findings for size in figures.sizes) else 0


@bench.command(
    **about(
        "测量经网关读取的行数，与直接读同样的文件相比；并有 64 个客户端同时读取。",
        "Measure rows through the gateway against the same files directly; 64 clients at once.",
        "./jingshu bench share --rows 1000000 --tables 100",
    )
)
@click.option(
    "--rows",
    type=click.IntRange(min=1000),
    default=10_000_000,
    show_default=True,
    help=text("整表读取的那张表有多少行。", "Rows of the table that is read whole."),
)
@click.option(
    "--tables",
    type=click.IntRange(min=64),
    default=1000,
    show_default=True,
    help=text("另外还有多少张表。", "How many tables there are besides."),
)
@JSON_LAST
def share(rows: int, tables: int, as_json: bool) -> int:
    """Measure rows through the gateway against the same files directly; 64 clients at once."""
    from bench.share import measure
    from cli.bench_words import share_in_words

    with tempfile.TemporaryDirectory(prefix="jingshu-bench-") as made:
        figures = measure(Path(made), rows, tables, 64, lambda text: click.echo(text, err=True))
    click.echo(json.dumps(figures.to_dict()) if as_json else share_in_words(figures))
    return 1 if figures.client_errors else 0
