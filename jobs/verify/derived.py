"""Products and shares: logged (invariant 2), traceable (4), and honest about their origin (8)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from jobs import governance, tables
from jobs.verify.lake import file_problem, foreign_commits
from jobs.verify.report import said
from lineage.columns import table_field
from lineage.errors import LineageError
from lineage.plan import roots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deltalake import DeltaTable

    from contracts.layout import Layer
    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked

_KINDS: Final[tuple[tuple[Layer, str], ...]] = (("gold", "build"), ("shared", "share"))


def products(lake: Lake) -> Iterator[Checked]:
    """Check every visible stage of gold and shared: its leaf, its files, its rows."""
    for layer, kind in _KINDS:
        for name, table in lake.layer(layer).items():
            foreign = foreign_commits(table)
            problem = f"version {foreign[0]} was committed by no stage" if foreign else None
            yield said(2, f"{layer}/{name}", problem)
            yield from _stages(lake, layer, kind, name, table)


def _stages(lake: Lake, layer: str, kind: str, name: str, table: DeltaTable) -> Iterator[Checked]:
    rows: dict[str | None, int] = {}
    for file in tables.files(table):
        stage = tables.stage_of_file(str(file["path"]))
        rows[stage] = rows.get(stage, 0) + int(file["num_records"] or 0)
        yield said(2, f"{layer}/{name}/{file['path']}", file_problem(table, file))
    for stage, shown in rows.items():
        leaf = lake.leaves.get(f"{kind}:{name}@{stage}")
        is_open = f"{kind}:{name}:{stage}" in lake.recovering
        where = f"{layer}/{name}@{stage}"
        if leaf is None:
            problem = f"the visible version has no {kind} leaf"
            yield said(2, where, problem, is_recovering=is_open)
            continue
        logged = leaf.facts.get("rows")
        yield said(2, where, None if logged == shown else f"{shown} rows, its leaf says {logged}")


def traced(lake: Lake) -> Iterator[Checked]:
    """Check that every column of every shared table traces to headers or declared sources."""
    for name, table in lake.layer("shared").items():
        for column in table.schema().fields:
            where = f"shared/{name}.{column.name}"
            try:
                found = roots(lake.tree, table_field("shared", name, column.name))
                problem = None if found else "it traces to nothing"
            except (LineageError, KeyError) as lost:
                problem = f"it cannot be traced: {lost}"
            yield said(4, where, problem)


def origins(lake: Lake) -> Iterator[Checked]:
    """Check that what was made from simulated data says so."""
    simulated = {b.table for b in lake.batches if b.origin == "simulated"}
    for row in governance.latest_publications(lake.home):
        if row.kind == "product":
            inputs = set(json.loads(row.inputs))
            is_lost = bool(inputs & simulated) and row.origin != "simulated"
            problem = "it was made from simulated data and does not say so" if is_lost else None
            yield said(8, f"gold/{row.table_name} {row.business_date}", problem)
