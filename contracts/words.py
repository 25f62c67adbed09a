"""What people read, whole in each language: the reader's is shown, a stored text keeps both.

A sentence is written as ``Words("没有这个批次。", "There is no such batch.")`` and never as one
string that holds two languages. Whoever shows it says for whom: a page by its reader's choice, a
command by :func:`reader`. A table keeps one column of text: ``stored()`` writes it, ``read()``
reads it back.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Language = Literal["zh", "en"]
Reader = Literal["zh", "en", "both"]

#: What chooses a command's language: ``zh``, ``en`` or ``both``.
SETTING: Final = "JINGSHU_LANG"
_LOCALES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")  # POSIX's order, XBD 8.2
_BETWEEN: Final = " ‖ "
_END_OF_SENTENCE: Final = ("。", "！", "？", "；", "：", "…")


@dataclass(frozen=True)
class Words:
    """One text in Chinese and in English, each whole.

    ``str()`` gives both, Chinese first: for logs and for whoever has said no language.
    """

    zh: str
    en: str

    def to(self, reader: Reader) -> str:
        """Return the text in a reader's language."""
        if reader == "zh":
            return self.zh
        if reader == "en" or self.zh == self.en:
            return self.en
        return f"{self.zh} {self.en}".strip()

    def then(self, other: Words) -> Words:
        """Return this text followed by another one."""
        gap = "" if self.zh.endswith(_END_OF_SENTENCE) else " "
        return Words(f"{self.zh}{gap}{other.zh}".strip(), f"{self.en} {other.en}".strip())

    def stored(self) -> str:
        """Return both texts as one, for a column or an event that keeps one text."""
        if self.zh == self.en:
            return self.en
        return _BETWEEN.join(text.replace(_BETWEEN.strip(), "|") for text in (self.zh, self.en))

    @classmethod
    def read(cls, stored: str) -> Words:
        """Return what ``stored()`` wrote; any other text is the same to every reader."""
        zh, between, en = stored.partition(_BETWEEN)
        return cls(zh, en) if between else cls(stored, stored)

    def __str__(self) -> str:
        return self.to("both")


def reader(environ: Mapping[str, str] | None = None) -> Reader:
    """Return who reads what this process prints.

    ``JINGSHU_LANG`` says it; else the locale does, where it names Chinese or English; a reader
    of whom nothing is known (``C``, ``POSIX``, another language) gets both.
    """
    environ = os.environ if environ is None else environ
    asked = environ.get(SETTING, "").strip().lower()
    readers: tuple[Reader, ...] = get_args(Reader)
    for known in readers:
        if asked == known:
            return known
    locale = next((value for name in _LOCALES if (value := environ.get(name))), "")
    languages: tuple[Language, ...] = get_args(Language)
    for language in languages:
        if locale.lower().replace("-", "_").split("_")[0].split(".")[0] == language:
            return language
    return "both"


def listed(texts: Iterable[Words]) -> Words:
    """Return several texts as one list in each language."""
    told = tuple(texts)
    return Words("；".join(one.zh for one in told), "; ".join(one.en for one in told))


def text(zh: str, en: str) -> str:
    """Return one text in the language of whoever reads what this process prints."""
    return Words(zh, en).to(reader())
