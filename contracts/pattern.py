"""Regular expressions of contracts: which of them the engine that runs them can read.

ODCS writes ``pattern`` as ECMA-262 has it, and Spark runs it as Java. What only one dialect of the
two reads, or each reads in its own way, is refused with the place where it stands.
"""

from __future__ import annotations

import re
import warnings
from typing import Annotated, Final

from pydantic import AfterValidator

from contracts.errors import BadValueError
from contracts.words import Words

#: Escaped letters that mean the same in ECMA-262, Java and Python.
_LETTERS: Final = frozenset("dDwWsSbBtnrfv")
_REMEDY: Final = Words(
    "请用 ECMA-262 中各引擎读法一致的部分书写。",
    "Write it in the part of ECMA-262 that every engine reads alike.",
)
_GROUP: Final = re.compile(r"\(\?(?::|=|!|<=|<!|<([A-Za-z][A-Za-z0-9]*)>)")
_FLAGS: Final = re.compile(r"\(\?[ims]+\)")
_REPEAT: Final = re.compile(r"\{[0-9]+(,[0-9]*)?\}")
_BACK: Final = re.compile(r"\\k<([A-Za-z][A-Za-z0-9]*)>")
_CODE: Final = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|c[A-Za-z])")
_PROPERTY: Final = re.compile(r"\\[pP]\{([^{}]*)\}")
_CATEGORY: Final = re.compile(
    r"L[ulmto]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfosn]"
    r"|(?:Script|sc)=[A-Z][a-z]+|Is(?:Alphabetic|Ideographic|Han|Latin|Cyrillic|Tibetan|Mongolian)"
)


class _Scan:
    """One walk over a pattern, which translates it to Python's dialect on the way."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.python: list[str] = []

    def take(self, found: re.Match[str], python: str | None = None) -> None:
        self.at = found.end()
        self.python.append(found.group() if python is None else python)

    def plain(self, length: int = 1) -> None:
        self.python.append(self.pattern[self.at : self.at + length])
        self.at += length

    def refuse(self, zh: str, en: str) -> ValueError:
        """Return the error of what stands here; both texts go on from its place."""
        at = self.at + 1
        return BadValueError(
            Words(
                f"{self.pattern!r} 不是可运行的正则表达式：第 {at} 个字符{zh}",
                f"{self.pattern!r} is no regular expression that runs: character {at} {en}",
            ),
            _REMEDY,
        )

    def translated(self) -> str:
        """Return the pattern as Python writes it; raises ValueError with the place."""
        if flags := _FLAGS.match(self.pattern):
            self.take(flags)
        while self.at < len(self.pattern):
            match self.pattern[self.at]:
                case "\\":
                    self.escape()
                case "[":
                    self.character_class()
                case "(" if self.pattern.startswith("(?", self.at):
                    self.group()
                case "{":
                    if not (repeat := _REPEAT.match(self.pattern, self.at)):
                        raise self.refuse(
                            r"不是 {n} 或 {n,m}；花括号本身写作 \{",
                            r"is no {n} or {n,m}; a brace itself is written \{",
                        )
                    self.take(repeat)
                case _:
                    self.plain()
        return "".join(self.python)

    def escape(self) -> None:
        following = self.pattern[self.at + 1 : self.at + 2]
        if code := _CODE.match(self.pattern, self.at):
            self.take(code, "a" if following == "c" else None)
        elif back := _BACK.match(self.pattern, self.at):
            self.take(back, f"(?P={back.group(1)})")
        elif following in ("p", "P"):
            found = _PROPERTY.match(self.pattern, self.at)
            if found is None or not _CATEGORY.fullmatch(found.group(1)):
                raise self.refuse(
                    r"开始的不是 \p{L}、\p{Lu} 或 \p{Script=Han} 这样的类",
                    r"begins no class like \p{L}, \p{Lu} or \p{Script=Han}",
                )
            self.take(found, "a")
        elif (
            not following
            or following == "0"
            or (following.isascii() and following.isalpha() and following not in _LETTERS)
        ):
            raise self.refuse(
                f"开始的 \\{following} 是 ECMA-262 所没有的",
                f"begins \\{following}, which ECMA-262 does not have",
            )
        else:
            self.plain(2)

    def character_class(self) -> None:
        start = self.at
        self.plain(2 if self.pattern.startswith("[^", start) else 1)
        if self.pattern.startswith("]", self.at):
            raise self.refuse(
                r"结束的是空的字符类；方括号本身写作 \]",
                r"closes an empty class; a bracket itself is written \]",
            )
        while not self.pattern.startswith("]", self.at):
            if self.at >= len(self.pattern):
                self.at = start
                raise self.refuse("开始的字符类没有结束", "opens a class that nothing closes")
            if self.pattern[self.at] == "\\":
                self.escape()
            elif self.pattern[self.at] == "[" or self.pattern.startswith("&&", self.at):
                raise self.refuse(
                    r"在字符类中又开始一个类；请写 \[ 或 \&",
                    r"begins a class in a class; write \[ or \&",
                )
            else:
                self.plain()
        self.plain()

    def group(self) -> None:
        found = _GROUP.match(self.pattern, self.at)
        if found is None:
            raise self.refuse(
                "开始的分组属于另一种方言；可读 (?:…)、(?<name>…)、(?=…)",
                "opens a group of another dialect; (?:…), (?<name>…), (?=…) are read",
            )
        self.take(found, f"(?P<{found.group(1)}>" if found.group(1) else None)


def _compiled(python: str, pattern: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(python)
    except (re.error, OverflowError, RecursionError) as bad:
        problem = Words(
            f"{pattern!r} 不是正则表达式：{bad}", f"{pattern!r} is no regular expression: {bad}"
        )
        raise BadValueError(problem, _REMEDY) from None


def _of_spark(pattern: str) -> str:
    _compiled(_Scan(pattern).translated(), pattern)
    return pattern


def _of_python(pattern: str) -> str:
    _compiled(pattern, pattern)
    return pattern


#: A pattern that Spark holds against cells.
Pattern = Annotated[str, AfterValidator(_of_spark)]
#: A pattern that landing, which is Python, holds against lines.
LinePattern = Annotated[str, AfterValidator(_of_python)]
