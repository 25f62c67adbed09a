"""How many predicate hints are worth their work: hints are best effort, so the rest is passed over.

A hint that is not looked at keeps every file, which the protocol allows (§ SQL Expressions for
Filtering); the client filters the rows itself. So a query with too many is answered, and cheaply.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: SQL hints that are parsed, and their characters in all: a quarter of a second's work.
MOST_HINTS: Final = 100
SQL_CHARACTERS: Final = 32_768
JSON_CHARACTERS: Final = 131_072
#: How deep parentheses or JSON may nest; deeper is never understood.
DEEPEST: Final = 64
#: Comparisons of a hint times the files of a table: a second's work.
MOST_COMPARISONS: Final = 250_000
#: What stands between two comparisons, or in one: rather too many are counted than too few.
_SQL_TERM: Final = re.compile(r"[,=<>&|]|\b(?:and|or)\b", re.IGNORECASE)


def affordable(
    sql: Sequence[str], json_hint: str | None, files: int
) -> tuple[tuple[str, ...], str | None]:
    """Return the hints to look at for a table of so many files: SQL hints in their order first."""
    left, kept = MOST_COMPARISONS // max(files, 1), []
    characters = SQL_CHARACTERS
    for hint in sql[:MOST_HINTS]:
        characters -= len(hint)
        if characters < 0:
            break
        terms = 1 + len(_SQL_TERM.findall(hint))
        if terms <= left and _depth(hint, "(", ")") <= DEEPEST:
            left -= terms
            kept.append(hint)
    if json_hint is not None and not _is_affordable_json(json_hint, left):
        json_hint = None
    return tuple(kept), json_hint


def _is_affordable_json(hint: str, comparisons: int) -> bool:
    return (
        len(hint) <= JSON_CHARACTERS
        and hint.count("{") <= 3 * comparisons  # a comparison, its column and its literal
        and _depth(hint, "[{", "]}") <= 2 * DEEPEST
    )


def _depth(text: str, opening: str, closing: str) -> int:
    """Return how deep a text nests, its quotes not understood: too deep is too much at worst."""
    deepest = depth = 0
    for letter in text:
        if letter in opening:
            depth += 1
            deepest = max(deepest, depth)
        elif letter in closing:
            depth -= 1
    return deepest
