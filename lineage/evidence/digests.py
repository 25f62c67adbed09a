"""The two digests that evidence carries of every file: SHA-256 and SM3 (GB/T 32905-2016)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class FileDigest:
    """A file's size in bytes and its digests in lower-case hex."""

    size_bytes: int
    sha256: str
    sm3: str


def digest_file(path: Path) -> FileDigest:
    """Read a file once, in 1 MiB pieces, and return both digests.

    Raises:
        OSError: It cannot be read.
    """
    size_bytes, sha256, sm3 = 0, hashlib.sha256(), hashes.Hash(hashes.SM3())
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            size_bytes += len(chunk)
            sha256.update(chunk)
            sm3.update(chunk)
    return FileDigest(size_bytes, sha256.hexdigest(), sm3.finalize().hex())


def digest_bytes(data: bytes) -> FileDigest:
    """Return both digests of bytes in memory."""
    sm3 = hashes.Hash(hashes.SM3())
    sm3.update(data)
    return FileDigest(len(data), hashlib.sha256(data).hexdigest(), sm3.finalize().hex())
