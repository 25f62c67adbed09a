"""Invented firms: their names, and credit codes computed here and not by the rules on trial."""

from __future__ import annotations

from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
NUMERALS: Final = "零一二三四五六七八九"


def check_character(first17: str) -> str:
    """Return the last character of a unified social credit code (GB 32100-2015)."""
    total = sum(_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(first17))
    return _ALPHABET[(31 - total % 31) % 31]


def uscc(number: int) -> str:
    """Return a made-up, valid code; with numbers alone but for its check character."""
    first17 = f"91110000{990000000 + number}"
    return first17 + check_character(first17)


def rounded_uscc(number: int) -> str:
    """Return an all-digit code as a spreadsheet keeps it: digits past the sixteenth are lost."""
    while True:
        code = uscc(number)
        kept = str(int(float(code))) if code.isdigit() else ""
        if kept and kept[-1] != check_character(kept[:17]):
            return kept
        number += 1000


def firm(number: int) -> str:
    """Return an invented firm's name."""
    return f"北京虚构{''.join(NUMERALS[int(d)] for d in str(number))}号科技有限公司"
