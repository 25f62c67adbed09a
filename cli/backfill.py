"""``./jingshu backfill``: do the deliveries of some business dates again (补数)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from cli.words import JSON, about, shown
from contracts.layout import Home
from contracts.requested import city_tree
from contracts.words import text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from jobs.operations.backfill import Done
    from jobs.stages import ProductVersion

_DATE = click.DateTime(["%Y-%m-%d"])


@click.command(
    **about(
        "把 CONTRACT 从 D 到 D 的每次交付按顺序重做一遍，不经 Airflow。\n\n"
        "从投递目录再走一遍落地、精炼和发布；已正确的不变。随后重建这份契约所供的产品。\n\n"
        "--from-raw 不需来源：按现行契约，把失败、退回或湖中已缺失的批次用留存原件补入。\n\n"
        "退出码：0 完成 · 1 有缺报、待定或失败 · 2 用法有误。",
        "Do every delivery of CONTRACT from D to D again, in order, without Airflow.\n\n"
        "Takes each delivery from the drop folder through land, refine and publish; what is right"
        " already stays as it is. Then the products that the contract feeds are built again.\n\n"
        "With --from-raw nothing is delivered again: batches that failed, were rejected, or whose"
        " table was lost come in from their kept bytes, under the contract now in force.\n\n"
        "Exit code: 0 done · 1 missing, held or failed · 2 usage.",
        "./jingshu backfill health.disease_case --from 2026-07-15 --to 2026-07-17 --from-raw",
    )
)
@click.argument("contract", metavar="CONTRACT")
@click.option(
    "--from",
    "first",
    type=_DATE,
    required=True,
    metavar="D",
    help=text("首日。", "First date."),
)
@click.option(
    "--to", "last", type=_DATE, required=True, metavar="D", help=text("末日。", "Last date.")
)
@click.option(
    "--provider",
    metavar="P",
    help=text("只补一家提供方（默认全部）。", "One provider (default: all of them)."),
)
@click.option(
    "--from-raw",
    is_flag=True,
    help=text("用留存原件，不需来源。", "From the kept bytes; needs no source."),
)
@JSON
def backfill(
    contract: str,
    first: datetime,
    last: datetime,
    provider: str | None,
    from_raw: bool,
    as_json: bool,
) -> int:
    """Do every delivery of CONTRACT from D to D again, in order, without Airflow."""
    from cli.interrupts import interruptible
    from cli.progress import PlainProgress
    from cli.spark import use_spark
    from jobs.operations import backfill as job

    home = Home.from_env()
    tree = city_tree(home)
    plan = job.make_plan(tree, contract, first.date(), last.date(), provider)
    kept = job.kept_for(home, plan) if from_raw else []
    display = PlainProgress()
    done: list[Done] = []
    built: list[ProductVersion] = []
    with interruptible(), use_spark():
        for one in job.from_raw(home, tree, kept) if from_raw else job.from_drop(home, tree, plan):
            done.append(one)
            display.say(_line(one))
        for product in job.products_after(home, tree, plan, done):
            built.append(product)
            made = f"{product.table} {product.business_date} {product.status}"
            display.say(f"{made} {shown(product.reason)}".rstrip())
    is_whole = not any(d.is_finding for d in done) and all(p.status != "held" for p in built)
    if as_json:
        told = {
            "contract": plan.contract.id,
            "from": first.date().isoformat(),
            "to": last.date().isoformat(),
            "source": "raw" if from_raw else "drop",
            "complete": is_whole,
            "deliveries": [_as_json(d) for d in done],
            "products": [_product(p) for p in built],
        }
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo(_table(done, built), nl=False)
    return 0 if is_whole else 1


def _line(done: Done) -> str:
    mark = "" if done.is_new else f" {text('（未变）', '(unchanged)')}"
    where = f"{done.delivery.business_date} {done.delivery.provider}"
    return f"{where} {done.state}{mark} {shown(done.reason)}".rstrip()


def _as_json(done: Done) -> dict[str, Any]:
    return {
        "date": done.delivery.business_date.isoformat(),
        "provider": done.delivery.provider,
        "dataset": done.delivery.contract.dataset,
        "state": done.state,
        "reason": done.reason,
        "batch_id": done.batch_id,
        "silver_version": done.silver_version,
        "is_new": done.is_new,
    }


def _product(product: ProductVersion) -> dict[str, Any]:
    return {
        "table": product.table,
        "date": product.business_date.isoformat(),
        "status": product.status,
        "version": product.version,
        "reason": product.reason,
    }


def _table(done: Sequence[Done], built: Sequence[ProductVersion]) -> str:
    """Return what was done as text: a line a delivery or kept batch, a line a product date."""
    from io import StringIO

    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    headers = (("日期", "Date"), ("提供方", "Provider"), ("状态", "State"), ("批次", "Batch"))
    for header in headers:
        table.add_column(text(*header), no_wrap=True)
    table.add_column(text("版本", "Version"), justify="right", no_wrap=True)
    table.add_column(text("原因", "Why"), overflow="fold")
    for d in done:
        mark = "" if d.is_new else " ="
        version = "" if d.silver_version is None else str(d.silver_version)
        day = d.delivery.business_date.isoformat()
        state = f"{d.state}{mark}"
        table.add_row(day, d.delivery.provider, state, d.batch_id or "", version, shown(d.reason))
    for p in built:
        version = "" if p.version is None else str(p.version)
        table.add_row(p.business_date.isoformat(), p.table, p.status, "", version, shown(p.reason))
    drawn = StringIO()
    Console(file=drawn, width=max(150, Console().width), highlight=False).print(table, markup=False)
    findings = sum(d.is_finding for d in done)
    unchanged = sum(not d.is_new for d in done)
    summary = text(
        f"共 {len(done)} 项 · {unchanged} 项未变（=）· {findings} 项待处理",
        f"{len(done)} items · {unchanged} unchanged (=) · {findings} to look at",
    )
    return f"{drawn.getvalue()}{summary}\n"
