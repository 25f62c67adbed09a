"""Products and shares: logged (invariant 2), traceable (4), and honest about their origin (8)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError
from contracts.words import Words, listed
from jobs.names import Step
from jobs.record import leaves
from jobs.tables import staged
from jobs.verify.lake import by_no_stage, file_problem, foreign_commits
from jobs.verify.report import checked, differs
from lineage.columns import table_field
from lineage.errors import LineageError, TagLossError
from lineage.levels import check_levels
from lineage.plan import roots

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from deltalake import DeltaTable

    from contracts.layout import Layer
    from jobs.record.governance import PublicationRow
    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked
    from lineage.columns import Field
    from lineage.evidence.leaf import Leaf

_NOT_APPROVED: Final = Words(
    "没有存证写明谁批准它低于其输入的级别", "no leaf says who approved that it is below its inputs"
)
_UNMARKED: Final = Words(
    "它由模拟数据做成而未标明", "it was made from simulated data and does not say so"
)
_KINDS: Final[tuple[tuple[Layer, Step], ...]] = (("gold", Step.BUILD), ("shared", Step.SHARE))


def products(lake: Lake) -> Iterator[Checked]:
    """Check every visible stage of gold and shared: its leaf, its files, its rows."""
    for layer, kind in _KINDS:
        for name, table in lake.layer(layer).items():
            foreign = foreign_commits(table)
            yield checked(2, f"{layer}/{name}", by_no_stage(foreign))
            yield from _stages(lake, layer, kind, name, table)


def _stages(lake: Lake, layer: str, kind: Step, name: str, table: DeltaTable) -> Iterator[Checked]:
    rows: dict[str | None, int] = {}
    for file in staged.files(table):
        stage = staged.stage_of_file(str(file["path"]))
        rows[stage] = rows.get(stage, 0) + int(file["num_records"] or 0)
        yield checked(2, f"{layer}/{name}/{file['path']}", file_problem(table, file))
    for stage, shown in rows.items():
        made = lake.leaves_of(kind, f"{name}@{stage}")
        is_open = kind.of(name, stage) in lake.recovering
        where = f"{layer}/{name}@{stage}"
        if not made:
            problem = Words(
                f"可见的版本没有 {kind} 存证", f"the visible version has no {kind} leaf"
            )
            yield checked(2, where, problem, is_recovering=is_open)
            continue
        logged = made[-1].facts.get("rows")
        other = Words(f"有 {shown} 行，其存证写 {logged}", f"{shown} rows, its leaf says {logged}")
        yield checked(2, where, None if logged == shown else other)


def as_logged(lake: Lake) -> Iterator[Checked]:
    """Hold the newest row of every product and share against the leaf of the version it names."""
    made: dict[tuple[str, object, object], list[Leaf]] = {}
    for leaf in lake.log:
        if leaf.type in ("build", "share"):
            kind = "product" if leaf.type == "build" else "share"
            table = leaf.subject.partition("@")[0]
            made.setdefault((kind, table, leaf.facts.get("version")), []).append(leaf)
    newest = {(r.kind, r.table_name, r.business_date): r for r in lake.publications}
    for row in newest.values():
        if row.status != "published":
            continue
        where = f"governance.publications {row.kind} {row.table_name} {row.business_date}"
        problem = _differs(row, made.get((row.kind, row.table_name, row.version), []))
        is_recovering = problem is not None and row.table_name in lake.moving
        yield checked(2, where, problem, is_recovering=is_recovering)


def _differs(row: PublicationRow, logged: Sequence[Leaf]) -> Words | None:
    """Say where a row differs from the nearest leaf of its version."""
    if not logged:
        return Words(
            f"没有存证写明生成了第 {row.version} 版",
            f"no leaf says that version {row.version} was made",
        )
    wanted = {"business_date": str(row.business_date), "rows": row.rows, "origin": row.origin}
    if row.kind == "product":
        wanted |= {"rows_suppressed": row.rows_suppressed, "inputs": row.inputs}
    else:
        wanted["source"] = json.loads(row.inputs).get("source")
    differing = [
        [
            differs(n, mine, leaf.facts.get(n))
            for n, mine in wanted.items()
            if leaf.facts.get(n) != mine
        ]
        for leaf in logged
    ]
    nearest = min(differing, key=len)
    return listed(nearest) if nearest else None


def lowered(lake: Lake) -> Iterator[Checked]:
    """Invariant 5: every lowering that a build relied on was logged, as it was approved."""
    for product in lake.tree.products.values():
        built = f"{product.id}@{product.version}"
        if not any(
            leaf.type == "build"
            and f"{leaf.facts.get('contract_id')}@{leaf.facts.get('contract_version')}" == built
            for leaf in lake.log
        ):
            continue
        try:
            wanted = leaves.level_leaves(product, check_levels(lake.tree, product))
        except TagLossError:
            continue  # the check of levels says so
        for leaf in wanted:
            is_logged = bool(lake.leaves_of("level", leaf.subject))
            yield checked(5, f"gold/{leaf.subject}", None if is_logged else _NOT_APPROVED)


def traced(lake: Lake) -> Iterator[Checked]:
    """Check that every column of every shared table traces to headers or declared sources."""
    known: dict[Field, frozenset[Field]] = {}
    for name, table in lake.layer("shared").items():
        for column in table.schema().fields:
            where = f"shared/{name}.{column.name}"
            try:
                found = roots(lake.tree, table_field("shared", name, column.name), known)
                problem = None if found else Words("它溯源不到任何来源", "it traces to nothing")
            except (LineageError, KeyError) as lost:
                why = lost.words if isinstance(lost, JingshuError) else Words.read(str(lost))
                problem = Words(f"它无法溯源：{why.zh}", f"it cannot be traced: {why.en}")
            yield checked(4, where, problem)


def origins(lake: Lake) -> Iterator[Checked]:
    """Check that what was made from simulated data says so."""
    simulated = {b.table for b in lake.batches if b.origin == "simulated"}
    newest = {(r.kind, r.table_name, r.business_date): r for r in lake.publications}
    for row in newest.values():
        if row.kind == "product":
            inputs = set(json.loads(row.inputs))
            is_lost = bool(inputs & simulated) and row.origin != "simulated"
            where = f"gold/{row.table_name} {row.business_date}"
            yield checked(8, where, _UNMARKED if is_lost else None)
