from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from contracts.words import Words
from jobs.record import governance
from portal import site
from portal.catalogue import make_catalogue
from portal.deliveries import DUE_STATES
from portal.page import FOLDERS, clip, moment, number, percent, render, span
from portal.site import build_site

from .conftest import City

if TYPE_CHECKING:
    from contracts.layout import Home
    from contracts.words import Language

DAY = date(2026, 7, 15)
FEEDS = ("alpha/alpha.stock", "alpha/alpha.visits", "east/shared.cases", "west/shared.cases")
VOID = {"meta", "link", "br", "img", "input", "hr"}
PAGES = {"index.html", "catalogue.html", "dates.html"}
_DATES = {f"{DAY + timedelta(days=n)}.html" for n in (-1, 0, 1)}
#: What a page is called from the folder of the pages in the other language.
_TWIN: dict[Language, str] = {"zh": f"en/{DAY}.html", "en": f"../{DAY}.html"}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{ 7*7 }}{% raw %}\u202egpj.exe"


class Outline(HTMLParser):
    """Reads a page strictly: every element closed in order, ids and links collected."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all_of(self, name: str) -> list[str]:
        return [value or "" for key, value in self.attributes if key == name]


def busy(city: City) -> City:
    """Every state of delivery, batch, check and publication at once."""
    feeds = [f"p{i}/alpha.stock" for i in range(16)]
    states = ("received", "late", "missing", "refused", "duplicate", "expected", "not_due")
    for feed, state in zip(feeds, states, strict=False):
        city.deliver(state, feed=feed, reason="为什么 why")
    statuses = ("published", "held", "rejected", "refused", "failed", "withdrawn", "superseded")
    for feed, status in zip(feeds[7:], (*statuses, "landed"), strict=False):
        batch = city.deliver("received", status, feed=feed, rows_quarantined=3)
        for i, result in enumerate(("passed", "failed", "error", "not_executable")):
            city.check(batch, result, message="说明 message", rule_id=f"r{i}")
    for status in ("published", "waiting", "held"):
        city.publish("share", f"t__{status}", status=status, inputs='{"a": 1}')
    city.publish(version=None)
    city.deliver("missing", feed=feeds[0], day=DAY - timedelta(days=1))
    return city


def files(home: Home) -> dict[str, bytes]:
    """Return every file of the site by its path below it."""
    every = (p for p in home.site.rglob("*") if p.is_file())
    return {p.relative_to(home.site).as_posix(): p.read_bytes() for p in every}


def in_each(*names: str) -> set[str]:
    """Return the paths of pages in all languages."""
    return {folder + name for folder in FOLDERS.values() for name in names}


@pytest.mark.parametrize("language", FOLDERS)
def test_every_state_renders_into_balanced_html_with_working_links(
    city: City, language: Language
) -> None:
    outline = Outline(render(busy(city).report(), language))
    assert len(outline.ids) == len(set(outline.ids))
    anchors = {h.removeprefix("#") for h in outline.all_of("href") if h.startswith("#")}
    assert anchors <= set(outline.ids)
    assert len(anchors) > 15


@pytest.mark.parametrize("language", FOLDERS)
def test_the_page_runs_nothing_and_asks_no_other_host(city: City, language: Language) -> None:
    page = render(busy(city).report(), language)
    outline = Outline(page)
    assert not {"script", "iframe", "object", "embed", "img", "form"} & set(outline.tags)
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert not outline.all_of("src")
    ours = PAGES | _DATES | {_TWIN[language]}
    assert all(h.startswith(("#", "data:,")) or h in ours for h in outline.all_of("href"))
    assert not re.search(r"https?:|//[a-z]|@import|url\(", page)


@pytest.mark.parametrize("language", FOLDERS)
def test_tables_say_what_they_are(city: City, language: Language) -> None:
    outline = Outline(render(busy(city).report(), language))
    assert outline.tags.count("table") == outline.tags.count("caption") >= 5
    assert set(outline.all_of("scope")) == {"col", "row"}


@pytest.mark.parametrize("language", FOLDERS)
@pytest.mark.parametrize("place", ["delivery", "batch", "file", "check", "publication", "feed"])
def test_hostile_text_is_inert_wherever_it_comes_from(
    city: City, place: str, language: Language
) -> None:
    feed = f"{HOSTILE.replace('/', '')}/gone.x" if place == "feed" else FEEDS[0]
    batch = city.deliver(
        "refused" if place == "delivery" else "received",
        None if place == "delivery" else "held",
        feed=feed,
        reason=HOSTILE if place in ("delivery", "batch") else "",
        file_name=HOSTILE if place == "file" else "a.csv",
    )
    if place == "check":
        city.check(batch, "failed", message=HOSTILE, rule_id=HOSTILE)
    if place == "publication":
        city.publish("share", HOSTILE, reason=HOSTILE, inputs=HOSTILE, status=HOSTILE)
    page = render(city.report(), language)
    outline = Outline(page)
    assert "script" not in outline.tags
    assert "img" not in outline.tags
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert "alert(1)" in outline.text
    assert "\u202e" not in page
    assert "{{ 7*7 }}{% raw %}" in outline.text


def test_simulated_data_says_so_on_the_page_and_in_each_row(city: City) -> None:
    city.deliver("received", "published", origin="simulated")
    city.deliver("received", "published", feed=FEEDS[2], origin="real")
    page = render(city.report())
    assert "不计入城市绩效" in page
    rows = re.findall(r"<tr role=\"row\".*?</tr>", page, re.DOTALL)
    of_alpha = [r for r in rows if "数据集 stock" in r]
    of_east = [r for r in rows if "数据集 cases" in r]
    assert of_alpha
    assert of_east
    assert all("模拟数据" in r for r in of_alpha)
    assert not any("模拟数据" in r for r in of_east)


def test_a_simulated_product_alone_brings_the_banner(city: City) -> None:
    city.deliver("received", "published")
    assert "不计入城市绩效" not in render(city.report())
    city.publish(origin="simulated")
    assert "不计入城市绩效" in render(city.report())


def test_a_dimension_without_a_check_is_never_green(city: City) -> None:
    city.check(city.deliver("received", "published"), "passed", dimension="accuracy")
    page = render(city.report())
    cells = re.findall(r'class="score t-(\w+)">(.*?)</td>', page, re.DOTALL)
    unchecked = [tone for tone, cell in cells if "未检查" in cell]
    scored = [tone for tone, cell in cells if "100 %" in cell]
    assert set(unchecked) == {"idle"}
    assert set(scored) == {"good"}
    assert (len(unchecked), len(scored)) == (10, 2)
    assert not [cell for tone, cell in cells if "未检查" in cell and "f-good" in cell]


def test_few_failures_still_show_in_the_bar(city: City) -> None:
    batch = city.deliver("received", "published")
    city.check(batch, "failed", checked=1_000_000, failed=1)
    page = render(city.report())
    assert 'class="f-warn" x="97.50"' in page
    assert "999,999/1,000,000" in page


def test_the_same_tables_give_the_same_bytes(city: City, home: Home) -> None:
    busy(city).save(home)
    first = build_site(home, DAY).read_bytes()
    assert build_site(home, DAY).read_bytes() == first


def test_the_order_of_the_rows_does_not_matter(city: City) -> None:
    before = render(busy(city).report())
    for rows in (city.deliveries, city.batches, city.checks, city.publications):
        rows.reverse()
    assert render(city.report()) == before


def test_the_as_of_comes_from_the_rows_of_the_date(city: City) -> None:
    city.deliver("received", "published")
    city.deliver("received", "published", day=DAY + timedelta(days=1))
    assert city.report().as_of == datetime(2026, 7, 16, 2, tzinfo=UTC)
    assert "2026-07-16 10:00" in render(city.report())


def test_an_empty_home_says_what_to_do(home: Home) -> None:
    page = build_site(home)
    assert page == home.site / "index.html"
    outline = Outline(page.read_text("utf-8"))
    assert "还没有任何交付" in outline.text
    assert "./jingshu run" in outline.text


def test_the_newest_date_is_the_default_and_any_can_be_asked_for(city: City, home: Home) -> None:
    for days, state in ((0, "received"), (1, "late"), (2, "missing")):
        city.deliver(state, day=DAY - timedelta(days=days))
    city.save(home)

    def built(day: date | None, language: Language) -> str:
        page = home.site / FOLDERS[language] / build_site(home, day).name
        return Outline(page.read_text("utf-8")).text

    assert "business date 2026-07-15" in built(None, "en")
    assert "业务日期 2026-07-15" in built(None, "zh")
    assert "business date 2026-07-14" in built(DAY - timedelta(days=1), "en")
    other = built(date(2020, 1, 1), "zh")
    assert "没有交付记录" in other
    assert "2026-07-15、2026-07-14、2026-07-13" in other
    newest = (home.site / "en" / "index.html").read_text("utf-8")
    assert "business date 2026-07-15" in Outline(newest).text


def test_an_older_date_takes_no_other_pages_place_and_shows_what_is_open(
    city: City, home: Home
) -> None:
    before, after = DAY - timedelta(days=1), DAY + timedelta(days=1)
    city.deliver("received", "published", day=before)
    city.deliver("received", "held", feed=FEEDS[2])
    city.deliver("received", "published", day=after)
    city.save(home)
    newest = build_site(home)
    first = files(home)
    assert set(first) == in_each(*PAGES, *(f"{day}.html" for day in (before, DAY, after)))
    assert newest.read_bytes() == first[f"{after}.html"]
    assert first["en/index.html"] == first[f"en/{after}.html"]
    page = build_site(home, before)
    assert page == home.site / f"{before}.html"
    assert files(home) == first
    for day in (before, after):
        text = first[f"{day}.html"].decode()
        assert "其他日期仍未了结：1 项" in text
        assert "没有卡住、等人决定的数据" not in text, "green beside what waits"


def written(home: Home, days: list[date]) -> dict[date, list[int]]:
    """Return which files a date's pages are: a file that is written anew is another."""
    return {
        day: [(home.site / page).stat().st_ino for page in sorted(in_each(f"{day}.html"))]
        for day in days
    }


def test_a_page_that_lacks_its_twin_is_written_again(city: City, home: Home) -> None:
    for day in (DAY, DAY + timedelta(days=3)):
        city.deliver("received", "published", day=day)
    city.save(home)
    build_site(home)
    whole = files(home)
    (home.site / "en" / f"{DAY}.html").unlink()
    build_site(home)
    assert files(home) == whole


def test_both_languages_are_made_of_tables_that_are_read_once(
    city: City, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.deliver("received", "published")
    city.save(home)
    asked: list[str] = []
    for name in ("latest_deliveries", "latest_batches", "findings", "check_results"):
        read = getattr(governance, name)

        def counted(*given: Any, read: Any = read, name: str = name) -> Any:
            asked.append(name)
            return read(*given)

        monkeypatch.setattr(governance, name, counted)
    monkeypatch.setattr(site, "read_catalogue", lambda _: make_catalogue((), {}))
    build_site(home)
    assert sorted(asked) == sorted(set(asked))


def test_a_page_is_written_again_when_its_rows_or_its_neighbours_are_new(
    city: City, home: Home
) -> None:
    days = [DAY + timedelta(days=n) for n in range(4)]
    for day in days[:3]:
        city.deliver("received", "published", day=day)
    city.save(home)
    build_site(home)
    was = written(home, days[:3])
    assert f'href="{days[3]}.html"' not in (home.site / f"{days[2]}.html").read_text("utf-8")
    later = city.deliveries[0].model_copy(
        update={"state": "late", "recorded_at": datetime(2026, 7, 30, tzinfo=UTC)}
    )
    governance.append(home, "test:later", [later])
    other = City(deliveries=[], batches=[])
    other.deliver("missing", day=days[3])
    governance.append(home, "test:next", other.deliveries)
    build_site(home)
    now = written(home, days[:3])
    assert [was[day] == now[day] for day in days[:3]] == [False, True, False]
    anew = [a != b for day in (days[0], days[2]) for a, b in zip(was[day], now[day], strict=True)]
    assert all(anew), "in both languages"
    assert f'href="{days[3]}.html"' in (home.site / f"{days[2]}.html").read_text("utf-8")


def test_the_dates_are_listed_as_their_pages_count_them(city: City, home: Home) -> None:
    busy(city).save(home)
    build_site(home)
    assert (home.site / "en" / "dates.html").exists()
    listed = (home.site / "dates.html").read_text("utf-8")
    [row] = re.findall(rf'<tr role="row">(?:(?!</tr>).)*{DAY}.html.*?</tr>', listed, re.DOTALL)
    cells = [int(n) for n in re.findall(r'class="n">(\d+)<', row)]
    counts = city.report().counts
    assert cells == [counts.due, *(counts.states.get(s, 0) for s in DUE_STATES)]


@pytest.mark.parametrize("language", FOLDERS)
def test_the_menu_counts_what_its_lists_hold(city: City, language: Language) -> None:
    report = busy(city).report()
    page = render(report, language)
    counted = {
        fragment: int(number)
        for fragment, number in re.findall(r'<a href="#(decide|follow|open)">.*?\((\d+)\)', page)
    }
    sections = re.split(r'id="(decide|follow|open|deliveries)"', page)
    held = dict(zip(sections[1::2], sections[2::2], strict=True))
    rows = {n: held[n].partition("<tbody")[2].count('<th role="rowheader"') for n in counted}
    assert counted == rows
    assert sum(counted.values()) == len(report.decisions) + len(report.still_open)
    assert all(counted.values())


def test_the_pages_link_to_each_other(home: Home) -> None:
    build_site(home)
    for folder in FOLDERS.values():
        for name in PAGES:
            outline = Outline((home.site / folder / name).read_text("utf-8"))
            assert PAGES - {name} <= set(outline.all_of("href"))


def test_the_newest_row_of_a_key_counts(city: City, home: Home) -> None:
    city.deliver("missing")
    (missing,) = city.deliveries
    later = missing.model_copy(
        update={"state": "late", "recorded_at": missing.recorded_at + timedelta(hours=1)}
    )
    city.deliveries = [later, missing]
    city.save(home)
    text = Outline(build_site(home).read_text("utf-8")).text
    assert "迟交" in text
    assert "更新及时率：0 %（0/1）" in text
    twin = Outline((home.site / "en" / "index.html").read_text("utf-8")).text
    assert "On time: 0 % (0/1)" in twin


def test_a_build_leaves_nothing_but_the_pages(city: City, home: Home) -> None:
    city.deliver("received", "published")
    city.save(home)
    build_site(home)
    assert set(files(home)) == in_each(*PAGES, f"{DAY}.html")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "—"),
        (0.0, "0 %"),
        (0.004, "<0.01 %"),
        (5.0, "5 %"),
        (99.99, "99.99 %"),
        (100.0, "100 %"),
        (12.5, "12.5 %"),
    ],
)
def test_percent(value: float | None, told: str) -> None:
    assert percent(value) == told


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        (0, "0 min"),
        (59, "59 min"),
        (60, "1 h"),
        (-137, "2 h 17 min"),
        (1440, "1 d"),
        (3000, "2 d 2 h"),
    ],
)
def test_span(minutes: int, told: str) -> None:
    length = span(timedelta(minutes=minutes))
    assert length.en == told
    chinese = {"min": "分钟", "h": "小时", "d": "天"}
    assert length.zh == " ".join(chinese.get(part, part) for part in told.split())


def test_moments_are_city_time_and_numbers_are_grouped() -> None:
    assert moment(datetime(2026, 7, 15, 16, 30, tzinfo=UTC)) == "2026-07-16 00:30"
    assert moment(None) == number(None) == "—"
    assert number(1234567) == "1,234,567"


def test_long_text_is_cut() -> None:
    assert clip("x" * 400) == "x" * 400
    assert clip("x" * 401) == "x" * 399 + "…"
    assert clip(Words("长" * 401, "short")) == Words("长" * 399 + "…", "short")
