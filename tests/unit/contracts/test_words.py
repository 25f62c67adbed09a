"""Both languages whole: shown to a reader, kept in one text, read back."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import JingshuError, UsageError
from contracts.words import Words, reader

_TEXTS = st.text(max_size=40)
NO_BATCH = Words("没有批次 42。", "There is no batch 42.")
LIST_THEM = Words("请列出批次。", "List the batches.")


@pytest.mark.parametrize(
    ("environ", "who"),
    [
        ({}, "both"),
        ({"LANG": "C.UTF-8"}, "both"),
        ({"LANG": "POSIX"}, "both"),
        ({"LANG": "de_DE.UTF-8"}, "both"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh-Hans"}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "zh_CN", "LANG": "en_US"}, "zh"),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"JINGSHU_LANG": "EN", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"JINGSHU_LANG": "both", "LANG": "zh_CN.UTF-8"}, "both"),
        ({"JINGSHU_LANG": "fr", "LANG": "zh_CN.UTF-8"}, "zh"),
        ({"JINGSHU_LANG": "", "LANG": "english"}, "both"),
    ],
)
def test_the_setting_then_the_locale_say_who_reads(environ: dict[str, str], who: str) -> None:
    assert reader(environ) == who


def test_each_reader_gets_one_whole_text() -> None:
    assert NO_BATCH.to("zh") == "没有批次 42。"
    assert NO_BATCH.to("en") == "There is no batch 42."
    assert NO_BATCH.to("both") == str(NO_BATCH) == "没有批次 42。 There is no batch 42."
    assert Words("health", "health").to("both") == "health"


@given(_TEXTS, _TEXTS)
def test_what_is_stored_is_read_back(zh: str, en: str) -> None:
    words = Words(zh.replace("‖", ""), en.replace("‖", ""))
    again = Words.read(words.stored())
    assert again == words


@given(_TEXTS, _TEXTS)
def test_no_value_within_a_text_parts_it_elsewhere(zh: str, en: str) -> None:
    again = Words.read(Words(f"{zh} ‖ 值", f"{en} ‖ value").stored())
    assert again.zh.endswith("值")
    assert again.en.endswith("value")


def test_a_text_that_was_stored_before_is_the_same_to_every_reader() -> None:
    before = Words.read("格式不符 does not match")
    assert before.to("zh") == before.to("en") == before.to("both") == "格式不符 does not match"


def test_an_error_tells_problem_and_remedy_whole_in_each_language() -> None:
    error = JingshuError(NO_BATCH, LIST_THEM)
    assert error.words == Words(
        "没有批次 42。请列出批次。", "There is no batch 42. List the batches."
    )
    assert str(error) == f"{error.words.zh} {error.words.en}"
    again = pickle.loads(pickle.dumps(UsageError(NO_BATCH, LIST_THEM)))  # noqa: S301  (ours)
    assert (again.problem, again.remedy) == (NO_BATCH, LIST_THEM)
