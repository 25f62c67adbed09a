"""The silver table of a feed: its schema, its stage, and what its log says was published.

A published batch is visible as files of its stage that the Delta log names by relative path, so the
log alone tells which batch every visible row came from.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, RemoveAction

from jobs.delta import BASE_CONFIGURATION, has_transaction, open_table
from jobs.land import statistics_only_on
from jobs.refine.plan import TOMBSTONE, spark_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from contracts.layout import Home
    from contracts.model import Contract

STAGE: Final = "_stage"
#: Ends the name of the stage that a ``merge_key`` table shows after a withdrawal.
WITHDRAWN: Final = "-withdrawn"
_DELTA_TYPES: Final = {"bigint": "long"}
#: Sharing records are kept three years (Decree 809, Art. 29); the log is the record of versions.
_LOG_RETENTION: Final = "interval 1100 days"
_STAT_TYPES: Final = ("string", "integer", "date")
_STAT_CHARS: Final = 32
_TRIES: Final = 20


@dataclass(frozen=True)
class Publication:
    """One commit of a silver table that showed or withdrew a batch."""

    version: int
    kind: Literal["publish", "withdraw"]
    batch_id: str
    business_date: date
    revision: int
    digest: str
    tombstones: str | None

    @property
    def stage(self) -> str:
        """The stage whose files the commit showed; a withdrawn merge is staged anew without it."""
        return self.batch_id if self.kind == "publish" else f"{self.batch_id}{WITHDRAWN}"

    @property
    def order(self) -> tuple[date, int]:
        """Newer data has the later date; on one date, the later revision."""
        return self.business_date, self.revision


def stage_path(home: Home, table: str, batch_id: str) -> Path:
    """Return the folder that a batch's refined rows are staged in."""
    return home.table("silver", table) / STAGE / batch_id


def schema(contract: Contract) -> Schema:
    """Return silver's Delta schema: typed columns with comment, level and tags, and whence."""
    fields = [
        Field(
            c.name,
            PrimitiveType(_DELTA_TYPES.get(spark_type(c), spark_type(c))),
            nullable=True,
            metadata={
                "comment": f"{c.business_name}。{c.description}",
                "jingshu.level": c.effective_level,
                "jingshu.tags": ",".join(c.tags),
            },
        )
        for c in contract.columns
    ]
    system = (("_source_line", "long"), ("_batch_id", "string"), ("_business_date", "date"))
    fields += [
        Field(name, PrimitiveType(kind), nullable=True, metadata={"jingshu.level": "L1"})
        for name, kind in system
    ]
    return Schema(fields)


def ensure(home: Home, contract: Contract, table: str) -> DeltaTable:
    """Return the silver table, created empty with its column metadata if it was not there."""
    path = home.table("silver", table)
    found = open_table(path)
    if found is not None:
        return found
    try:
        return DeltaTable.create(
            str(path),
            schema(contract),
            name=table,
            description=f"{contract.name}（{contract.id}，{contract.level}）",
            configuration={
                **BASE_CONFIGURATION,
                **statistics_only_on(contract, "_source_line", "_business_date"),
                "delta.logRetentionDuration": _LOG_RETENTION,
            },
        )
    except DeltaError:
        raced = open_table(path)  # another publisher created it between our look and our write
        if raced is None:
            raise
        return raced


def publications(table: DeltaTable | None) -> list[Publication]:
    """Return the table's publishing and withdrawing commits, oldest first."""
    if table is None:
        return []
    found = [
        Publication(
            version=int(commit["version"]),
            kind=commit["jingshu.kind"],
            batch_id=commit["jingshu.batch_id"],
            business_date=date.fromisoformat(commit["jingshu.business_date"]),
            revision=int(commit["jingshu.revision"]),
            digest=commit["jingshu.digest"],
            tombstones=commit.get("jingshu.tombstones") or None,
        )
        for commit in table.history()
        if "jingshu.kind" in commit
    ]
    return sorted(found, key=lambda p: p.version)


def in_force(table: DeltaTable | None) -> list[Publication]:
    """Return the publications that no withdrawal took back, oldest first."""
    said = publications(table)
    withdrawn = {p.batch_id for p in said if p.kind == "withdraw"}
    return [p for p in said if p.kind == "publish" and p.batch_id not in withdrawn]


def version_as_of(table: DeltaTable | None, business_date: date) -> int | None:
    """Return the newest version that a batch of ``business_date`` or before made, or took back.

    None where nothing of that time is in force.
    """
    if not any(p.business_date <= business_date for p in in_force(table)):
        return None
    return max(p.version for p in publications(table) if p.business_date <= business_date)


@dataclass(frozen=True)
class Change:
    """What one commit does to the visible files, and what it says of itself."""

    actions: Sequence[AddAction | RemoveAction]
    metadata: Mapping[str, str]


def commit_once(
    home: Home, contract: Contract, name: str, app_id: str, change: Callable[[DeltaTable], Change]
) -> DeltaTable:
    """Commit a change under the transaction ``app_id``, once; return the table as it is then.

    ``change`` is asked again, with the table read anew, after every lost race.
    """
    for attempt in range(_TRIES):
        table = ensure(home, contract, name)
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
    return ensure(home, contract, name)


def batch_of_file(path: str) -> str | None:
    """Return the batch whose stage a data file belongs to."""
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


def tombstones_of(stage: Path) -> str | None:
    """Return the relative folder of a merge stage's tombstones, if it has any."""
    folder = stage / f"_ok={TOMBSTONE}"
    return f"{STAGE}/{stage.name}/{folder.name}" if folder.is_dir() else None


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
