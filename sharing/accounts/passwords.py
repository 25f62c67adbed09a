"""Passwords: length instead of composition rules (NIST SP 800-63B §3.1.1.2), argon2id to keep them.

The same characters typed on another keyboard are the same password: NFKC comes first.
"""

from __future__ import annotations

import secrets
import unicodedata
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from contracts.errors import UsageError
from contracts.words import Words
from sharing.accounts.blocklist import is_common, is_composed, is_of_this_place

SHORTEST: Final = 12
#: Longer ones would only make the server work.
LONGEST: Final = 256
_FEWEST_DIFFERENT: Final = 5
#: Runs that people type along the keyboard; a password may not be made of one.
_RUNS: Final = (
    "0123456789" * 3,
    "abcdefghijklmnopqrstuvwxyz" * 2,
    "qwertyuiopasdfghjklzxcvbnm" * 2,
)
_SENTENCE: Final = Words("请换一个，一句短话就很好。", "Choose another: a short sentence is good.")
_ONE_TIME_BYTES: Final = 18
#: Each hash takes 64 MiB at the library's defaults: more at once wait.
_AT_ONCE: Final = 4


class WeakPasswordError(UsageError):
    """A password that guessing would find."""


class Passwords:
    """Hashes and checks passwords; ``hasher`` is the library's default (RFC 9106) unless given."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._working = BoundedSemaphore(_AT_ONCE)
        self._nobody = self._hasher.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """Return the argon2id hash, with its salt and parameters."""
        with self._working:
            return self._hasher.hash(_normal(password))

    def is_right(self, password: str, kept: str | None) -> bool:
        """Tell whether a password is the one; without an account it takes as long, and is not."""
        if len(password) > LONGEST:
            return False
        with self._working:
            try:
                self._hasher.verify(kept or self._nobody, _normal(password))
            except (VerificationError, InvalidHashError):
                return False
        return kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)


def one_time_password() -> str:
    """Return a password that nobody chose: 144 random bits."""
    return secrets.token_urlsafe(_ONE_TIME_BYTES)


def require_strong(password: str, name: str, body: str) -> None:
    """Raise WeakPasswordError for a password that is short, or one of the first to be guessed."""
    normal = _normal(password)
    folded = normal.casefold()
    if len(normal) < SHORTEST:
        raise WeakPasswordError(
            Words(
                f"口令至少 {SHORTEST} 个字符。",
                f"A password has at least {SHORTEST} characters.",
            ),
            _SENTENCE,
        )
    if len(password) > LONGEST:
        raise WeakPasswordError(
            Words(f"口令至多 {LONGEST} 个字符。", f"A password has at most {LONGEST} characters."),
            Words("请缩短。", "Shorten it."),
        )
    if is_of_this_place(normal, name, body):
        raise WeakPasswordError(
            Words(
                "口令与账户名或部门太像。",
                "The password is little more than the name of the account or its body.",
            ),
            Words("请换一个与它们无关的。", "Choose one that has nothing to do with them."),
        )
    if is_common(normal):
        raise WeakPasswordError(
            Words(
                "这是常用口令，或由常用口令重复、加数字而成。",
                "This is a common password, or one that is repeated or has digits added.",
            ),
            _SENTENCE,
        )
    if is_composed(normal):
        raise WeakPasswordError(
            Words("口令由两三个常用口令拼成。", "The password is a few common ones put together."),
            Words(
                "请用四个词以上的一句短话。",
                "A short sentence of four words or more is a good one.",
            ),
        )
    runs = (*_RUNS, *(run[::-1] for run in _RUNS))
    if len(set(folded)) < _FEWEST_DIFFERENT or any(folded in run for run in runs):
        raise WeakPasswordError(
            Words(
                "口令只有少数字符重复，或是键盘顺序。",
                "The password repeats few characters or follows the keyboard.",
            ),
            _SENTENCE,
        )


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode("utf-8")
