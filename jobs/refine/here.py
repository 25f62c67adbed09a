"""Refines a batch in this process: for batches that fit, where Spark would cost more than it does.

Rows are checked as Spark's workers check them (``jobs.rules.rows``); what is about several rows,
exact duplicates and key conflicts, is found here over the whole batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contracts.rules import KEY_CONFLICT
from jobs.rules.rows import checked_rows
from jobs.seal.rows import opened_rows
from jobs.tables.bronze import bronze_schema
from jobs.tables.silver import BAD, GOOD, TOMBSTONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from contracts.model import Contract
    from jobs.arrays import Flags
    from jobs.rules.plan import RefinePlan

#: Rows that are checked at a time: their intermediate columns stay within the processor's reach.
_AT_A_TIME = 131_072


def landed_rows(home: Home, delivery: Delivery, files: Sequence[str]) -> pa.Table:
    """Return a batch as it came, in clear and in the order of its lines, from bronze's files."""
    schema = bronze_schema(delivery.contract)
    schema = schema.remove(schema.get_field_index("_batch_id")).remove_metadata()
    names = schema.names
    parts = [pq.read_table(file, columns=names, partitioning=None) for file in files]
    found = pa.concat_tables(parts).cast(schema) if parts else schema.empty_table()
    lines = np.asarray(found["_source_line"])
    if np.any(lines[1:] < lines[:-1]):
        found = found.sort_by("_source_line")
    return opened_rows(home, delivery, found)


def refined_rows(rows: pa.Table, plan: RefinePlan, batch_id: str) -> pa.Table:
    """Return the batch's rows as a stage has them, in clear, with ``_ok``."""
    checked = pa.Table.from_batches([checked_rows(part, plan) for part in _parts(rows, plan)])
    masks = {name: checked[name].to_numpy().copy() for name in plan.masks}
    is_repeated = _repeated(rows)
    _mark_conflicts(checked, masks, is_repeated, plan)
    is_bad = is_repeated | _quarantined(masks, plan)
    count = rows.num_rows
    typed = checked.drop_columns(list(plan.masks))
    state = pc.if_else(pa.array(is_bad), BAD, _state(typed, plan.contract))
    system = {
        "_source_line": rows["_source_line"],
        "_batch_id": pa.repeat(batch_id, count),
        "_business_date": pa.repeat(pa.scalar(plan.business_date, pa.date32()), count),
        "_duplicate": pa.array(is_repeated),
        **{name: pa.array(mask) for name, mask in masks.items()},
        "_ok": state,
    }
    for name, values in system.items():
        typed = typed.append_column(name, values)
    return typed


def _parts(rows: pa.Table, plan: RefinePlan) -> Iterator[pa.RecordBatch]:
    wanted = rows.select([*(c.name for c in plan.contract.columns), "_row_error"])
    if not wanted.num_rows:
        yield pa.RecordBatch.from_pylist([], schema=wanted.schema)
    for start in range(0, wanted.num_rows, _AT_A_TIME):
        [part] = wanted.slice(start, _AT_A_TIME).combine_chunks().to_batches() or [None]
        yield part


def _repeated(rows: pa.Table) -> Flags:
    """Tell which rows are, cell by cell as they came, one that stands before them."""
    texts = pl.DataFrame(pl.from_arrow(rows.drop_columns(["_source_line"])))
    found = np.zeros(rows.num_rows, dtype=bool)
    # Equal rows have equal hashes: most batches end here.
    suspects = np.flatnonzero(texts.hash_rows().is_duplicated().to_numpy())
    if len(suspects):
        few = texts[suspects].with_columns(pl.Series("_place", suspects))
        first = few.unique(texts.columns, keep="first", maintain_order=True)["_place"].to_numpy()
        found[suspects] = True
        found[first] = False
    return found


def _quarantined(masks: dict[str, np.ndarray], plan: RefinePlan) -> Flags:
    hits = [(masks[name] & bits) != 0 for name, bits in plan.quarantining.items()]
    return np.asarray(np.logical_or.reduce(hits))


def _mark_conflicts(
    checked: pa.Table, masks: dict[str, np.ndarray], is_repeated: Flags, plan: RefinePlan
) -> None:
    """Set the bit of otherwise good rows whose key another such row has."""
    key = [c.name for c in plan.contract.key]
    if not key:
        return
    [rule] = [rule for rule in plan.rules if rule.id == KEY_CONFLICT]
    mask, bit = plan.bit(rule)
    places = np.flatnonzero(~is_repeated & ~_quarantined(masks, plan))
    keys = pl.DataFrame(pl.from_arrow(checked.select(key)))[places]
    masks[mask][places[keys.is_duplicated().to_numpy()]] |= bit


def _state(typed: pa.Table, contract: Contract) -> pa.Array | pa.Scalar:
    """Return what a row is that is not bad: shown, or the mark that its key is deleted."""
    marker = contract.load.delete_marker
    if contract.load.mode != "merge_key" or marker is None:
        return pa.scalar(GOOD)
    listed = pa.array([str(value) for value in marker.values], pa.string())
    is_gone = pc.is_in(typed[marker.column].cast(pa.string()), listed)
    return pc.if_else(is_gone, TOMBSTONE, GOOD)
