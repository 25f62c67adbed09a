"""Forms of others, names of others, bodies without end: stopped before a handler sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.web.forms import FORM_BYTES
from portal.web.routes import PAGES
from tests.support.sharing.asking import OWNER
from tests.support.town import ENGLISH, FROM_OURS, OWN, URL, page_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.web.site import Page
    from tests.support.town import Town

_POSTS = [page for page in PAGES if page.method == "POST"]


@pytest.mark.parametrize("page", _POSTS, ids=page_name)
@pytest.mark.parametrize("token", ["none", "empty", "wrong", "of another login"])
def test_a_form_without_its_logins_token_is_refused(standing: Town, page: Page, token: str) -> None:
    """Whatever the page: it is refused before it is asked what it is about."""
    browser = standing.person(OWNER, "steward", "cdo")
    others = standing.person(OWNER, "requester").token()
    sent = {"none": None, "empty": "", "wrong": "0" * 64, "of another login": others}[token]
    fields = {"reason": "r"} if sent is None else {"reason": "r", "csrf": sent}
    answer = browser.client.post(page.path, data=fields, headers=FROM_OURS | ENGLISH)
    assert answer.status_code == 403
    assert "nothing was changed" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:8790"},  # another port: the same site, and cookies go there
        {"origin": "http://127.0.0.1"},
        {"origin": URL.upper()},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": URL, "sec-fetch-site": "none"},
    ],
    ids=str,
)
def test_a_form_of_another_origin_is_refused_whatever_its_token(
    town: Town, headers: dict[str, str]
) -> None:
    ask_id = town.asked("draft")
    sent = {"csrf": town.asker.token()}
    answer = town.asker.client.post(f"/requests/{ask_id}/submit", data=sent, headers=headers)
    assert answer.status_code == 403
    assert town.state_of(ask_id) == "draft"
    login = {"csrf": town.browser().token("/login"), "name": "x", "password": OWN}
    headers = headers | ENGLISH
    assert "another site" in town.browser().client.post("/login", data=login, headers=headers).text


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": URL}, {"origin": "null"}, {"origin": URL, "sec-fetch-site": "same-origin"}],
    ids=str,
)
def test_a_form_of_ours_is_taken_with_what_browsers_say(
    town: Town, headers: dict[str, str]
) -> None:
    ask_id = town.asked("draft")
    sent = {"csrf": town.asker.token()}
    answer = town.asker.client.post(f"/requests/{ask_id}/submit", data=sent, headers=headers)
    assert answer.status_code == 303
    assert town.state_of(ask_id) == "submitted"


@pytest.mark.parametrize("token", [None, "0" * 64])
def test_the_login_form_has_a_token_too(town: Town, token: str | None) -> None:
    name = town.account("li", "health", "steward")
    browser = town.browser()
    browser.get("/login")
    sent = {"name": name, "password": OWN, **({"csrf": token} if token else {})}
    assert browser.client.post("/login", data=sent, headers=FROM_OURS).status_code == 403
    stranger = town.browser()
    sent["csrf"] = browser.token("/login")  # a token without its cookie
    assert stranger.client.post("/login", data=sent, headers=FROM_OURS).status_code == 403
    assert browser.log_in(name).status_code == 303


@pytest.mark.parametrize(
    "path", ["/login", "/", "/catalogue", "/style.css", "/none", "/requests/R1999-0001"]
)
def test_every_answer_has_the_headers_that_keep_it_to_us(standing: Town, path: str) -> None:
    for browser in (standing.browser(), standing.person(OWNER, "cdo")):
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["evil.example", "localhost:8792", "127.0.0.1", ""])
def test_another_hosts_name_is_refused(standing: Town, host: str) -> None:
    answer = standing.person(OWNER, "cdo").get("/", host=host)
    assert answer.status_code == 421
    assert OWNER not in answer.text


def test_a_form_without_end_is_not_read(standing: Town) -> None:
    browser = standing.person(OWNER, "cdo")
    sent = {"csrf": browser.token(), "reason": "x" * FORM_BYTES}
    assert browser.client.post("/requests/text", data=sent, headers=FROM_OURS).status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(FORM_BYTES // 1000 + 2):
            yield b"a=" + b"x" * 1000 + b"&"

    kind = {"content-type": "application/x-www-form-urlencoded"}
    streamed = browser.client.post("/requests/text", content=chunks(), headers=FROM_OURS | kind)
    assert streamed.status_code == 413
    many = "&".join(f"f{i}=1" for i in range(3000))
    told = browser.client.post("/requests/text", content=many, headers=FROM_OURS | kind)
    assert told.status_code == 413


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("application/x-www-form-urlencoded", b"a=%ff"),
        ("application/x-www-form-urlencoded", b"a=\xff"),
    ],
)
def test_what_is_no_form_is_refused(standing: Town, kind: str, body: bytes) -> None:
    browser = standing.person(OWNER, "cdo")
    headers = FROM_OURS | {"content-type": kind}
    assert browser.client.post("/requests/text", content=body, headers=headers).status_code == 400


def test_a_long_head_is_refused(standing: Town) -> None:
    assert standing.browser().get("/login?" + "x" * 20_000).status_code == 431


@pytest.mark.parametrize(("method", "path"), [("PUT", "/requests"), ("POST", "/kpis")])
def test_another_method_is_refused(standing: Town, method: str, path: str) -> None:
    answer = standing.person(OWNER, "cdo").client.request(method, path, headers=FROM_OURS)
    assert answer.status_code == 405
