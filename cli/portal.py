"""``./jingshu portal``: build and serve the pages for chief data officers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from contracts.layout import Home

if TYPE_CHECKING:
    from datetime import date, datetime


@click.group(epilog="例 Example: ./jingshu portal build --date 2026-07-15")
def portal() -> None:
    """门户 Build or serve the pages for data officers."""


def _day(chosen: datetime | None) -> date | None:
    return None if chosen is None else chosen.date()


_DATE = click.option(
    "--date",
    "chosen",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="业务日期 The business date (default: the newest that has deliveries).",
)


@portal.command(epilog="例 Example: ./jingshu portal build --date 2026-07-15")
@_DATE
@click.option("--json", "as_json", is_flag=True, help="机器可读 Print one JSON object.")
def build(chosen: datetime | None, as_json: bool) -> None:
    """生成日报 Write the CDO page of a date below site/, with the newest date's as index.html.

    目录与日期一览一并更新。 The catalogue and the list of dates are written beside them.
    """
    from portal.site import build_site

    page = build_site(Home.from_env(), _day(chosen))
    click.echo(json.dumps({"page": str(page)}) if as_json else f"日报 CDO page: {page}")


@portal.command(epilog="例 Example: ./jingshu portal serve --port 8795")
@_DATE
@click.option(
    "--port", type=click.IntRange(0, 65535), help="端口 Port on 127.0.0.1 (default 8795; 0: any)."
)
def serve(chosen: datetime | None, port: int | None) -> None:
    """查看日报 Serve the pages on 127.0.0.1 until Ctrl-C; builds the page where there is none."""
    from portal.serve import HOST, PORT, make_server
    from portal.site import INDEX, build_site

    home = Home.from_env()
    page = home.site / INDEX
    if chosen is not None or not page.exists():
        page = build_site(home, _day(chosen))
    with make_server(home.site, PORT if port is None else port) as server:
        name = "" if page.name == INDEX else page.name
        click.echo(f"日报 CDO page: http://{HOST}:{server.server_port}/{name}  (Ctrl-C 停止 stops)")
        server.serve_forever()


@portal.command(epilog="例 Example: ./jingshu portal web --port 8792")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="端口 Port (default: JINGSHU_WEB_PORT, or 8792).",
)
def web(port: int | None) -> int:
    """办理 Serve the pages where bodies ask, answer and administer, until Ctrl-C.

    放在反向代理之后 Behind a reverse proxy: docs/how-to/behind-a-proxy.md.
    """
    from portal.web.serving import PORTAL
    from sharing.accounts.accounts import list_accounts
    from sharing.control import Control
    from sharing.endpoint import web_serving
    from sharing.serving import build_server

    serving = web_serving(port)
    with Control(Home.from_env()) as control:
        server = build_server(PORTAL, control, port)
        click.echo(f"办理门户 portal: {serving.url}/  (Ctrl-C 停止 stops)")
        if not list_accounts(control):
            click.echo("还没有账户 No accounts yet: ./jingshu share account bootstrap")
        server.run()
        return 0 if server.started else 1
