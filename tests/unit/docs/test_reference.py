"""The generated pages say what the code says, and whatever they list has a meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from contracts.words import Words
from infra.reference import meanings, settings
from infra.reference.markdown import COMMAND, UndescribedError, english, table
from infra.reference.pages import FOLDER, PAGES, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return {name: make() for name, make in PAGES.items()}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_the_code_says(name: str, made: dict[str, str]) -> None:
    kept = (FOLDER / name).read_text("utf-8")
    assert kept == made[name], f"docs/reference/{name} has drifted: run {COMMAND}"


def test_every_page_of_the_folder_is_generated_or_lists_the_others() -> None:
    there = {file.name for file in FOLDER.iterdir()}
    assert there == {*PAGES, "README.md", "README.zh.md"}
    for listing in ("README.md", "README.zh.md"):
        text = (FOLDER / listing).read_text("utf-8")
        assert all(f"]({name})" in text for name in PAGES)


def texts(of: Any) -> Iterator[str]:
    for said in of.values():
        if isinstance(said, str):
            yield " ".join(said.split()).replace("|", "\\|")
        else:
            yield from texts(said)


@pytest.mark.parametrize(
    "of", ["COLUMN_PROPERTIES", "FACETS", "FIELDS", "LEAVES", "MASKS", "SYSTEM_COLUMNS", "TAGS"]
)
def test_every_meaning_is_of_something_that_a_page_lists(of: str, made: dict[str, str]) -> None:
    everything = "".join(made.values())
    assert [said for said in texts(getattr(meanings, of)) if said not in everything] == []


def test_a_name_without_a_meaning_is_an_error_that_says_where_to_add_it() -> None:
    with pytest.raises(UndescribedError, match=r"mask 'blur'.*meanings\.py"):
        meanings.meaning(meanings.MASKS, "blur", "mask")


@pytest.mark.parametrize(
    ("read", "said"),
    [({"A", "B"}, "code reads B.*variables"), (set(), "Nothing reads A any more")],
)
def test_settings_are_those_that_the_code_reads(read: set[str], said: str) -> None:
    with pytest.raises(UndescribedError, match=said):
        settings.check(read, {"A"})


def test_variables_are_found_however_they_are_read(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        "import os\n"
        "from typing import Final\n"
        'NAMED: Final = "BY_NAME"\n'
        'a = os.environ.get("BY_GET")\n'
        'b = os.environ["BY_KEY"]\n'
        'c = os.getenv("BY_GETENV")\n'
        'd = "BY_IN" in os.environ\n'
        "e = os.environ.get(NAMED)\n"
        'f = port("JINGSHU_HANDED_ON")\n'
        'os.environ["ONLY_WRITTEN"] = "x"\n'
        'g = {}.get("NO_VARIABLE")\n'
    )
    assert set(settings.names_in(file)) == {
        "BY_GET",
        "BY_GETENV",
        "BY_IN",
        "BY_KEY",
        "BY_NAME",
        "JINGSHU_HANDED_ON",
    }


def test_pages_are_written_where_they_differ(tmp_path: Path) -> None:
    pages = {name: lambda: "new" for name in ("a.md", "b.md")}
    assert write(tmp_path, pages) == ["a.md", "b.md"]
    (tmp_path / "b.md").write_text("old")
    assert write(tmp_path, pages) == ["b.md"]
    assert (tmp_path / "b.md").read_text() == "new"


def test_cells_hold_no_line_ends_and_no_bars() -> None:
    assert table(("a",), [("x |\n y",)]).splitlines()[-1] == "| x \\| y |"


@pytest.mark.parametrize(
    ("said", "meant"),
    [("不是手机号码 not a mobile number", "not a mobile number"), ("only English", "only English")],
)
def test_the_english_of_a_text_in_both_languages(said: str, meant: str) -> None:
    assert english(said) == meant
    assert english(Words("任何", meant)) == meant
