"""Passwords that guessing begins with: common ones, and words of this very place.

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
