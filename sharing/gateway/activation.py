"""Activation links: a page that hands a recipient its profile file, once.

Looking at the page uses nothing up, for mail programs look at every link; its button does. The key
travels in the query, which is in no record and no log.
"""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from contracts.words import Words
from sharing.gateway.rates import FAILED, client_of
from sharing.grants.recipients import activate, invited

if TYPE_CHECKING:
    from starlette.requests import Request

    from sharing.control import Control
    from sharing.gateway.rates import Rates

ACTIVATE: Final = "/activate"
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
}
#: Who opens a link has said no language, so each page says everything in Chinese, then in English.
_FRAME: Final = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{title}</title>
<section>{zh}</section>
<section lang="en">{en}</section></html>
"""
_TITLE: Final = Words("领取共享凭证", "Your sharing profile")
_PAGE: Final = Words(
    """
<h1>领取共享凭证</h1>
<p>接收方：<b>{name}</b></p>
<p>凭证只发放一次，请妥善保存。</p>
<form method="post"><button>下载 {name}.share</button></form>
""",
    """
<h1>Your sharing profile</h1>
<p>Recipient: <b>{name}</b></p>
<p>The file is handed out once; keep it safe.</p>
<form method="post"><button>Download {name}.share</button></form>
""",
)
_OVER_TITLE: Final = Words("链接无效", "No such link")
_OVER: Final = Words(
    """
<h1>链接无效或已使用</h1>
<p>请向数据提供方重新索取。</p>
""",
    """
<h1>This link is used or over</h1>
<p>Ask for another one.</p>
""",
)


def activation_routes(control: Control, rates: Rates) -> list[Route]:
    """Return the page of a link, and what its button asks for.

    Keys that open nothing are counted by address, as tokens are that are no good.
    """

    def over(request: Request) -> Response:
        rates.take(f"stranger {client_of(request.scope)}", FAILED)
        return HTMLResponse(_framed(_OVER_TITLE, _OVER), 404, _HEADERS)

    def page(request: Request) -> Response:
        name = invited(control, _key(request))
        if name is None:
            return over(request)
        return HTMLResponse(_framed(_TITLE, _PAGE, html.escape(name)), 200, _HEADERS)

    async def use(request: Request) -> Response:
        found = await run_in_threadpool(activate, control, _key(request))
        if found is None:
            return over(request)
        name, profile = found
        request.state.trace.recipient = name
        saved = {"Content-Disposition": f'attachment; filename="{name}.share"', **_HEADERS}
        return Response(
            json.dumps(json.loads(profile.to_json()), indent=2) + "\n",
            200,
            saved,
            media_type="application/json",
        )

    return [Route(ACTIVATE, page, methods=["GET"]), Route(ACTIVATE, use, methods=["POST"])]


def _framed(title: Words, words: Words, name: str = "") -> str:
    """Return a page with both texts; ``name`` is HTML already."""
    return _FRAME.format(
        title=f"{title.zh} · {title.en}",
        zh=words.zh.format(name=name),
        en=words.en.format(name=name),
    )


def _key(request: Request) -> str:
    return parse_qs(request.url.query).get("key", [""])[0]
