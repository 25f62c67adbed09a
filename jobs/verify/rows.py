"""Invariant 1: rows landed = rows published + rows quarantined + exact duplicates dropped."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pyarrow.dataset as ds

from contracts.words import Words
from jobs.names import Step
from jobs.record.conservation import account, was_shown
from jobs.tables.silver import BAD, GOOD, OUTDATED, TOMBSTONE, stage_path
from jobs.verify.lake import per_batch
from jobs.verify.report import checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jobs.record.governance import BatchRow
    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked


def conserved(lake: Lake) -> Iterator[Checked]:
    """Hold every batch's counts against bronze, quarantine and what silver shows."""
    bronze = {n: per_batch(t) for n, t in lake.layer("bronze").items()}
    quarantined = {n: per_batch(t) for n, t in lake.layer("quarantine").items()}
    for row in lake.batches:
        if row.status in ("refused", "rejected", "failed") and not row.rows_landed:
            continue
        where = f"{row.table}@{row.batch_id}"
        landed = _count(bronze, row)
        other = Words(
            f"写明入湖 {row.rows_landed} 行，bronze 中有 {landed} 行",
            f"{row.rows_landed} rows are said to have landed, bronze holds {landed}",
        )
        yield checked(
            1,
            where,
            other if landed != row.rows_landed else None,
            is_recovering=landed != row.rows_landed
            and lake.is_under_way(row.batch_id, Step.LAND, Step.RETRY),
        )
        if was_shown(row):
            yield from _accounted(row, where, _count(quarantined, row))
        if row.status == "published":
            yield _shown(lake, row)
        if row.status == "held":
            yield _staged_whole(lake, row)


def _count(counts: Mapping[str, Counter[str]], row: BatchRow) -> int:
    return counts.get(row.table, Counter())[row.batch_id]


def _accounted(row: BatchRow, where: str, kept: int) -> Iterator[Checked]:
    lost, told = account(row).lost, row.rows_quarantined
    missing = Words(
        f"入湖 {row.rows_landed} 行，有去向的 {row.rows_landed - lost} 行",
        f"{row.rows_landed} rows landed, {row.rows_landed - lost} are accounted for",
    )
    yield checked(1, where, missing if lost else None)
    other = Words(
        f"写明隔离 {told} 行，隔离区中有 {kept} 行",
        f"{told} rows are said to be in quarantine, it holds {kept}",
    )
    yield checked(1, where, other if kept != told else None)


def _shown(lake: Lake, row: BatchRow) -> Checked:
    """Hold what is visible of a published batch against what it claims to have published.

    Of a merge, newer rows of the same keys took rows away since: its own stage tells instead.
    """
    contract = lake.contract_of(row.table)
    shown = _count(lake.visible, row)
    if contract is not None and contract.load.mode == "merge_key":
        if not stage_path(lake.home, row.table, row.batch_id).is_dir():
            return checked(1, row.table, None)
        staged = _staged(lake, row)
        shown = sum(staged[s] for s in (GOOD, OUTDATED, TOMBSTONE))
    is_same = shown == row.rows_published
    other = Words(
        f"发布了 {row.rows_published} 行，现有 {shown} 行",
        f"{row.rows_published} rows were published, {shown} are there",
    )
    problem = None if is_same else other
    where = f"silver/{row.table}@{row.batch_id}"
    return checked(1, where, problem, is_recovering=row.table in lake.moving)


def _staged_whole(lake: Lake, row: BatchRow) -> Checked:
    """Check that a held batch's stage, if it is there, holds every row that landed."""
    where = f"silver/{row.table}@{row.batch_id}"
    if not stage_path(lake.home, row.table, row.batch_id).is_dir():
        return checked(1, where, None)
    total = _staged(lake, row).total()
    is_whole = total == row.rows_landed
    other = Words(
        f"入湖 {row.rows_landed} 行，暂扣 {total} 行",
        f"{row.rows_landed} rows landed, {total} are held",
    )
    return checked(1, where, None if is_whole else other)


def _staged(lake: Lake, row: BatchRow) -> Counter[str]:
    """Count a batch's own rows in its stage by state."""
    found: Counter[str] = Counter()
    mine = pc.field("_batch_id") == row.batch_id
    for state in (GOOD, BAD, OUTDATED, TOMBSTONE):
        folder = stage_path(lake.home, row.table, row.batch_id) / f"_ok={state}"
        try:
            found[state] = ds.dataset(folder, format="parquet").count_rows(filter=mine)
        except (OSError, ValueError):
            continue  # no such rows, or no readable file: the sums tell
    return found
