"""Why an export may not go: stored whole in each language, and what was stored before still holds.

Decisions before held one text in which both languages were; their leaves have its digest.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import text

from contracts.words import Words
from jobs.verify.report import Report
from sharing.crossborder import exports
from sharing.crossborder.assessments import Assessment
from sharing.crossborder.decide import Decision, Facts, decide
from sharing.crossborder.exports import Export
from sharing.crossborder.reasons import reason_of
from sharing.verify.lake import CityLake
from sharing.verify.rights import rights
from tests.support.sharing.abroad import AUTHORITY, COMPANY, TO, known, scope
from tests.support.sharing.asking import MONDAY
from tests.support.sharing.lakes import BANK, TREE, publish

if TYPE_CHECKING:
    from contracts.layout import Home
    from sharing.control import Control
    from sharing.crossborder.exports import Decided

#: As it was stored before: what the release of 2026-11 wrote.
BEFORE: Final = (
    f"{COMPANY} 对 {BANK} 没有可用于“{TO.purpose}”的权利或授权；请先向 civil 申请。"
    f" {COMPANY} has no right to {BANK} and no grant of it for this purpose: ask civil for one."
)
PERSONS: Final = Facts(
    "general", "L2", is_state_organ=False, has_personal_information=True, holders=("civil",)
)
CHINESE: Final = re.compile(r"[一-鿿]")


def decided(control: Control) -> Decided:
    return exports.decide_export(control, TREE, Export(COMPANY, BANK, TO), AUTHORITY, MONDAY)


def findings(home: Home) -> list[str]:
    report = Report()
    report.add(rights(CityLake(home, TREE)))
    return [f"{f.where}: {f.problem}" for f in report.broken]


@pytest.mark.parametrize(
    ("facts", "is_over"),
    [
        (replace(PERSONS, level="L4", is_held_by_organ=True), False),
        (replace(PERSONS, is_held_by_organ=True), False),
        (replace(PERSONS, is_for_foreign_authority=True), False),
        (replace(PERSONS, has_title=False), False),
        (replace(PERSONS, is_in_ftz=True), False),
        (replace(PERSONS, is_ciio=True, is_assessment_over=True), True),
    ],
)
def test_each_reason_is_whole_in_each_language(facts: Facts, is_over: bool) -> None:  # noqa: FBT001
    day = date(2026, 11, 10)
    relied = Assessment("SA-1", COMPANY, day, 0, is_asked=False, last_day=day, ask_by=None)
    reason = reason_of(scope(), facts, decide(facts), relied if is_over else None)
    assert reason is not None
    assert reason.zh.endswith("。")
    assert CHINESE.search(reason.zh)
    assert reason.en.endswith(".")
    assert not CHINESE.search(reason.en.replace(TO.purpose, ""))
    assert Words.read(reason.stored()) == reason


def test_where_the_rule_says_enough_there_is_no_reason() -> None:
    made: Decision = decide(PERSONS)
    assert (made.outcome, reason_of(scope(), PERSONS, made, None)) == ("exempt", None)


def test_a_decision_keeps_both_languages(home: Home, control: Control) -> None:
    publish(home, BANK, "T1")
    known(control)
    made = decided(control)
    reason = Words.read(made.reason)
    assert reason.to("zh").endswith("请先向 civil 申请。")
    assert reason.to("en").startswith(f"{COMPANY} has no right to {BANK}")
    assert reason.to("en").endswith("ask civil for one.")
    assert [d.reason for d in exports.decisions(control)] == [made.reason]
    assert findings(home) == []


def test_a_reason_that_was_stored_before_is_read_and_proved(
    home: Home, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(home, BANK, "T1")
    known(control)
    with monkeypatch.context() as before:
        before.setattr(exports, "reason_of", lambda *_: Words(BEFORE, BEFORE))
        decided(control)
    [found] = exports.decisions(control)
    assert found.reason == BEFORE
    assert {Words.read(found.reason).to(who) for who in ("zh", "en", "both")} == {BEFORE}
    assert findings(home) == []


@pytest.mark.parametrize("other", ["", Words("没有权利。", "No right.").stored()])
def test_a_reason_that_was_changed_is_found(
    home: Home, control: Control, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    publish(home, BANK, "T1")
    known(control)
    with monkeypatch.context() as before:
        before.setattr(exports, "reason_of", lambda *_: Words(BEFORE, BEFORE))
        decided(control)
    with control.write() as session:
        session.execute(text("UPDATE share_exports SET reason = :other"), {"other": other})
    assert any("reason_sha256 is not" in one for one in findings(home)), findings(home)
