"""Regular expressions of contracts: which of them every engine reads, and how RE2 writes them.

ODCS writes ``pattern`` as ECMA-262 has it. What runs here are RE2 (whole columns, in time that
grows with the text alone) and, in SQL that contracts bring, Spark's Java. What the three do not
read alike is refused with the place where it stands: look-around and back-references among them.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import Annotated, Final

from pydantic import AfterValidator

from contracts.errors import BadValueError
from contracts.words import Words

#: Escaped letters that mean the same in ECMA-262, Java and Python.
_SURROGATES: Final = (0xD800, 0xDFFF)
_LETTERS: Final = frozenset("dDwWsSbBtnrfv")
_REMEDY: Final = Words(
    "请用 ECMA-262 中各引擎读法一致的部分书写。",
    "Write it in the part of ECMA-262 that every engine reads alike.",
)
_GROUP: Final = re.compile(r"\(\?(?::|<([A-Za-z][A-Za-z0-9]*)>)")
_AROUND: Final = re.compile(r"\(\?<?[=!]")
_FLAGS: Final = re.compile(r"\(\?[ims]+\)")
_REPEAT: Final = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}")
#: RE2 repeats nothing more often, repeats within repeats multiplied (re2.h, kMaxRepeat).
_MOST_REPEATS: Final = 1000
#: So many parts, repeats written out, compile within RE2's memory; a Unicode class is as large as
#: some five others.
_MOST_PARTS: Final = 2000
_OF_PROPERTY: Final = 5
_POSSESSIVE: Final = re.compile(r"[*+?]\+")
_CODE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|c([A-Za-z]))")
_PROPERTY: Final = re.compile(r"\\[pP]\{(?:(?:Script|sc)=|Is)?([^{}]*)\}")
_SCRIPTS: Final = (
    "Han|Latin|Cyrillic|Greek|Arabic|Hebrew|Thai|Tibetan|Mongolian|Yi|Hangul|Hiragana|Katakana"
    "|Bopomofo|Common"
)
_CATEGORY: Final = re.compile(
    r"L[ulmto]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfo]?"
    rf"|(?:Script=|sc=|Is)(?:{_SCRIPTS})"
)
_TWICE: Final = (
    "重复了已重复之处，ECMA-262 没有这种写法",
    "repeats what is repeated, which ECMA-262 does not have",
)
#: ECMA-262 § 22.2.2: what a dot passes over, and what white space is in ASCII.
_DOT: Final = r"[^\n\r\x{2028}\x{2029}]"
_SPACE: Final = r"\t\n\x0b\f\r "


class _Scan:
    """One walk over a pattern, which writes it in RE2's dialect and in Python's on the way."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.python: list[str] = []
        self.re2: list[str] = []
        self.matches_all = False
        #: How often what stands in each open group is repeated at most, and the last part.
        self.within = [1]
        self.last = 1
        #: The same of the size: of each open group's parts in all, and of the last part.
        self.sizes = [0]
        self.size = 0

    def take(self, length: int, python: str | None = None, re2: str | None = None) -> None:
        there = self.pattern[self.at : self.at + length]
        self.at += length
        self.python.append(there if python is None else python)
        self.re2.append(there if re2 is None else re2)

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

    def read(self) -> _Scan:
        """Read the pattern; raises ValueError with the place."""
        if flags := _FLAGS.match(self.pattern):
            self.matches_all = "s" in flags.group()
            self.take(flags.end())
        while self.at < len(self.pattern):
            start = self.at
            match self.pattern[start]:
                case "\\":
                    self.escape()
                case "[":
                    self.character_class()
                case "(":
                    self.within.append(1)
                    self.sizes.append(0)
                    self.group()
                    continue
                case ")" if len(self.within) > 1:
                    self.take(1)
                    self.last = self.within.pop()
                    self.within[-1] = max(self.within[-1], self.last)
                    self.size = self.sizes.pop()
                    self.sizes[-1] += self.size
                    continue
                case "." if not self.matches_all:
                    self.take(1, re2=_DOT)
                case "{":
                    self.repeat()
                    continue
                case _ if _POSSESSIVE.match(self.pattern, self.at):
                    self.at += 1
                    raise self.refuse(*_TWICE)
                case _:
                    self.take(1)
            self.last = 1
            self.size = 1 + _OF_PROPERTY * self.pattern.count("\\p", start, self.at)
            self.size += _OF_PROPERTY * self.pattern.count("\\P", start, self.at)
            self.sizes[-1] += self.size
        return self

    def repeat(self) -> None:
        found = _REPEAT.match(self.pattern, self.at)
        if found is None:
            raise self.refuse(
                r"不是 {n} 或 {n,m}；花括号本身写作 \{",
                r"is no {n} or {n,m}; a brace itself is written \{",
            )
        times = max(1, *(int(n[:6]) for n in found.groups() if n))
        self.last *= times
        self.sizes[-1] += self.size * (times - 1)
        self.size *= times
        if self.last > _MOST_REPEATS:
            raise self.refuse(
                f"的重复合计超过 {_MOST_REPEATS} 次",
                f"makes more than {_MOST_REPEATS} repeats in all",
            )
        self.within[-1] = max(self.within[-1], self.last)
        self.take(found.end() - self.at)
        if self.pattern.startswith("+", self.at):
            raise self.refuse(*_TWICE)

    def escape(self, *, is_in_class: bool = False) -> None:
        following = self.pattern[self.at + 1 : self.at + 2]
        if code := _CODE.match(self.pattern, self.at):
            self.code(code)
        elif following in ("p", "P"):
            found = _PROPERTY.match(self.pattern, self.at)
            inner = found and self.pattern[self.at + 3 : found.end() - 1]
            if not found or not inner or not _CATEGORY.fullmatch(inner):
                raise self.refuse(
                    r"开始的不是 \p{L}、\p{Lu} 或 \p{Script=Han} 这样的类",
                    r"begins no class like \p{L}, \p{Lu} or \p{Script=Han}",
                )
            self.take(found.end() - self.at, "a", f"\\{following}{{{found.group(1)}}}")
        elif following in ("s", "S"):
            if following == "S" and is_in_class:
                raise self.refuse(
                    r"是字符类中的 \S；请写出字符本身",
                    r"is \S within a class; write the characters themselves",
                )
            plain, outside = ("", "") if is_in_class else ("[", "]")
            negated = "^" if following == "S" else ""
            self.take(2, re2=f"{plain}{negated}{_SPACE}{outside}")
        elif is_in_class and following in ("b", "B"):
            raise self.refuse(
                rf"是字符类中的 \{following}，并非每个引擎都能读",
                rf"is \{following} within a class, which not every engine reads",
            )
        elif following.isdigit() or following == "k":
            raise self.refuse(
                "回引了分组，并非每个引擎都能读",
                "refers back to a group, which not every engine reads",
            )
        elif not following or (
            following.isascii() and following.isalpha() and following not in _LETTERS
        ):
            raise self.refuse(
                f"开始的 \\{following} 是 ECMA-262 所没有的",
                f"begins \\{following}, which ECMA-262 does not have",
            )
        else:
            self.take(2)

    def code(self, found: re.Match[str]) -> None:
        wide, narrow, control = found.groups()
        number = ord(control.upper()) - 64 if control else int(wide or narrow, 16)
        if _SURROGATES[0] <= number <= _SURROGATES[1]:
            raise self.refuse("是半个代理对，不是字符", "is half a surrogate pair, no character")
        python = re.escape(chr(number))
        self.take(found.end() - self.at, python, f"\\x{{{number:x}}}")

    def character_class(self) -> None:
        start = self.at
        self.take(2 if self.pattern.startswith("[^", start) else 1)
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
                self.escape(is_in_class=True)
            elif self.pattern[self.at] == "[" or self.pattern.startswith("&&", self.at):
                raise self.refuse(
                    r"在字符类中又开始一个类；请写 \[ 或 \&",
                    r"begins a class in a class; write \[ or \&",
                )
            else:
                self.take(1)
        self.take(1)

    def group(self) -> None:
        if not self.pattern.startswith("(?", self.at):
            self.take(1)
            return
        if _AROUND.match(self.pattern, self.at):
            raise self.refuse(
                "是环视，并非每个引擎都能读；请写出所在的内容",
                "looks around, which not every engine reads; write what is there",
            )
        found = _GROUP.match(self.pattern, self.at)
        if found is None:
            raise self.refuse(
                "开始的分组属于另一种方言；可读 (?:…) 与 (?<name>…)",
                "opens a group of another dialect; (?:…) and (?<name>…) are read",
            )
        named = f"(?P<{found.group(1)}>" if found.group(1) else None
        self.take(found.end() - self.at, named, named)


@lru_cache(maxsize=1024)
def re2(pattern: str) -> str:
    """Return a contract's pattern as RE2 writes it; raises BadValueError, a ValueError."""
    scan = _Scan(pattern).read()
    if sum(scan.sizes) > _MOST_PARTS:
        raise scan.refuse(
            "之前的重复合起来太大，请少重复一些", "ends what is too large: repeat less of it"
        )
    _compiled("".join(scan.python), pattern)
    return "".join(scan.re2)


def _compiled(python: str, pattern: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(python)
    except (re.error, OverflowError, RecursionError) as bad:
        raise _none(pattern, bad) from None


def _none(pattern: str, bad: Exception) -> BadValueError:
    problem = Words(
        f"{pattern!r} 不是正则表达式：{bad}", f"{pattern!r} is no regular expression: {bad}"
    )
    return BadValueError(problem, _REMEDY)


def _of_cells(pattern: str) -> str:
    re2(pattern)
    return pattern


def _of_python(pattern: str) -> str:
    _compiled(pattern, pattern)
    return pattern


#: A pattern that is held against cells.
Pattern = Annotated[str, AfterValidator(_of_cells)]
#: A pattern that landing, which is Python, holds against lines.
LinePattern = Annotated[str, AfterValidator(_of_python)]
