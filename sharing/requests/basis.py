"""Whether a legal basis names a law and an article of it; a refusal without one is none.

Source: State Council Decree 809, Art. 14 and 21 (a refusal states its reason; what is not shared
rests on a law, an administrative regulation or a State Council decision); ``legal_bases.csv``.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from contracts.errors import UsageError
from contracts.words import Words

_FILE: Final = Path(__file__).with_name("legal_bases.csv")
#: An article, right behind its law: another law's, further on, is no ground.
_ARTICLE: Final = r"[》\s]*第\s*([0-9]+|[零〇一二三四五六七八九十百千]+)\s*条"
_DIGITS: Final = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}


@dataclass(frozen=True)
class Law:
    """A law or regulation that a refusal may rest on; ``articles`` is how many it has, if known."""

    name: str
    also: str
    articles: int | None


@cache
def laws() -> tuple[Law, ...]:
    """Return the laws of the list, the longest name first: one name may be the end of another."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        found = [
            Law(row["law"], row["also"], int(row["articles"]) if row["articles"] else None)
            for row in csv.DictReader(file)
        ]
    return tuple(sorted(found, key=lambda law: -len(law.name)))


def check_basis(text: str) -> None:
    """Raise UsageError unless a text names a law of the list and an article that it has."""
    found = _named(text)
    if found is None:
        known = "、".join(law.name for law in sorted(laws(), key=lambda law: law.name))
        raise UsageError(
            Words(
                "法律依据须写明法律名称与条款。",
                "The legal basis names no law and article that is known.",
            ),
            Words(
                "请写作：政务数据共享条例 第十四条。可引用的法律（见"
                f" sharing/requests/legal_bases.csv）：{known}。",
                "Write it as: 政务数据共享条例 第十四条. Known laws"
                f" (sharing/requests/legal_bases.csv): {known}.",
            ),
        )
    law, number = found
    if not 1 <= number <= (law.articles or number):
        raise UsageError(
            Words(f"《{law.name}》没有第 {number} 条。", f"{law.name} has no article {number}."),
            Words(
                f"共 {law.articles} 条，请核对。", f"It has {law.articles} articles: look it up."
            ),
        )


def _named(text: str) -> tuple[Law, int] | None:
    """Return the first law of the list that is named with an article, and the article's number."""
    for law in laws():
        names = [re.escape(law.name), *([rf"(?<!\w){re.escape(law.also)}"] if law.also else [])]
        if found := re.search(f"(?:{'|'.join(names)}){_ARTICLE}", text):
            return law, article(found[1])
    return None


def article(text: str) -> int:
    """Return the number of an article, written in Chinese (一百二十三) or in digits."""
    if text.isdigit():
        return int(text)
    total, digit = 0, 0
    for character in text:
        if character in _UNITS:
            total += (digit or 1) * _UNITS[character]
            digit = 0
        else:
            digit = _DIGITS[character]
    return total + digit
