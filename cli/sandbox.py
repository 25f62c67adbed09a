"""``jingshu sandbox``: make the simulated city's exports, and say what is true of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from cli.words import about, tell
from contracts.errors import UsageError
from contracts.layout import Home
from contracts.model import CITY_TZ
from contracts.words import Words, text

if TYPE_CHECKING:
    from infra.sandbox.truth import DayTruth, Faults

_DATE = click.option(
    "--date",
    "day",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help=text("业务日期（默认昨天）。", "Business date (default: yesterday)."),
)
_KINDS = "missing, late, duplicate, truncated, drifted, secret, held, corrected"


@click.group(
    **about(
        "模拟城市：埋了错的导出文件，以及埋了什么错的真相。",
        "The simulated city: exports with planted faults, and the truth about them.",
        "./jingshu sandbox make --date 2026-07-15 --providers health",
    )
)
def sandbox() -> None:
    """Make the simulated city's exports, and say what is true of them."""


@sandbox.command(
    **about(
        "把一天的交付写进投递目录。",
        "Write one date's deliveries into the drop folder.",
        "./jingshu sandbox make --providers health --fault health/disease_case=corrected",
    )
)
@_DATE
@click.option(
    "--scale",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help=text("规模倍数。", "Size factor."),
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help=text("哪座城市。", "Which city.")
)
@click.option("--providers", metavar="A,B", help=text("只做这些提供方。", "Only these providers."))
@click.option(
    "--fault",
    "chosen",
    multiple=True,
    metavar="FEED=KIND",
    help=text(f"哪种错：{_KINDS}；可多次。", f"One of {_KINDS}; repeatable."),
)
@click.option("--clean", is_flag=True, help=text("一处错也不埋。", "Plant no faults at all."))
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=text("以 JSON 输出真相。", "Print the truth as JSON."),
)
def make(
    day: datetime | None,
    scale: int,
    seed: int,
    providers: str | None,
    chosen: tuple[str, ...],
    clean: bool,
    as_json: bool,
) -> None:
    """Write one date's deliveries into the drop folder."""
    from infra.sandbox.city import generate_day

    truth = generate_day(
        Home.from_env(),
        day.date() if day else yesterday(),
        scale=scale,
        seed=seed,
        providers={p.strip() for p in providers.split(",")} if providers else None,
        faults=_faults(chosen, clean=clean),
    )
    _show(truth, as_json=as_json)


@sandbox.command(
    "truth",
    **about(
        "显示某天埋了什么错，以及必须得出什么结果。",
        "Show what was planted on a date and what has to come of it.",
        "./jingshu sandbox truth --date 2026-07-15 --json",
    ),
)
@_DATE
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help=text("全部输出，包括每一个埋下的行。", "Print everything, every planted row too."),
)
def show_truth(day: datetime | None, as_json: bool) -> None:
    """Show what was planted on a date and what has to come of it."""
    from infra.sandbox.truth import load_truth

    _show(load_truth(Home.from_env(), day.date() if day else yesterday()), as_json=as_json)


def yesterday() -> date:
    """Return the city's yesterday: the newest date whose deliveries are all due."""
    return datetime.now(CITY_TZ).date() - timedelta(1)


def _faults(chosen: tuple[str, ...], *, clean: bool) -> Faults | None:
    """Read ``FEED=KIND``; without any, the sandbox chooses."""
    from pydantic import ValidationError

    from infra.sandbox.truth import Faults

    if not chosen and not clean:
        return None
    pairs = dict(item.partition("=")[::2] for item in chosen)
    try:
        return Faults.model_validate({"rows": not clean, "deliveries": pairs})
    except ValidationError as wrong:
        error = wrong.errors()[0]
        given, others = f"--fault {error['loc'][-1]}={error['input']}", _KINDS.partition(", ")[2]
        raise UsageError(
            Words(f"{given} 不是交付的错。", f"{given} is no delivery fault."),
            Words(
                f"请写成 provider/dataset=missing（或 {others}）。",
                f"Write it as provider/dataset=missing (or {others}).",
            ),
        ) from None


def _show(truth: DayTruth, *, as_json: bool) -> None:
    if as_json:
        click.echo(truth.model_dump_json())
        return
    tell(
        f"模拟数据 · {truth.business_date} · 种子 {truth.seed} · {truth.rows:,} 行",
        f"simulated · {truth.business_date} · seed {truth.seed} · {truth.rows:,} rows",
    )
    row = "{:<28} {:<10} {:<10} {:>8} {:>8} {:>6} {:>6} {:>6}"
    click.echo(
        row.format("feed", "delivery", "batch", "rows", "good", "bad", "twice", "odd").rstrip()
    )
    for feed, d in sorted(truth.deliveries.items()):
        counts = (d.rows, d.good, d.quarantined, d.duplicates, len(d.near_misses))
        click.echo(row.format(feed, d.delivery_state, d.batch_status or "–", *counts))
