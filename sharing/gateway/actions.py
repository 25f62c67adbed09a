"""The lines of a metadata or query answer, in both response formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sharing.gateway.capabilities import ResponseFormat
    from sharing.snapshot import DataFile, Snapshot

Line = dict[str, Any]


def head_lines(
    snapshot: Snapshot, files: tuple[DataFile, ...], response_format: ResponseFormat
) -> list[Line]:
    """Return the protocol and metadata lines; the same version always gives the same two."""
    sizes = {"size": sum(f.size_bytes for f in files), "numFiles": len(files)}
    metadata: Line = {
        "id": snapshot.table_id,
        "format": {"provider": "parquet"},
        "schemaString": snapshot.schema_json,
        "partitionColumns": list(snapshot.partition_columns),
        "configuration": dict(snapshot.configuration),
    }
    named = {"name": snapshot.name, "description": snapshot.description}
    metadata.update({k: v for k, v in named.items() if v is not None})
    if response_format == "parquet":
        return [
            {"protocol": {"minReaderVersion": 1}},
            {"metaData": {**metadata, **sizes, "accessModes": ["url"]}},
        ]
    # The Python client's kernel reads this as a Delta log, in which a format has options.
    delta_metadata = {**metadata, "format": {"provider": "parquet", "options": {}}}
    protocol: Line = {"minReaderVersion": 1, "minWriterVersion": snapshot.min_writer_version}
    if snapshot.writer_features:
        protocol["writerFeatures"] = list(snapshot.writer_features)
    return [
        {"protocol": {"deltaProtocol": protocol}},
        {"metaData": {"deltaMetadata": delta_metadata, **sizes, "accessModes": ["url"]}},
    ]


def file_lines(
    files: Iterable[DataFile],
    response_format: ResponseFormat,
    url_of: Callable[[DataFile], str],
    expires_at_ms: int,
) -> Iterator[Line]:
    """Yield one line a file; all URLs end at ``expires_at_ms`` (Unix milliseconds)."""
    write = _parquet_file if response_format == "parquet" else _delta_file
    for file in files:
        line = write(file, url_of(file))
        yield {"file": {"id": file.id, **line, "expirationTimestamp": expires_at_ms}}


def end_stream_line(expires_at_ms: int) -> Line:
    """Return the last line of a query that asked for it."""
    return {"endStreamAction": {"minUrlExpirationTimestamp": expires_at_ms}}


def limit_files(files: tuple[DataFile, ...], limit: int | None) -> tuple[DataFile, ...]:
    """Return the first files that hold ``limit`` rows; all, where a file does not say how many."""
    if limit is None:
        return files
    chosen: list[DataFile] = []
    rows = 0
    for file in files:
        if rows >= limit:
            break
        if file.rows is None:
            return files
        chosen.append(file)
        rows += file.rows
    return tuple(chosen)


def _parquet_file(file: DataFile, url: str) -> Line:
    return {
        "url": url,
        # Here the protocol writes null as the empty string (§ Partition Value Serialization).
        "partitionValues": {k: v or "" for k, v in file.partition.items()},
        "size": file.size_bytes,
        "stats": file.stats,
    }


def _delta_file(file: DataFile, url: str) -> Line:
    partition: Mapping[str, str | None] = file.partition
    add = {
        "path": url,
        "partitionValues": dict(partition),
        "size": file.size_bytes,
        "modificationTime": file.modified_ms,
        "dataChange": True,
        "stats": file.stats,
    }
    return {"size": file.size_bytes, "deltaSingleAction": {"add": add}}
