"""Markdown of the generated pages: tables, code, and a head that says where a page comes from."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contracts.words import Language

COMMAND: Final = ".venv/bin/python -m infra.reference"
_MADE: Final = Words(
    f"由 `{COMMAND}` 从代码生成。请勿改动：有任何出入，测试就不通过。",
    f"Generated from the code by `{COMMAND}`. Do not edit: a test fails on any difference.",
)
_ROLE: Final = re.compile(r"``([^`]+)``")
#: Sections of documents that are no part of this repository.
_ELSEWHERE: Final = re.compile(r" \((?:design|domain reference) §[^)]*\)")
#: Chinese characters and full-width punctuation.
_CHINESE: Final = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


class UndescribedError(JingshuError, LookupError):
    """Something that a page lists and that nobody has described."""


def page(title: str, summary: str, *parts: str, language: Language = "en") -> str:
    """Return a page: what it is, how it was made, and its parts."""
    made = _MADE.to(language)
    return "\n\n".join([f"# {title}", summary, made, *(p.strip() for p in parts)]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells may hold Markdown, but no line ends."""
    lines = [" | ".join(heads), " | ".join("---" for _ in heads)]
    lines += [" | ".join(_cell(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Return a word of code; nothing for no word."""
    return f"`{text}`" if text else ""


def codes(words: Iterable[str]) -> str:
    """Return words of code with commas between."""
    return ", ".join(map(code, words))


def docstring(thing: object) -> str:
    """Return a docstring as Markdown."""
    words = _ELSEWHERE.sub("", inspect.getdoc(thing) or "")
    paragraphs = words.strip().split("\n\n")
    return "\n\n".join(_ROLE.sub(r"`\1`", " ".join(p.split())) for p in paragraphs)


def english(told: Words | str) -> str:
    """Return the English of a text: what follows the Chinese where one string holds both."""
    if isinstance(told, Words):
        return told.en
    found = list(_CHINESE.finditer(told))
    return told[found[-1].end() :].strip() if found else told
