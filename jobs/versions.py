"""Product and share tables: one date's rows, staged, audited and shown by one commit.

The same write-audit-publish as silver: Spark writes the stage, a metadata-only commit shows it and
removes the date's earlier files.
"""

from __future__ import annotations

import shutil
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.schema import PrimitiveType

from jobs import silver
from jobs.delta import BASE_CONFIGURATION, has_transaction, open_table
from jobs.refine.plan import spark_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from pyspark.sql import DataFrame

    from contracts.model import Column, Contract

_TRIES: Final = 20
_ROWS: Final = "_ok=true"


@dataclass(frozen=True)
class Staged:
    """One date's rows on disk, not visible yet; ``name`` says what they were made from."""

    table: Path
    name: str
    business_date: date

    @property
    def folder(self) -> Path:
        """Return the stage's folder."""
        return self.table / silver.STAGE / self.name

    @property
    def rows(self) -> Path:
        """Return the folder of the staged Parquet files."""
        return self.folder / _ROWS


def stage(staged: Staged, rows: DataFrame) -> None:
    """Write one date's rows to its stage, once, under a name that appears when it is whole."""
    if (staged.rows / "_SUCCESS").exists():
        return
    building = staged.folder.with_name(f".building-{staged.name}-{uuid.uuid4().hex[:8]}")
    try:
        rows.coalesce(1).write.mode("overwrite").parquet(str(building / _ROWS))
        staged.folder.parent.mkdir(parents=True, exist_ok=True)
        if staged.folder.exists():
            shutil.rmtree(staged.folder)
        building.rename(staged.folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def ensure(
    path: Path,
    name: str,
    contract: Contract,
    columns: Sequence[Column],
    types: Mapping[str, str] | None = None,
) -> DeltaTable:
    """Return the table, created empty with comments, levels and tags if it was not there."""
    found = open_table(path)
    if found is not None:
        return found
    kinds = types or {}
    fields = [
        Field(
            c.name,
            PrimitiveType(_delta_type(kinds.get(c.name, spark_type(c)))),
            nullable=True,
            metadata={
                "comment": f"{c.business_name}。{c.description}",
                "jingshu.level": c.effective_level,
                "jingshu.tags": ",".join(c.tags),
            },
        )
        for c in columns
    ]
    open_columns = ",".join(c.name for c in columns if c.effective_level in ("L1", "L2"))
    try:
        return DeltaTable.create(
            str(path),
            Schema(fields),
            name=name,
            description=f"{contract.name}（{contract.id}，{contract.level}）",
            configuration={
                **BASE_CONFIGURATION,
                "delta.dataSkippingStatsColumns": open_columns,
                "delta.logRetentionDuration": "interval 1100 days",
            },
        )
    except DeltaError:
        raced = open_table(path)
        if raced is None:
            raise
        return raced


def _delta_type(kind: str) -> str:
    return {"bigint": "long", "int": "integer"}.get(kind, kind)


def is_shown(staged: Staged) -> bool:
    """Tell whether a stage was ever made visible."""
    return has_transaction(open_table(staged.table), f"show:{staged.name}")


def show(staged: Staged, contract: Contract, metadata: Mapping[str, str]) -> int:
    """Make a stage visible and remove the date's earlier files; return the version.

    Doing it again returns the version that shows it.
    """
    app_id = f"show:{staged.name}"
    for attempt in range(_TRIES):
        table = DeltaTable(str(staged.table))
        if has_transaction(table, app_id):
            return version_of(table, staged.name)
        day = f"{silver.STAGE}/{staged.business_date:%Y%m%d}-"
        old = [f for f in silver.files(table) if str(f["path"]).startswith(day)]
        try:
            table.create_write_transaction(
                [
                    *silver.staged_actions(staged.folder, contract, ("true",)),
                    *silver.removals(old, int(time.time() * 1000)),
                ],
                "append",
                table.schema(),
                commit_properties=CommitProperties(
                    custom_metadata={
                        "jingshu.stage": staged.name,
                        "jingshu.business_date": staged.business_date.isoformat(),
                        **metadata,
                    },
                    app_transactions=[Transaction(app_id, 1)],
                ),
            )
        except (CommitFailedError, DeltaError):
            if attempt == _TRIES - 1:
                raise
            time.sleep(0.02 * (attempt + 1))
    return version_of(DeltaTable(str(staged.table)), staged.name)


def hide(path: Path, business_date: date, reason: str) -> None:
    """Remove a date's visible files from a table; one that shows none stays as it is."""
    for attempt in range(_TRIES):
        table = open_table(path)
        day = f"{silver.STAGE}/{business_date:%Y%m%d}-"
        old = [f for f in silver.files(table) if str(f["path"]).startswith(day)] if table else []
        if table is None or not old:
            return
        try:
            table.create_write_transaction(
                list(silver.removals(old, int(time.time() * 1000))),
                "append",
                table.schema(),
                commit_properties=CommitProperties(
                    custom_metadata={
                        "jingshu.kind": "hide",
                        "jingshu.business_date": business_date.isoformat(),
                        "jingshu.reason": reason,
                    }
                ),
            )
        except (CommitFailedError, DeltaError):
            if attempt == _TRIES - 1:
                raise
            time.sleep(0.02 * (attempt + 1))
        else:
            return


def version_of(table: DeltaTable, name: str) -> int:
    """Return the version whose commit showed a stage."""
    return next(int(c["version"]) for c in table.history() if c.get("jingshu.stage") == name)


def visible_stage(table: DeltaTable | None, business_date: date) -> str | None:
    """Return the name of the stage that holds a date's visible rows."""
    if table is None:
        return None
    day = f"{business_date:%Y%m%d}-"
    names = {silver.batch_of_file(str(f["path"])) for f in silver.files(table)}
    return next((n for n in names if n is not None and n.startswith(day)), None)
