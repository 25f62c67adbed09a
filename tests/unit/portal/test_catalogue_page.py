from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, get_args

import pytest

from contracts.layout import ROOT
from contracts.loading import load_tree
from contracts.model import Cycle, Sharing
from contracts.vocabulary import Gb43697
from portal import words
from portal.catalogue import make_catalogue, read_catalogue
from portal.page import FOLDERS, render_catalogue
from portal.site import build_site
from sharing.catalogue.entries import LakeFacts, entries
from sharing.catalogue.register import History, Step, digest, take
from sharing.catalogue.steps import STATES
from sharing.control import Control
from sharing.people import Actor

from .test_page import HOSTILE, PAGES, Outline

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from contracts.layout import Home
    from contracts.words import Language
    from portal.words import Word
    from sharing.catalogue.entries import Entry
    from sharing.catalogue.steps import Action, State

AT = datetime(2026, 7, 15, 2, tzinfo=UTC)
EVERY = entries(load_tree(ROOT / "contracts"))
ENTRY = next(e for e in EVERY if e.code == "320003/000017")


def came_to(state: State, entry: Entry = ENTRY, action: Action = "clear") -> History:
    return History((Step(0, action, state, "1.0.0", digest(entry), {}, "li", AT),))


def page(
    *found: Entry, known: Mapping[str, History] | None = None, language: Language = "zh"
) -> str:
    return render_catalogue(make_catalogue(found, known or {}), language)


def rows(text: str) -> list[str]:
    return re.findall(r'<tr role="row".*?</tr>', text, re.DOTALL)[1:]


def test_every_packaged_entry_is_a_row_with_what_it_states() -> None:
    told = rows(page(*EVERY))
    assert len(told) == len(EVERY) > 80
    for entry, row in zip(EVERY, told, strict=True):
        text = Outline(row).text
        for stated in (entry.code, entry.title, entry.contract, entry.provider_name):
            assert stated in text
        assert f'class="n">{len(entry.items)}</td>' in row
        assert words.ATTRIBUTE[entry.attribute].zh in text
        assert words.GRADE[entry.gb43697_grade].zh in text
        assert f">{entry.dept_level}</span>" in row
        assert entry.cycle is not None
        assert words.CYCLE[entry.cycle].zh in text
        assert "未登记" in text


@pytest.mark.parametrize("language", FOLDERS)
def test_the_page_is_balanced_runs_nothing_and_asks_no_other_host(language: Language) -> None:
    known = {ENTRY.code: came_to("catalogued", action="approve")}
    text = page(*EVERY, known=known, language=language)
    outline = Outline(text)
    assert not {"script", "iframe", "object", "embed", "img", "form"} & set(outline.tags)
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert not outline.all_of("src")
    links = outline.all_of("href")
    twin = {"zh": "en/catalogue.html", "en": "../catalogue.html"}[language]
    assert all(h.startswith(("#", "data:,")) or h in PAGES | {twin} for h in links)
    assert {h.removeprefix("#") for h in links if h.startswith("#")} <= set(outline.ids)
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.tags.count("table") == outline.tags.count("caption") == 1
    assert set(outline.all_of("scope")) == {"col", "row"}
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)


@pytest.mark.parametrize("state", STATES)
def test_each_state_of_the_register_is_said(state: State) -> None:
    known = {} if state == "unregistered" else {ENTRY.code: came_to(state)}
    word = words.REGISTER[state]
    for language in FOLDERS:
        (row,) = rows(page(ENTRY, known=known, language=language))
        assert word.to(language) in row
        assert f'class="badge {word.tone}"' in row
        assert ("hot" in row) == (state in ("withheld", "returned"))


def test_an_entry_that_reads_otherwise_now_says_so() -> None:
    known = {ENTRY.code: came_to("catalogued", action="approve")}
    assert "内容已变" not in page(ENTRY, known=known)
    assert "内容已变" in page(replace(ENTRY, summary="另一段话"), known=known)


def test_what_is_simulated_says_so_on_the_page_and_in_its_row() -> None:
    mounted = replace(ENTRY, lake=LakeFacts(3, AT, 10, "simulated"))
    real = replace(ENTRY, lake=LakeFacts(3, AT, 10, "real"))
    assert "不计入城市绩效" in page(mounted, real)
    first, second = rows(page(mounted, real))
    assert "模拟数据" in first
    assert "模拟数据" not in second
    assert "不计入城市绩效" not in page(real)
    assert "未挂接" in page(ENTRY)
    assert "未挂接" not in page(real)


@pytest.mark.parametrize(
    "field",
    [
        *("code", "title", "contract", "contract_version", "provider_name", "provider_name_en"),
        *("attribute", "gb43697_grade", "cycle"),
    ],
)
def test_hostile_text_is_inert_wherever_it_comes_from(field: str) -> None:
    hostile = replace(ENTRY, **{field: HOSTILE})  # type: ignore[arg-type]  # what a file may hold
    text = page(hostile, language="en" if field == "provider_name_en" else "zh")
    outline = Outline(text)
    assert not {"script", "img"} & set(outline.tags)
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert "alert(1)" in outline.text
    assert "\u202e" not in text


def test_what_is_not_stated_is_a_dash_and_never_a_guess() -> None:
    bare = replace(
        ENTRY, code="", attribute="", gb43697_grade="", dept_level=None, cycle=None, items=()
    )
    (row,) = rows(page(bare))
    assert row.count("—") == 3
    assert "无编码" in row
    assert "no code" in page(bare, language="en")
    assert 'class="n">0</td>' in row
    assert "L3" not in row


def test_an_empty_catalogue_says_so() -> None:
    assert "契约里没有数据集" in Outline(page()).text


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        (words.ATTRIBUTE, get_args(Sharing.model_fields["attribute"].annotation)),
        (words.GRADE, get_args(Gb43697)),
        (words.CYCLE, get_args(Cycle)),
        (words.REGISTER, STATES),
    ],
    ids=["attribute", "grade", "cycle", "register"],
)
def test_what_can_be_shown_has_its_words(table: Mapping[str, Word], keys: Collection[str]) -> None:
    assert set(table) == set(keys)
    assert all(word.zh and word.en for word in table.values())


def test_a_build_writes_it_with_what_the_register_says(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(ROOT / "contracts"))
    monkeypatch.delenv("JINGSHU_CONTROL_URL", raising=False)
    said = {"signed_by": ENTRY.signed_by, "pia_id": ENTRY.pia_id, "reason": "核对"}
    cdo = Actor("li", ENTRY.provider, frozenset({"cdo"}))
    build_site(home)
    first = (home.site / "catalogue.html").read_text("utf-8")
    assert not home.control_db.exists()
    with Control(home) as control:
        take(control, ENTRY, "withhold", said, cdo, AT)
    build_site(home)
    second = (home.site / "catalogue.html").read_text("utf-8")
    assert "评估不通过" not in first
    assert second.count("评估不通过") == 1
    build_site(home)
    assert (home.site / "catalogue.html").read_text("utf-8") == second
    assert [one.entry for one in read_catalogue(home).listed] == list(EVERY)
