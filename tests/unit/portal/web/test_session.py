"""Logins by browser: one answer to every wrong one, new ids, ends that hold for copies too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.web.guard import BEFORE, SESSION
from sharing.accounts import accounts
from sharing.accounts.sessions import ABSOLUTE, FREE_TRIES, IDLE
from tests.support.sharing.asking import ASKER, person
from tests.support.town import FROM_OURS, OWN, QUICK, open_town

if TYPE_CHECKING:
    from sharing.control import Control
    from tests.support.town import Browser, Town

_SYS = person("gov_data", "sysadmin")
_SEC = person("gov_data", "secadmin")


def is_in(browser: Browser) -> bool:
    """Tell whether a browser's login opens the start page."""
    answer = browser.get("/")
    assert answer.status_code in {200, 303}
    return answer.status_code == 200


def copy_of(town: Town, browser: Browser) -> Browser:
    """Return another browser with the same session cookie, as a thief has it."""
    thief = town.browser()
    thief.client.cookies.set(SESSION, browser.session, domain="127.0.0.1", path="/")
    return thief


def test_every_wrong_login_has_the_same_answer(town: Town) -> None:
    town.account("li", "health", "steward")
    town.account("gone", "health")
    accounts.disable_account(town.control, _SYS, "gone", town.clock.at)
    tried = [("li", "typed-0"), ("nobody", "typed-1"), ("gone", OWN), ("", ""), ("x" * 99, OWN)]
    answers = [town.browser().log_in(*pair) for pair in tried]
    for _ in range(FREE_TRIES):
        town.browser().log_in("li", "wrong")
    answers.append(town.browser().log_in("li", OWN))  # right, and locked
    alerts = {a.text[a.text.index('<div class="alert"') : a.text.index("<form")] for a in answers}
    assert len(alerts) == 1
    assert {a.status_code for a in answers} == {403}
    assert not any(SESSION in a.headers.get("set-cookie", "") for a in answers)
    assert not any(password in a.text for _, password in tried if password for a in answers)


def test_the_id_is_new_at_login_whatever_the_browser_had(town: Town) -> None:
    town.account("li", "health", "steward")
    browser, planted = town.browser(), "planted-by-somebody-else"
    browser.client.cookies.set(SESSION, planted, domain="127.0.0.1", path="/")
    fixed = copy_of(town, browser)
    assert browser.log_in("li").status_code == 303
    assert browser.session not in {"", planted}
    assert is_in(browser)
    assert not is_in(fixed)
    assert browser.get("/login").headers["location"] == "/"


def test_logging_in_again_ends_the_login_before(town: Town) -> None:
    town.account("li", "health", "steward")
    browser = town.browser()
    page = browser.get("/login").text
    token = page.split('name="csrf" value="')[1].split('"')[0]
    before = browser.client.cookies[BEFORE]
    sent = {"csrf": token, "name": "li", "password": OWN}
    browser.client.post("/login", data=sent, headers=FROM_OURS)
    thief = copy_of(town, browser)
    browser.client.cookies.set(BEFORE, before, domain="127.0.0.1", path="/")
    browser.client.post("/login", data=sent, headers=FROM_OURS)
    assert is_in(browser)
    assert not is_in(thief)


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(town: Town) -> None:
    town.account("li", "health", "steward")
    browser = town.browser()
    for cookie in (browser.get("/login"), browser.log_in("li")):
        flags = cookie.headers["set-cookie"].lower()
        assert {"httponly", "samesite=strict", "path=/"} <= set(flags.split("; "))
        assert "secure" not in flags  # http on loopback: a browser would drop it


def test_over_tls_cookies_are_bound_to_the_host(control: Control) -> None:
    town = open_town(control, "https://share.city")
    town.account("li", "health", "steward")
    browser = town.browser()
    browser.get("/login")
    assert browser.log_in("li").status_code == 303
    assert f"__Host-{SESSION}" in browser.client.cookies
    assert is_in(browser)
    flags = browser.get("/login"), browser.post("/logout")
    assert "; secure" in flags[1].headers["set-cookie"].lower()


@pytest.mark.parametrize("name", ["idle", "absolute"])
def test_a_login_ends_by_itself(town: Town, name: str) -> None:
    browser = town.asker
    if name == "idle":
        town.clock.at += IDLE - IDLE / 100
        assert is_in(browser)
        town.clock.at += IDLE
    else:
        begun = town.clock.at
        while town.clock.at < begun + ABSOLUTE - IDLE / 2:
            assert is_in(browser)
            town.clock.at += IDLE / 2
        town.clock.at = begun + ABSOLUTE
    assert not is_in(browser)


def test_logout_ends_copies_of_the_cookie(town: Town) -> None:
    thief = copy_of(town, town.asker)
    assert is_in(thief)
    answer = town.asker.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert town.asker.session == ""
    assert not is_in(thief)


def test_a_one_time_password_opens_nothing_but_its_change(town: Town) -> None:
    issued = accounts.add_account(town.control, QUICK, _SYS, "new", ASKER, town.clock.at)
    accounts.set_roles(town.control, _SEC, "new", ["requester"], town.clock.at)
    browser = town.browser()
    assert browser.log_in("new", issued).headers["location"] == "/password"
    for path in ("/", "/catalogue", "/requests", "/requests/new?contract=emergency.heat_readiness"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/password")
    assert 'href="/catalogue"' not in browser.get("/password").text
    drafted = browser.post("/requests/text", text="{}")
    assert drafted.headers["location"] == "/password"
    first, thief = browser.session, copy_of(town, browser)
    done = browser.post("/password", old=issued, new=OWN, again=OWN)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert browser.session != first
    assert is_in(browser)
    assert thief.get("/password").headers["location"] == "/login"
    assert town.browser().log_in("new", issued).status_code == 403


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"old": "wrong", "new": OWN + "!", "again": OWN + "!"}, "present password is wrong"),
        ({"old": OWN, "new": "short", "again": "short"}, "at least 12"),
        ({"old": OWN, "new": OWN, "again": OWN}, "is the present one"),
        ({"old": OWN, "new": OWN + "!", "again": OWN + "?"}, "not twice the same"),
        ({"old": OWN}, "new: Field required"),
    ],
    ids=["wrong", "weak", "same", "slip", "lacking"],
)
def test_a_password_that_cannot_be_is_refused_in_words(
    town: Town, sent: dict[str, str], words: str
) -> None:
    before = town.asker.session
    answer = town.asker.in_english().post("/password", sent)
    assert answer.status_code in {400, 403}
    assert words in answer.text
    assert OWN not in answer.text
    assert town.asker.session == before
    assert is_in(town.asker)


@pytest.mark.parametrize("how", ["disabled", "other roles"])
def test_what_administrators_do_holds_at_once(town: Town, how: str) -> None:
    browser, name = town.asker, f"{ASKER}.requester.cdo"
    assert is_in(browser)
    if how == "disabled":
        accounts.disable_account(town.control, _SYS, name, town.clock.at)
    else:
        accounts.set_roles(town.control, _SEC, name, ["steward"], town.clock.at)
    assert not is_in(browser)
