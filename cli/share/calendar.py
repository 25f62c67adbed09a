"""``./jingshu share calendar``: working days of a year that the installed calendar lacks."""

from __future__ import annotations

import click

from cli.acting import local_user
from cli.words import about, tell
from contracts.layout import Home
from contracts.words import text


@click.group(
    **about(
        "按国务院通知登记一年的工作日；各项期限以工作日计。",
        "Working days of a year, by the State Council's notice; deadlines are counted in them.",
        "./jingshu share calendar add 2027.csv --notice 国办发明电〔2026〕8号",
    )
)
def calendar() -> None:
    """Working days of a year, by the State Council's notice; deadlines are counted in them."""


@calendar.command(
    **about(
        "添加一年的日历：CSV 文件，列为 date、kind 与 name。\n\n"
        "例如 2027-01-01,holiday,元旦 与 2027-10-09,workday,国庆节。\n\n"
        "只列与星期不同的日子；内容由存证日志签名，verify 据此核对文件。",
        "Add a year's calendar: a CSV with the columns date, kind and name.\n\n"
        "Such as 2027-01-01,holiday,New Year.\n\n"
        "List the days that are not as their weekday (kind workday where a weekend day is "
        "worked). The evidence log signs what was added, and verify holds the file against it.",
        "./jingshu share calendar add 2027.csv --notice 国办发明电〔2026〕8号",
    )
)
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE"
)
@click.option(
    "--notice", required=True, metavar="N", help=text("通知文号。", "Number of the notice.")
)
def add(file: str, notice: str) -> None:
    """Add a year's calendar: a CSV with the columns date, kind and name."""
    from sharing.calendars import add_calendar
    from sharing.people import DATA_AUTHORITY

    with click.open_file(file, "rb") as given:
        content = given.read()
    added = add_calendar(Home.from_env(), content, notice, local_user(DATA_AUTHORITY))
    worked = sum(added.days.values())
    free = len(added.days) - worked
    tell(
        f"已添加 {added.year} 年的日历：{free} 天放假，{worked} 天调休上班。",
        f"Added {added.year}: {free} holidays, {worked} weekend days worked.",
    )
