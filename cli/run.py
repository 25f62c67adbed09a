"""``./jingshu run``: one city day, or several, on the embedded stack."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import click

from cli.words import JSON_LAST, about
from contracts.errors import UsageError
from contracts.layout import Home
from contracts.model import CITY_TZ
from contracts.words import Words, text

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    **about(
        "用真实的调度器跑一个城市日，然后停止所启动的一切。\n\n"
        "./jingshu up 的运行环境如在运行，就用它，并让它继续运行。",
        "Run one city day through the real scheduler, then stop all that was started.\n\n"
        "Uses the stack of ./jingshu up if it is running, and leaves that running.",
        "./jingshu run --date 2026-07-15 --providers health,transport",
    )
)
@click.option(
    "--date",
    "day",
    type=_DAY,
    metavar="D",
    help=text("业务日期（默认昨天）。", "Business date (default: yesterday)."),
)
@click.option(
    "--from",
    "first",
    type=_DAY,
    metavar="D",
    help=text("若干日期的首日。", "First of several dates."),
)
@click.option(
    "--to",
    "last",
    type=_DAY,
    metavar="D",
    help=text("若干日期的末日。", "Last of several dates."),
)
@click.option(
    "--providers",
    metavar="A,B",
    help=text("只跑这些提供方。", "Only these providers."),
)
@click.option(
    "--scale", type=click.IntRange(min=1), default=1, help=text("沙盘规模。", "City size.")
)
@click.option(
    "--seed", type=int, default=1, help=text("沙盘城市的种子。", "The sandbox city's seed.")
)
@JSON_LAST
def run(
    day: datetime | None,
    first: datetime | None,
    last: datetime | None,
    providers: str | None,
    scale: int,
    seed: int,
    as_json: bool,
) -> int:
    """Run one city day through the real scheduler, then stop all that was started."""
    from cli.interrupts import interruptible
    from cli.progress import outcome_table, progress
    from infra.stack.city import CityRun
    from infra.stack.exclusive import exclusive

    home = Home.from_env()
    wanted = frozenset(name.strip() for name in providers.split(",")) if providers else None
    with exclusive(home, "run"), interruptible(), progress() as shown:
        city = CityRun(home, _dates(day, first, last), wanted, scale=scale, seed=seed)
        summary = city.run(shown)
    if as_json:
        click.echo(json.dumps(summary.to_dict(), ensure_ascii=False, default=str))
    else:
        for outcome in summary.days:
            click.echo(outcome_table(outcome))
        for name, address in summary.addresses.items():
            click.echo(f"{name:12} {address}")
    return 0 if summary.is_complete else 1


def _dates(day: datetime | None, first: datetime | None, last: datetime | None) -> tuple[date, ...]:
    """Return the business dates asked for, oldest first; yesterday in the city by default."""
    if (first is None) != (last is None) or (day is not None and first is not None):
        raise UsageError(
            Words("给出的日期不能同用。", "Dates that do not go together."),
            Words(
                "请给出 --date，或同时给出 --from 与 --to。",
                "Give --date, or both --from and --to.",
            ),
        )
    if first is not None and last is not None:
        count = (last - first).days + 1
        if count < 1:
            raise UsageError(
                Words(f"{first:%F} 在 {last:%F} 之后。", f"{first:%F} is after {last:%F}."),
                Words("请对调 --from 与 --to。", "Swap --from and --to."),
            )
        return tuple(first.date() + timedelta(days=n) for n in range(count))
    yesterday = datetime.now(UTC).astimezone(CITY_TZ).date() - timedelta(days=1)
    return (day.date() if day else yesterday,)
