"""Invariant 5: tables carry their contract's levels, and nothing above the ceiling is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.model import SHARE_CEILING, UNTAGGED
from contracts.words import Words
from jobs.record import governance
from jobs.record.footprint import schema_digest
from jobs.tables import quarantine, silver, staged
from jobs.tables.bronze import bronze_schema
from jobs.verify.report import checked
from lineage.errors import TagLossError
from lineage.levels import check_levels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deltalake import DeltaTable

    from contracts.layout import Layer
    from contracts.model import Contract
    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked

_LAYERS: Final[tuple[Layer, ...]] = (
    "bronze",
    "silver",
    "quarantine",
    "gold",
    "shared",
    "governance",
)

#: Which leaves name the schema of which layer's table, by which fact.
_SCHEMAS: Final[Mapping[str, tuple[tuple[Layer, str], ...]]] = {
    "landing": (("bronze", "schema_sha256"),),
    "publication": (("silver", "schema_sha256"), ("quarantine", "quarantine_schema_sha256")),
    "withdrawal": (("silver", "schema_sha256"),),
    "build": (("gold", "schema_sha256"),),
    "share": (("shared", "schema_sha256"),),
}


def levels(lake: Lake) -> Iterator[Checked]:
    """Check the level of every column of every table, and of every product along its lineage."""
    for layer in _LAYERS:
        for name, table in lake.layer(layer).items():
            contract = _contract(lake, layer, name)
            promised = {c.name: c.effective_level for c in contract.columns} if contract else {}
            for column in table.schema().fields:
                level = (column.metadata or {}).get("jingshu.level")
                problem = _problem(layer, level, promised.get(column.name))
                yield checked(5, f"{layer}/{name}.{column.name}", problem)
    for product in lake.tree.products.values():
        yield checked(5, product.id, _lost(lake, product))


def schemas(lake: Lake) -> Iterator[Checked]:
    """Hold every table's columns, types, tags and comments against the newest leaf about it."""
    logged: dict[tuple[str, str], str] = {}
    for leaf in lake.log:
        about = leaf.subject.partition("@")[0]
        for layer, fact in _SCHEMAS.get(leaf.type, ()):
            if fact in leaf.facts:
                logged[layer, about] = str(leaf.facts[fact])
    for layer in _LAYERS:
        for name, table in lake.layer(layer).items():
            if layer == "governance":
                yield from _governance(name, table)
            elif (layer, name) in logged:
                is_same = logged[layer, name] == schema_digest(table)
                where, problem = (layer, None) if is_same else _changed(lake, layer, name, table)
                is_recovering = problem is not None and name in lake.moving
                yield checked(5, where, problem, is_recovering=is_recovering)


def _governance(name: str, table: DeltaTable) -> Iterator[Checked]:
    wanted = governance.schemas().get(name)
    if wanted is None:
        return
    for field in wanted:
        meant = {k.decode(): v.decode() for k, v in (field.metadata or {}).items()}
        problem = _metadata_problem(table, field.name, meant)
        yield checked(5, f"governance/{name}.{field.name}", problem)


def _changed(lake: Lake, layer: Layer, name: str, table: DeltaTable) -> tuple[str, Words]:
    """Say where a table's schema was changed: which column, if the contract in force tells."""
    names = {f.name for f in table.schema().fields}
    for column, meant in _promised(lake, layer, name).items():
        if layer == "shared" and column not in names:
            continue  # its policy may drop it
        problem = _metadata_problem(table, column, meant)
        if problem is not None:
            return f"{layer}/{name}.{column}", problem
    return f"{layer}/{name}", Words(
        "其列、类型、标签或注释不是存证所写的那些",
        "its columns, types, tags or comments are not those that were logged",
    )


def _promised(lake: Lake, layer: Layer, name: str) -> dict[str, dict[str, str]]:
    """Return the metadata that the contract in force gives each column of a table."""
    contract = _contract(lake, layer, name)
    if contract is None:
        return {}
    match layer:
        case "bronze" | "quarantine":
            made = bronze_schema(contract) if layer == "bronze" else quarantine.schema(contract)
            return {
                f.name: {k.decode(): v.decode() for k, v in (f.metadata or {}).items()}
                for f in made
            }
        case "silver":
            delta = silver.schema(contract)
        case _:
            delta = staged.schema(contract.columns)
    return {f.name: {k: str(v) for k, v in f.metadata.items()} for f in delta.fields}


def _metadata_problem(table: DeltaTable, column: str, meant: dict[str, str]) -> Words | None:
    found = {f.name: {k: str(v) for k, v in f.metadata.items()} for f in table.schema().fields}
    if column not in found:
        return Words("该列已不在", "the column is gone")
    differing = sorted(k for k in {*meant, *found[column]} if meant.get(k) != found[column].get(k))
    if not differing:
        return None
    return Words(f"其 {'、'.join(differing)} 被改动", f"its {', '.join(differing)} was changed")


def _contract(lake: Lake, layer: Layer, name: str) -> Contract | None:
    products = {p.product_table: p for p in lake.tree.products.values()}
    product = products.get(name.rpartition("__")[0] if layer == "shared" else name)
    return lake.contract_of(name) or product


def _problem(layer: Layer, level: object, promised: str | None) -> Words | None:
    counts = str(level or UNTAGGED)
    if layer == "shared" and counts > SHARE_CEILING:
        return Words(
            f"它以 {counts} 共享，高于 {SHARE_CEILING}",
            f"it is shared at {counts}, above {SHARE_CEILING}",
        )
    if level is None:
        return Words(
            f"其级别已丢失，按 {UNTAGGED} 计", f"its level is lost; it counts as {UNTAGGED}"
        )
    if promised is not None and counts < promised:
        return Words(
            f"其标签为 {counts}，契约写 {promised}",
            f"it is tagged {counts}, its contract says {promised}",
        )
    return None


def _lost(lake: Lake, product: Contract) -> Words | None:
    try:
        check_levels(lake.tree, product)
    except TagLossError as error:
        return error.words
    return None
