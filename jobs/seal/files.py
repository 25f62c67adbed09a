"""Sealed files: original bytes kept as SM4-GCM, and opened in memory only.

``jingshu-sealed/1`` and the key's name and version as one line of JSON, 12 octets of nonce, the
cipher text, 16 octets of tag. Both lines are authenticated. SM4-GCM: RFC 8998, §2.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from contracts.errors import UsageError
from contracts.words import Words
from jobs.seal.columns import SealError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.seal.keys import Key, KeyProvider

_MAGIC: Final = b"jingshu-sealed/1\n"
_NONCE, _TAG, _SM4 = 12, 16, 16
_CHUNK: Final = 1 << 20
_MAX_HEAD: Final = 1 << 10


def seal_file(source: Path, target: Path, key_name: str, keys: KeyProvider) -> None:
    """Write ``source`` sealed to ``target``; no clear octet of it is written anywhere."""
    key = keys.newest(key_name)
    reference = json.dumps({"key": key.name, "version": key.version}, ensure_ascii=False)
    head = _MAGIC + reference.encode() + b"\n"
    nonce = os.urandom(_NONCE)
    encryptor = Cipher(SM4(key.octets[:_SM4]), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(head)
    with source.open("rb") as clear, target.open("wb") as out:
        out.write(head + nonce)
        while chunk := clear.read(_CHUNK):
            out.write(encryptor.update(chunk))
        out.write(encryptor.finalize() + encryptor.tag)


def is_sealed_file(path: Path) -> bool:
    """Tell whether a file begins as a sealed one does."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


@contextmanager
def opened_file(path: Path, keys: KeyProvider) -> Iterator[Path]:
    """Yield a path at which a sealed file reads in clear, while the context lasts.

    The clear octets are in anonymous memory, which this process's own children can read too.

    Raises:
        SealError: It is no sealed file, or was changed; nothing of it is then shown.
    """
    memory = os.memfd_create("clear", os.MFD_CLOEXEC)
    with os.fdopen(memory, "wb") as out:
        with path.open("rb") as file:
            _open_into(file, path, out, keys)
        out.flush()
        yield Path(f"/proc/{os.getpid()}/fd/{memory}")


def _open_into(file: BinaryIO, path: Path, out: BinaryIO, keys: KeyProvider) -> None:
    head = file.readline(_MAX_HEAD) + file.readline(_MAX_HEAD)
    nonce = file.read(_NONCE)
    left = path.stat().st_size - len(head) - _NONCE - _TAG
    key = _key(head, path, keys)
    if left < 0:
        raise _broken(path)
    decryptor = Cipher(SM4(key.octets[:_SM4]), modes.GCM(nonce)).decryptor()
    decryptor.authenticate_additional_data(head)
    while left:
        chunk = file.read(min(left, _CHUNK))
        left -= len(chunk)
        out.write(decryptor.update(chunk))
        if not chunk:
            raise _broken(path)
    try:
        out.write(decryptor.finalize_with_tag(file.read()))
    except (InvalidTag, ValueError):
        raise _broken(path) from None


def _key(head: bytes, path: Path, keys: KeyProvider) -> Key:
    try:
        reference = json.loads(head.removeprefix(_MAGIC))
        name, version = str(reference["key"]), int(reference["version"])
    except (ValueError, LookupError, TypeError):
        raise _broken(path) from None
    if not head.startswith(_MAGIC):
        raise _broken(path)
    try:
        return keys.version(name, version)
    except UsageError:  # the name was changed: it names no key
        raise _broken(path) from None


def _broken(path: Path) -> SealError:
    name = f"{path.parent.name}/{path.name}"
    return SealError(
        Words(f"{name} 不是当初加密封存的文件。", f"{name} is not the file that was sealed."),
        Words(
            "请从备份恢复，或要求重新交付。",
            "Restore it from a backup, or have it delivered again.",
        ),
    )
