"""Counts what a stage really holds, from its files: rows by fate, and rows by violated rule.

Read by Arrow, three narrow columns at a time: the files were just written, and a second and third
Spark job over them would cost more than the count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.tables.silver import BAD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from jobs.rules.plan import RefinePlan


@dataclass
class StageCount:
    """A batch's rows in its stage.

    ``failed`` counts rows by mask column and bit, without exact duplicates.
    """

    good: int = 0
    bad: int = 0
    duplicate: int = 0
    failed: dict[tuple[str, int], int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All of the batch's rows that were staged."""
        return self.good + self.bad + self.duplicate


def count_stage(stage: Path, batch_id: str, plan: RefinePlan) -> StageCount:
    """Count a batch's own rows in a stage; what a merge carried over from others is not its own."""
    count = StageCount(failed={plan.bit(rule): 0 for rule in plan.rules})
    for state, rows in _own_rows(stage, batch_id, plan.masks):
        duplicates = pc.sum(rows["_duplicate"]).as_py() or 0
        count.duplicate += duplicates
        if state == BAD:
            count.bad += rows.num_rows - duplicates
        else:
            count.good += rows.num_rows
        _count_rules(count, rows.filter(pc.invert(rows["_duplicate"])), plan.masks)
    return count


def _own_rows(
    stage: Path, batch_id: str, masks: tuple[str, ...]
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield (state, rows) of a stage's files, some rows at a time."""
    for file in sorted(stage.glob("_ok=*/*.parquet")):
        state = file.parent.name.removeprefix("_ok=")
        with pq.ParquetFile(file) as parquet:
            for rows in parquet.iter_batches(columns=["_batch_id", "_duplicate", *masks]):
                yield state, rows.filter(pc.equal(rows["_batch_id"], batch_id))


def _count_rules(count: StageCount, rows: pa.RecordBatch, masks: tuple[str, ...]) -> None:
    for mask in masks:
        values = rows[mask].to_numpy(zero_copy_only=False)
        hit = values[values != 0]
        for name, bit in count.failed:
            if name == mask:
                count.failed[name, bit] += int(np.count_nonzero(hit & bit))
