"""Turns what a handler found into a page: every text escaped, the menu of who is looking."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Match

from portal.page import TEMPLATES, make_environment
from portal.web import words
from portal.web.errors import PAGE, not_there, status_of
from portal.web.guard import TOKEN, keep_language
from portal.web.language import LANGUAGES, address_of, check_own, other, switch_to
from portal.web.site import Visit
from portal.words import word_for

if TYPE_CHECKING:
    from jinja2 import Environment

    from contracts.errors import JingshuError
    from contracts.words import Language
    from portal.web.site import Guest

_OWN: Final = Path(__file__).resolve().parent / "templates"


def render(guest: Guest, template: str, *, status: int = 200, **found: Any) -> HTMLResponse:
    """Return a page in its reader's language.

    ``error``, where a handler gives one, is shown at its top; ``address`` is where to see the page
    again, if not where it was asked for.
    """
    visit = guest if isinstance(guest, Visit) else None
    page = _environment(guest.language).get_template(template)
    given: dict[str, Any] = {"error": None, "token": visit.login.csrf_token if visit else ""}
    given |= {"me": visit.login.account if visit else None, "menu": _menu(visit)}
    given |= {"address": _address(guest)} | found
    switch = switch_to(other(guest.language), given["address"])
    return HTMLResponse(page.render(given, switch=switch), status)


def refuse(guest: Guest, template: str, error: JingshuError, **found: Any) -> HTMLResponse:
    """Return a page again with what was wrong at its top, and the status that says so."""
    return render(guest, template, status=status_of(error), error=error, **found)


def go(path: str) -> RedirectResponse:
    """Send the browser on after a form, so that reloading repeats nothing."""
    return RedirectResponse(path, 303)


def choose_language(guest: Guest) -> Response:
    """Keep which language a reader chose, and go back to where they were."""
    asked = guest.request.path_params["language"]
    chosen = next((language for language in LANGUAGES if language == asked), None)
    if chosen is None:
        raise not_there(PAGE)
    answer = go(check_own(guest.request.query_params.get("back", "/")))
    keep_language(guest.web, answer, chosen)
    return answer


def style(_guest: Guest) -> Response:
    """Return the style sheet."""
    return Response(_style(), media_type="text/css")


def _menu(visit: Visit | None) -> list[tuple[str, Any, bool]]:
    if visit is None or visit.login.account.must_change:
        return []
    here = visit.request.url.path
    pages = (p for p in visit.web.menu if p.is_open_to(visit.actor))
    return [(p.path, p.menu, p.path == here) for p in pages]


def _address(guest: Guest) -> str:
    """Return where a page is seen again; for the answer to a form, the nearest page above it."""
    if guest.request.method in ("GET", "HEAD"):
        return address_of(guest.request)
    path = str(guest.request.scope["path"])
    while path:
        asked = {"type": "http", "method": "GET", "path": path}
        if any(route.matches(asked)[0] is Match.FULL for route in guest.request.app.routes):
            return quote(path)
        path = path.rpartition("/")[0]
    return "/"


@cache
def _environment(language: Language) -> Environment:
    environment = make_environment(language, _OWN, TEMPLATES)
    environment.globals |= {"w": words, "word_for": word_for, "token_name": TOKEN}
    return environment


@cache
def _style() -> str:
    sheets = (TEMPLATES / "style.css", _OWN / "web.css")
    return "".join(sheet.read_text("utf-8") for sheet in sheets)
