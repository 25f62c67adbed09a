"""A notice: who is told what, in both languages; never a cell's value, never a person.

Its texts are made of identifiers, dates, counts and the words below. Reasons that checks and people
wrote are not among them: they may quote data.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from contracts.words import Words

Kind = Literal["late", "held", "overdue", "breaking_change", "withdrawal", "deadline", "failed"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
#: What identifiers are made of; everything else in them is shown as a question mark.
_UNSAFE: Final = re.compile(r"[^0-9A-Za-z_./:#@+ \u4e00-\u9fff-]")
_LONGEST: Final = 200


@dataclass(frozen=True)
class Notice:
    """One fact for one body; ``fact`` names it, so that the same fact is told once.

    ``role`` narrows it to those of a body who have that role; empty means all who are listed.
    ``subject`` is stored words, ``text`` what ``both`` makes.
    """

    kind: Kind
    fact: str
    body: str
    role: str
    subject: str
    text: str
    key: str = field(init=False)

    def __post_init__(self) -> None:
        identity = f"{self.kind}\0{self.fact}\0{self.body}\0{self.role}"
        object.__setattr__(self, "key", hashlib.sha256(identity.encode()).hexdigest())


def both(words: Words) -> str:
    """Return a notice's text, Chinese first: which language its reader speaks is not known."""
    return f"{words.zh}\n\n{words.en}\n"


def plain(identifier: str) -> str:
    """Return an identifier as a notice may show it: one line of plain characters."""
    return _UNSAFE.sub("?", identifier)[:_LONGEST]
