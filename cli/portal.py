"""``./jingshu portal``: build and serve the pages for chief data officers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from cli.words import JSON, about, tell
from contracts.layout import Home
from contracts.words import text

if TYPE_CHECKING:
    from datetime import date, datetime


@click.group(
    **about(
        "生成或提供数据官的页面。",
        "Build or serve the pages for data officers.",
        "./jingshu portal build --date 2026-07-15",
    )
)
def portal() -> None:
    """Build or serve the pages for data officers."""


def _day(chosen: datetime | None) -> date | None:
    return None if chosen is None else chosen.date()


_DATE = click.option(
    "--date",
    "chosen",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help=text(
        "业务日期（默认为有交付的最新一天）。",
        "The business date (default: the newest that has deliveries).",
    ),
)


@portal.command(
    **about(
        "把一天的数据官日报写到 site/ 下，最新一天的为 index.html。\n\n目录与日期一览一并更新。",
        "Write the CDO page of a date below site/, with the newest date's as index.html.\n\n"
        "The catalogue and the list of dates are written beside them.",
        "./jingshu portal build --date 2026-07-15",
    )
)
@_DATE
@JSON
def build(chosen: datetime | None, as_json: bool) -> None:
    """Write the CDO page of a date below site/, with the newest date's as index.html."""
    from portal.site import build_site

    page = build_site(Home.from_env(), _day(chosen))
    told = text(f"日报：{page}", f"CDO page: {page}")
    click.echo(json.dumps({"page": str(page)}) if as_json else told)


@portal.command(
    **about(
        "在 127.0.0.1 提供各页，直到 Ctrl-C；没有日报则先生成。",
        "Serve the pages on 127.0.0.1 until Ctrl-C; builds the page where there is none.",
        "./jingshu portal serve --port 8795",
    )
)
@_DATE
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=text(
        "127.0.0.1 上的端口（默认 8795；0 为任意）。",
        "Port on 127.0.0.1 (default 8795; 0: any).",
    ),
)
def serve(chosen: datetime | None, port: int | None) -> None:
    """Serve the pages on 127.0.0.1 until Ctrl-C; builds the page where there is none."""
    from portal.serve import HOST, PORT, make_server
    from portal.site import INDEX, build_site

    home = Home.from_env()
    page = home.site / INDEX
    if chosen is not None or not page.exists():
        page = build_site(home, _day(chosen))
    with make_server(home.site, PORT if port is None else port) as server:
        name = "" if page.name == INDEX else page.name
        url = f"http://{HOST}:{server.server_port}/{name}"
        tell(f"日报：{url} （Ctrl-C 停止）", f"CDO page: {url}  (Ctrl-C stops)")
        server.serve_forever()


@portal.command(
    **about(
        "提供各单位申请、答复和管理的页面，直到 Ctrl-C。\n\n"
        "要放在反向代理之后，见 docs/how-to/behind-a-proxy.zh.md。",
        "Serve the pages where bodies ask, answer and administer, until Ctrl-C.\n\n"
        "Behind a reverse proxy: docs/how-to/behind-a-proxy.md.",
        "./jingshu portal web --port 8792",
    )
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help=text(
        "端口（默认 JINGSHU_WEB_PORT，或 8792）。", "Port (default: JINGSHU_WEB_PORT, or 8792)."
    ),
)
def web(port: int | None) -> int:
    """Serve the pages where bodies ask, answer and administer, until Ctrl-C."""
    from portal.web.serving import PORTAL
    from sharing.accounts.accounts import list_accounts
    from sharing.control import Control
    from sharing.endpoint import web_serving
    from sharing.serving import build_server

    serving = web_serving(port)
    with Control(Home.from_env()) as control:
        server = build_server(PORTAL, control, port)
        url = f"{serving.url}/"
        tell(f"办理门户：{url} （Ctrl-C 停止）", f"portal: {url}  (Ctrl-C stops)")
        if not list_accounts(control):
            bootstrap = "./jingshu share account bootstrap"
            tell(f"还没有账户：{bootstrap}", f"No accounts yet: {bootstrap}")
        server.run()
        return 0 if server.started else 1
