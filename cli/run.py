"""``./jingshu run``: one city day, or several, on the embedded stack."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import click

from contracts.errors import UsageError
from contracts.layout import Home
from contracts.model import CITY_TZ

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(epilog="例 Example: ./jingshu run --date 2026-07-15 --providers health,transport")
@click.option("--date", "day", type=_DAY, metavar="D", help="业务日期 (default: yesterday).")
@click.option("--from", "first", type=_DAY, metavar="D", help="首日 First of several dates.")
@click.option("--to", "last", type=_DAY, metavar="D", help="末日 Last of several dates.")
@click.option("--providers", metavar="A,B", help="只跑这些提供方 Only these providers.")
@click.option("--scale", type=click.IntRange(min=1), default=1, help="沙盘规模 City size.")
@click.option("--seed", type=int, default=1, help="沙盘种子 The sandbox city's seed.")
@click.option("--json", "as_json", is_flag=True, help="末行 JSON One JSON object, last line.")
def run(
    day: datetime | None,
    first: datetime | None,
    last: datetime | None,
    providers: str | None,
    scale: int,
    seed: int,
    as_json: bool,
) -> int:
    """跑一天 Run one city day through the real scheduler, then stop all that was started.

    Uses the stack of ./jingshu up if it is running, and leaves that running.
    """
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
        raise UsageError("Dates that do not go together.", "Give --date, or both --from and --to.")
    if first is not None and last is not None:
        count = (last - first).days + 1
        if count < 1:
            raise UsageError(f"{first:%F} is after {last:%F}.", "Swap --from and --to.")
        return tuple(first.date() + timedelta(days=n) for n in range(count))
    yesterday = datetime.now(UTC).astimezone(CITY_TZ).date() - timedelta(days=1)
    return (day.date() if day else yesterday,)
