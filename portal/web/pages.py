"""Turns what a handler found into a page: every text escaped, the menu of who is looking."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import HTMLResponse, RedirectResponse, Response

from portal.page import TEMPLATES, make_environment
from portal.web import words
from portal.web.errors import status_of
from portal.web.guard import TOKEN
from portal.web.site import Visit
from portal.words import word_for

if TYPE_CHECKING:
    from jinja2 import Environment

    from contracts.errors import JingshuError
    from portal.web.site import Guest

_OWN: Final = Path(__file__).resolve().parent / "templates"


def render(guest: Guest, template: str, *, status: int = 200, **found: Any) -> HTMLResponse:
    """Return a page; ``error``, where a handler gives one, is shown at its top."""
    visit = guest if isinstance(guest, Visit) else None
    page = _environment().get_template(template)
    given: dict[str, Any] = {"error": None, "token": visit.login.csrf_token if visit else ""}
    given |= {"me": visit.login.account if visit else None, "menu": _menu(visit)}
    return HTMLResponse(page.render(given | found), status)


def refuse(guest: Guest, template: str, error: JingshuError, **found: Any) -> HTMLResponse:
    """Return a page again with what was wrong at its top, and the status that says so."""
    return render(guest, template, status=status_of(error), error=error, **found)


def go(path: str) -> RedirectResponse:
    """Send the browser on after a form, so that reloading repeats nothing."""
    return RedirectResponse(path, 303)


def style(_guest: Guest) -> Response:
    """Return the style sheet."""
    return Response(_style(), media_type="text/css")


def _menu(visit: Visit | None) -> list[tuple[str, Any, bool]]:
    if visit is None or visit.login.account.must_change:
        return []
    here = visit.request.url.path
    pages = (p for p in visit.web.menu if p.is_open_to(visit.actor))
    return [(p.path, p.menu, p.path == here) for p in pages]


@cache
def _environment() -> Environment:
    environment = make_environment(_OWN, TEMPLATES)
    environment.globals |= {"w": words, "word_for": word_for, "token_name": TOKEN}
    return environment


@cache
def _style() -> str:
    sheets = (TEMPLATES / "style.css", _OWN / "web.css")
    return "".join(sheet.read_text("utf-8") for sheet in sheets)
