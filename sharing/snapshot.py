"""One version of a shared Delta table: what it says and which files it names (delta-rs)."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from sharing.ceiling import NotServedError, check_levels, check_protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class DataFile:
    """A data file that a table version names; ``path`` is proved to lie inside the table."""

    id: str
    path: Path
    partition: Mapping[str, str | None]
    size_bytes: int
    modified_ms: int
    rows: int | None
    stats: str


@dataclass(frozen=True)
class Snapshot:
    """A version that may be shared: reader version 1, every column at or below the ceiling."""

    root: Path
    version: int
    table_id: str
    name: str | None
    description: str | None
    schema_json: str
    partition_columns: tuple[str, ...]
    configuration: Mapping[str, str]
    min_writer_version: int
    writer_features: tuple[str, ...]
    _delta: DeltaTable = field(repr=False, compare=False)

    def files(self) -> tuple[DataFile, ...]:
        """Return the version's files, in path order, so that answers repeat.

        Raises:
            NotServedError: A file is missing, lies elsewhere, or holds a column the schema hides.
        """
        columns = {f["name"] for f in json.loads(self.schema_json)["fields"]}
        actions = pa.table(self._delta.get_add_actions(flatten=False)).to_pylist()
        return tuple(
            _data_file(self, action, columns) for action in sorted(actions, key=lambda a: a["path"])
        )


def read_snapshot(root: Path, version: int | None = None) -> Snapshot:
    """Open a shared table at ``version``, or as it is now.

    Raises:
        NotServedError: There is no such table or version, or it must not be shared.
    """
    try:
        delta = DeltaTable(root, version=version)
        protocol, metadata, schema = delta.protocol(), delta.metadata(), delta.schema().to_json()
    except TableNotFoundError as missing:
        raise NotServedError("There is no Delta table here.", "Run the share job.") from missing
    except (DeltaError, OverflowError) as broken:
        raise NotServedError(
            f"The Delta log cannot be read at version {version or 'latest'}: {broken}.",
            "Run the share job again; restore the table if that does not help.",
        ) from broken
    check_protocol(protocol.min_reader_version)
    check_levels(schema)
    return Snapshot(
        root=root.resolve(),
        version=delta.version(),
        table_id=str(metadata.id),
        name=metadata.name,
        description=metadata.description,
        schema_json=_sorted_json(json.loads(schema)),
        partition_columns=tuple(metadata.partition_columns),
        configuration=dict(sorted(metadata.configuration.items())),
        min_writer_version=protocol.min_writer_version,
        writer_features=tuple(sorted(protocol.writer_features or ())),
        _delta=delta,
    )


def _data_file(snapshot: Snapshot, action: dict[str, Any], columns: set[str]) -> DataFile:
    path = _inside(snapshot.root, action["path"])
    try:
        found = path.stat()
    except OSError as missing:
        raise NotServedError(
            f"Version {snapshot.version} names a file that cannot be read: {action['path']}.",
            "Rebuild the table with the share job.",
        ) from missing
    if found.st_size != action["size_bytes"]:
        raise NotServedError(
            f"{action['path']} has {found.st_size} bytes, the log says {action['size_bytes']}.",
            "Rebuild the table with the share job.",
        )
    hidden = _footer_columns(path, found.st_size, found.st_mtime_ns) - columns
    if hidden:
        # The whole file leaves the house, so a column that only the schema hides would too.
        raise NotServedError(
            f"{action['path']} holds columns outside the schema: {', '.join(sorted(hidden))}.",
            "Rewrite the table's files with the share job.",
        )
    return DataFile(
        id=hashlib.sha256(f"{snapshot.table_id}\n{action['path']}".encode()).hexdigest()[:32],
        path=path,
        partition={k: _partition_value(v) for k, v in (action.get("partition") or {}).items()},
        size_bytes=action["size_bytes"],
        modified_ms=action["modification_time"],
        rows=action["num_records"],
        stats=_stats(action),
    )


def _inside(root: Path, logged: str) -> Path:
    """Resolve a path of the log (percent-encoded, Delta protocol § Add File) below ``root``."""
    path = (root / unquote(logged)).resolve()
    if not path.is_relative_to(root) or path.is_relative_to(root / "_delta_log"):
        raise NotServedError(
            f"The log names a file outside the table: {logged}.",
            "Rebuild the table with the share job; a shared table holds its own files.",
        )
    return path


@lru_cache(maxsize=4096)
def _footer_columns(path: Path, _size: int, _mtime_ns: int) -> frozenset[str]:
    try:
        return frozenset(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as broken:
        raise NotServedError(
            f"{path.name} is no Parquet file.", "Rebuild the table with the share job."
        ) from broken


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
    return _sorted_json(stats)


def _sorted_json(value: Any) -> str:
    """Write JSON in one order: delta-rs keeps metadata in hash maps, and answers must repeat."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _bound(value: object) -> str | int | float | None:
    if isinstance(value, bool | datetime):
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int) else None
