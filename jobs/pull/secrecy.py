"""Looks for secrecy marks (密级) in a file: its name, its text, its cells, its metadata."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from jobs.files.decode import DecodeError, parquet_rows, sheet_rows, sniff

if TYPE_CHECKING:
    from pathlib import Path

#: 密级 marks as documents carry them (GB/T 9704-2012 §7.2.2): the grade and a star.
_MARK: Final = re.compile(r"(绝密|机密|秘密)\s*[★☆✩]|密级\s*[:：][\s,，;；\"]*(绝密|机密|秘密)")
#: A character of a mark as JSON and XML may write it.
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})|&#x0*([0-9a-fA-F]{1,6});|&#0*([0-9]{1,7});")
_CHUNK: Final = 1 << 20
#: Longer than any mark, even where each of its characters is written as ``&#x2605;``.
_OVERLAP: Final = 256


def secret_mark(path: Path) -> str | None:
    """Return the secrecy mark a file carries in its name or its text, or None.

    State secrets are not government data (State Council Decree 809, Art. 3): what carries a mark is
    refused before anything is stored. Unreadable files carry none that can be read; they are kept
    and rejected by landing.
    """
    named = mark_in_name(path.name)
    if named:
        return named
    try:
        sniffed = sniff(path)
    except DecodeError:
        return _mark_in_bytes(path)
    if sniffed.encoding is not None:
        return _mark_in_text(path, sniffed.encoding)
    is_parquet = sniffed.kind == "parquet"
    rows = parquet_rows(path, is_all=True) if is_parquet else sheet_rows(path, None, is_all=True)
    try:
        for row in rows:
            if found := _MARK.search(" ".join(row.cells)):
                return found.group(0)
    except DecodeError:
        return _mark_in_bytes(path) if is_parquet else None
    return None


def mark_in_name(name: str) -> str | None:
    """Return the secrecy mark in a file's name, or None."""
    found = _MARK.search(name)
    return found.group(0) if found else None


def _mark_in_text(
    path: Path, encoding: str, errors: str = "strict", limit: int | None = None
) -> str | None:
    with path.open(encoding=encoding, errors=errors, newline="") as handle:
        tail, seen = "", 0
        while (limit is None or seen < limit) and (chunk := handle.read(_CHUNK)):
            text = tail + chunk
            if found := _MARK.search(text) or _MARK.search(_plain(text)):
                return found.group(0)
            tail, seen = text[-_OVERLAP:], seen + len(chunk)
    return None


def _plain(text: str) -> str:
    """Return records as they read: characters unescaped, and a key beside its value.

    ``{"密级": "机密"}``, ``<密级>机密</密级>`` and ``密级="机密"`` all say 密级:机密.
    """
    if "密级" in text or "\\u" in text or "&#" in text:
        text = _ESCAPED.sub(_character, text)
        return text.translate({34: None, 39: None, ord("="): ":", ord(">"): ":", ord("<"): " "})
    return ""


def _character(escaped: re.Match[str]) -> str:
    unicode, hexadecimal, decimal = escaped.groups()
    code = int(decimal) if decimal else int(unicode or hexadecimal, 16)
    return chr(code) if code <= 0x10FFFF else ""  # noqa: PLR2004  (the last character there is)


def _mark_in_bytes(path: Path) -> str | None:
    """Look for a mark in text that decodes as nothing whole: any readable part counts.

    Bounded, because the file may be one endless line; landing rejects it anyway.
    """
    for encoding in ("utf-8", "gb18030", "utf-16-le", "utf-16-be"):
        if found := _mark_in_text(path, encoding, errors="replace", limit=32 * _CHUNK):
            return found
    return None
