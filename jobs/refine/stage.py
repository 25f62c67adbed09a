"""The stage of a batch: its refined rows in files, by ``_ok``; it appears when it is whole.

It is built beside its final name and renamed, so a worker that was thought dead and finishes later
cannot mix its files into a stage that was already audited.
"""

from __future__ import annotations

import shutil
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.spark.session import parquet_writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa
    from pyspark.sql import DataFrame

    from contracts.model import Column

#: Names the version under a merge stage; Spark and Delta pass over names that begin with "_".
_BASE: Final = "_base_version"
_WHOLE: Final = "_SUCCESS"


def is_whole(stage: Path) -> bool:
    """Tell whether a stage is there, with all of its files."""
    return (stage / _WHOLE).exists()


def base_of(stage: Path) -> int | None:
    """Return the silver version that a merge stage was laid over."""
    try:
        return int((stage / _BASE).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def write_frame(
    rows: DataFrame, columns: Sequence[Column], stage: Path, base: int | None = None
) -> None:
    """Write rows that Spark has not computed yet.

    ``columns`` tells the level of each. ``base`` is the silver version that a merge was laid over;
    it is written down in the stage.
    """
    with _appearing(stage, base) as building:
        parquet_writer(rows, columns).partitionBy("_ok").parquet(str(building))


def write_rows(
    rows: pa.Table, columns: Sequence[Column], stage: Path, base: int | None = None
) -> None:
    """Write rows that are here, as Spark writes them: no statistics of columns above L2."""
    closed = {c.name for c in columns if c.effective_level not in ("L1", "L2")}
    stored = rows.drop_columns(["_ok"])
    shown = [name for name in stored.column_names if name not in closed]
    with _appearing(stage, base) as building:
        building.mkdir(parents=True)
        for state in sorted(pc.unique(rows["_ok"]).to_pylist()):
            folder = building / f"_ok={state}"
            folder.mkdir()
            pq.write_table(
                stored.filter(pc.equal(rows["_ok"], state)),
                folder / f"part-00000-{uuid.uuid4()}.snappy.parquet",
                write_statistics=shown,
                store_schema=False,
            )
        (building / _WHOLE).touch()


@contextmanager
def _appearing(stage: Path, base: int | None) -> Iterator[Path]:
    building = stage.with_name(f".building-{stage.name}-{uuid.uuid4().hex[:8]}")
    try:
        yield building
        if base is not None:
            (building / _BASE).write_text(str(base), "utf-8")
        if stage.exists():
            stage.rename(stage.with_name(f".old-{stage.name}-{uuid.uuid4().hex[:8]}"))
        building.rename(stage)
    finally:
        shutil.rmtree(building, ignore_errors=True)
        for old in stage.parent.glob(f".old-{stage.name}-*"):
            shutil.rmtree(old, ignore_errors=True)
