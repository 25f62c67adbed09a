"""Accounts and roles: what one administrator makes, the other empowers (三员分立)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.errors import JingshuError
from portal.web.forms import AccountForm
from portal.web.pages import go, refuse, render
from sharing.accounts import accounts
from sharing.people import GIVEN_ROLES

if TYPE_CHECKING:
    from starlette.responses import Response

    from portal.web.site import Visit


def accounts_page(visit: Visit) -> Response:
    """List every account, and offer to make one."""
    return render(visit, "accounts.html", **_accounts(visit))


def add(visit: Visit) -> Response:
    """Make an account without roles; its one-time password is on this answer only."""
    web = visit.web
    try:
        form = AccountForm.read(visit.fields)
        password = accounts.add_account(
            web.control, web.passwords, visit.actor, form.name.strip(), form.body.strip(), visit.at
        )
    except JingshuError as wrong:
        return refuse(visit, "accounts.html", wrong, **_accounts(visit))
    return _issued(visit, form.name.strip(), password)


def reset(visit: Visit) -> Response:
    """Give an account a one-time password; its lock and its logins end."""
    web, name = visit.web, visit.path("name")
    try:
        password = accounts.reset_password(web.control, web.passwords, visit.actor, name, visit.at)
    except JingshuError as wrong:
        return refuse(visit, "accounts.html", wrong, **_accounts(visit))
    return _issued(visit, name, password)


def disable(visit: Visit) -> Response:
    """Let nobody log in with an account any more, at once."""
    try:
        accounts.disable_account(visit.web.control, visit.actor, visit.path("name"), visit.at)
    except JingshuError as wrong:
        return refuse(visit, "accounts.html", wrong, **_accounts(visit))
    return go("/accounts")


def roles_page(visit: Visit) -> Response:
    """List every account with the roles it may be given."""
    return render(visit, "roles.html", **_roles(visit))


def give_roles(visit: Visit) -> Response:
    """Give an account exactly the roles that were ticked; it is logged out."""
    name, wanted = visit.path("name"), visit.fields.every("roles")
    try:
        accounts.set_roles(visit.web.control, visit.actor, name, wanted, visit.at)
    except JingshuError as wrong:
        return refuse(visit, "roles.html", wrong, **_roles(visit))
    return go("/roles")


def _issued(visit: Visit, name: str, password: str) -> Response:
    return render(visit, "issued.html", name=name, password=password)


def _accounts(visit: Visit) -> dict[str, Any]:
    found = accounts.list_accounts(visit.web.control)
    return {"accounts": found, "at": visit.at, "typed": visit.fields}


def _roles(visit: Visit) -> dict[str, Any]:
    found = [a for a in accounts.list_accounts(visit.web.control) if a.disabled_at is None]
    return {"accounts": found, "roles": GIVEN_ROLES}
