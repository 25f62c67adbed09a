"""Errors of requests, exports, accounts and roles: each language whole, none within the other."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from contracts.layout import ROOT
from sharing.accounts.passwords import WeakPasswordError, require_strong

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = sorted(
    (
        *(ROOT / "sharing" / "requests").glob("*.py"),
        *(ROOT / "sharing" / "crossborder").glob("*.py"),
        *(ROOT / "sharing" / "accounts").glob("*.py"),
        ROOT / "sharing" / "people.py",
    )
)
#: For who writes programs or packages them.
INNER = {"ValueError", "KeyError", "AssertionError"}
#: Names that stand in either language: a law has no other.
NAMES = ("政务数据共享条例 第十四条",)
CHINESE = re.compile(r"[一-鿿]")
#: A sentence of English within Chinese: words of more than an id, a command or a law's article.
SENTENCE = re.compile(r"[。：；，] ?[A-Z][a-z]+ [a-z]+ [a-z]+")


def calls(file: Path) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls of a file, each with the name of what is called."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node


def constant(text: ast.expr) -> str:
    """Return the constant parts of a text."""
    if isinstance(text, ast.Constant):
        return str(text.value)
    parts = text.values if isinstance(text, ast.JoinedStr) else []
    return "".join(str(p.value) for p in parts if isinstance(p, ast.Constant))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_error_is_one_string_of_two_languages(file: Path) -> None:
    told = [
        ast.unparse(argument)
        for name, call in calls(file)
        if name.endswith("Error") and name not in INNER
        for argument in call.args
        if isinstance(argument, ast.Constant | ast.JoinedStr)
    ]
    assert told == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_neither_language_holds_the_other(file: Path) -> None:
    for zh, en in (call.args for name, call in calls(file) if name == "Words"):
        chinese, english = constant(zh), constant(en)
        for name in NAMES:
            english = english.replace(name, "")
        assert CHINESE.search(chinese) or not re.search(r"\w", chinese)
        assert not SENTENCE.search(chinese), chinese
        assert not CHINESE.search(english), english


def test_the_test_reads_texts() -> None:
    assert sum(name == "Words" for file in FILES for name, _ in calls(file)) > 150


@pytest.mark.parametrize("password", ["short", "x" * 300, "li.health-1", "password1234", "a" * 12])
def test_a_weak_password_is_refused_in_each_language(password: str) -> None:
    with pytest.raises(WeakPasswordError) as refused:
        require_strong(password, "li.health", "health")
    assert CHINESE.search(refused.value.words.zh)
    assert not re.search("[a-z]", refused.value.words.zh)
    assert not CHINESE.search(refused.value.words.en)
