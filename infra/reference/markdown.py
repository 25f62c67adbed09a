"""Markdown of the generated pages: tables, code, and a head that says where a page comes from."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COMMAND: Final = ".venv/bin/python -m infra.reference"
_ROLE: Final = re.compile(r"``([^`]+)``")
#: Sections of documents that are no part of this repository.
_ELSEWHERE: Final = re.compile(r" \((?:design|domain reference) §[^)]*\)")
#: Chinese characters and full-width punctuation.
_CHINESE: Final = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


class UndescribedError(JingshuError, LookupError):
    """Something that a page lists and that nobody has described."""


def page(title: str, summary: str, *parts: str) -> str:
    """Return a page: what it is, how it was made, and its parts."""
    made = f"Generated from the code by `{COMMAND}`. Do not edit: a test fails on any difference."
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


def english(text: str) -> str:
    """Return what follows the Chinese of a text that says it in both languages."""
    found = list(_CHINESE.finditer(text))
    return text[found[-1].end() :].strip() if found else text
