"""Keys: by name and version, from a provider; here a folder that only its owner may read.

A name says what a key is for: ``bureau/<provider>`` seals what a body sent, ``purpose/<purpose>``
makes the pseudonyms of one purpose. Rotating adds a version; older ones go on opening what they
sealed. No key is ever in a log, a plan, an error or a ``repr``.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote, unquote

from contracts.errors import JingshuError, UsageError
from contracts.words import Words
from lineage.evidence.durable import sync_directory, write_durably

if TYPE_CHECKING:
    from contracts.layout import Home

#: Octets of a key: two halves for SM4 (GB/T 32907-2016), or one key for HMAC-SM3.
KEY_BYTES: Final = 32
#: Sealed text has two octets for its key's version.
MAX_VERSION: Final = 0xFFFF
_NAME: Final = re.compile(r"(bureau|purpose)/\S(.{0,98}\S)?")
_PROVIDER: Final = "JINGSHU_KEY_PROVIDER"
_PRIVATE: Final = 0o077
_RESTORE: Final = Words("请从备份恢复密钥目录。", "Restore the keys folder from a backup.")


class NoKeyError(JingshuError, LookupError):
    """A key that is not there, or that others may read."""


@dataclass(frozen=True)
class Key:
    """One version of a named key; its octets show in no ``repr``."""

    name: str
    version: int
    created_at: datetime
    octets: bytes = field(repr=False, compare=False)


class KeyProvider(Protocol):
    """Where keys come from: a folder here, a KMS or Vault elsewhere.

    ``reference`` is what another process needs to make the same provider with ``provider_of``; it
    holds no key, for it is written into Spark's plans.
    """

    @property
    def reference(self) -> str:
        """Name this provider to another process."""

    def newest(self, name: str) -> Key:
        """Return the key that seals now, made where there is none yet."""

    def version(self, name: str, number: int) -> Key:
        """Return one version of a key; raises NoKeyError where it is unknown."""


@dataclass(frozen=True)
class FileKeys:
    """Keys in a folder of mode 0700, a file of mode 0600 a name."""

    folder: Path

    @property
    def reference(self) -> str:
        """Name the folder."""
        return f"file:{self.folder}"

    def newest(self, name: str) -> Key:
        """Return the key that seals now, made where there is none yet."""
        if not self._file(name).exists():
            self._begin(name)
        return self.versions(name)[-1]

    def version(self, name: str, number: int) -> Key:
        """Return one version of a key.

        Raises:
            NoKeyError: There is no such version, or others may read the file.
        """
        for key in self.versions(name):
            if key.version == number:
                return key
        file = self._file(name).name
        raise NoKeyError(
            Words(f"密钥 {name} 没有版本 {number}。", f"The key {name} has no version {number}."),
            Words(
                f"请从备份恢复密钥目录中的 {file}。",
                f"Restore {file} in the keys folder from a backup.",
            ),
        )

    def versions(self, name: str) -> list[Key]:
        """Return every version of a key, oldest first."""
        file = self._file(name)
        try:
            status = file.stat()
            text = file.read_bytes()
        except FileNotFoundError:
            raise NoKeyError(
                Words(f"没有密钥 {name}。", f"There is no key {name}."), _RESTORE
            ) from None
        if status.st_mode & _PRIVATE:
            raise NoKeyError(
                Words(
                    f"他人可以读取密钥文件 {file.name}。",
                    f"Others may read the key file {file.name}.",
                ),
                Words("请把权限设为 0600，并轮换该密钥。", "Set its mode to 0600, and rotate it."),
            )
        return list(_parsed(name, text))

    def names(self) -> list[str]:
        """Return the names of all keys."""
        return sorted(unquote(file.stem) for file in self.folder.glob("*.json"))

    def rotate(self, name: str) -> Key:
        """Add a version; what is sealed from now on is sealed with it.

        Raises:
            NoKeyError: There is no such key.
            UsageError: All versions that sealed text can name are used up.
        """
        known = self.versions(name)
        if known[-1].version == MAX_VERSION:
            raise UsageError(
                Words(f"{name} 已有 {MAX_VERSION} 个版本。", f"{name} has {MAX_VERSION} versions."),
                Words("请换一个名称加密。", "Seal under another name."),
            )
        made = _new(name, known[-1].version + 1)
        write_durably(self._file(name), _text([*known, made]), self._scratch, 0o600)
        return made

    def _begin(self, name: str) -> None:
        """Make version 1; of two who make it at once, one key is left for both."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.folder / f".{secrets.token_hex(8)}"
        write_durably(draft, _text([_new(name, 1)]), self._scratch, 0o600)
        try:
            os.link(draft, self._file(name))
            sync_directory(self.folder)
        except FileExistsError:
            pass
        finally:
            draft.unlink()

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise UsageError(
                Words(f"{name!r} 不是密钥名称。", f"{name!r} names no key."),
                Words(
                    "请写 bureau/<提供方> 或 purpose/<用途>。",
                    "Write bureau/<provider> or purpose/<purpose>.",
                ),
            )
        return self.folder / f"{quote(name, safe='')}.json"

    @property
    def _scratch(self) -> Path:
        return self.folder / ".drafts"


def keys_of(home: Home) -> KeyProvider:
    """Return the provider of a home's keys: its own folder, or what ``JINGSHU_KEY_PROVIDER`` names.

    That is ``module:function``; the function gets the home's name and returns a KeyProvider.
    """
    named = os.environ.get(_PROVIDER)
    return provider_of(f"{named}:{home.root}" if named else f"file:{home.keys / 'seal'}")


@lru_cache(maxsize=64)
def provider_of(reference: str) -> KeyProvider:
    """Make the provider that a reference names: ``file:<folder>`` or ``module:function:<home>``."""
    kind, _, rest = reference.partition(":")
    if kind == "file":
        return FileKeys(Path(rest))
    function, _, root = rest.partition(":")
    try:
        made: KeyProvider = getattr(import_module(kind), function)(root)
    except (ImportError, AttributeError) as absent:
        raise UsageError(
            Words(
                f"无法导入 {_PROVIDER}={kind}:{function}。",
                f"{_PROVIDER}={kind}:{function} cannot be imported.",
            ),
            Words(
                "请给出一个函数：接受主目录路径，返回 KeyProvider。",
                "Name a function that takes the home's path and returns a KeyProvider.",
            ),
        ) from absent
    return made


def _new(name: str, version: int) -> Key:
    return Key(name, version, datetime.now(UTC), secrets.token_bytes(KEY_BYTES))


def _text(keys: list[Key]) -> bytes:
    versions = [
        {"version": k.version, "created_at": k.created_at.isoformat(), "key": k.octets.hex()}
        for k in keys
    ]
    return json.dumps({"name": keys[0].name, "versions": versions}, ensure_ascii=False).encode()


def _parsed(name: str, text: bytes) -> list[Key]:
    try:
        stored: dict[str, Any] = json.loads(text)
        found = [
            Key(
                name,
                int(v["version"]),
                datetime.fromisoformat(v["created_at"]),
                bytes.fromhex(v["key"]),
            )
            for v in stored["versions"]
        ]
    except (ValueError, TypeError, LookupError):
        found = []
    if not found or any(len(k.octets) != KEY_BYTES for k in found):
        # Outside of the handler: an error's context would show the file's text.
        raise NoKeyError(
            Words(f"密钥 {name} 的文件已损坏。", f"The file of the key {name} is damaged."),
            _RESTORE,
        )
    return found
