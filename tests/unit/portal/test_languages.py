"""The site's pages in Chinese and in English: each says one language, and leads to the other."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.layout import ROOT
from contracts.loading import load_tree
from contracts.words import Words
from portal.catalogue import make_catalogue
from portal.page import FOLDERS, HTML_LANG, render, render_catalogue, render_dates
from portal.site import build_site
from portal.words import Word, word_for
from sharing.catalogue.entries import entries
from tests.support.languages import foreign, strings_of

from .test_page import Outline, busy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.layout import Home
    from contracts.words import Language
    from portal.report import Report

    from .conftest import City

DAY = date(2026, 7, 15)
WHY = Words("坏行太多。", "There are too many bad rows.")


def told(city: City) -> Report:
    """Return a report with every state, what is above its level, and reasons in both languages."""
    busy(city)
    why = WHY.stored()
    city.deliveries = [d.model_copy(update={"reason": why}) for d in city.deliveries]
    city.checks = [c.model_copy(update={"message": why}) for c in city.checks]
    city.publish("share", "t__waiting", status="waiting", reason=why)
    batch = city.deliver("late", "published", feed="east/shared.cases", origin="simulated")
    city.find(batch, "under_graded", column="qty", kind="mobile", proposed_level="L3")
    city.deliver("received", "published", feed="west/shared.cases", rows_published=97, revision=2)
    city.deliver("received", "superseded", feed="west/shared.cases", batch_id="old")
    return city.report()


def names(city: City) -> Iterator[str]:
    for one in (*city.tree.sources.values(), *city.tree.products.values()):
        yield from (one.title, one.id, one.dataset)


def provider_names(city: City, language: Language) -> Iterator[str]:
    for provider in city.tree.providers.values():
        yield provider.name if language == "zh" else provider.name_en


@pytest.mark.parametrize("language", FOLDERS)
def test_a_dates_page_says_one_language(city: City, language: Language) -> None:
    page = render(told(city), language)
    assert f'<html lang="{HTML_LANG[language]}">' in page
    assert WHY.to(language) in page
    known = {*names(city), *provider_names(city, language), "qty"}
    assert foreign(page, language, known) == []


@pytest.mark.parametrize("language", FOLDERS)
def test_pages_without_anything_say_one_language(city: City, language: Language) -> None:
    for page in (
        render(city.report(None), language),
        render_dates((), language),
        render_catalogue(make_catalogue((), {}), language),
    ):
        assert foreign(page, language) == []
    city.deliver("received", "published")
    assert foreign(render(city.report(DAY + timedelta(days=1)), language), language) == []


@pytest.mark.parametrize("language", FOLDERS)
def test_the_catalogue_says_one_language_and_names_providers_in_it(language: Language) -> None:
    tree = load_tree(ROOT / "contracts")
    every = entries(tree)
    page = render_catalogue(make_catalogue(every, {}), language)
    known = {one.title for one in every}
    if language == "zh":
        known |= {one.provider_name for one in every}
        assert all(one.provider_name in page for one in every)
    assert foreign(page, language, known) == []


def test_the_reading_of_a_page_finds_what_is_foreign() -> None:
    page = "<p title='说明'>rows 行 <code>行</code> health.case 数据集 case</p>"
    assert foreign(page, "en", ["数据集 case"]) == ["说明", "行"]
    assert foreign(page, "zh", ["数据集 case"]) == ["rows"]
    assert set(strings_of({"a": ["b", {"c": "d"}], "e": Words("f", "g")})) == {"b", "d", "f", "g"}


def test_every_link_of_both_languages_leads_to_a_file_without_a_server(
    city: City, home: Home
) -> None:
    for days in (0, 1, 2):
        city.deliver("received", "published", day=DAY - timedelta(days=days))
    city.save(home)
    seen: dict[Path, set[str]] = {}
    todo = [build_site(home)]
    while todo:
        file = todo.pop()
        if file in seen:
            continue
        outline = Outline(file.read_text("utf-8"))
        seen[file] = set(outline.ids)
        for link in outline.all_of("href"):
            path, _, fragment = link.partition("#")
            if link.startswith("data:"):
                continue
            assert "://" not in link
            assert not link.startswith("/")
            assert not fragment or path or fragment in seen[file]
            todo += [(file.parent / path).resolve()] if path else []
    assert set(seen) == {p for p in home.site.rglob("*") if p.is_file()}


def test_each_page_leads_to_the_same_page_in_the_other_language(city: City, home: Home) -> None:
    city.deliver("received", "published", day=DAY - timedelta(days=1))
    city.deliver("received", "published")
    city.save(home)
    build_site(home)
    for folder in FOLDERS.values():
        for file in (home.site / folder).glob("*.html"):
            name = f"{DAY}.html" if file.name == "index.html" else file.name  # they are the same
            twin = f"../{name}" if folder else f"en/{name}"
            assert Outline(file.read_text("utf-8")).all_of("href").count(twin) == 1, file


def test_a_word_is_words_and_one_that_is_not_known_is_the_same_to_all() -> None:
    assert isinstance(Word("迟交", "late", "warn"), Words)
    assert word_for({}, "odd") == Word("odd", "odd")
    assert str(word_for({}, "odd")) == "odd"
