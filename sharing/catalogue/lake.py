"""What the lake tells of each catalogued table: versions, times, rows, quality by dimension."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pyarrow as pa

from jobs.record import governance
from jobs.record.elements import satisfying
from jobs.tables.delta import open_table
from sharing.catalogue.entries import LakeFacts, Score

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from contracts.layout import Home
    from jobs.record.governance import CheckRow


def read_facts(home: Home) -> Mapping[str, LakeFacts]:
    """Return the facts of every table with a published version, by table name."""
    published = (
        row
        for row in governance.latest_batches(home)
        if row.status == "published" and row.silver_version is not None
    )
    newest = {row.table: row for row in sorted(published, key=lambda row: row.finished_at)}
    checks = defaultdict(list)
    if newest:
        for check in governance.check_results(home, sorted(b.batch_id for b in newest.values())):
            checks[check.batch_id].append(check)
    facts = {
        name: LakeFacts(
            version=row.silver_version,
            updated_at=row.finished_at,
            rows=_rows(home.table("silver", name)),
            origin=row.origin,
            scores=scores(checks[row.batch_id]),
        )
        for name, row in newest.items()
    }
    return {**facts, **_products(home)}


def scores(checks: Iterable[CheckRow]) -> Mapping[str, Score]:
    """Add up the executed checks by dimension: X satisfying of Y judged (GB/T 36344-2018)."""
    by_dimension: dict[str, list[CheckRow]] = defaultdict(list)
    for check in checks:
        by_dimension[check.dimension].append(check)
    found = {name: Score(*satisfying(its)) for name, its in sorted(by_dimension.items())}
    return {name: score for name, score in found.items() if score.judged}


def _products(home: Home) -> Mapping[str, LakeFacts]:
    published = (
        row
        for row in governance.latest_publications(home)
        if row.kind == "product" and row.status == "published" and row.version is not None
    )
    newest = {row.table_name: row for row in sorted(published, key=lambda row: row.recorded_at)}
    return {
        name: LakeFacts(row.version, row.recorded_at, _rows(home.table("gold", name)), row.origin)
        for name, row in newest.items()
    }


def _rows(path: Path) -> int | None:
    """Count a table's rows from its log alone; None where a file does not say."""
    table = open_table(path)
    if table is None:
        return None
    actions = pa.table(table.get_add_actions(flatten=True))
    if "num_records" not in actions.column_names:
        return None
    counts = actions.column("num_records").to_pylist()
    return None if None in counts else sum(counts)
