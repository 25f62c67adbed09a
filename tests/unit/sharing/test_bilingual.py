"""Errors that people meet on the web pages say it in Chinese first, and in English."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from contracts.layout import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = sorted(
    (
        *(ROOT / "sharing" / "requests").glob("*.py"),
        *(ROOT / "sharing" / "accounts").glob("*.py"),
        *(f for f in (ROOT / "portal" / "web").glob("*.py") if f.name != "serving.py"),
        ROOT / "sharing" / "catalogue" / "register.py",
        ROOT / "sharing" / "grants" / "belonging.py",
        ROOT / "sharing" / "people.py",
        ROOT / "sharing" / "verify" / "requests.py",
    )
)
#: For who packages and runs it, not for who reads its pages.
OPERATORS = {"permissions.csv"}
CHINESE, ENGLISH = re.compile(r"[一-鿿]"), re.compile(r"[A-Za-z]{2}")


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def said(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the constant words of each argument of an error that is made."""
    calls = (n for n in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(n, ast.Call))
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id.endswith("Error"):
            for argument in call.args:
                yield call.lineno, words(argument)


def words(argument: ast.expr) -> str:
    constants = [n for n in ast.walk(argument) if isinstance(n, ast.Constant)]
    parts = (n.value for n in sorted(constants, key=lambda n: (n.lineno, n.col_offset)))
    return "".join(p for p in parts if isinstance(p, str))


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_errors_are_in_both_languages(file: Path) -> None:
    one = [
        f"{name_of(file)}:{line} {text}"
        for line, text in said(file)
        if ENGLISH.search(text)
        and not CHINESE.search(text)
        and not any(word in text for word in OPERATORS)
    ]
    assert one == []


def test_the_test_reads_errors() -> None:
    assert sum(len(list(said(file))) for file in FILES) > 100


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_chinese_comes_first(file: Path) -> None:
    late = [
        text
        for _, text in said(file)
        if (chinese := CHINESE.search(text)) and re.search(r"[a-z] ?[a-z]", text[: chinese.start()])
    ]
    assert late == []
