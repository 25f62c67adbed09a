"""What a cell says: its text without what does not count, and nothing where it says nothing.

Every function takes and returns one Arrow array of strings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from contracts.rules import is_identifier
from jobs.rules.identifiers import resident_ids_of_15

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.model import Column

#: All that shows as nothing: Unicode's spaces and line ends, the zero-width ones, the BOM.
SPACES: Final = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
_A_SPACE: Final = "[" + "".join(f"\\x{{{ord(c):x}}}" for c in SPACES) + "]"
#: Full-width forms of ASCII, U+FF01 to U+FF5E.
_WIDE: Final = r"[\x{ff01}-\x{ff5e}]"
_NARROW: Final = {c: c - 0xFEE0 for c in range(0xFF01, 0xFF5F)}


def normalised(raw: pa.Array, column: Column, null_tokens: tuple[str, ...]) -> pa.Array:
    """Return the texts that rules read: trimmed; NULL for a null token; identifiers as one form.

    An identifier is read in ASCII, in upper case, without spaces; a resident number of 15 digits
    in its 18-digit form. A number or a date is read in ASCII.
    """
    text = pc.utf8_trim(raw, characters=SPACES)
    tokens = {*null_tokens, ""}
    if is_identifier(column):
        text = _without_spaces(_narrow(text))
        text = _upper(text)
        tokens = {token.upper() for token in tokens}
    elif column.type != "string":
        text = pc.utf8_trim(_narrow(text), characters=SPACES)
    text = pc.if_else(pc.is_in(text, pa.array(sorted(tokens))), pa.scalar(None, pa.string()), text)
    if column.rule is not None and column.rule.name == "resident_id":
        return resident_ids_of_15(text)
    return text


def replaced(texts: pa.Array, where: pa.Array, function: Callable[[str], str]) -> pa.Array:
    """Return the texts with some of them changed one by one: for what few of them need."""
    where = pc.fill_null(where, False)
    if not pc.any(where).as_py():
        return texts
    changed = [function(text) for text in texts.filter(where).to_pylist()]
    return pc.replace_with_mask(texts, where, pa.array(changed, pa.string()))


def _narrow(texts: pa.Array) -> pa.Array:
    wide = pc.match_substring_regex(texts, _WIDE)
    return replaced(texts, wide, lambda text: text.translate(_NARROW))


def _without_spaces(texts: pa.Array) -> pa.Array:
    spaced = pc.match_substring_regex(texts, _A_SPACE)
    return replaced(texts, spaced, lambda text: "".join(c for c in text if c not in SPACES))


def _upper(texts: pa.Array) -> pa.Array:
    is_ascii = pc.string_is_ascii(texts)
    upper = pc.ascii_upper(texts)
    return replaced(upper, pc.invert(is_ascii), str.upper)
