"""What sharing says to people: each language whole, and a reader of one sees that one alone."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest

from contracts.words import Words
from sharing.endpoint import gateway_port
from sharing.grants.impact import Holder, Impact, SharedColumn
from sharing.kpis.rates import WORDS
from sharing.notices.addresses import read_book
from sharing.notices.rounds import Round
from sharing.rights.rates import rate
from sharing.rights.recognition import Conditions, recognise
from sharing.rights.split import SplitError, SplitRule
from sharing.tables.storage import storage_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.layout import Home
    from sharing.rights.recognition import AssetUse, EntityType

#: Numbers of notices stand in either language.
NAMES = re.compile(r"财资〔202\d〕\d+号")
CHINESE = re.compile(r"[一-鿿。，；：（）]")


def wrong_port(patch: pytest.MonkeyPatch) -> None:
    patch.setenv("JINGSHU_GATEWAY_PORT", "none")
    gateway_port()


def wrong_shares(_: pytest.MonkeyPatch) -> None:
    SplitRule("none", ())


def no_rate(_: pytest.MonkeyPatch) -> None:
    rate("staff", date(1999, 1, 1))


def no_storage(_: pytest.MonkeyPatch) -> None:
    storage_of("ftp://somewhere")


@pytest.mark.parametrize("wrong", [wrong_port, wrong_shares, no_rate, no_storage])
def test_an_error_is_whole_in_each_language(
    wrong: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises((ValueError, SplitError)) as refused:
        wrong(monkeypatch)
    words = refused.value.words  # type: ignore[attr-defined]  # ours
    assert CHINESE.search(words.zh)
    assert not CHINESE.search(words.en)
    assert words.zh.endswith("。")
    assert words.en.endswith(".")


def test_an_address_that_is_none_is_said_in_each_language(home: Home) -> None:
    (home.root / "notices.toml").write_text('[[to]]\nbody = "d"\nemail = "none"\n', "utf-8")
    with pytest.raises(ValueError, match="no e-mail address") as refused:
        read_book(home)
    words = refused.value.words  # type: ignore[attr-defined]  # ours
    assert "'none' 不是电子邮件地址" in words.zh
    assert "no e-mail" not in words.zh
    assert not CHINESE.search(words.en)


IMPACT = Impact(
    "health.disease_case.icd10",
    (
        SharedColumn(
            table="shared/heat__demo",
            column="heat_cases",
            level="L2",
            origin="simulated",
            type="INDIRECT",
            masking=True,
            recipients=(Holder("demo", Words("区级回流", "returned").stored(), "2026-12-31"),),
        ),
        SharedColumn("shared/heat__other", None, "L2", "real", None, None, ()),
    ),
)


@pytest.mark.parametrize("impact", [IMPACT, Impact("nothing", ())], ids=["some", "none"])
def test_a_reader_sees_who_reads_a_column_in_one_language(
    impact: Impact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINGSHU_LANG", "en")
    english = "\n".join(impact.lines())
    assert not CHINESE.search(english)
    monkeypatch.setenv("JINGSHU_LANG", "zh")
    chinese = "\n".join(impact.lines())
    assert CHINESE.search(chinese)
    for word in ("masked", "until", "returned", "no active grant", "Nothing"):
        assert word not in chinese


@pytest.mark.parametrize("entity", ["enterprise", "administrative_unit"])
@pytest.mark.parametrize("use", ["own_business", "held_for_sale"])
def test_why_data_is_in_the_books_is_said_in_each_language(
    entity: EntityType, use: AssetUse
) -> None:
    for conditions in (
        Conditions(True, True, True, "development"),
        Conditions(False, False, False),
    ):
        for reason in recognise(entity, use, conditions).reasons:
            assert CHINESE.search(reason.zh)
            assert not CHINESE.search(NAMES.sub("", reason.en))


def test_rates_and_rounds_are_named_in_each_language() -> None:
    for words in (*WORDS.values(), Round(1, 2, 3, 4).words):
        assert CHINESE.search(words.zh)
        assert not CHINESE.search(words.en)
        assert not re.search("[a-z]", words.zh)
