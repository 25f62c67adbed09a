"""Digests of text: what stands where the text itself must not."""

from __future__ import annotations

import hashlib
from typing import overload


@overload
def sha256(text: str) -> str: ...
@overload
def sha256(text: str | None) -> str | None: ...
def sha256(text: str | None) -> str | None:
    """Return the SHA-256 of a text in UTF-8, in hex; of no text, None."""
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()
