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

from jobs.names import Step
from jobs.spark.session import parquet_writer
from jobs.tables import staged
from jobs.tables.delta import has_transaction, open_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from deltalake import DeltaTable
    from deltalake.transaction import RemoveAction
    from pyspark.sql import DataFrame

    from contracts.model import Column, Contract

_ROWS: Final = "_ok=true"
_DONE: Final = "_SUCCESS"
#: Whose a row is, where one plan writes several stages: its place among them.
OF: Final = "_of"
#: Spark SQL for the name of the stage that a row was read from.
STAGE_OF: Final = f"regexp_extract(_metadata.file_path, '.*/{staged.STAGE}/([^/]+)/', 1)"


@dataclass(frozen=True)
class Staged:
    """One date's rows on disk, not visible yet; ``name`` says what they were made from."""

    table: Path
    name: str
    business_date: date

    @property
    def folder(self) -> Path:
        """Return the stage's folder."""
        return self.table / staged.STAGE / self.name

    @property
    def rows(self) -> Path:
        """Return the folder of the staged Parquet files."""
        return self.folder / _ROWS


def stage(made: Staged, rows: DataFrame, columns: Sequence[Column] = ()) -> None:
    """Write one date's rows to its stage, once, under a name that appears when it is whole.

    ``columns`` tells the level of each; a shared table has none above L2.
    """
    if is_staged(made):
        return
    building = made.folder.with_name(f".building-{made.name}-{uuid.uuid4().hex[:8]}")
    try:
        parquet_writer(rows.coalesce(1), columns).parquet(str(building / _ROWS))
        _appear(building, made)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def stage_each(made: Sequence[Staged], rows: DataFrame, workshop: Path) -> None:
    """Write several stages in one plan; the column ``_of`` says by its place in which a row lies.

    They are written in the folder ``workshop`` and appear under their names one by one, when all
    are whole. One that no row belongs to is not written.
    """
    from pyspark.sql.functions import lit

    building = workshop / staged.STAGE / f".building-{uuid.uuid4().hex}"
    try:
        one_file = rows.withColumn("_ok", lit(True)).coalesce(1)
        one_file.write.mode("overwrite").partitionBy(OF, "_ok").parquet(str(building))
        for place, one in enumerate(made):
            written = building / f"{OF}={place}"
            if written.exists():
                (written / _ROWS / _DONE).touch()
                _appear(written, one)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _appear(building: Path, made: Staged) -> None:
    """Give a whole stage its name, unless somebody else's has it: that one may be shown already."""
    if is_staged(made):
        return
    made.folder.parent.mkdir(parents=True, exist_ok=True)
    if made.folder.exists():
        shutil.rmtree(made.folder)
    building.rename(made.folder)


def is_staged(made: Staged) -> bool:
    """Tell whether a stage is there and whole."""
    return (made.rows / _DONE).exists()


def is_shown(made: Staged) -> bool:
    """Tell whether a stage was ever made visible."""
    return has_transaction(open_table(made.table), Step.SHOW.of(made.name))


def show(made: Staged, contract: Contract, metadata: Mapping[str, str]) -> int:
    """Make a stage visible and remove the date's earlier files; return the version.

    Doing it again returns the version that shows it.
    """

    def shown(table: DeltaTable) -> staged.Change:
        adds = staged.staged_actions(made.folder, contract, ("true",))
        return staged.Change(
            [*adds, *_removed(table, made.business_date)],
            {
                "jingshu.stage": made.name,
                "jingshu.business_date": made.business_date.isoformat(),
                **metadata,
            },
        )

    return version_of(staged.commit_once(made.table, Step.SHOW.of(made.name), shown), made.name)


def hide(path: Path, business_date: date, reason: str) -> None:
    """Remove a date's visible files from a table; one that shows none stays as it is."""
    hidden = visible_stage(open_table(path), business_date)
    if hidden is None:
        return

    def gone(table: DeltaTable) -> staged.Change:
        return staged.Change(
            _removed(table, business_date),
            {
                "jingshu.kind": "hide",
                "jingshu.business_date": business_date.isoformat(),
                "jingshu.reason": reason,
            },
        )

    staged.commit_once(path, Step.HIDE.of(hidden), gone)


def _removed(table: DeltaTable, business_date: date) -> list[RemoveAction]:
    day = f"{staged.STAGE}/{business_date:%Y%m%d}-"
    old = [f for f in staged.files(table) if str(f["path"]).startswith(day)]
    return staged.removals(old, int(time.time() * 1000))


def version_of(table: DeltaTable, name: str) -> int:
    """Return the version whose commit showed a stage."""
    return next(int(c["version"]) for c in table.history() if c.get("jingshu.stage") == name)


def visible_stage(table: DeltaTable | None, business_date: date) -> str | None:
    """Return the name of the stage that holds a date's visible rows."""
    if table is None:
        return None
    day = f"{business_date:%Y%m%d}-"
    names = {staged.stage_of_file(str(f["path"])) for f in staged.files(table)}
    return next((n for n in names if n is not None and n.startswith(day)), None)
