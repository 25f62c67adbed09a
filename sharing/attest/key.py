"""The key by which this home knows what it wrote itself into its control database.

Whoever can write to the database and has no key cannot make a row that the evidence log takes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError
from contracts.words import Words
from lineage.evidence.durable import write_once

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home

_KEY_BYTES: Final = 32


class ControlKeyError(JingshuError, PermissionError):
    """The control database's key cannot be trusted."""


def key_file(home: Home) -> Path:
    """Return where the key lies: 32 random bytes, readable by their owner alone."""
    return home.keys / "control.key"


def mac(home: Home, purpose: str, message: bytes) -> str:
    """Return the HMAC-SHA256 of a message for one purpose, in hex.

    Raises:
        ControlKeyError: Others may read the key, or it has been cut.
    """
    signed = f"jingshu control {purpose} v1\n".encode() + message
    return hmac.new(ensure_key(home), signed, hashlib.sha256).hexdigest()


def is_mac(home: Home, purpose: str, message: bytes, given: str) -> bool:
    """Tell whether ``given`` is the message's, in the same time whatever it is."""
    return hmac.compare_digest(mac(home, purpose, message).encode(), given.encode())


def ensure_key(home: Home) -> bytes:
    """Read the key, or make it; of several that make it at once, the first one's stays."""
    path = key_file(home)
    if not path.exists():
        home.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_once(path, secrets.token_bytes(_KEY_BYTES), home.keys, 0o600)
    remedy = Words(
        "请把其权限设为 0600，或从备份恢复。", "Set its mode to 0600, or restore it from a backup."
    )
    if path.stat().st_mode & 0o077:
        raise ControlKeyError(
            Words(
                f"{home.keys.name}/ 里的 {path.name} 可被他人读取。",
                f"Others may read {path.name} in {home.keys.name}/.",
            ),
            remedy,
        )
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise ControlKeyError(
            Words(
                f"{path.name} 的长度不是 {_KEY_BYTES} 字节。",
                f"{path.name} is not {_KEY_BYTES} bytes long.",
            ),
            remedy,
        )
    return key
