"""``./jingshu share calendar``: working days of a year that the installed calendar lacks."""

from __future__ import annotations

import click

from cli.acting import local_user
from contracts.layout import Home


@click.group(
    epilog="例 Example: ./jingshu share calendar add 2027.csv --notice 国办发明电〔2026〕8号"
)
def calendar() -> None:
    """日历 Working days of a year, by the State Council's notice; deadlines are counted in them."""


@calendar.command(
    epilog="例 Example: ./jingshu share calendar add 2027.csv --notice 国办发明电〔2026〕8号"
)
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE"
)
@click.option("--notice", required=True, metavar="N", help="通知文号 Number of the notice.")
def add(file: str, notice: str) -> None:
    """添加 Add a year's calendar: a CSV with the columns date, kind and name.

    例如 Such as: 2027-01-01,holiday,元旦 / 2027-10-09,workday,国庆节.

    只列与星期不同的日子；内容由存证日志签名。 List the days that are not as their weekday. The
    evidence log signs what was added, and verify holds the file against it.
    """
    from sharing.calendars import add_calendar
    from sharing.people import DATA_AUTHORITY

    with click.open_file(file, "rb") as given:
        content = given.read()
    added = add_calendar(Home.from_env(), content, notice, local_user(DATA_AUTHORITY))
    worked = sum(added.days.values())
    click.echo(
        f"已添加 added: {added.year}（{len(added.days) - worked} 天假日 holidays,"
        f" {worked} 天调休 weekend days worked）"
    )
