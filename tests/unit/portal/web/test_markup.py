"""Each page as a reader without eyes, a phone or a strict browser takes it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

import pytest

from portal.web.language import LANGUAGES
from portal.web.routes import PAGES
from sharing.people import GIVEN_ROLES
from sharing.requests.corrections import Fault, ask_correction
from tests.support.sharing.asking import OWNER, asked
from tests.support.town import SOMEBODY

if TYPE_CHECKING:
    from contracts.words import Language
    from tests.support.town import Town

_VOID: Final = frozenset({"meta", "link", "input", "br", "rect"})
#: Every page that is read; ``shown`` puts something for each name in braces.
PATHS: Final = ["/login", *(page.path for page in PAGES if page.method == "GET")]


class Page(HTMLParser):
    """What a page is made of; an end tag that closes another element is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, self.getpos()

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


def shown(town: Town, path: str, language: Language = "zh") -> list[str]:
    """Return a page in a language, as each role that may see it sees it."""
    ask_id = town.asked("delivered", asked(body=OWNER, recipient=OWNER))
    fault = Fault("emergency.heat_readiness", OWNER, "错")
    ask_correction(town.control, town.tree, ask_id, fault, SOMEBODY, town.clock.at)
    path = path.replace("{ask_id}", ask_id).replace("{contract}", "health.disease_case")
    path = path.replace("/requests/new", "/requests/new?contract=civil.elder_service")
    asking = {"accept-language": language}
    if path == "/login":
        return [town.browser().get(path, **asking).text]
    answers = [town.person(OWNER, role).get(path, **asking) for role in GIVEN_ROLES]
    return [a.text for a in answers if a.status_code == 200]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PATHS)
def test_a_page_can_be_read_by_everyone(standing: Town, path: str, language: Language) -> None:
    pages = [Page(text) for text in shown(standing, path, language)]
    assert pages
    for page in pages:
        assert page.all("html") == [{"lang": {"zh": "zh-CN", "en": "en"}[language]}]
        assert len(page.all("h1")) == 1
        assert len(page.all("main")) == 1
        assert [m for m in page.all("meta") if m.get("name") == "viewport"]
        assert all("scope" in th for th in page.all("th"))
        ids = [a["id"] for _, a in page.tags if "id" in a]
        assert len(ids) == len(set(ids)), ids
        labelled = {label.get("for") for label in page.all("label")}
        for control in page.all("input", "select", "textarea"):
            is_ticked = control.get("type") in {"hidden", "checkbox"}  # a tick is in its label
            assert is_ticked or control.get("id") in labelled, control
        for attributes in page.all("nav", "section"):
            assert {"aria-label", "aria-labelledby"} & set(attributes)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_needs_no_script_and_every_form_has_its_token(standing: Town, path: str) -> None:
    for page in map(Page, shown(standing, path)):
        assert not page.all("script", "style", "iframe", "img", "object")
        assert not [a for _, a in page.tags if "style" in a or any(n.startswith("on") for n in a)]
        assert page.all("link") == [{"rel": "stylesheet", "href": "/style.css"}]
        links = [a["href"] or "" for a in page.all("a")]
        assert all(link.startswith(("/", "#")) and "//" not in link for link in links)
        posting = [f for f in page.all("form") if f.get("method") == "post"]
        tokens = [i for i in page.all("input") if i.get("name") == "csrf" and i.get("value")]
        assert len(tokens) == len(posting)


def test_the_style_sheet_asks_nothing_of_others(standing: Town) -> None:
    answer = standing.browser().get("/style.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert "url(" not in answer.text
    assert "@import" not in answer.text
