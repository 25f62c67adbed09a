"""Requests on their pages: whose they are, whose turn it is, and words that stay words."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.web import requests
from sharing.requests import flow
from sharing.requests.corrections import Fault, ask_correction, list_corrections
from sharing.requests.records import uses
from sharing.requests.states import TRANSITIONS
from sharing.requests.tables import StepRow, read_ask
from tests.support.sharing.asking import ASKER, JOINED, OWNER, POLICY, asked, person
from tests.support.town import WAYS

if TYPE_CHECKING:
    from sharing.requests.states import State
    from tests.support.town import Town

_EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


def corrected(town: Town, ask_id: str) -> str:
    return ask_correction(
        town.control,
        town.tree,
        ask_id,
        Fault("emergency.heat_readiness", OWNER, _EVIL),
        person(ASKER, "cdo"),
        town.clock.at,
    )


def test_what_people_wrote_is_shown_and_never_run(town: Town) -> None:
    words = dict.fromkeys(("title", "purpose", "legal_basis", "scenario", "scope"), _EVIL)
    ask_id = town.asked("delivered", asked(POLICY | words))
    corrected(town, ask_id)
    said = dict.fromkeys(("scenario", "process", "effect", "storage"), _EVIL)
    town.asker.post(f"/requests/{ask_id}/uses", said)
    town.owner.post(f"/requests/{ask_id}/suspend", reason=_EVIL)
    for path in ("/", "/requests", f"/requests/{ask_id}"):
        shown = town.owner.get(path).text
        assert "alert(1)" in shown
        assert "<script" not in shown
        assert "<img" not in shown
        assert "{{7*7}}" in shown
    refused = town.owner.post(f"/requests/{ask_id}/end_service", {"reason": " ", "filing": _EVIL})
    assert refused.status_code == 400
    assert "<script" not in refused.text
    assert "<script" not in town.owner.get(f"/catalogue?q={_EVIL}&provider={_EVIL}").text


@pytest.mark.parametrize("state", [s for s in WAYS if s != "draft"])
def test_a_third_body_neither_sees_nor_moves_a_request(town: Town, state: State) -> None:
    ask_id = town.asked(state)
    third = town.person("health", "requester", "steward", "cdo")
    assert third.get(f"/requests/{ask_id}").status_code == 404
    assert ask_id not in third.get("/requests").text
    assert ask_id not in third.get("/").text
    for action in TRANSITIONS:
        answer = third.post(f"/requests/{ask_id}/{action}", reason="r", legal_basis="l")
        assert answer.status_code in {403, 404}, action
        assert ask_id not in answer.text
    assert third.post(f"/requests/{ask_id}/uses", scenario="s").status_code == 404
    assert third.post(f"/requests/{ask_id}/corrections", said="s").status_code == 404
    assert town.state_of(ask_id) == state


def test_an_unknown_request_names_no_others(town: Town) -> None:
    known = town.asked("submitted")
    third = town.person("health", "cdo")
    answers = [third.get(f"/requests/{i}") for i in (known, "R2026-0999", "%3Cb%3E")]
    assert {a.status_code for a in answers} == {404}
    assert not any(known in a.text for a in answers)


def test_anothers_correction_is_not_answered(town: Town) -> None:
    issue = corrected(town, town.asked("delivered"))
    answer = {"answer": "corrected", "reason": "改了"}
    assert town.person("health", "cdo").post(f"/corrections/{issue}", answer).status_code == 404
    assert town.asker.post(f"/corrections/{issue}", answer).status_code == 403
    assert town.owner.post("/corrections/C2026-0999", answer).status_code == 404
    assert [c.state for c in list_corrections(town.control)] == ["open"]


def test_a_correction_is_opened_and_answered(town: Town) -> None:
    ask_id = town.asked("delivered")
    sent = {"source": "emergency.heat_readiness/emergency", "said": "人数不对"}
    assert town.asker.post(f"/requests/{ask_id}/corrections", sent).status_code == 303
    assert "人数不对" in town.owner.get("/").text
    wrong = {**sent, "source": "health.disease_case/health"}
    assert town.asker.post(f"/requests/{ask_id}/corrections", wrong).status_code == 400
    (issue,) = list_corrections(town.control)
    for answer, status in (("maybe", 400), ("rejected", 303), ("corrected", 409)):
        said = town.owner.post(f"/corrections/{issue.id}", answer=answer, reason="核对无误")
        assert said.status_code == status, answer
    assert "核对无误" in town.asker.get(f"/requests/{ask_id}").text
    assert issue.id not in town.owner.get("/").text


def test_a_form_says_who_acts_in_vain(town: Town) -> None:
    """Whatever names of body, actor and role a form carries, the login's account acts."""
    ask_id = town.asked("submitted")
    forged = {"actor": "walker", "body": OWNER, "as_body": OWNER, "roles": "cdo"}
    assert town.asker.post(f"/requests/{ask_id}/accept", forged).status_code == 403
    assert town.owner.post(f"/requests/{ask_id}/accept", forged).status_code == 303
    with town.control.read() as session:
        step = read_ask(session, ask_id).steps[-1]
    assert (step.actor, step.body) == (f"{OWNER}.steward.cdo", OWNER)


@pytest.mark.parametrize("state", list(WAYS))
def test_just_the_steps_that_may_be_taken_have_buttons(town: Town, state: State) -> None:
    ask_id = town.asked(state)
    with town.control.read() as session:
        ask = read_ask(session, ask_id)
    for body, *roles in ((ASKER, "requester"), (ASKER, "cdo"), (OWNER, "steward"), (OWNER, "cdo")):
        page = town.person(body, *roles).get(f"/requests/{ask_id}")  # type: ignore[arg-type]
        if page.status_code == 404:
            assert (body, state) == (OWNER, "draft")
            continue
        allowed = flow.allowed(ask, town.tree, person(body, *roles))
        for action in TRANSITIONS:
            has_button = f'action="/requests/{ask_id}/{action}"' in page.text
            assert has_button == (action in allowed), action


def test_a_step_out_of_turn_is_refused_and_the_page_says_why(town: Town) -> None:
    ask_id = town.asked("draft")
    town.asker.post(f"/requests/{ask_id}/submit")
    again = town.asker.in_english().post(f"/requests/{ask_id}/submit")
    assert again.status_code == 409
    assert "submit does not follow from there" in again.text
    assert again.text.count(f"<h1>{ask_id}") == 1


def test_a_refusal_needs_reason_and_law_and_keeps_what_was_typed(town: Town) -> None:
    ask_id = town.asked("accepted")
    owner = town.owner.in_english()
    answer = owner.post(f"/requests/{ask_id}/refuse", reason="超出职责", legal_basis=" ")
    assert answer.status_code == 400
    assert "lacks legal_basis" in answer.text
    assert answer.text.count('value="超出职责"') == 1  # in its own form, and in no other
    assert town.state_of(ask_id) == "accepted"


def test_a_resubmission_may_say_it_anew(town: Town) -> None:
    ask_id = town.asked("supplement")
    page = town.asker.get(f"/requests/{ask_id}").text
    wording = unescape(page.split('wording" class="code" required>')[1].split("</textarea>")[0])
    for written, status in (
        ("[", 400),
        ("title: x", 400),
        (wording.replace("值守席", "指挥部"), 303),
    ):
        answer = town.asker.post(f"/requests/{ask_id}/resubmit", wording=written)
        assert answer.status_code == status, answer.text
    with town.control.read() as session:
        assert read_ask(session, ask_id).asked.scenario == "指挥部每日查看"


def test_each_provider_signs_once_and_a_joined_table_is_sparks_to_make(town: Town) -> None:
    ask_id = town.asked("draft", asked(JOINED))
    town.asker.post(f"/requests/{ask_id}/submit")
    civil, health = town.person("civil", "steward", "cdo"), town.person("health", "cdo")
    authority = town.person("gov_data", "authority")
    town.clock.move(minutes=1)
    assert civil.post(f"/requests/{ask_id}/accept").status_code == 303
    assert civil.post(f"/requests/{ask_id}/agree").status_code == 303
    assert f"/{ask_id}/agree" not in civil.get(f"/requests/{ask_id}").text
    assert ask_id not in civil.get("/").text
    assert ask_id in health.get("/").text
    assert health.post(f"/requests/{ask_id}/agree").status_code == 303
    assert ask_id in authority.get("/").text
    assert authority.post(f"/requests/{ask_id}/agree_as_authority").status_code == 400
    named = authority.post(f"/requests/{ask_id}/agree_as_authority", pia_id="PIA-7")
    assert named.status_code == 303
    command = f"./jingshu share request deliver {ask_id}"
    page = civil.get(f"/requests/{ask_id}").text
    assert command in page
    assert f'action="/requests/{ask_id}/deliver"' not in page
    refused = civil.post(f"/requests/{ask_id}/deliver")
    assert refused.status_code == 409
    assert command in refused.text
    assert town.state_of(ask_id) == "agreed"


def test_what_is_late_is_said(town: Town) -> None:
    ask_id = town.asked("submitted")
    assert "overdue" not in town.owner.in_english().get("/").text
    town.clock.move(days=20)
    town.account("late", OWNER, "cdo")
    browser = town.browser()
    browser.log_in("late")
    for path in ("/", "/requests", f"/requests/{ask_id}"):
        assert "overdue" in browser.in_english().get(path).text
        assert "已逾期" in browser.get(path).text


def test_a_request_for_what_is_gone_hides_no_other(town: Town) -> None:
    gone, kept = town.asked("submitted"), town.asked("submitted")
    with town.control.write() as session:
        for row in session.scalars(select(StepRow).where(StepRow.ask == gone)):
            row.asked = row.asked and row.asked.replace("heat_readiness", "no_more")
    for path in ("/requests", f"/requests/{gone}"):
        shown = town.asker.in_english().get(path)
        assert shown.status_code == 200
        assert "There is no contract" in shown.text
    assert f"/{gone}/close" not in town.asker.get(f"/requests/{gone}").text
    assert kept in town.owner.get("/").text


def test_the_list_is_of_one_state_and_has_pages(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "_ON_A_PAGE", 2)
    first, submitted, *_, newest = [
        town.asked(state) for state in ("draft", "submitted", "draft", "draft")
    ]
    page = town.asker.get("/requests?state=draft").text
    assert newest in page
    assert submitted not in page
    assert f'href="/requests/{first}"' not in page
    assert f'href="/requests/{first}"' in town.asker.get("/requests?state=draft&page=2").text
    assert town.asker.get("/requests?state=no_such").status_code == 400
    assert town.asker.get("/requests?page=%C2%B2&state=").status_code == 200


def test_a_use_record_is_whole(town: Town) -> None:
    ask_id = town.asked("delivered")
    for lacking in ("scenario", "process", "effect", "storage"):
        said = {**dict.fromkeys(("scenario", "process", "effect", "storage"), "x"), lacking: " "}
        answer = town.asker.post(f"/requests/{ask_id}/uses", said)
        assert answer.status_code == 400
        assert lacking in answer.text
    assert uses(town.control, ask_id) == []
