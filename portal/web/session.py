"""Logging in and out, and choosing an own password: each ends with a new secret in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.errors import JingshuError, UsageError
from contracts.words import Words
from portal.web.forms import Fields, LoginForm, PasswordForm
from portal.web.guard import (
    BEFORE,
    SESSION,
    check_token,
    forget,
    keep,
    new_secret,
    secret_of,
)
from portal.web.pages import go, refuse, render
from portal.web.site import Guest, Visit
from sharing.accounts.accounts import change_password
from sharing.accounts.sessions import LoginRefusedError, log_in, log_out, token_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from sharing.accounts.sessions import OpenSession

START = "/"
LOGIN_PATH = "/login"
PASSWORD_PATH = "/password"  # noqa: S105 - a path


def login_page(guest: Guest) -> Response:
    """Show the form that asks for name and password; who is logged in goes on."""
    if isinstance(guest, Visit):
        return go(START)
    return _login_page(guest, None)


def login(guest: Guest) -> Response:
    """Open a session under a new id; whatever was wrong, the answer is the same."""
    check_token(guest.fields, secret_of(guest.web, guest.request, BEFORE))
    web = guest.web
    try:
        form = _read_login(guest.fields)
        opened = log_in(
            web.control,
            web.passwords,
            form.name.strip(),
            form.password,
            guest.at,
            instead_of=secret_of(web, guest.request, SESSION) or None,
            address=guest.request.client.host if guest.request.client else "",
        )
    except LoginRefusedError as refused:
        return _login_page(guest, refused)
    return _entered(guest, opened)


def logout(visit: Visit) -> Response:
    """End the login on the server: a copy of its cookie opens nothing any more."""
    log_out(visit.web.control, visit.login, visit.at)
    return _left(visit)


def password_page(visit: Visit) -> Response:
    """Show the form that changes one's own password."""
    return render(visit, "password.html")


def password(visit: Visit) -> Response:
    """Change one's own password: every login with the old one ends, this one gets a new id."""
    web, name = visit.web, visit.actor.name
    try:
        form = PasswordForm.read(visit.fields)
        if form.new != form.again:
            raise UsageError(
                Words("两次输入的新口令不同。", "The new password is not twice the same."),
                Words("请重新输入。", "Type it again."),
            )
        change_password(web.control, web.passwords, name, form.old, form.new, visit.at)
    except JingshuError as wrong:
        return refuse(visit, "password.html", wrong)
    try:
        opened = log_in(web.control, web.passwords, name, form.new, visit.at)
    except LoginRefusedError:  # somebody who guesses has the account locked
        return _left(visit)
    return _entered(visit, opened)


def _read_login(fields: Fields) -> LoginForm:
    return LoginForm(name=fields.one("name"), password=fields.one("password"))


def _login_page(guest: Guest, refused: LoginRefusedError | None) -> Response:
    secret = secret_of(guest.web, guest.request, BEFORE) or new_secret()
    found = {"token": token_of(secret), "error": refused, "name": guest.fields.one("name")}
    answer = render(guest, "login.html", status=403 if refused else 200, **found)
    keep(guest.web, answer, BEFORE, secret)
    return answer


def _entered(guest: Guest, opened: OpenSession) -> Response:
    answer = go(PASSWORD_PATH if opened.account.must_change else START)
    keep(guest.web, answer, SESSION, opened.id)
    forget(guest.web, answer, BEFORE)
    return answer


def _left(visit: Visit) -> Response:
    answer = go(LOGIN_PATH)
    forget(visit.web, answer, SESSION)
    return answer
