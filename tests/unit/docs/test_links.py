"""Every link of every page leads somewhere: files, folders and headings. No network is asked."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import pytest

from contracts.layout import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FENCE: Final = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_CODE: Final = re.compile(r"`[^`\n]*`")
_LINK: Final = re.compile(
    r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^()\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)"
)
_DEFINED: Final = re.compile(r"^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
_HEADING: Final = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
#: What .gitignore names at the top.
_NOT_OURS: Final = ("mutants", "var")
_ELSEWHERE: Final = re.compile(r"[a-z][a-z0-9+.-]*:")


def pages() -> list[str]:
    """Every Markdown file of the repository; folders that begin with a dot are tools'."""
    tops = [p for p in ROOT.iterdir() if p.name not in _NOT_OURS and not _is_of_a_tool(p)]
    found = [p for p in tops if p.suffix == ".md"]
    found += [file for top in tops if top.is_dir() for file in top.rglob("*.md")]
    return sorted(str(file.relative_to(ROOT)) for file in found)


def _is_of_a_tool(path: Path) -> bool:
    return path.name.startswith(".") and path.name != ".github"


def links(text: str) -> Iterator[str]:
    """Yield where a page's links lead; what stands in code is no link."""
    prose = _CODE.sub("", _FENCE.sub("", text))
    yield from _LINK.findall(prose)
    yield from _DEFINED.findall(prose)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        numbered = (slug, *(f"{slug}-{n}" for n in range(1, 99)))
        found.add(next(name for name in numbered if name not in found))
    return found


@cache
def anchors_of(page: Path) -> set[str]:
    return anchors(page.read_text("utf-8"))


def broken(page: Path, text: str) -> list[str]:
    """Return the links of a page that lead nowhere."""
    found = []
    for link in links(text):
        if _ELSEWHERE.match(link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        is_there = target.exists() and target.is_relative_to(ROOT)
        if not is_there or (anchor and anchor not in anchors_of(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("name", pages())
def test_every_link_of_a_page_leads_somewhere(name: str) -> None:
    page = ROOT / name
    assert broken(page, page.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[there](CHANGELOG.md)", []),
        ("[a folder](docs/decisions/)", []),
        ("[a heading](CONTRIBUTING.md#add-a-source-in-one-file)", []),
        ("[elsewhere](https://example.com/nowhere)", []),
        ("`[code](nowhere.md)`", []),
        ("```\n[code](nowhere.md)\n```", []),
        ("[gone](nowhere.md)", ["nowhere.md"]),
        ("[[0001] brackets](nowhere.md)", ["nowhere.md"]),
        ("![picture](nowhere.png)", ["nowhere.png"]),
        ("[gone][1]\n\n[1]: nowhere.md", ["nowhere.md"]),
        ("[no heading](CONTRIBUTING.md#nowhere)", ["CONTRIBUTING.md#nowhere"]),
        ("[out of the repository](../../etc/hostname)", ["../../etc/hostname"]),
    ],
)
def test_a_link_that_leads_nowhere_is_named(text: str, told: list[str]) -> None:
    assert broken(ROOT / "README.md", text) == told


def test_anchors_are_those_that_github_makes() -> None:
    text = "# 读 a Table: `x`, [now](y.md)\n## Again\n## Again\n```\n# none\n```\n"
    assert anchors(text) == {"读-a-table-x-now", "again", "again-1"}
