"""Delta writing without Spark: idempotent appends and metadata, over delta-rs.

delta-rs records application transactions but does not skip repeats, so every writer here looks at
``transaction_version`` first and treats a refused race as "read again and check".
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from pyarrow import fs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    import pyarrow.dataset as ds

_TRIES: Final = 60
#: Tables stay on features that every reader has (design §4); a test reads each protocol line.
BASE_CONFIGURATION: Final[Mapping[str, str]] = {
    "delta.enableDeletionVectors": "false",
    "delta.checkpointPolicy": "classic",
}


def open_table(path: Path) -> DeltaTable | None:
    """Return the table at ``path``, or None where there is none yet."""
    try:
        return DeltaTable(str(path))
    except TableNotFoundError:
        return None


def dataset(table: DeltaTable) -> ds.Dataset:
    """Return a table's visible rows as an Arrow dataset.

    Local files are read by Arrow's own file system: over delta-rs's, which is Python, its reading
    threads may still be at work when the interpreter ends, and the process aborts.
    """
    place = urlsplit(table.table_uri)
    if place.scheme not in ("", "file"):
        return table.to_pyarrow_dataset()
    folder = unquote(place.path)
    return table.to_pyarrow_dataset(filesystem=fs.SubTreeFileSystem(folder, fs.LocalFileSystem()))


def has_transaction(table: DeltaTable | None, app_id: str) -> bool:
    """Tell whether the commit named ``app_id`` is already in the table."""
    return table is not None and table.transaction_version(app_id) is not None


def committed_as(table: DeltaTable, name: str) -> int:
    """Return the newest version whose commit calls itself ``name``; the newest of all if none."""
    found = (int(c["version"]) for c in table.history() if c.get("jingshu.name") == name)
    return max(found, default=table.version())


def append_once(
    path: Path,
    data: Callable[[], pa.Table | pa.RecordBatchReader],
    app_id: str,
    *,
    partition_by: Sequence[str] = (),
    configuration: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> tuple[int, bool]:
    """Append ``data`` under the transaction ``app_id``; a second call writes nothing.

    Returns the version that holds it (for a repeat, the newest one) and whether this call wrote
    it. ``data`` makes the rows when they are needed: not at all for a repeat, again after a lost
    race.
    """
    last: DeltaError | None = None
    for attempt in range(_TRIES):
        table = open_table(path)
        if table is not None and has_transaction(table, app_id):
            return table.version(), False
        version = 0 if table is None else table.version() + 1
        rows = data()
        try:
            write_deltalake(
                str(path) if table is None else table,
                rows,
                # Of two who create the table one must lose: appended, it would go in behind.
                mode="error" if table is None else "append",
                partition_by=list(partition_by) or None,
                configuration=None
                if table is not None
                else {**BASE_CONFIGURATION, **(configuration or {})},
                writer_properties=writer_properties(rows.schema),
                commit_properties=CommitProperties(
                    custom_metadata={"jingshu.name": app_id, **(metadata or {})},
                    app_transactions=[Transaction(app_id, 1)],
                    # delta-rs would lay a refused append over whatever came in between, a repeat
                    # of itself too.
                    max_commit_retries=0,
                ),
            )
        except (CommitFailedError, DeltaError) as race:
            if not _is_race(race):
                raise
            last = race
            time.sleep(0.02 * (attempt + 1))
            continue
        return version, True
    raise last or RuntimeError(app_id)


def rewrite_partition(
    path: Path,
    partition: tuple[str, str],
    changed: Callable[[pa.Table], pa.Table | None],
    name: str,
) -> None:
    """Replace the rows of one partition (column, value) in one commit.

    ``changed`` is given the rows as they are, again after a lost race, and returns what they
    become: None leaves them.
    """
    column, value = partition
    last: DeltaError | None = None
    for attempt in range(_TRIES):
        table = open_table(path)
        if table is None:
            return
        data = changed(dataset(table).to_table(filter=pc.field(column) == value))
        if data is None:
            return
        try:
            write_deltalake(
                table,
                data,
                mode="overwrite",
                predicate=f"{column} = '{value}'",
                writer_properties=writer_properties(data.schema),
                commit_properties=CommitProperties(
                    custom_metadata={"jingshu.name": name}, max_commit_retries=0
                ),
            )
        except (CommitFailedError, DeltaError) as race:
            if not _is_race(race):
                raise
            last = race
            time.sleep(0.02 * (attempt + 1))
            continue
        return
    raise last or RuntimeError(name)


def writer_properties(schema: pa.Schema) -> WriterProperties:
    """Keep columns above L2 out of the statistics in Parquet's footers, as their level is told.

    Delta copies them into its log, and readers of a file's metadata see the least and the greatest.
    """
    levels = {f.name: (f.metadata or {}).get(b"jingshu.level") for f in schema}
    closed = [name for name, level in levels.items() if level in (b"L3", b"L4")]
    none = ColumnProperties(statistics_enabled="NONE")
    return WriterProperties(compression="SNAPPY", column_properties=dict.fromkeys(closed, none))


def _is_race(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, CommitFailedError) or "already exists" in text or "conflict" in text


def among(column: str, values: Iterable[str]) -> pc.Expression:
    """Match the rows whose text is one of some; of none, no row (Arrow gives that no type)."""
    return pc.field(column).isin(pa.array(sorted(values), pa.string()))
