"""Passwords that guessing begins with: common ones, several of them in a row, words of this place.

Membership only (NIST SP 800-63B §5.1.1.2, in revision 4 §3.1.1.2); the list is zxcvbn's 30,000
most common passwords of leaks.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

#: Words that say where the password is for.
_PLACE: Final = ("jingshu", "京枢")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
#: Shorter words say nothing about a password that is made of them.
_SHORTEST_WORD: Final = 4
#: With fewer letters than one in so many, digits and marks are the password.
_FEW_LETTERS: Final = 3
#: So many characters besides words of the place are a password's own.
_FEWEST_OWN: Final = 6
#: So many common passwords in a row are guessed as one is: lists are combined before anything else.
_MOST_PARTS: Final = 3
#: So many digits and marks besides the parts are no password of their own.
_MOST_OTHERS: Final = 4


def is_common(password: str) -> bool:
    """Tell whether a password, or what is left of it without digits and marks, is a common one.

    A common password that is typed several times in a row is still one. The case of letters says
    nothing.
    """
    folded = password.casefold()
    letters = "".join(_LETTERS.findall(folded))
    texts = [folded, letters] if len(letters) * _FEW_LETTERS >= len(folded) else [folded]
    units = [_unit(text) for text in texts]
    return any(len(unit) >= _SHORTEST_WORD and unit in _common() for unit in units)


def is_composed(password: str) -> bool:
    """Tell whether a password is two or three common ones put together, with a few digits or marks.

    The case of letters says nothing, nor do spaces; a sentence of more words is none of these.
    """
    words = password.casefold().split()
    if len(words) > _MOST_PARTS:
        return False
    text, common = "".join(words), _common()
    longest = max(map(len, common))
    # What is left to read, in how many parts, beside how many digits and marks.
    ways = [(0, 0, 0)]
    seen = set(ways)
    while ways:
        at, parts, others = ways.pop()
        if at == len(text):
            return True
        further = [
            (end, parts + 1, others)
            for end in range(at + _SHORTEST_WORD, min(at + longest, len(text)) + 1)
            if parts < _MOST_PARTS and text[at:end] in common
        ]
        if others < _MOST_OTHERS and not text[at].isalpha():
            further.append((at + 1, parts, others + 1))
        ways += [way for way in further if way not in seen]
        seen.update(further)
    return False


def is_of_this_place(password: str, *words: str) -> bool:
    """Tell whether little of a password is left without ``words`` and the names of this place."""
    rest = password.casefold()
    for word in (*words, *_PLACE):
        rest = rest.replace(word.casefold(), "")
    return len(rest) < _FEWEST_OWN


@cache
def _common() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # 0.1 s, which only a new password pays

    return frozenset(FREQUENCY_LISTS["passwords"])


def _unit(text: str) -> str:
    """Return the shortest text of which this one is a repetition."""
    at = (text + text).find(text, 1)
    return text[:at] if at > 0 else text
