"""Tables whose rows come from stages: what silver, gold and shared tables have in common.

Spark writes a stage below the table's folder; a metadata-only commit names its files by relative
path. So the Delta log alone tells which stage every visible row came from.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, RemoveAction

from contracts.errors import JingshuError
from contracts.model import SEALED_LEVEL
from contracts.words import Words
from jobs.seal.plan import SEALED_KEY, TYPE_KEY
from jobs.spark.types import spark_type
from jobs.tables.delta import BASE_CONFIGURATION, has_transaction, open_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from contracts.model import Column, Contract

STAGE: Final = "_stage"
#: Sharing records are kept three years (Decree 809, Art. 29); the log is the record of versions.
_LOG_RETENTION: Final = "interval 1100 days"
_DELTA_TYPES: Final = {"bigint": "long"}
_STAT_TYPES: Final = ("string", "integer", "date")
_STAT_CHARS: Final = 32
_TRIES: Final = 20


class TypeMovedError(JingshuError, TypeError):
    """A contract whose columns are stored as another type: a new type, or now sealed."""


@dataclass(frozen=True)
class Change:
    """What one commit does to the visible files, and what it says of itself."""

    actions: Sequence[AddAction | RemoveAction]
    metadata: Mapping[str, str]


def schema(columns: Sequence[Column], *system: tuple[str, str]) -> Schema:
    """Return the Delta schema of columns, with comment, level and tags on each.

    A sealed column is text, whatever its type in clear. ``system`` adds (name, Delta type) of our
    own columns, which are L1.
    """
    fields = [_field(c) for c in columns]
    fields += [
        Field(name, PrimitiveType(kind), nullable=True, metadata={"jingshu.level": "L1"})
        for name, kind in system
    ]
    return Schema(fields)


def _field(column: Column) -> Field:
    kind = _DELTA_TYPES.get(spark_type(column), spark_type(column))
    metadata = {
        "comment": f"{column.business_name}。{column.description}",
        "jingshu.level": column.effective_level,
        "jingshu.tags": ",".join(column.tags),
    }
    if column.effective_level == SEALED_LEVEL:
        metadata |= {SEALED_KEY: "SM4", TYPE_KEY: kind}
        kind = "string"
    return Field(column.name, PrimitiveType(kind), nullable=True, metadata=metadata)


def ensure(
    path: Path, contract: Contract, made_of: Schema, *, feeds_changes: bool = False
) -> DeltaTable:
    """Return the table, created empty with its column metadata if it was not there.

    One that ``feeds_changes`` can be read by its versions' changes: as our commits name no change
    data files, a date shown anew is its rows gone and its rows come (Delta protocol § Change Data
    Files).

    Statistics are kept on L1-L2 columns only: others would leak values into ``_delta_log``. Raises
    TypeMovedError for a table whose columns are stored as another type.
    """
    found = open_table(path)
    if found is not None:
        return _fitting(found, made_of)
    levels = {f.name: str(f.metadata["jingshu.level"]) for f in made_of.fields}
    counted = ",".join(name for name, level in levels.items() if level in ("L1", "L2"))
    try:
        return DeltaTable.create(
            str(path),
            made_of,
            name=path.name,
            description=f"{contract.name}（{contract.id}，{contract.level}）",
            configuration={
                **BASE_CONFIGURATION,
                "delta.dataSkippingStatsColumns": counted,
                "delta.logRetentionDuration": _LOG_RETENTION,
                **({"delta.enableChangeDataFeed": "true"} if feeds_changes else {}),
            },
        )
    except DeltaError:
        raced = open_table(path)  # another process created it between our look and our write
        if raced is None:
            raise
        return _fitting(raced, made_of)


def _fitting(table: DeltaTable, made_of: Schema) -> DeltaTable:
    """Return a table whose files could lie beside files of this schema; refuse any other."""
    kinds = {f.name: f.type for f in table.schema().fields}
    moved = [f.name for f in made_of.fields if kinds.get(f.name, f.type) != f.type]
    if moved:
        name = "/".join(table.table_uri.rstrip("/").rsplit("/", 2)[-2:])
        raise TypeMovedError(
            Words(
                f"{name} 中 {'、'.join(moved)} 的存储类型与契约现在要求的不同。",
                f"{name} stores {', '.join(moved)} as another type than the contract now asks for.",
            ),
            Words(
                "请删除该表的目录，再补回其日期：./jingshu backfill … --from-raw。",
                "Remove the table's folder and bring its dates back: ./jingshu backfill …"
                " --from-raw.",
            ),
        )
    return table


def commit_once(path: Path, app_id: str, change: Callable[[DeltaTable], Change]) -> DeltaTable:
    """Commit a change under the transaction ``app_id``, once; return the table as it is then.

    ``change`` is asked again, with the table read anew, after every lost race.
    """
    for attempt in range(_TRIES):
        table = DeltaTable(str(path))
        if has_transaction(table, app_id):
            return table
        wanted = change(table)
        try:
            table.create_write_transaction(
                list(wanted.actions),
                "append",
                table.schema(),
                commit_properties=CommitProperties(
                    custom_metadata=dict(wanted.metadata),
                    app_transactions=[Transaction(app_id, 1)],
                ),
            )
        except (CommitFailedError, DeltaError):
            if attempt == _TRIES - 1:
                raise
            time.sleep(0.02 * (attempt + 1))  # another publisher won: read again and check
    return DeltaTable(str(path))


def stage_of_file(path: str) -> str | None:
    """Return the stage that a data file belongs to; a source table's stages are its batches."""
    parts = path.split("/")
    return parts[1] if len(parts) > 1 and parts[0] == STAGE else None


def files(table: DeltaTable) -> list[dict[str, Any]]:
    """Return the visible files: ``path``, ``size_bytes``, ``num_records``."""
    return list(pa.table(table.get_add_actions(flatten=True)).to_pylist())


def staged_actions(stage: Path, contract: Contract, states: Iterable[str]) -> list[AddAction]:
    """Return add actions for a stage's files of the given ``_ok`` states, by relative path."""
    actions = []
    for state in states:
        for file in sorted((stage / f"_ok={state}").glob("*.parquet")):
            status = file.stat()
            actions.append(
                AddAction(
                    path=f"{STAGE}/{stage.name}/_ok={state}/{file.name}",
                    size=status.st_size,
                    partition_values={},
                    modification_time=int(status.st_mtime * 1000),
                    data_change=True,
                    stats=_statistics(file, contract),
                )
            )
    return actions


def removals(visible: Iterable[Mapping[str, Any]], now_ms: int) -> list[RemoveAction]:
    """Return remove actions for visible files."""
    return [
        RemoveAction(
            path=f["path"],
            data_change=True,
            deletion_timestamp=now_ms,
            size=f["size_bytes"],
            partition_values={},
        )
        for f in visible
    ]


def _statistics(file: Path, contract: Contract) -> str:
    """Return Delta statistics: the row count, and bounds of L1-L2 columns only."""
    metadata = pq.read_metadata(file)
    lows: dict[str, Any] = {}
    highs: dict[str, Any] = {}
    open_columns = {
        c.name: c.type
        for c in contract.columns
        if c.effective_level in ("L1", "L2") and c.type in _STAT_TYPES
    }
    for index, name in enumerate(metadata.schema.names):
        if name not in open_columns:
            continue
        parts = [
            metadata.row_group(g).column(index).statistics for g in range(metadata.num_row_groups)
        ]
        if not parts or any(p is None or not p.has_min_max for p in parts):
            continue
        low, high = min(p.min for p in parts), max(p.max for p in parts)
        if open_columns[name] == "string" and max(len(low), len(high)) > _STAT_CHARS:
            continue
        is_date = open_columns[name] == "date"
        lows[name] = low.isoformat() if is_date else low
        highs[name] = high.isoformat() if is_date else high
    return json.dumps(
        {
            "numRecords": metadata.num_rows,
            "minValues": lows,
            "maxValues": highs,
            "nullCount": {},
        },
        ensure_ascii=False,
    )
