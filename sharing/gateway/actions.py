"""The lines of an answer, in both response formats (protocol §§ API Response Actions)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sharing.tables.features import NAMES_READERS, NAMES_WRITERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sharing.gateway.capabilities import ResponseFormat
    from sharing.tables.changes import ChangedFile
    from sharing.tables.datafile import DataFile, StoredFile
    from sharing.tables.snapshot import Snapshot

Line = dict[str, Any]
#: A file identifier's length by its scheme (protocol § File ID Hash Header).
_ID_LETTERS = {"parquet": 32, "delta": 64}


@dataclass(frozen=True)
class Sizes:
    """What a table's files come to."""

    size_bytes: int
    files: int

    @classmethod
    def of(cls, files: Iterable[DataFile]) -> Sizes:
        """Add up."""
        sizes = [f.size_bytes for f in files]
        return cls(sum(sizes), len(sizes))


@dataclass(frozen=True)
class Writer:
    """Writes lines in one format; all URLs end at ``expires_at_ms`` (Unix milliseconds)."""

    format: ResponseFormat
    url_of: Callable[[StoredFile, int], str]
    expires_at_ms: int
    #: Which identifiers files have: ``parquet`` or ``delta``; none is the format's own.
    id_scheme: str | None = None

    def head(self, snapshot: Snapshot, sizes: Sizes | None) -> list[Line]:
        """Return the protocol and metadata lines; the same version always gives the same two."""
        return [self.protocol(snapshot), self.metadata(snapshot, sizes=sizes)]

    def protocol(self, snapshot: Snapshot, version: int | None = None) -> Line:
        """Return a protocol line, which says its version where history is told."""
        if self.format == "parquet":
            return {"protocol": {"minReaderVersion": 1}}
        described: Line = {
            "minReaderVersion": snapshot.min_reader_version,
            "minWriterVersion": snapshot.min_writer_version,
        }
        if snapshot.min_reader_version >= NAMES_READERS:
            described["readerFeatures"] = list(snapshot.features)
        if snapshot.min_writer_version >= NAMES_WRITERS:
            described["writerFeatures"] = list(snapshot.writer_features)
        numbered = {} if version is None else {"version": version}
        return {"protocol": {"deltaProtocol": described, **numbered}}

    def metadata(
        self, snapshot: Snapshot, *, sizes: Sizes | None = None, version: int | None = None
    ) -> Line:
        """Return a metadata line, which says its version where history is told."""
        metadata: Line = {
            "id": snapshot.table_id,
            "format": {"provider": "parquet"},
            "schemaString": snapshot.schema_json,
            "partitionColumns": list(snapshot.partition_columns),
            "configuration": dict(snapshot.configuration),
        }
        named = {"name": snapshot.name, "description": snapshot.description}
        metadata.update({k: v for k, v in named.items() if v is not None})
        around: Line = {"accessModes": ["url"]}
        if sizes is not None:
            around |= {"size": sizes.size_bytes, "numFiles": sizes.files}
        if version is not None:
            around["version"] = version
        if self.format == "parquet":
            return {"metaData": {**metadata, **around}}
        # The Python client's kernel reads this as a Delta log, in which a format has options.
        metadata["format"] = {"provider": "parquet", "options": {}}
        return {"metaData": {"deltaMetadata": metadata, **around}}

    def file(self, file: DataFile, version: int, *, is_past: bool) -> Line:
        """Return the line of a version's file."""
        numbered = {"version": version} if is_past else {}
        if self.format == "parquet":
            return {"file": {**self._parquet(file, version), "stats": file.stats, **numbered}}
        return {"file": {**self._wrapped(file), **numbered, **self._delta(file, "add", version, 0)}}

    def change(self, changed: ChangedFile) -> Line:
        """Return the line of a file by which a version says what it changed."""
        file, version = changed.file, changed.version
        numbered = {"version": version, "timestamp": changed.at_ms}
        if self.format == "delta":
            action = self._delta(file, changed.kind, version, changed.at_ms)
            return {"file": {**self._wrapped(file), **numbered, **action}}
        stats = {"stats": file.stats} if changed.kind == "add" else {}
        name = "cdf" if changed.kind == "cdc" else changed.kind
        return {name: {**self._parquet(file, version), **stats, **numbered}}

    def end_of_stream(self, *, page: str | None = None, refresh: str | None = None) -> Line:
        """Return the last line, for a client that asked for it."""
        end: Line = {"minUrlExpirationTimestamp": self.expires_at_ms}
        tokens = {"nextPageToken": page, "refreshToken": refresh}
        return {"endStreamAction": end | {k: v for k, v in tokens.items() if v is not None}}

    def _id(self, file: StoredFile) -> str:
        return file.id[: _ID_LETTERS[self.id_scheme or self.format]]

    def _parquet(self, file: DataFile, version: int) -> Line:
        return {
            "url": self.url_of(file, version),
            "id": self._id(file),
            # Here the protocol writes null as the empty string (§ Partition Value Serialization).
            "partitionValues": {k: v or "" for k, v in file.partition.items()},
            "size": file.size_bytes,
            "expirationTimestamp": self.expires_at_ms,
        }

    def _wrapped(self, file: DataFile) -> Line:
        vector = {} if file.vector is None else {"deletionVectorFileId": self._id(file.vector)}
        return {
            "id": self._id(file),
            **vector,
            "size": file.size_bytes,
            "expirationTimestamp": self.expires_at_ms,
        }

    def _delta(self, file: DataFile, kind: str, version: int, at_ms: int) -> Line:
        action: Line = {
            "path": self.url_of(file, version),
            "partitionValues": dict(file.partition),
            "size": file.size_bytes,
            "dataChange": kind != "cdc",
        }
        if kind == "add":
            action |= {"modificationTime": file.modified_ms, "stats": file.stats}
        if kind == "remove":
            action |= {"deletionTimestamp": at_ms, "extendedFileMetadata": True}
        vector = self._vector(file, version)
        if vector is not None:
            action["deletionVector"] = vector
        return {"deltaSingleAction": {kind: action}}

    def _vector(self, file: DataFile, version: int) -> Mapping[str, Any] | None:
        if file.vector is None:
            return file.inline_vector
        vector: Line = {
            # An absolute path, which a recipient has only as a URL.
            "storageType": "p",
            "pathOrInlineDv": self.url_of(file.vector, version),
            "sizeInBytes": file.vector.vector_bytes,
            "cardinality": file.vector.cardinality,
        }
        if file.vector.offset is not None:
            vector["offset"] = file.vector.offset
        return vector


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
