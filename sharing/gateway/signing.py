"""Signed file URLs: each for one recipient, one file of one table version, and a time.

The query is ``sp=r&se=<expiry>&sig=<HMAC>``: ``sp`` is a key by which the released clients know a
pre-signed URL; with an unknown one their kernel looks on the local disk.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, quote, urlencode

from contracts.errors import JingshuError
from contracts.words import Words
from sharing.gateway.urls import MOST_LIFE_S

if TYPE_CHECKING:
    from contracts.layout import Home

FILES = "/files"
_KEY_BYTES = 32
#: Ties a signature to this use of the key.
_PURPOSE = "jingshu sharing file url v1"
#: Ten digits last until 2286, and keep a client's number small.
_EXPIRY_DIGITS = 10


class KeyFileError(JingshuError, PermissionError):
    """The signing key cannot be trusted."""


@dataclass(frozen=True)
class FileClaim:
    """What a URL opens: a file of a table version, for a recipient."""

    recipient: str
    table: str
    version: int
    file_id: str

    @property
    def path(self) -> str:
        """The URL's path; it names the file by its id, never by where it lies."""
        parts = (self.recipient, self.table, str(self.version), self.file_id)
        return "/".join((FILES, *(quote(part, safe="") for part in parts)))


Check = Literal["good", "expired", "forged"]


@dataclass(frozen=True)
class Signer:
    """Signs and checks file URLs with HMAC-SHA256."""

    key: bytes = field(repr=False)

    def sign(self, claim: FileClaim, expires_at_s: int) -> str:
        """Return the URL's path and query, good until ``expires_at_s`` (Unix seconds)."""
        query = {"sp": "r", "se": expires_at_s, "sig": self._signature(claim, expires_at_s)}
        return f"{claim.path}?{urlencode(query)}"

    def check(self, claim: FileClaim, query: str, now_s: float) -> Check:
        """Say whether ``query`` opens ``claim`` now. Only what was signed can be called expired."""
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=3, errors="replace")
        except ValueError:
            return "forged"
        fields = dict(pairs)
        expiry, signature = fields.get("se", ""), fields.get("sig", "")
        is_formed = (
            [key for key, _ in sorted(pairs)] == ["se", "sig", "sp"]
            and fields["sp"] == "r"
            and expiry.isascii()
            and expiry.isdigit()
            and len(expiry) <= _EXPIRY_DIGITS
        )
        if not is_formed:
            return "forged"
        expected = self._signature(claim, int(expiry))
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return "forged"
        # The far end is checked too: a clock that was ahead must not leave URLs that live for days.
        return "good" if now_s < int(expiry) <= now_s + MOST_LIFE_S else "expired"

    def digest(self, purpose: str, message: bytes) -> bytes:
        """Return the HMAC-SHA256 of a message for another use of the key than file URLs."""
        return hmac.new(
            self.key, f"jingshu {purpose} v1\n".encode() + message, hashlib.sha256
        ).digest()

    def _signature(self, claim: FileClaim, expires_at_s: int) -> str:
        # JSON keeps the parts apart: no two claims give the same message.
        parts = [_PURPOSE, claim.recipient, claim.table, claim.version, claim.file_id, expires_at_s]
        return hmac.new(self.key, json.dumps(parts).encode(), hashlib.sha256).hexdigest()


def load_signer(home: Home) -> Signer:
    """Read the signing key, or make it: 32 random bytes, readable by their owner alone.

    Raises:
        KeyFileError: Others may read the key, or it has been cut.
    """
    path = home.keys / "gateway-url.key"
    home.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
        try:
            # A link, not a rename: whoever comes second keeps the first one's key.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o077:
        raise KeyFileError(
            Words(f"{path} 可被他人读取。", f"Others may read {path}."),
            Words(
                f"请执行 rm {path}（已发出的链接随之全部失效）。",
                f"Run: rm {path} (no URL that is out works any more).",
            ),
        )
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise KeyFileError(
            Words(
                f"{path} 的长度不是 {_KEY_BYTES} 字节。", f"{path} is not {_KEY_BYTES} bytes long."
            ),
            Words(f"请执行 rm {path}。", f"Run: rm {path}."),
        )
    return Signer(key)
