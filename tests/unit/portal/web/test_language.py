"""Each reader's language: chosen by a link, asked for by the browser, or Chinese; never both."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest

from contracts.words import Words
from portal.web.language import CHOICE, LANGUAGES, check_own, preferred
from portal.web.session import LOGIN_PATH
from sharing.kpis import rates
from sharing.notices import outbox
from sharing.notices.notice import Notice
from tests.support.languages import foreign, strings_of
from tests.support.sharing.asking import OWNER, POLICY
from tests.support.town import SOMEBODY, open_town

from .test_markup import PATHS, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.words import Language
    from sharing.control import Control
    from tests.support.town import Town

_SWITCH: Final = re.compile(r'href="(/language/[^"]*)"')
_CHINESE: Final = re.compile(r"[一-鿿]")
_CHOSEN: Final = {"zh": "<strong>中文</strong>", "en": "<strong>English</strong>"}


def switch(page: str) -> str:
    """Return the one link by which a page changes its language."""
    (found,) = _SWITCH.findall(page)
    return unescape(found)


def is_in(page: str, language: Language) -> bool:
    return f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in page


def names(town: Town) -> Iterator[str]:
    """Yield what a page may quote: names, codes, and what the contracts and these tests say."""
    for contract in (*town.tree.sources.values(), *town.tree.products.values()):
        yield from filter(_CHINESE.search, strings_of(contract.model_dump(exclude={"written"})))
        yield from (contract.id, contract.domain, contract.dataset)
        yield from (column.name for column in contract.columns)
        yield from (p.name for p in (contract.product.policies if contract.product else ()))
    for provider in town.tree.providers.values():
        yield from (provider.id, provider.name)
    yield from strings_of(POLICY)
    yield from ("政务数据共享条例 第十四条", "错", SOMEBODY.name, "test", "testclient")
    yield from ("sys", "sec", "body", "roles", "none", "jingshu", "med_ins", OWNER)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("EN-gb", "en"),
        ("zh", "zh"),
        ("zh-Hans-CN", "zh"),
        ("de", "zh"),
        ("de, en;q=0.1", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("en;q=0.5, zh;q=0.6", "zh"),
        ("en;q=0.6 , zh ; q=0.5", "en"),
        ("en, zh", "en"),
        ("zh, en", "zh"),
        ("zh;q=0, *", "en"),
        ("en;q=0", "zh"),
        ("en;q=0, *", "zh"),
        ("*", "zh"),
        ("*;q=0", "zh"),
        ("de;q=1, *;q=0.5", "zh"),
        ("en;q=1.000, zh;q=0.999", "en"),
        ("en;q=2, zh;q=0.1", "zh"),
        ("en;q=nan, zh;q=0.1", "zh"),
        ("en;q=-1", "zh"),
        ("en;q=", "zh"),
        ("english", "zh"),
        (",,;q=1,;,en", "en"),
        ("en;level=1", "zh"),
    ],
)
def test_a_browser_asks_for_what_it_likes_best(header: str, language: Language) -> None:
    assert preferred(header) == language


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PATHS)
def test_a_page_says_one_language(standing: Town, path: str, language: Language) -> None:
    subject = Words("迟交。", "It is late.").stored()
    outbox.put(
        standing.control,
        [Notice("late", f"{path} {language}", OWNER, "", subject, subject)],
        standing.clock.at,
    )
    glued = {name for name in rates.WORDS.values() if isinstance(name, str)}
    known = {*names(standing), *glued}
    pages = shown(standing, path, language)
    assert pages
    for page in pages:
        assert is_in(page, language)
        assert foreign(page, language, known) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_refusals_say_one_language(town: Town, language: Language) -> None:
    asking = {"accept-language": language}
    person = town.person(OWNER, "requester")
    answers = [person.get(path, **asking) for path in ("/none", "/audit", "/requests/R1999-0001")]
    answers.append(person.client.post("/logout", data={"a": "b"}, headers=asking))
    answers.append(person.client.post("/requests/text", content=b"\xff", headers=asking))
    answers.append(town.browser().client.post("/password", data={"a": "b"}, headers=asking))
    for answer in answers:
        assert answer.status_code in {400, 403, 404}
        assert 'class="alert"' in answer.text
        assert switch(answer.text).endswith("?back=%2F"), "nothing says what was asked for"
        assert is_in(answer.text, language)
        known = {"application/x-www-form-urlencoded", "requester", OWNER}
        assert foreign(answer.text, language, known) == []


@pytest.mark.parametrize("path", [LOGIN_PATH, "/", "/catalogue?q=%E9%AB%98&level=L2"])
def test_the_switch_changes_the_language_and_comes_back(town: Town, path: str) -> None:
    browser = town.browser() if path == LOGIN_PATH else town.owner
    page = browser.get(path).text
    assert is_in(page, "zh")
    assert _CHOSEN["zh"] in page
    changed = browser.get(switch(page))
    assert (changed.status_code, changed.headers["location"]) == (303, path)
    page = browser.get(path, **{"accept-language": "zh"}).text
    assert is_in(page, "en"), "what was chosen goes before what the browser asks for"
    assert _CHOSEN["en"] in page
    browser.get(switch(page))
    assert is_in(browser.get(path, **{"accept-language": "en"}).text, "zh")


def test_the_choice_outlives_the_login_and_no_script_reads_it(town: Town) -> None:
    owner = town.owner
    flags = owner.get("/language/en?back=/").headers["set-cookie"].lower()
    assert {f"{CHOICE}=en", "httponly", "samesite=lax", "path=/"} <= set(flags.split("; "))
    assert "secure" not in flags
    owner.post("/logout")
    assert is_in(owner.get(LOGIN_PATH).text, "en")


def test_over_tls_the_choice_is_bound_to_the_host(control: Control) -> None:
    browser = open_town(control, "https://share.city").browser()
    flags = browser.get("/language/en").headers["set-cookie"]
    assert flags.startswith(f"__Host-{CHOICE}=en;")
    assert "; secure" in flags.lower()
    assert is_in(browser.get(LOGIN_PATH).text, "en")


@pytest.mark.parametrize("kept", ["fr", "", "ZH", "en; zh", "<b>"])
def test_a_cookie_that_names_no_language_of_ours_is_passed_over(standing: Town, kept: str) -> None:
    asking = {"cookie": f"{CHOICE}={kept}", "accept-language": "en"}
    page = standing.browser().client.get(LOGIN_PATH, headers=asking).text
    assert is_in(page, "en")
    assert is_in(standing.browser().get(LOGIN_PATH, cookie=f"{CHOICE}=<b>").text, "zh")


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "\t//evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
        "?x",
        "#x",
        "/a\r\nset-cookie: a=b",
        "/\x7f/evil.example",
        "/高温",
        "/a b",
    ],
)
def test_nothing_leads_out_of_the_site(standing: Town, address: str) -> None:
    answer = standing.browser().get(f"/language/en?back={quote(address, safe='')}")
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert "本站" in answer.text


@pytest.mark.parametrize(
    "address", ["/", "/requests?state=draft&page=2", "/catalogue/health.case", "/a?b=//c", "/a:b@c"]
)
def test_addresses_of_the_site_are_gone_back_to(standing: Town, address: str) -> None:
    assert check_own(address) == address
    answer = standing.browser().get(f"/language/en?back={quote(address, safe='')}")
    assert (answer.status_code, answer.headers["location"]) == (303, address)


def test_a_language_that_there_is_not_is_no_page(standing: Town) -> None:
    for path in ("/language/fr", "/language/EN", "/language/"):
        answer = standing.browser().get(path)
        assert answer.status_code == 404
        assert "set-cookie" not in answer.headers


def test_the_answer_to_a_form_leads_to_a_page_that_opens(town: Town) -> None:
    ask_id = town.asked("accepted")
    contract = "health.disease_case"
    sysadmin = town.person("gov_data", "sysadmin")
    for answer, back in (
        (town.owner.post(f"/requests/{ask_id}/refuse", reason=" "), f"/requests/{ask_id}"),
        (town.owner.post("/password", old="x"), "/password"),
        (town.asker.post("/requests/new", contract=contract), f"/requests/new?contract={contract}"),
        (town.asker.post("/requests/text", text="["), "/requests/text"),
        (sysadmin.post("/accounts/nobody/reset"), "/accounts"),
        (sysadmin.post("/accounts", name="x"), "/accounts"),
        (town.browser().client.post("/logout"), "/"),
        (town.browser().log_in("nobody", "wrong"), LOGIN_PATH),
    ):
        assert answer.status_code in {400, 403}, answer.text
        assert switch(answer.text) == f"/language/en?back={quote(back, safe='')}"
    for browser, path in ((town.owner, f"/requests/{ask_id}"), (sysadmin, "/accounts")):
        assert browser.get(path).status_code == 200
