"""Where a shared table's files lie: a folder, or a bucket of an S3 store.

Everything is named by its key, the path below the table, as the log's paths are once decoded. A
store is reached by the environment that AWS's own tools read (``AWS_ACCESS_KEY_ID``,
``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``, ``AWS_ENDPOINT_URL``, …); delta-rs reads the same.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar
from urllib.parse import quote

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
from obstore.exceptions import BaseError
from obstore.store import S3Store

from contracts.errors import UsageError
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from obstore.store import RetryConfig

LOG: Final = "_delta_log"
Method = Literal["GET", "HEAD"]
_SCHEME: Final = "s3://"
#: Names of buckets (Amazon S3 § Bucket naming rules).
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
#: Most footers end here; a longer one is asked for again, by its length.
_TAIL_BYTES: Final = 64 << 10
#: A Parquet file's last bytes: the footer's length, then its mark (Parquet format § File format).
_END_BYTES: Final = 8
#: Requests to a store at a time: each is a wait, so one by one a table of many files takes minutes.
_AT_ONCE: Final = 16


_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

#: A store that is down must not hold the gateway's threads for the library's three minutes.
_PATIENCE: Final[RetryConfig] = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}


class OutsideError(ValueError):
    """A name leads out of the table."""


@dataclass(frozen=True)
class Folder:
    """A folder of this machine. Whatever is asked of it may raise OSError, and so may a bucket."""

    path: Path

    @property
    def address(self) -> str:
        """What people write, and the control database keeps; `storage_of` reads it."""
        return str(self.path)

    @property
    def uri(self) -> str:
        """What delta-rs opens."""
        return str(self.path)

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names of what lies directly in a folder below; none where there is none."""
        below = self.path / folder
        if below.is_dir():
            yield from (p.name for p in below.iterdir())

    def read(self, key: str) -> tuple[bytes, int]:
        """Return what is under a key, and when it came there (Unix ms)."""
        path = self.path / key
        return path.read_bytes(), path.stat().st_mtime_ns // 1_000_000

    def stamp(self, key: str) -> Hashable:
        """Return what changes when the key is written anew; None: there is no such key."""
        try:
            found = (self.path / key).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def locate(self, name: str) -> str:
        """Return the key of what a log calls so; raises OutsideError where it lies elsewhere."""
        path = (self.path / name).resolve()
        if not path.is_relative_to(self.path) or path.is_relative_to(self.path / LOG):
            raise OutsideError(name)
        return str(path.relative_to(self.path))

    def size(self, key: str) -> int:
        """Return the size in bytes."""
        return (self.path / key).stat().st_size

    def columns(self, key: str) -> frozenset[str]:
        """Return the columns that a Parquet file's footer names; may raise pyarrow's errors."""
        path = self.path / key
        found = path.stat()
        return _footer_of_file(path, found.st_size, found.st_mtime_ns)

    def each(self, make: Callable[[_Given], _Made], given: Iterable[_Given]) -> tuple[_Made, ...]:
        """Return what ``make`` makes of each, in order."""
        return tuple(map(make, given))


@dataclass(frozen=True)
class Bucket:
    """A prefix of a bucket; it is read with the gateway's own keys, which no recipient is given."""

    name: str
    prefix: str

    @property
    def address(self) -> str:
        """What people write, and the control database keeps; `storage_of` reads it."""
        return f"{_SCHEME}{self.name}/{self.prefix}"

    @property
    def uri(self) -> str:
        """What delta-rs opens."""
        # delta-rs takes the address apart as a URL; a key may hold what a URL must escape.
        return f"{_SCHEME}{self.name}/{quote(self.prefix)}"

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names of what lies directly in a folder below; none where there is none."""
        with _asking():
            found = obstore.list_with_delimiter(self._store, folder)["objects"]
        yield from (one["path"].rpartition("/")[2] for one in found)

    def read(self, key: str) -> tuple[bytes, int]:
        """Return what is under a key, and when it came there (Unix ms)."""
        with _asking():
            found = obstore.get(self._store, key)
            return bytes(found.bytes()), int(found.meta["last_modified"].timestamp() * 1000)

    def stamp(self, key: str) -> Hashable:
        """Return what changes when the key is written anew; None: there is no such key."""
        try:
            with _asking():
                return obstore.head(self._store, key)["e_tag"]
        except FileNotFoundError:
            return None

    def locate(self, name: str) -> str:
        """Return the key of what a log calls so; raises OutsideError where it lies elsewhere."""
        parts = name.split("/")
        if ".." in parts or "." in parts or "" in parts or parts[0] == LOG or ":" in parts[0]:
            raise OutsideError(name)
        return name

    def size(self, key: str) -> int:
        """Return the size in bytes."""
        return _seen_in_bucket(self, key)[0]

    def columns(self, key: str) -> frozenset[str]:
        """Return the columns that a Parquet file's footer names; may raise pyarrow's errors."""
        size_bytes, columns = _seen_in_bucket(self, key)
        if columns is None:
            raise pa.ArrowInvalid(f"{size_bytes} bytes are no Parquet file.")
        return columns

    def each(self, make: Callable[[_Given], _Made], given: Iterable[_Given]) -> tuple[_Made, ...]:
        """Return what ``make`` makes of each, in order."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return tuple(pool.map(make, given))

    def sign(self, key: str, life_s: int, method: Method = "GET") -> str:
        """Return a URL that reads this one object for so many seconds (AWS Signature Version 4)."""
        with _asking():
            return obstore.sign(self._store, method, key, timedelta(seconds=life_s))

    @property
    def _store(self) -> S3Store:
        return _open(self.name, self.prefix)


#: What the gateway asks for its files; both answer the same questions.
Storage: TypeAlias = Folder | Bucket


def storage_of(text: str) -> Storage:
    """Return the storage that a person, or the control database, writes so.

    Raises:
        UsageError: It is a bucket's address and cannot be one, or another kind of address.
    """
    if "://" not in text:
        return Folder(Path(text))
    bucket, _, prefix = text.removeprefix(_SCHEME).partition("/")
    parts = prefix.strip("/").split("/")
    if not text.startswith(_SCHEME) or not _BUCKET.fullmatch(bucket):
        raise UsageError(
            Words(
                f"{text} 不是文件夹，也不是存储桶的地址。",
                f"{text} is neither a folder nor a bucket's address.",
            ),
            Words("请写文件夹，或 s3://BUCKET/PREFIX。", "Give a folder, or s3://BUCKET/PREFIX."),
        )
    if not {"", ".", ".."}.isdisjoint(parts):
        raise UsageError(
            Words(f"{text} 不是表的前缀。", f"{text} is no table's prefix."),
            Words("请写完整：s3://BUCKET/PREFIX。", "Name it whole: s3://BUCKET/PREFIX."),
        )
    return Bucket(bucket, "/".join(parts))


@lru_cache(maxsize=256)
def _open(bucket: str, prefix: str) -> S3Store:
    return S3Store(bucket, prefix=prefix, retry_config=_PATIENCE)


@contextmanager
def _asking() -> Iterator[None]:
    """Let a store's own errors be what a folder's are."""
    try:
        yield
    except (BaseError, ValueError) as problem:
        raise OSError(str(problem)) from problem


@lru_cache(maxsize=16_384)
def _footer_of_file(path: Path, _size: int, _mtime_ns: int) -> frozenset[str]:
    return frozenset(pq.read_schema(path).names)


# A data file's name is used once (Delta protocol § Data Files), so it is looked at once: one
# request proves that it is there, how long it is and which columns it has.
@lru_cache(maxsize=16_384)
def _seen_in_bucket(bucket: Bucket, key: str) -> tuple[int, frozenset[str] | None]:
    """Return an object's size, and its columns; None where it is no Parquet file."""
    with _asking():
        found = obstore.get(bucket._store, key, options={"range": {"suffix": _TAIL_BYTES}})  # noqa: SLF001
        tail, size_bytes = bytes(found.bytes()), found.meta["size"]
        needed = int.from_bytes(tail[-_END_BYTES:-4], "little") + _END_BYTES
        if len(tail) < needed <= size_bytes:
            tail = bytes(
                obstore.get_range(bucket._store, key, start=size_bytes - needed, end=size_bytes)  # noqa: SLF001
            )
    try:
        return size_bytes, frozenset(pq.read_schema(pa.BufferReader(tail)).names)
    except (OSError, pa.ArrowException):
        return size_bytes, None
