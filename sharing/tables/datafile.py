"""A file that a table version names, from the log's action to what may leave the house."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa

from contracts.digest import sha256
from contracts.words import Words
from sharing.tables.ceiling import NotServedError
from sharing.tables.deltalog import vector_file
from sharing.tables.storage import OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sharing.tables.storage import Storage

_REBUILD = Words("请用共享作业重建该表。", "Rebuild the table with the share job.")
#: Columns of Delta's own, which a writer of change data leaves in its files (§ Change Data Files).
_FEED_COLUMNS = frozenset({"_change_type", "__is_cdc"})


@dataclass(frozen=True)
class StoredFile:
    """A file that a signed URL can open; ``key`` is proved to lie inside its table's storage."""

    id: str
    root: Storage
    key: str
    size_bytes: int


@dataclass(frozen=True)
class Vector(StoredFile):
    """A deletion vector in a file of its own (Delta protocol § Deletion Vector Descriptor)."""

    offset: int | None
    vector_bytes: int
    cardinality: int


@dataclass(frozen=True)
class DataFile(StoredFile):
    """A data file; ``partition`` is serialised as the log has it, by physical column name."""

    partition: Mapping[str, str | None]
    modified_ms: int
    rows: int | None
    stats: str
    vector: Vector | None = None
    #: A vector that the log itself holds goes out as it is.
    inline_vector: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class TableFiles:
    """What the files of one table are held against: its storage, id and physical columns."""

    root: Storage
    table_id: str
    columns: frozenset[str]

    def read(self, action: Mapping[str, Any]) -> DataFile:
        """Return the file of an ``add``, ``remove`` or ``cdc`` action.

        Raises:
            NotServedError: It is missing, lies elsewhere, or holds a column the schema hides.
        """
        stored = self._stored(action["path"], action.get("size"))
        hidden = self._columns(stored.key) - self.columns - _FEED_COLUMNS
        if hidden:
            path, columns = action["path"], ", ".join(sorted(hidden))
            # The whole file leaves the house, so a column that only the schema hides would too.
            raise NotServedError(
                Words(
                    f"{path} 含有表结构以外的列：{columns}。",
                    f"{path} holds columns outside the schema: {columns}.",
                ),
                Words(
                    "请用 REORG … PURGE 或共享作业重写该表的文件。",
                    "Rewrite the table's files, with REORG … PURGE or the share job.",
                ),
            )
        descriptor = action.get("deletionVector")
        stats = _plain(json.loads(action.get("stats") or "{}"), self.columns)
        if descriptor and stats:
            stats["tightBounds"] = False
        count = stats.get("numRecords")
        return DataFile(
            id=stored.id,
            root=self.root,
            key=stored.key,
            size_bytes=stored.size_bytes,
            partition=dict(action.get("partitionValues") or {}),
            modified_ms=action.get("modificationTime", 0),
            rows=None if count is None else count - (descriptor or {}).get("cardinality", 0),
            stats=sorted_json(stats) if stats else "",
            vector=self._vector(descriptor) if descriptor else None,
            inline_vector=descriptor if descriptor and vector_file(descriptor) is None else None,
        )

    def _vector(self, descriptor: Mapping[str, Any]) -> Vector | None:
        where = vector_file(descriptor)
        if where is None:
            return None
        stored = self._stored(where, None)
        return Vector(
            stored.id,
            self.root,
            stored.key,
            stored.size_bytes,
            descriptor.get("offset"),
            descriptor["sizeInBytes"],
            descriptor["cardinality"],
        )

    def _stored(self, logged: str, size_bytes: int | None) -> StoredFile:
        key = self._inside(logged)
        try:
            found = self.root.size(key)
        except OSError as missing:
            raise NotServedError(
                Words(
                    f"表日志所列的文件无法读取：{logged}。",
                    f"The log names a file that cannot be read: {logged}.",
                ),
                _REBUILD,
            ) from missing
        if size_bytes is not None and found != size_bytes:
            raise NotServedError(
                Words(
                    f"{logged} 有 {found} 字节，表日志记为 {size_bytes}。",
                    f"{logged} has {found} bytes, the log says {size_bytes}.",
                ),
                _REBUILD,
            )
        return StoredFile(self.file_id(logged), self.root, key, found)

    def file_id(self, logged: str) -> str:
        """Return the id of a file by its path in the log; it is nobody else's business."""
        return sha256(f"{self.table_id}\n{logged}")

    def _inside(self, logged: str) -> str:
        """Find a path of the log (percent-encoded, Delta protocol § Add File) below the root."""
        try:
            return self.root.locate(unquote(logged))
        except OutsideError as outside:
            raise NotServedError(
                Words(
                    f"表日志所列的文件在表外：{logged}。",
                    f"The log names a file outside the table: {logged}.",
                ),
                Words(
                    "请用共享作业重建该表；共享表只存自己的文件。",
                    "Rebuild the table with the share job; a shared table holds its own files.",
                ),
            ) from outside

    def _columns(self, key: str) -> frozenset[str]:
        try:
            return self.root.columns(key)
        except (OSError, pa.ArrowException) as broken:
            name = key.rpartition("/")[2]
            raise NotServedError(
                Words(f"{name} 不是 Parquet 文件。", f"{name} is no Parquet file."), _REBUILD
            ) from broken


def find_among(
    table: TableFiles, actions: Iterable[Mapping[str, Any]], file_id: str
) -> StoredFile | None:
    """Return the file with this id that one of the actions names, its vector's included.

    Raises:
        NotServedError: It is missing, lies elsewhere, or holds a column the schema hides.
    """
    for action in actions:
        vector = action.get("deletionVector")
        where = vector_file(vector) if vector else None
        if table.file_id(action["path"]) == file_id:
            return table.read(action)
        if where is not None and table.file_id(where) == file_id:
            return table.read(action).vector
    return None


def sorted_json(value: Any) -> str:
    """Write JSON in one order: delta-rs keeps metadata in hash maps, and answers must repeat."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _plain(stats: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    """Keep what a schema shows of statistics, in their one form."""
    shown = set(columns)

    def of(part: str) -> dict[str, Any]:
        return {k: v for k, v in (stats.get(part) or {}).items() if k in shown}

    if not stats:
        return {}
    kept: dict[str, Any] = {
        "minValues": of("minValues"),
        "maxValues": of("maxValues"),
        "nullCount": {k: v for k, v in of("nullCount").items() if isinstance(v, int)},
    }
    if stats.get("numRecords") is not None:
        kept["numRecords"] = stats["numRecords"]
    return kept
