"""One version of a shared Delta table: what it says and which files it names (delta-rs)."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from contracts.model import UNTAGGED
from contracts.words import Words
from sharing.tables.ceiling import NotServedError, check_levels, check_protocol
from sharing.tables.datafile import TableFiles, find_among, sorted_json
from sharing.tables.deltalog import NEWER, commit_key, deletion_vectors, vector_file, versions
from sharing.tables.features import VECTORS, reader_features, reading_settings, writer_features
from sharing.tables.storage import Folder

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from contracts.model import Level
    from sharing.tables.datafile import DataFile, StoredFile
    from sharing.tables.storage import Storage

_PHYSICAL: Final = "delta.columnMapping.physicalName"
_NO_TABLE: Final = Words("这里没有 Delta 表。", "There is no Delta table here.")
_SHARE: Final = Words("请运行共享作业。", "Run the share job.")


@dataclass(frozen=True)
class Snapshot:
    """A version that may be shared: every column at or below the ceiling.

    ``features`` are the reader features a recipient must know; a table of our own has none. Like
    the writer features and the settings, they are those that matter to who never reads the log.
    """

    root: Storage
    version: int
    table_id: str
    name: str | None
    description: str | None
    schema_json: str
    partition_columns: tuple[str, ...]
    configuration: Mapping[str, str]
    min_reader_version: int
    min_writer_version: int
    features: tuple[str, ...]
    writer_features: tuple[str, ...]
    _delta: DeltaTable = field(repr=False, compare=False)

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """Each column's name in the files, by its name in the schema."""
        fields = json.loads(self.schema_json)["fields"]
        return {f["name"]: (f.get("metadata") or {}).get(_PHYSICAL, f["name"]) for f in fields}

    @cached_property
    def table_files(self) -> TableFiles:
        """What this version's files are held against."""
        return TableFiles(self.root, self.table_id, frozenset(self.columns.values()))

    def files(self) -> tuple[DataFile, ...]:
        """Return the version's files, in path order, so that answers repeat.

        Raises:
            NotServedError: A file is missing, lies elsewhere, or holds a column the schema hides.
        """
        return self.root.each(self.table_files.read, self._adds)

    def find(self, file_id: str) -> StoredFile | None:
        """Return the file of this version with this id, a deletion vector's too, or ``None``.

        Raises:
            NotServedError: It is missing, lies elsewhere, or holds a column the schema hides.
        """
        action = self._by_id.get(file_id)
        return None if action is None else find_among(self.table_files, [action], file_id)

    @cached_property
    def _by_id(self) -> Mapping[str, Mapping[str, Any]]:
        """The version's ``add`` actions by the ids of their files and of their vectors' files."""
        id_of, found = self.table_files.file_id, {}
        for action in self._adds:
            vector = action["deletionVector"]
            where = vector_file(vector) if vector else None
            found[id_of(action["path"])] = action
            if where is not None:
                found[id_of(where)] = action
        return found

    @cached_property
    def _adds(self) -> tuple[Mapping[str, Any], ...]:
        """The version's ``add`` actions in path order, as the log would write them."""
        rows = pa.table(self._delta.get_add_actions(flatten=False)).to_pylist()
        has_vectors = VECTORS in self.features
        vectors = deletion_vectors(self.root, self.version) if has_vectors else {}
        return tuple(
            {
                "path": row["path"],
                "size": row["size_bytes"],
                "modificationTime": row["modification_time"],
                "partitionValues": {
                    self.columns[name]: _partition_value(value)
                    for name, value in (row.get("partition") or {}).items()
                },
                "stats": _stats(row),
                "deletionVector": vectors.get(row["path"]),
            }
            for row in sorted(rows, key=lambda r: r["path"])
        )


def read_snapshot(
    root: Storage, version: int | None = None, foreign: Level | None = None
) -> Snapshot:
    """Open a shared table at ``version``, or as it is now.

    ``foreign`` is the level of untagged columns in a table that others wrote; such a table may
    need reader features, ours may not.

    Raises:
        NotServedError: There is no such table or version, or it must not be shared.
    """
    if isinstance(root, Folder):
        real = root.path.resolve()
        if foreign is not None and real != root.path:
            raise NotServedError(
                Words(
                    f"{root.address} 在共享之后变成了链接。",
                    f"{root.address} has become a link since it was shared.",
                ),
                Words("请移除后重新添加。", "Remove it and add it again."),
            )
        root = Folder(real)
    try:
        newest = versions(root)[-1:]
        if not newest:
            raise NotServedError(_NO_TABLE, _SHARE)
        version = newest[0] if version is None else version
        stamp = root.stamp(commit_key(version))
    except OSError as silent:
        raise NotServedError(
            Words(
                f"{root.address} 无法访问：{silent}。",
                f"{root.address} cannot be reached: {silent}.",
            ),
            Words("请确认它在那里，以及谁可以读取。", "See that it is there, and who may read it."),
        ) from silent
    return _opened(root, version, foreign, stamp)


def read_past(current: Snapshot, version: int, foreign: Level | None = None) -> Snapshot:
    """Open an earlier version, which shows no more than the current one does.

    Raises:
        NotServedError: There is no such version, or it has a column that is not shared any more.
    """
    past = read_snapshot(current.root, version, foreign)
    gone = sorted(set(past.columns.values()) - set(current.columns.values()))
    if gone:
        columns = ", ".join(gone)
        raise NotServedError(
            Words(
                f"版本 {version} 有不再共享的列：{columns}。",
                f"Version {version} has columns that are not shared any more: {columns}.",
            ),
            NEWER,
        )
    return past


@lru_cache(maxsize=2048)
def _opened(
    root: Storage,
    version: int,
    foreign: Level | None,
    _stamp: Hashable,  # another commit under the same number is another version
) -> Snapshot:
    try:
        delta = DeltaTable(root.uri, version=version)
        protocol, metadata, schema = delta.protocol(), delta.metadata(), delta.schema().to_json()
    except TableNotFoundError as missing:
        raise NotServedError(_NO_TABLE, _SHARE) from missing
    except (DeltaError, OSError, OverflowError) as broken:
        raise NotServedError(
            Words(
                f"表日志在版本 {version} 处无法读取：{broken}。",
                f"The Delta log cannot be read at version {version}: {broken}.",
            ),
            Words(
                "请重新运行共享作业；仍不行则恢复该表。",
                "Run the share job again; restore the table if that does not help.",
            ),
        ) from broken
    if foreign is None:
        check_protocol(protocol.min_reader_version)
    check_levels(schema, untagged=foreign or UNTAGGED)
    reader = protocol.min_reader_version
    features = reader_features(reader, protocol.reader_features, metadata.configuration)
    return Snapshot(
        root=root,
        version=version,
        table_id=str(metadata.id),
        name=metadata.name,
        description=metadata.description,
        schema_json=sorted_json(json.loads(schema)),
        partition_columns=tuple(metadata.partition_columns),
        configuration=reading_settings(metadata.configuration),
        min_reader_version=reader,
        min_writer_version=protocol.min_writer_version,
        features=features,
        writer_features=writer_features(reader, protocol.writer_features, features),
        _delta=delta,
    )


def _partition_value(value: object) -> str | None:
    """Write a partition value as the protocol does (Partition Value Serialization)."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        instant = value.astimezone(UTC) if value.tzinfo else value
        return instant.replace(tzinfo=None).isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def _stats(action: dict[str, Any]) -> str:
    """Write per-file statistics; timestamps are left out, for Delta truncates their maxima."""

    def bounds(values: dict[str, Any] | None) -> dict[str, Any]:
        plain = {k: _bound(v) for k, v in (values or {}).items()}
        return {k: v for k, v in plain.items() if v is not None}

    stats: dict[str, Any] = {"minValues": bounds(action.get("min"))}
    stats["maxValues"] = bounds(action.get("max"))
    nulls = action.get("null_count") or {}
    stats["nullCount"] = {k: v for k, v in nulls.items() if isinstance(v, int)}
    if action["num_records"] is not None:
        stats["numRecords"] = action["num_records"]
    return sorted_json(stats)


def _bound(value: object) -> str | int | float | None:
    if isinstance(value, bool | datetime):
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int) else None
