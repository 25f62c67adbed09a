"""The whole tree's column graph: from a shared table back to the headers of the exports.

Binds the pure graphs of ``lineage.columns`` and ``lineage.trace`` to a tree of contracts; reads no
more than the tree's own SQL files and reference tables.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from typing import TYPE_CHECKING

from contracts.reading import read_contract
from contracts.reference import PACKAGED, reference_csv
from contracts.words import Words
from lineage import columns as c
from lineage.errors import LineageError
from lineage.query import table_names
from lineage.trace import View, filter_inputs, trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.model import Contract, Level
    from contracts.product import Policy
    from contracts.tree import Tree
    from lineage.columns import Field, Graph, Input

_REFERENCE = "reference__"


def product_sql(tree: Tree, product: Contract) -> str:
    """Return the text of a product's SQL file, which lies beside its contract."""
    return (tree.file(product).parent / product.product_plan.sql).read_text("utf-8")


def product_graph(tree: Tree, product: Contract, sql: str | None = None) -> Graph:
    """Return the column graph of a product; without ``sql``, of its own file.

    Raises LineageError where a column cannot be traced, or contract and SQL name other columns.
    """
    text = product_sql(tree, product) if sql is None else sql
    graph = trace(product.id, text, views(tree, product, table_names(product.id, text)))
    promised, file = {column.name for column in product.columns}, product.product_plan.sql
    for name in sorted(promised - set(graph.columns)):
        raise LineageError(
            Words(
                f"{product.id}：{file} 没有名为 {name!r} 的列。",
                f"{product.id}: no column of {file} is called {name!r}.",
            ),
            Words(
                "请以此名选出该列，或将其从契约中删去。",
                "Select it under this name, or take it out of the contract.",
            ),
        )
    for name in sorted(set(graph.columns) - promised):
        raise LineageError(
            Words(
                f"{product.id}：{file} 得出列 {name!r}，而契约中没有。",
                f"{product.id}: {file} makes a column {name!r} that the contract does not have.",
            ),
            Words(
                "请将其连同级别写入契约，或不要选出。",
                "Add it to the contract with its level, or do not select it.",
            ),
        )
    return c.Graph({x.name: graph.columns[x.name] for x in product.columns}, graph.dataset)


def share_graph(product: Contract, policy: Policy) -> Graph:
    """Trace a shared table: what the policy names and does not drop; masked columns say so.

    A column the policy does not name is not shared. Raises LineageError through ``filter_inputs``.
    """
    kept: dict[str, tuple[Input, ...]] = {}
    for column in product.columns:
        release = policy.columns.get(column.name)
        if release is None or release.mask == "drop":
            continue
        how = c.IDENTITY
        if release.mask != "keep":
            arguments = ", ".join(f"{k}={v}" for k, v in (release.model_extra or {}).items())
            how = c.Transformation(
                subtype="TRANSFORMATION",
                masking=True,
                description=f"{release.mask}({arguments})",
            )
        stored = c.table_field("gold", product.product_table, column.name)
        kept[column.name] = (c.Input(stored, how),)
    if policy.rows is None:
        return c.Graph(kept)
    gold = {x.name: c.table_field("gold", product.product_table, x.name) for x in product.columns}
    return c.Graph(kept, filter_inputs(f"{product.id} policy {policy.name}", policy.rows, gold))


def views(tree: Tree, product: Contract, names: tuple[str, ...]) -> dict[str, View]:
    """Return what each view name of a product's inputs stands for.

    A source is ``<provider>__<dataset>`` and, over all its providers, ``<domain>__<dataset>``; a
    product is ``<domain>__<dataset>`` or its gold table's name; a reference table among ``names``
    is ``reference__<name>``.
    """
    found: dict[str, View] = {}
    for contract_id in product.product_plan.inputs:
        contract = tree.contract(contract_id)
        union = f"{contract.domain}__{contract.dataset}"
        if contract.product is not None:
            view = _gold_view(contract)
            found |= {contract.product_table: view, union: view}
            continue
        tables = [contract.table(server.provider) for server in contract.servers]
        found |= {table: _silver_view(contract, (table,)) for table in tables}
        found.setdefault(union, _silver_view(contract, tuple(tables)))
    for name in names:
        if name.startswith(_REFERENCE):
            found[name] = _reference_view(tree, name.removeprefix(_REFERENCE))
    return found


def _silver_view(contract: Contract, tables: tuple[str, ...]) -> View:
    names = (*(x.name for x in contract.columns), *c.SILVER_SYSTEM)
    return View(
        {name: tuple(c.table_field("silver", t, name) for t in tables) for name in names},
        tuple(x.name for x in contract.key) or tuple(x.name for x in contract.columns),
    )


def _gold_view(product: Contract) -> View:
    table = product.product_table
    return View(
        {x.name: (c.table_field("gold", table, x.name),) for x in product.columns},
        tuple(x.name for x in product.key) or tuple(x.name for x in product.columns),
    )


def _reference_view(tree: Tree, name: str) -> View:
    header = _csv_header(reference_csv(tree.root, f"reference/{name}.csv"))
    return View({x: (c.table_field("reference", name, x),) for x in header}, header[:1])


@lru_cache(maxsize=64)
def _csv_header(path: Path) -> tuple[str, ...]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return tuple(next(csv.reader(handle), ()))


def parents(tree: Tree, field: Field) -> tuple[Input, ...]:
    """Return the inputs of one column of any table: empty for exports, references and constants.

    Raises LineageError naming a column that the tree does not have.
    """
    layer, _, table = field.dataset.partition("/")
    if field.namespace != c.NAMESPACE or layer in (c.DECLARED, "reference"):
        return ()
    graph = _graph(tree, layer, table)
    if graph is None or field.column not in graph.columns:
        raise LineageError(
            Words(f"没有契约得出 {field}。", f"No contract makes {field}."),
            Words(
                "请以 <layer>/<table>.<column> 的形式指明列。",
                "Name a column as <layer>/<table>.<column>.",
            ),
        )
    return graph.columns[field.column]


def _graph(tree: Tree, layer: str, table: str) -> Graph | None:
    if layer == "gold":
        for product in tree.products.values():
            if product.product_table == table:
                return product_graph(tree, product)
    elif layer == "shared":
        for product in tree.products.values():
            for policy in product.product_plan.policies:
                if f"{product.product_table}__{policy.name}" == table:
                    return share_graph(product, policy)
    else:
        build = {
            "bronze": c.bronze_graph,
            "silver": c.silver_graph,
            "quarantine": c.quarantine_graph,
        }.get(layer)
        source = _source(tree, table)
        if build is not None and source is not None:
            return build(*source)
    return None


def _source(tree: Tree, table: str) -> tuple[Contract, str] | None:
    provider, _, dataset = table.partition("__")
    for contract in tree.sources.values():
        if contract.dataset == dataset and any(s.provider == provider for s in contract.servers):
            return contract, provider
    return None


def roots(
    tree: Tree, field: Field, known: dict[Field, frozenset[Field]] | None = None
) -> frozenset[Field]:
    """Return the headers, reference columns and declared constants a column comes from.

    ``known`` keeps what was found, for other columns that come from the same: a product's SQL is
    parsed for each of its columns once, however many tables are shared of it.
    """
    known = {} if known is None else known
    if field not in known:
        above = {i.field for i in parents(tree, field)}
        found = {root for inner in above for root in roots(tree, inner, known)}
        known[field] = frozenset(found or {field})
    return known[field]


def ways(tree: Tree, field: Field) -> Iterator[tuple[Field, ...]]:
    """Yield every way from a column back to where it comes from, the column first."""
    above = parents(tree, field)
    if not above:
        yield (field,)
    for inner in dict.fromkeys(i.field for i in above):
        for way in ways(tree, inner):
            yield (field, *way)


def level_of(tree: Tree, field: Field) -> Level:
    """Return a column's level: its contract's tag; a constant is L1, anything unknown L3."""
    layer, _, table = field.dataset.partition("/")
    if field.namespace != c.NAMESPACE:
        return _header_level(tree, field)
    if layer == c.DECLARED:
        return c.DECLARED_LEVELS.get(field.column, "L1")
    if layer == "reference":
        contract = reference_contract(tree, table)
    elif layer in ("gold", "shared"):
        names = (table, table.rpartition("__")[0])
        contract = next((p for p in tree.products.values() if p.product_table in names), None)
    else:
        if field.column in c.SYSTEM_LEVELS:
            return c.SYSTEM_LEVELS[field.column]
        source = _source(tree, table)
        contract = source[0] if source is not None else None
    found = contract.columns if contract is not None else ()
    return c.highest(x.effective_level for x in found if x.name == field.column)


def _header_level(tree: Tree, field: Field) -> Level:
    provider = field.namespace.removeprefix("file://")
    source = _source(tree, f"{provider}__{field.dataset}")
    if source is None:
        return c.highest(())
    contract, _ = source
    return c.highest(
        x.effective_level
        for x in contract.columns
        if field.column in c.headers(contract, provider, x)
    )


def reference_contract(tree: Tree, name: str) -> Contract | None:
    """Return the contract beside a reference table, from the tree or the packaged ones."""
    for folder in (tree.root / "reference", PACKAGED):
        file = folder / f"{name}.odcs.yaml"
        if file.is_file():
            return read_contract(file)
    return None
