"""Every role at every page: let in or refused just as permissions.csv says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from portal.web.routes import MENU, OPEN_PAGES, PAGES
from portal.web.site import LOGIN, Page
from sharing.people import GIVEN_ROLES, permissions
from sharing.requests import flow
from sharing.requests.corrections import Fault, ask_correction
from sharing.requests.states import TRANSITIONS
from tests.support.sharing.asking import BEFORE, OWNER, asked
from tests.support.town import FROM_OURS, OWN, SOMEBODY, WAYS, Town, page_name

if TYPE_CHECKING:
    from starlette.routing import Route

    from sharing.people import Role
    from sharing.requests.states import State
    from tests.support.town import Browser

_TEXT: Final = """\
{title: t, recipient: emergency, body: emergency, purpose: p, legal_basis: l, scenario: s, scope: s,
 until: 2026-09-30, sources: [{contract: emergency.heat_readiness, policy: demo}]}
"""
#: Something right for every field of every form: what a form does not have is passed over.
_FIELDS: Final[dict[str, Any]] = {
    **{name: "x" for transition in TRANSITIONS.values() for name in transition.needs},
    "legal_basis": "政务数据共享条例 第十四条",
    "pia_id": "P-1",
    "scenario": "s",
    "process": "p",
    "effect": "e",
    "storage": "s",
    "said": "错",
    "source": "emergency.heat_readiness/emergency",
    "answer": "corrected",
    "title": "t",
    "recipient": "emergency",
    "purpose": "p",
    "scope": "s",
    "mode": "api",
    "until": "2026-09-30",
    "contract": "emergency.heat_readiness",
    "policy": "demo",
    "text": _TEXT,
    "body": "health",
    "roles": "requester",
    "old": OWN,
    "new": OWN + "!",
    "again": OWN + "!",
}
#: Its asker is its provider: a role of that body has there all that it may.
_OWN_ASK: Final = asked(body=OWNER, recipient=OWNER)


def test_every_page_is_in_the_table(standing: Town) -> None:
    routes: list[Route] = standing.starlette.routes  # type: ignore[assignment]  # there are no others
    served = {(method, r.path) for r in routes for method in r.methods or () if method != "HEAD"}
    table = [(p.method, p.path) for p in PAGES] + [(p.method, p.path) for p in OPEN_PAGES]
    assert served == set(table)
    assert len(served) == len(table)


def test_every_page_says_what_it_needs() -> None:
    assert {p.needs for p in PAGES} <= {LOGIN, *permissions()}
    asking_nothing = {p.path for p in PAGES if p.needs == LOGIN}
    assert asking_nothing == {"/", "/logout", "/password", "/catalogue", "/catalogue/{contract}"}
    assert {p.path for p in OPEN_PAGES} == {"/login", "/style.css", "/language/{language}"}
    assert {t.permission for t in TRANSITIONS.values()} <= {p.needs for p in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=page_name)
@pytest.mark.parametrize("role", GIVEN_ROLES)
def test_a_role_is_let_in_where_the_table_says_so(standing: Town, page: Page, role: Role) -> None:
    reach = None if page.needs == LOGIN else permissions()[page.needs].get(role)
    ends = page.method == "POST" and page.path in {"/logout", "/password"}
    browser = (_leaving(standing, role) if ends else standing.person(OWNER, role)).in_english()
    path = _path(standing, page, is_let_in=page.needs == LOGIN or reach is not None)
    if page.method == "GET":
        answer = browser.get(path)
    else:
        answer = browser.post(path, _FIELDS, name=standing.fresh_name("made"))
    if page.needs == LOGIN or reach is not None:
        assert answer.status_code in {200, 303}, answer.text
    else:
        assert answer.status_code == 403
        assert "None of your roles" in answer.text


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_nobody_is_let_in_without_a_login(standing: Town, page: Page) -> None:
    path = page.path.replace("{ask_id}", "R2026-0001").replace("{contract}", "x")
    answer = standing.browser().client.request(
        page.method, path, headers=FROM_OURS, data={"a": "b"}
    )
    if page.method == "GET":
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize("role", GIVEN_ROLES)
def test_the_menu_leads_nowhere_that_is_closed(standing: Town, role: Role) -> None:
    browser = standing.person(OWNER, role)
    shown = browser.get("/").text
    for page in MENU:
        is_open = browser.get(page.path).status_code == 200
        assert (f'<li><a href="{page.path}"' in shown) == is_open


def _leaving(town: Town, role: Role) -> Browser:
    """Return a browser whose login may end with the test."""
    name = town.account(town.fresh_name(role), OWNER, role)
    browser = town.browser()
    browser.log_in(name)
    return browser


def _path(town: Town, page: Page, *, is_let_in: bool) -> str:
    """Return the page's address, with something it can be done to."""
    path = page.path
    if not is_let_in:
        return path.replace("{ask_id}", "R2026-0001")
    if "{ask_id}" in path:
        action = path.rpartition("/")[2]
        state: State = "delivered"
        if action in TRANSITIONS:
            state = next(s for s in TRANSITIONS[action].sources if s in WAYS)
        ask_id = town.asked(state, _OWN_ASK)
        for earlier in BEFORE.get(action, ()):
            said = dict.fromkeys(TRANSITIONS[earlier].needs, "…")
            flow.act(
                town.control,
                town.tree,
                ask_id,
                earlier,
                SOMEBODY,
                town.clock.at,
                flow.Statement(said),
            )
        path = path.replace("{ask_id}", ask_id)
    if "{issue_id}" in path:
        ask_id = town.asked("delivered", _OWN_ASK)
        issue = ask_correction(
            town.control, town.tree, ask_id, Fault("emergency.heat_readiness", OWNER, "错"),
            SOMEBODY, town.clock.at,
        )  # fmt: skip
        path = path.replace("{issue_id}", issue)
    if "{name}" in path:
        path = path.replace("{name}", town.account(town.fresh_name("target"), OWNER))
    if path == "/requests/new" and page.method == "GET":
        path += "?contract=emergency.heat_readiness"
    return path.replace("{contract}", "emergency.heat_readiness")
