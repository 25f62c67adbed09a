"""What stands between a browser and the pages: headers, cookies, origins and form tokens.

Cross-site requests are stopped twice: by what the browser says of where a form came from, and by a
token that only our own pages hold (OWASP CSRF Prevention, signed double submit).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

from contracts.words import Words
from portal.web.errors import RefusedError
from portal.web.language import CHOICE, KEPT_S, language_of
from sharing.accounts.sessions import find_session, is_token_of

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from contracts.words import Language
    from portal.web.forms import Fields
    from portal.web.site import Web
    from sharing.accounts.sessions import OpenSession

#: The login's secret id, and the secret that the login form's token belongs to.
SESSION: Final = "jingshu_session"
BEFORE: Final = "jingshu_before"
#: The name of a form's hidden field.
TOKEN: Final = "csrf"  # noqa: S105 - a name
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guarded:
    """ASGI middleware around everything, error answers included: our host only, our headers."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self._app = app
        self._host = urlsplit(base_url).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse another host's name; else answer, with the headers that keep pages to us."""
        app = self._app
        # A page elsewhere could rebind its own host name to this machine and read ours.
        if Headers(scope=scope).get("host") != self._host:
            told = Words(f"请用此地址访问：{self._host}", f"Use this address: {self._host}")
            app = PlainTextResponse(f"{told}\n", 421)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await app(scope, receive, guarded)


def cookie(web: Web, name: str) -> str:
    """Return a cookie's name: over TLS, one that no other host or path can set."""
    return f"__Host-{name}" if web.is_https else name


def keep(web: Web, response: Response, name: str, secret: str) -> None:
    """Have the browser keep a secret until it is closed, away from scripts and other sites."""
    response.set_cookie(
        cookie(web, name), secret, path="/", secure=web.is_https, httponly=True, samesite="strict"
    )


def forget(web: Web, response: Response, name: str) -> None:
    """Have the browser forget a secret."""
    response.delete_cookie(
        cookie(web, name), path="/", secure=web.is_https, httponly=True, samesite="strict"
    )


def secret_of(web: Web, connection: HTTPConnection, name: str) -> str:
    """Return the secret that a browser kept; empty where there is none."""
    return connection.cookies.get(cookie(web, name), "")


def language(web: Web, connection: HTTPConnection) -> Language:
    """Return the language that whoever asks reads."""
    return language_of(connection, cookie(web, CHOICE))


def keep_language(web: Web, response: Response, chosen: Language) -> None:
    """Have the browser keep a choice: no secret, so links from elsewhere may bring it."""
    response.set_cookie(
        cookie(web, CHOICE),
        chosen,
        max_age=KEPT_S,
        path="/",
        secure=web.is_https,
        httponly=True,
        samesite="lax",
    )


def new_secret() -> str:
    """Return a secret that nobody guesses."""
    return secrets.token_urlsafe(32)


def find_login(web: Web, request: Request, at: datetime) -> OpenSession | None:
    """Return the login that a request belongs to; None where it has ended, or never was."""
    secret = secret_of(web, request, SESSION)
    return find_session(web.control, secret, at) if secret else None


def check_origin(web: Web, request: Request) -> None:
    """Refuse a form that the browser says another site sent.

    ``null`` is what browsers send for pages with our own Referrer-Policy: it says nothing.
    """
    origin = request.headers.get("origin", "null")
    site = request.headers.get("sec-fetch-site", "same-origin")
    if origin not in ("null", web.base_url) or site != "same-origin":
        raise RefusedError(
            Words("这张表单不是本站发出的。", "The form is another site's."),
            Words("请在本站填写。", "Fill in ours."),
        )


def check_token(fields: Fields, secret: str) -> None:
    """Refuse a form without the token that belongs to its browser's secret."""
    if not secret or not is_token_of(fields.one(TOKEN), secret):
        raise RefusedError(
            Words(
                "表单已失效，未作任何改动。",
                "The form is no longer valid; nothing was changed.",
            ),
            Words(
                "请刷新页面或重新登录后再提交。", "Reload the page or log in, and send it again."
            ),
        )
