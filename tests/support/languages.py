"""What a page says in one language and in the other: its words, without names and codes."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final

from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contracts.words import Language

_UNSAID: Final = frozenset({"code", "pre", "textarea", "style"})
_SAYING: Final = ("title", "aria-label", "data-h", "placeholder")
_CHINESE: Final = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+")
_ENGLISH: Final = re.compile(r"[A-Za-z]{2,}")
#: Ids, paths and times: what is written of letters with signs or digits between.
_CODE: Final = re.compile(r"[\w+-]*[\d_./=#@+][\w./=#@+:-]*", re.ASCII)
#: What the languages call themselves, and names that are the same in both.
NAMES: Final = (
    *("中文", "English", "CDO", "GB/T", "UTC", "UTF", "YAML", "JSON", "LIKE"),
    *("Spark", "pandas", "Polars", "DuckDB"),
)


class _Said(HTMLParser):
    """The texts of a page that a reader meets, attributes that are read out among them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._unsaid: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value for name, value in attrs if name in _SAYING and value]
        if tag in _UNSAID:
            self._unsaid.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSAID:
            self._unsaid.pop()

    def handle_data(self, data: str) -> None:
        if not self._unsaid:
            self.texts.append(data)


def strings_of(value: Any) -> Iterator[str]:
    """Yield every text that is written somewhere within a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings_of(one)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for one in value:
            yield from strings_of(one)
    elif isinstance(value, Words):
        yield from (value.zh, value.en)


def foreign(page: str, language: Language, names: Iterable[str] = ()) -> list[str]:
    """Return what a page says in the other language, apart from names and what is quoted."""
    other = _ENGLISH if language == "zh" else _CHINESE
    known = {*NAMES, *(name for name in names if other.search(name))}
    longest_first = sorted(known, key=len, reverse=True)
    found = []
    for text in dict.fromkeys(text.strip() for text in _Said(page).texts):
        if text not in known and other.search(text):
            found += other.findall(_without(text, longest_first, is_code_known=language == "zh"))
    return found


def _without(text: str, names: Iterable[str], *, is_code_known: bool) -> str:
    for name in names:
        if name in text:
            text = re.sub(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", " ", text)
    return _CODE.sub(" ", text) if is_code_known else text
