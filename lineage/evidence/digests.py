"""The two digests that evidence carries of every file: SHA-256 and SM3 (GB/T 32905-2016)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes

if TYPE_CHECKING:
    from collections.abc import Iterable
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


@dataclass(frozen=True)
class FilesDigest:
    """How many files some digests are over, and both digests in lower-case hex."""

    files: int
    sha256: str
    sm3: str


def digest_files(root: Path, names: Iterable[str]) -> FilesDigest:
    """Return one digest over files: what leaves call ``files_sha256`` and ``files_sm3``.

    It is the digest of a list with one line a file, sorted by name: its own digest, two spaces and
    its path relative to ``root``. Anybody gets the same from ``sha256sum`` of ``sha256sum``'s
    output. Each file is read once.

    Raises:
        OSError: One cannot be read.
    """
    found = [(name, digest_file(root / name)) for name in sorted(names)]
    by_sha256 = digest_bytes("".join(f"{d.sha256}  {name}\n" for name, d in found).encode())
    by_sm3 = digest_bytes("".join(f"{d.sm3}  {name}\n" for name, d in found).encode())
    return FilesDigest(len(found), by_sha256.sha256, by_sm3.sm3)


def sha256_of_files(root: Path, names: Iterable[str]) -> str:
    """Return ``digest_files``' SHA-256 alone, for those who only compare: SM3 takes much longer.

    Raises:
        OSError: One cannot be read.
    """
    listing = hashlib.sha256()
    for name in sorted(names):
        with (root / name).open("rb") as file:
            listing.update(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n".encode())
    return listing.hexdigest()


def digest_bytes(data: bytes) -> FileDigest:
    """Return both digests of bytes in memory."""
    sm3 = hashes.Hash(hashes.SM3())
    sm3.update(data)
    return FileDigest(len(data), hashlib.sha256(data).hexdigest(), sm3.finalize().hex())
