"""``jingshu sandbox``: make the simulated city's exports, and say what is true of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from contracts.errors import UsageError
from contracts.layout import Home
from contracts.model import CITY_TZ

if TYPE_CHECKING:
    from infra.sandbox.truth import DayTruth, Faults

_DATE = click.DateTime(formats=["%Y-%m-%d"])


@click.group(epilog="例 Example: ./jingshu sandbox make --date 2026-07-15")
def sandbox() -> None:
    """沙盘 The simulated city: exports with planted faults, and the truth about them."""


@sandbox.command(epilog="例 Example: ./jingshu sandbox make --fault health/disease_case=corrected")
@click.option("--date", "day", type=_DATE, help="业务日期 Business date; default: yesterday.")
@click.option("--scale", type=click.IntRange(1), default=1, show_default=True, help="Size factor.")
@click.option("--seed", type=int, default=1, show_default=True, help="Which city.")
@click.option("--providers", metavar="A,B", help="只做这些单位 Only these providers.")
@click.option(
    "--fault",
    "chosen",
    multiple=True,
    metavar="FEED=KIND",
    help="missing, late, duplicate, truncated, drifted, secret, held or corrected; repeatable.",
)
@click.option("--clean", is_flag=True, help="不埋错 Plant no faults at all.")
@click.option("--json", "as_json", is_flag=True, help="Print the truth as JSON.")
def make(
    day: datetime | None,
    scale: int,
    seed: int,
    providers: str | None,
    chosen: tuple[str, ...],
    clean: bool,
    as_json: bool,
) -> None:
    """生成一天的交付 Write one date's deliveries into the drop folder."""
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
    name="truth", epilog="例 Example: ./jingshu sandbox truth --date 2026-07-15 --json"
)
@click.option("--date", "day", type=_DATE, help="业务日期 Business date; default: yesterday.")
@click.option("--json", "as_json", is_flag=True, help="Print everything, every planted row too.")
def show_truth(day: datetime | None, as_json: bool) -> None:
    """真相 Show what was planted on a date and what has to come of it."""
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
        raise UsageError(
            f"--fault {error['loc'][-1]}={error['input']} is no delivery fault.",
            "Write it as provider/dataset=missing (or late, duplicate, truncated, drifted,"
            " secret, held, corrected).",
        ) from None


def _show(truth: DayTruth, *, as_json: bool) -> None:
    if as_json:
        click.echo(truth.model_dump_json())
        return
    click.echo(
        f"模拟数据 simulated · {truth.business_date} · seed {truth.seed} · {truth.rows:,} rows"
    )
    row = "{:<28} {:<10} {:<10} {:>8} {:>8} {:>6} {:>6} {:>6}"
    click.echo(
        row.format("feed", "delivery", "batch", "rows", "good", "bad", "twice", "odd").rstrip()
    )
    for feed, d in sorted(truth.deliveries.items()):
        counts = (d.rows, d.good, d.quarantined, d.duplicates, len(d.near_misses))
        click.echo(row.format(feed, d.delivery_state, d.batch_status or "–", *counts))
