"""The web application: who may come in to which page, and what becomes of what they send.

Handlers are plain functions: Starlette runs them in threads, where SQLite and argon2 may block.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from contracts.errors import JingshuError
from contracts.moment import utc_now
from contracts.words import Words
from portal.web import guard
from portal.web.errors import PAGE, RefusedError, TooOftenError, not_there
from portal.web.forms import Fields, read_fields
from portal.web.pages import go, refuse, render
from portal.web.routes import MENU, OPEN_PAGES, PAGES
from portal.web.session import LOGIN_PATH, PASSWORD_PATH, START
from portal.web.shelf import Shelf
from portal.web.site import Guest, OpenPage, Page, Visit, Web
from portal.web.turns import Turns
from sharing.accounts.passwords import Passwords
from sharing.gateway.limits import HeadLimit, RunningLimit
from sharing.people import ForbiddenError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from sharing.control import Control


def build_web(
    control: Control,
    base_url: str,
    *,
    passwords: Passwords | None = None,
    now: Callable[[], datetime] = utc_now,
) -> ASGIApp:
    """Return the application; ``base_url`` is how browsers reach it, without a path."""
    web = Web(control, base_url, passwords or Passwords(), now, Shelf(control.home), MENU, Turns())
    pages: tuple[OpenPage | Page, ...] = (*OPEN_PAGES, *PAGES)
    app = Starlette(
        routes=[Route(p.path, _endpoint(web, p), methods=[p.method]) for p in pages],
        exception_handlers={
            JingshuError: _refused,
            HTTPException: partial(_no_page, web),
            Exception: partial(_broken, web),
        },
    )
    app.router.redirect_slashes = False
    return guard.Guarded(RunningLimit(HeadLimit(app), _busy), base_url)


def _endpoint(web: Web, page: OpenPage | Page) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        # For error pages of a form that is refused before anybody is known.
        request.state.guest = Guest(web, request, Fields(), web.now())
        fields = Fields()
        if request.method == "POST":
            guard.check_origin(web, request)
            fields = await read_fields(request)
        if not page.hashes:
            return await run_in_threadpool(_answer, web, page, request, fields)
        if page.path == LOGIN_PATH:
            web.turns.count_login(request, fields.one("name").strip())
        return await web.turns.take(partial(_answer, web, page, request, fields))

    return answer


def _answer(web: Web, page: OpenPage | Page, request: Request, fields: Fields) -> Response:
    at = web.now()
    login = guard.find_login(web, request, at)
    guest = Guest(web, request, fields, at)
    if login is not None:
        guest = Visit(web, request, fields, at, login)
    request.state.guest = guest
    if isinstance(page, OpenPage):
        return page.handler(guest)
    return _admitted(page, guest)


def _admitted(page: Page, guest: Guest) -> Response:
    """Let in who is logged in, sent a form of this login, chose a password, and has the right."""
    if not isinstance(guest, Visit):
        if page.method == "GET":
            return go(LOGIN_PATH)
        raise RefusedError(
            Words("您尚未登录，或登录已到时。", "You are not logged in any more."),
            Words("请登录。", "Log in."),
        )
    if page.method == "POST":
        guard.check_token(guest.fields, guest.login.id)
    if guest.login.account.must_change and not page.is_for_new:
        return go(PASSWORD_PATH)
    if not page.is_open_to(guest.actor):
        raise ForbiddenError(
            Words("您的角色无此权限。", "None of your roles may do this."),
            Words("请由有此权限的人办理。", "Ask one who may."),
        )
    return page.handler(guest)


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, JingshuError):
        raise error
    answer = refuse(request.state.guest, "error.html", error, address=START)
    if isinstance(error, TooOftenError):
        answer.headers["Retry-After"] = str(error.wait_s)
    return answer


def _no_page(web: Web, request: Request, error: Exception) -> Response:
    """Answer what the router refuses: no such path, or no such method."""
    if not isinstance(error, HTTPException):
        raise error
    guest = Guest(web, request, Fields(), web.now())
    found = {"error": not_there(PAGE), "address": START}
    return render(guest, "error.html", status=error.status_code, **found)


def _busy(status: int) -> Response:
    """Refuse a request while too many run."""
    headers = {"Retry-After": "1", "Connection": "close"}
    told = Words("请求过多，请稍后再试。", "Too many requests; try again.")
    return PlainTextResponse(f"{told}\n", status, headers)


def _broken(web: Web, request: Request, _error: Exception) -> Response:
    """Say nothing about what broke; uvicorn logs it."""
    told = Words("出错了，请稍后再试。", "Something broke; try again later.")
    return PlainTextResponse(f"{told.to(guard.language(web, request))}\n", 500)
