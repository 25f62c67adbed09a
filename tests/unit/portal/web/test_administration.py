"""The three administrators' pages: one makes accounts, one gives roles, one reads what they did."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sharing.accounts import accounts
from sharing.control import AccessRecord
from sharing.notices import outbox
from sharing.notices.notice import Notice
from tests.support.sharing.asking import ASKER, OWNER
from tests.support.town import OWN, QUICK

if TYPE_CHECKING:
    from tests.support.town import Browser, Town


def first_three(town: Town) -> dict[str, Browser]:
    """Return the browsers of the first administrators, who chose their passwords."""
    names = {role: role for role in accounts.ADMINISTRATORS}
    issued = accounts.bootstrap(town.control, QUICK, "test", names, town.clock.at)
    found = {}
    for name, password in issued.items():
        found[name] = town.browser()
        found[name].log_in(name, password)
        done = found[name].post("/password", old=password, new=OWN, again=OWN)
        assert done.status_code == 303
    return found


def password_on(text: str) -> str:
    found = re.search(r'<code class="secret">([^<]+)</code>', text)
    assert found, text
    return found[1]


def test_an_account_is_made_by_one_empowered_by_another_and_seen_by_the_third(town: Town) -> None:
    three = first_three(town)
    made = three["sysadmin"].post("/accounts", name="li.health", body="health")
    issued = password_on(made.text)
    assert issued not in three["sysadmin"].get("/accounts").text
    granted = three["secadmin"].post("/roles/li.health", roles=["requester", "steward"])
    assert granted.status_code == 303
    li = town.browser()
    assert li.log_in("li.health", issued).headers["location"] == "/password"
    assert li.post("/password", old=issued, new=OWN, again=OWN).status_code == 303
    assert "申请人 · 数据管家" in li.get("/").text
    again = password_on(three["sysadmin"].post("/accounts/li.health/reset").text)
    assert li.get("/").headers["location"] == "/login"
    assert again != issued
    assert three["sysadmin"].post("/accounts/li.health/disable").status_code == 303
    assert town.browser().log_in("li.health", again).status_code == 403
    told = three["auditor"].in_english().get("/audit").text
    for action in ("bootstrap", "add", "roles", "login", "reset_password", "disable"):
        assert f"<td>{action}</td>" in told
    assert "none -&gt; requester+steward" in told
    assert not any(secret in told for secret in (issued, again, OWN))


@pytest.mark.parametrize(
    ("who", "path", "sent", "status", "words"),
    [
        ("sysadmin", "/accounts", {"name": "auditor", "body": "x"}, 400, "an account auditor"),
        ("sysadmin", "/accounts", {"name": "<b>", "body": "x"}, 400, "cannot name the account"),
        ("sysadmin", "/accounts", {"name": "li"}, 400, "body: Field required"),
        ("sysadmin", "/accounts/sysadmin/disable", {}, 403, "the last sysadmin"),
        ("sysadmin", "/accounts/auditor/reset", {}, 403, "not yours to set"),
        ("sysadmin", "/accounts/nobody/reset", {}, 400, "no account"),
        ("secadmin", "/roles/secadmin", {"roles": "auditor"}, 403, "its own roles"),
        ("secadmin", "/roles/sysadmin", {"roles": ["sysadmin", "auditor"]}, 403, "cannot be"),
        ("secadmin", "/roles/sysadmin", {"roles": "system"}, 400, "no role system"),
        ("secadmin", "/roles/auditor", {}, 403, "the last auditor"),
    ],
)
def test_what_an_administrator_may_not_do_is_said_on_the_page(
    town: Town, who: str, path: str, sent: dict[str, str], status: int, words: str
) -> None:
    browser = first_three(town)[who]
    before = accounts.list_accounts(town.control)
    answer = browser.in_english().post(path, sent)
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert "<b>" not in answer.text
    assert accounts.list_accounts(town.control) == before


def test_the_auditor_reads_what_the_gateway_was_asked_page_by_page(town: Town) -> None:
    with town.control.write() as session:
        for number in range(150):
            at = town.clock.at + timedelta(seconds=number)
            path = f"/delta-sharing/shares/x{number}/<b>"
            session.add(
                AccessRecord(
                    at=at, recipient="med_ins", method="GET", path=path, status=404, files=0
                )
            )
    auditor = town.person("gov_data", "auditor")
    newest = auditor.get("/audit").text
    assert "/shares/x149/&lt;b&gt;" in newest
    assert "/shares/x49/" not in newest
    older = re.search(r'href="(/audit\?requests_before=\d+)"', newest)
    assert older
    assert "/shares/x49/" in auditor.get(older[1]).text
    assert auditor.get("/audit?requests_before=x&events_before=" + "9" * 99).status_code == 200


def test_the_auditor_reads_which_logins_failed_and_from_where(town: Town) -> None:
    town.account("li.health", OWNER, "steward")
    stranger = town.browser()
    for name in ("li.health", "li.health", "<b>my password</b>"):
        assert stranger.log_in(name, "wrong").status_code == 403
    page = town.person("gov_data", "auditor").in_english().get("/audit").text
    failed = page.partition('id="failures"')[2].partition('id="gateway"')[0]
    assert failed.count("<tr>") == 3
    for told in ("li.health", "testclient", "password", "unknown", '<td class="n">2</td>'):
        assert told in failed
    assert "my password" not in page


def test_notices_are_for_the_body_and_the_role_they_name(town: Town) -> None:
    def told(subject: str, body: str, role: str) -> Notice:
        return Notice("late", subject, body, role, subject, "…")

    notices = [
        told("对全体", OWNER, ""),
        told("对管家", OWNER, "steward"),
        told("对首席", OWNER, "cdo"),
        told("对别人", ASKER, ""),
    ]
    outbox.put(town.control, notices, town.clock.at)
    shown = town.person(OWNER, "steward").get("/").text
    assert [n.subject for n in notices if n.subject in shown] == ["对全体", "对管家"]


def test_rates_are_of_the_bodies_that_one_answers_for(town: Town) -> None:
    steward = town.person("health", "steward").get("/kpis").text
    authority = town.person("gov_data", "authority").get("/kpis").text
    assert "<td>health</td>" in steward
    assert "<td>civil</td>" not in steward
    assert "<td>civil</td>" in authority
    assert "数据共享率" in authority
    assert re.search(
        r'<td class="n">0.0%</td><td class="n">0</td><td class="n">\d+</td>', authority
    )
