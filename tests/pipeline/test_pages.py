"""Every page over a finished lake, as people open it: each role, in Chromium, and every link."""

from __future__ import annotations

import logging
import shutil
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from contracts.layout import ROOT, Home
from contracts.moment import utc_now
from jobs.verify.lake import Lake
from jobs.verify.rows import conserved
from portal.serve import make_server
from portal.site import build_site
from portal.web.app import build_web
from portal.web.guard import SESSION
from portal.web.language import CHOICE, LANGUAGES
from portal.web.routes import PAGES
from portal.web.serving import PORTAL
from portal.web.site import LOGIN
from sharing.control import Control
from sharing.people import GIVEN_ROLES, permissions
from sharing.requests import flow, seeds
from sharing.requests.tables import read_asks
from sharing.serving import build_server
from tests.conftest import DAYS, TREE
from tests.support.browser import Chromium, running_chromium
from tests.support.town import QUICK, Clock, Town

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portal.web.site import Page
    from sharing.people import Role
    from tests.conftest import City

#: A phone and a desk (px).
WIDTHS: Final = (390, 1280)
#: Pages that are the same for every role: one of them opens each.
_ALIKE: Final = ("/catalogue/", "/requests/new?")
_READ: Final = [page for page in PAGES if page.method == "GET"]


class Links(HTMLParser):
    """The addresses that a page leads to, and the places in it that have a name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids |= {values["id"] or ""} if "id" in values else set()
        if tag == "a":
            self.found.add(values.get("href") or "")
        if tag == "form" and values.get("method") == "get":
            self.found.add(values.get("action") or "")


class Answer(Protocol):
    """What any client gets."""

    @property
    def status_code(self) -> int: ...

    @property
    def text(self) -> str: ...


@dataclass
class Walk:
    """Every page that links lead to from the first ones; ``broken`` names the link and why."""

    get: Callable[[str], Answer]
    opened: set[str] = field(default_factory=set)
    """Pages that others opened before."""
    pages: dict[str, Links] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def follow(self, *starts: str) -> Walk:
        todo = [("", start) for start in starts]
        while todo:
            source, address = todo.pop()
            path, _, fragment = address.partition("#")
            if path in self.opened and path.startswith(_ALIKE):
                continue
            if path not in self.pages:
                self.opened.add(path)
                answer = self.get(path)
                self.pages[path] = Links(answer.text)
                if answer.status_code != httpx.codes.OK:
                    self.broken.append(f"{source} → {path}: {answer.status_code}")
                links = self.pages[path].found
                todo += [(path, urljoin(path, link)) for link in links if is_ours(link)]
            if fragment and fragment not in self.pages[path].ids:
                self.broken.append(f"{source} → {address}: no such place")
        return self


def is_ours(link: str) -> bool:
    """Tell whether a link leads to a page of ours; the switch of language leads back to its own."""
    parts = urlsplit(link)
    return not parts.scheme and not parts.path.startswith("/language/")


@dataclass(frozen=True)
class Portal:
    """The city's portal: its people, where it listens, and a request that is under way."""

    town: Town
    url: str
    contract: str
    ask_id: str
    asker: str
    opened: set[str]

    def path(self, page: Page) -> str:
        """Return the address of a page with something on it."""
        path = page.path.replace("{contract}", self.contract).replace("{ask_id}", self.ask_id)
        return f"{path}?contract={self.contract}" if path == "/requests/new" else path


@contextmanager
def served(control: Control) -> Iterator[str]:
    """Serve the portal of some control data; return its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        server = build_server(PORTAL, control, port)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def home(city: City, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The session's city, with its pages."""
    home = Home(tmp_path_factory.mktemp("pages") / "home")
    shutil.copytree(city.home.root, home.root)
    build_site(home)
    return home


@pytest.fixture(scope="module")
def portal(home: Home) -> Iterator[Portal]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JINGSHU_CONTRACTS", str(ROOT / "contracts"))
        for name in ("JINGSHU_CONTROL_URL", "JINGSHU_WEB_PORT", "JINGSHU_WEB_URL"):
            patch.delenv(name, raising=False)
        with Control(home) as control, served(control) as url:
            seeds.seed(control, TREE, utc_now())
            flow.sweep(control, TREE, utc_now())
            with control.read() as session:
                ask = read_asks(session)[0]
            app = build_web(control, url, passwords=QUICK)
            town = Town(control, Clock(utc_now()), app, url)
            yield Portal(town, url, "emergency.dispatch", ask.id, ask.asked.body, set())


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with running_chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.mark.parametrize("role", GIVEN_ROLES)
def test_every_page_opens_for_those_whom_the_table_lets_in(
    portal: Portal, chromium: Chromium, role: Role, caplog: pytest.LogCaptureFixture
) -> None:
    person = portal.town.person(portal.asker, role)
    for page in _READ:
        path = portal.path(page)
        if page.needs != LOGIN and role not in permissions()[page.needs]:
            assert person.get(path).status_code == httpx.codes.FORBIDDEN, path
            continue
        for language in LANGUAGES:
            chromium.become(portal.url, {SESSION: person.session, CHOICE: language})
            seen = chromium.look_at(portal.url + path, *WIDTHS)
            assert (seen.status, seen.complaints, seen.too_wide) == (200, (), {}), (path, language)
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("role", GIVEN_ROLES)
def test_every_link_of_the_portal_leads_somewhere(
    portal: Portal, role: Role, caplog: pytest.LogCaptureFixture
) -> None:
    walk = Walk(portal.town.person(portal.asker, role).get, portal.opened).follow("/")
    assert walk.broken == []
    assert {"/", "/catalogue", "/password"} <= set(walk.pages)
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


def test_what_is_simulated_says_so_on_the_portals_pages(portal: Portal) -> None:
    cdo = portal.town.person(portal.asker, "cdo")
    for path in ("/catalogue", f"/catalogue/{portal.contract}"):
        assert "模拟数据" in cdo.get(path).text, path


def test_who_is_not_logged_in_sees_the_login(portal: Portal, chromium: Chromium) -> None:
    for language in LANGUAGES:
        chromium.become(portal.url, {CHOICE: language})
        seen = chromium.look_at(f"{portal.url}/", *WIDTHS)
        assert (seen.status, seen.complaints, seen.too_wide) == (200, (), {}), language


def test_every_page_of_the_site_opens_and_every_link_leads_somewhere(
    home: Home, chromium: Chromium
) -> None:
    with make_server(home.site, 0) as server, httpx.Client() as client:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}"
        try:
            walk = Walk(lambda path: client.get(url + path)).follow("/", "/index.html")
            assert walk.broken == []
            written = (file for file in home.site.rglob("*") if file.is_file())
            files = {f"/{file.relative_to(home.site).as_posix()}" for file in written}
            assert set(walk.pages) == {"/", *files}
            assert {f"{folder}/{day}.html" for day in DAYS for folder in ("", "/en")} <= files
            for path in sorted(files):
                seen = chromium.look_at(url + path, *WIDTHS)
                assert (seen.status, seen.complaints, seen.too_wide) == (200, (), {}), path
        finally:
            server.shutdown()


def test_the_pages_say_that_rows_balance_as_verify_does(home: Home) -> None:
    assert [finding for _, finding in conserved(Lake(home, TREE)) if finding is not None] == []
    for day in DAYS:
        assert "对不上" not in (home.site / f"{day}.html").read_text("utf-8"), day
        twin = (home.site / "en" / f"{day}.html").read_text("utf-8")
        assert "does not balance" not in twin, day
