"""How headers are compared: what shows alike in a file is the same header."""

from __future__ import annotations

import unicodedata
from typing import Final

#: Unicode categories that show as nothing: spaces, line ends, controls, zero-width marks, BOMs.
_UNSEEN: Final = ("Zs", "Zl", "Zp", "Cc", "Cf")


def header_key(header: str) -> str:
    """Return what equal headers share: NFKC, small letters, no trailing ``*``, nothing unseen."""
    text = unicodedata.normalize("NFKC", header)
    seen = "".join(c for c in text if unicodedata.category(c) not in _UNSEEN)
    return seen.rstrip("*").lower()


def shown(header: str) -> str:
    """Return a header as a person reads it: without what nobody sees."""
    seen = (" " if c.isspace() else c for c in header)
    kept = "".join(c for c in seen if c == " " or unicodedata.category(c) not in _UNSEEN)
    return " ".join(kept.split())
