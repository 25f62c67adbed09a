"""A town with accounts of every kind, its web application, and browsers that click in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.testclient import TestClient

from contracts.layout import ROOT, Home
from contracts.loading import load_tree
from portal.web.app import build_web
from portal.web.guard import SESSION
from sharing.accounts import accounts
from sharing.accounts.passwords import Passwords
from sharing.people import ROLES, Actor
from sharing.requests import flow
from sharing.requests.states import TRANSITIONS
from sharing.requests.tables import read_ask
from tests.support.sharing.asking import ASKER, MONDAY, OWNER, asked
from tests.support.sharing.served import districts, write_shared

if TYPE_CHECKING:
    from httpx2 import Response
    from starlette.types import ASGIApp

    from contracts.tree import Tree
    from portal.web.site import Page
    from sharing.control import Control
    from sharing.people import Role
    from sharing.requests.asked import Asked
    from sharing.requests.states import Action, State

URL: Final = "http://127.0.0.1:8792"
OWN: Final = "一句别人猜不到的话 and so on"
QUICK: Final = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
#: What browsers send with a form of ours: our pages tell them to send no referrer.
FROM_OURS: Final = {"origin": "null", "sec-fetch-site": "same-origin"}
ENGLISH: Final = {"accept-language": "en"}
_TOKEN: Final = re.compile(r'name="csrf" value="([^"]*)"')
#: Somebody of the owner's who may do what any of its people and the machine may.
SOMEBODY: Final = Actor("somebody", OWNER, frozenset(ROLES))
#: A way from a draft to each state of a policy's request.
WAYS: Final[dict[State, tuple[Action, ...]]] = {
    "draft": (),
    "submitted": ("submit",),
    "supplement": ("submit", "ask_supplement"),
    "accepted": ("submit", "accept"),
    "agreed": ("submit", "accept", "agree"),
    "refused": ("submit", "accept", "refuse"),
    "delivered": ("submit", "accept", "agree", "deliver"),
    "in_use": ("submit", "accept", "agree", "deliver", "note_first_read"),
    "suspended": ("submit", "accept", "agree", "deliver", "suspend"),
    "closed": ("submit", "accept", "agree", "deliver", "close"),
}


@dataclass
class Clock:
    """The time, which stands still unless it is moved."""

    at: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Browser:
    """A browser with its own cookies; it follows no redirect by itself."""

    client: TestClient
    #: What it asks for in every request, besides what a test says.
    headers: dict[str, str] = field(default_factory=dict)
    #: The token on the pages of a login, which stays the same as long as it does.
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def session(self) -> str:
        """The login's secret, as a thief would copy it."""
        return self.client.cookies.get(SESSION) or ""

    def in_english(self) -> Browser:
        """Return this browser, logged in as it is, with pages in English asked for."""
        return replace(self, headers=ENGLISH)

    def get(self, path: str, **headers: str) -> Response:
        return self.client.get(path, headers=self.headers | headers)

    def token(self, path: str = "/password") -> str:
        found = _TOKEN.search(self.get(path).text)
        return found[1] if found else ""

    def post(self, path: str, fields: dict[str, Any] | None = None, **more: Any) -> Response:
        """Send a form as a page of ours would, with its token unless ``csrf`` gives another."""
        if self.session not in self._tokens:
            self._tokens[self.session] = self.token()
        sent = {"csrf": self._tokens[self.session], **(fields or {}), **more}
        return self.client.post(path, data=sent, headers=FROM_OURS | self.headers)

    def log_in(self, name: str, password: str = OWN) -> Response:
        sent = {"csrf": self.token("/login"), "name": name, "password": password}
        return self.client.post("/login", data=sent, headers=FROM_OURS | self.headers)


@dataclass
class Town:
    """The application over a home of its own."""

    control: Control
    clock: Clock
    app: ASGIApp
    url: str = URL
    _browsers: dict[str, Browser] = field(default_factory=dict)

    @property
    def tree(self) -> Tree:
        return load_tree(ROOT / "contracts")

    @property
    def starlette(self) -> Starlette:
        """The application behind its guards."""
        app: Any = self.app
        while not isinstance(app, Starlette):
            app = app._app
        return app

    def browser(self) -> Browser:
        return Browser(TestClient(self.app, base_url=self.url, follow_redirects=False))

    def account(self, name: str, body: str, *roles: Role) -> str:
        """Make an account that chose its own password, as its administrators do."""
        at = self.clock.at
        sysadmin = Actor("sys", "gov_data", frozenset({"sysadmin"}))
        secadmin = Actor("sec", "gov_data", frozenset({"secadmin"}))
        issued = accounts.add_account(self.control, QUICK, sysadmin, name, body, at)
        accounts.set_roles(self.control, secadmin, name, roles, at)
        accounts.change_password(self.control, QUICK, name, issued, OWN, at)
        return name

    def person(self, body: str, *roles: Role) -> Browser:
        """Return the browser of somebody who is logged in; made at the first call."""
        name = ".".join((body, *roles))
        if name not in self._browsers:
            self.account(name, body, *roles)
            browser = self.browser()
            assert browser.log_in(name).status_code == 303
            self._browsers[name] = browser
        return self._browsers[name]

    def fresh_name(self, kind: str) -> str:
        """Return an account name that nobody has."""
        return f"{kind}.{len(accounts.list_accounts(self.control))}"

    def asked(self, state: State = "draft", what: Asked | None = None) -> str:
        """Return the id of a new request in a state, brought there by somebody who may all."""
        what = what or asked()
        asker = replace(SOMEBODY, body=what.body)
        ask_id = flow.draft(self.control, self.tree, what, asker, self.clock.at)
        for action in WAYS[state]:
            actor = asker if action in {"submit", "close"} else SOMEBODY
            said = dict.fromkeys(TRANSITIONS[action].needs, "…")
            said |= {"legal_basis": "政务数据共享条例 第十四条"} if "legal_basis" in said else {}
            flow.act(
                self.control, self.tree, ask_id, action, actor, self.clock.at, flow.Statement(said)
            )
        return ask_id

    def state_of(self, ask_id: str) -> State:
        with self.control.read() as session:
            return read_ask(session, ask_id).state

    @property
    def asker(self) -> Browser:
        return self.person(ASKER, "requester", "cdo")

    @property
    def owner(self) -> Browser:
        return self.person(OWNER, "steward", "cdo")


def open_town(control: Control, url: str = URL) -> Town:
    clock = Clock()
    return Town(control, clock, build_web(control, url, passwords=QUICK, now=clock), url)


def a_home(root: Home) -> Home:
    write_shared(root, "heat_readiness__demo", districts(("110101", "110101001", 30)))
    return root


def page_name(page: Page) -> str:
    """Return what a test of a page is called."""
    return f"{page.method}{page.path}"
