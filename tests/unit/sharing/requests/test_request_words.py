"""What requests say: each language whole, to people and as it is stored."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from contracts.errors import JingshuError, UsageError
from contracts.words import Words
from jobs.verify.report import Report
from sharing.people import Actor, ForbiddenError, require
from sharing.requests import flow
from sharing.requests.asked import parse_asked
from sharing.requests.conditions import condition
from sharing.requests.tables import read_ask
from sharing.verify.lake import CityLake
from sharing.verify.requests import requests
from tests.support.sharing.asking import JOINED, MONDAY, POLICY, asked, begun, bring_to
from tests.support.sharing.served import districts, write_shared

if TYPE_CHECKING:
    from contracts.layout import Home
    from sharing.control import Control

CHINESE: Final = re.compile(r"[一-鿿]")
#: What a step that time brings said before: both languages in one text.
BEFORE: Final = "期满 its time is over"


def assert_whole(words: Words) -> None:
    assert CHINESE.search(words.zh)
    assert not re.search(r"[。：；]\s*[A-Z][a-z]+ [a-z]", words.zh)
    assert not CHINESE.search(words.en)


@pytest.mark.parametrize(
    ("parts", "others", "said"),
    [
        (POLICY, {"sources": [{"contract": "no.such"}]}, "没有要任何数据。请写明"),
        (JOINED, {"by": ["joined_by"]}, "joined_by 是查询自用的列名。请删去"),
        (JOINED, {"sources": [{"contract": "no.such"}]}, "no.such 没有关联列（key）。"),
        (POLICY, {"sources": [*POLICY["sources"], *JOINED["sources"]]}, "只写一个来源"),
        (POLICY, {"sources": [{**POLICY["sources"][0], "rows": "a = 1"}]}, "策略已定列与行。"),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_language(
    parts: dict[str, Any], others: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        parse_asked({**parts, **others}, Words("文本", "the text"))
    assert said in refused.value.words.zh
    assert refused.value.words.zh.startswith("申请内容有误：文本：整份申请：")
    assert refused.value.words.en.startswith("the text: the request: ")
    assert_whole(refused.value.words)


def test_what_a_type_refuses_names_its_place() -> None:
    with pytest.raises(UsageError) as refused:
        asked(mode="usb")
    assert "test：mode：" in refused.value.words.zh
    assert refused.value.words.en.startswith("test: mode: Input should be ")


@pytest.mark.parametrize("written", ["{k} > 1", "age >", "1", "age = 1; x", "id = 1", "f(age) = 1"])
def test_a_condition_is_refused_in_one_language(written: str) -> None:
    with pytest.raises(UsageError) as refused:
        condition(written, ("age",), "test")
    assert refused.value.words.zh.startswith(f"test 的行条件 {written!r} 不可用：")
    assert_whole(refused.value.words)


def test_a_right_that_lacks_is_told_in_one_language() -> None:
    with pytest.raises(ForbiddenError) as refused:
        require(Actor("li", "health", frozenset({"cdo"})), "submit_request", "civil")
    assert refused.value.words == Words(
        "li（health：cdo）没有权限为 civil 办理 submit_request。请由以下角色办理：civil 的 cdo。",
        "li (cdo of health) may not submit request for civil. Ask those who may: cdo of civil.",
    )


def test_a_wrong_turn_is_told_in_one_language(home: Home, control: Control) -> None:
    write_shared(home, "heat_readiness__demo", districts(("110101", "110101001", 30)))
    city = begun(control)
    with pytest.raises(JingshuError) as refused:
        city.act("agree", bring_actor())
    assert refused.value.words == Words(
        f"{city.ask_id} 现为 draft，不能办理 agree。可在这些状态办理：accepted。",
        f"{city.ask_id} is draft: agree does not follow from there. It follows from: accepted.",
    )
    with control.read() as session, pytest.raises(UsageError) as unknown:
        read_ask(session, "R1999-0001")
    assert_whole(unknown.value.words)


def bring_actor() -> Actor:
    return Actor("wang", "emergency", frozenset({"cdo"}))


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        (Words("使用期限已满。", "Its time is over."), {"使用期限已满。", "Its time is over."}),
        (Words(BEFORE, BEFORE), {BEFORE}),
    ],
    ids=["now", "before"],
)
def test_what_time_ended_says_so_to_each_reader_and_is_proved(
    home: Home,
    control: Control,
    monkeypatch: pytest.MonkeyPatch,
    kept: Words,
    shown: set[str],
) -> None:
    write_shared(home, "heat_readiness__demo", districts(("110101", "110101001", 30)))
    if kept.zh == BEFORE:
        monkeypatch.setattr(flow, "_EXPIRED", kept)
    city = bring_to(begun(control, asked(until=date(2026, 7, 20))), "delivered")
    assert flow.sweep(control, city.tree, MONDAY + timedelta(days=9)) == [(city.ask_id, "close")]
    reason = Words.read(city.ask.steps[-1].statements["reason"])
    assert {reason.to("zh"), reason.to("en")} == shown
    report = Report()
    report.add(requests(CityLake(home, city.tree)))
    assert report.broken == []
