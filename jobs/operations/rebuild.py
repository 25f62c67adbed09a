"""rebuild: makes products anew after rows they are built from were taken back, or came in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jobs.build.run import build_product
from jobs.record import governance
from jobs.record.governance import PublicationRow
from jobs.share.run import share_product
from jobs.tables import products

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from contracts.layout import Home
    from contracts.model import Contract
    from contracts.tree import Tree
    from jobs.stages import ProductVersion


def dates_built_from(home: Home, table: str, version: int) -> list[tuple[str, date]]:
    """Return (product table, date) of whatever was built from a silver version or a later one."""
    found = {
        (row.table_name, row.business_date)
        for row in governance.read(home, PublicationRow)
        if row.kind == "product" and json.loads(row.inputs).get(table, -1) >= version
    }
    return sorted(found)


def rebuild(home: Home, tree: Tree, table: str, version: int, why: str) -> tuple[str, ...]:
    """Build and share every product date that read ``table`` at ``version`` or later.

    A date that cannot be built any more shows nothing, in gold and in every share. Returns what
    was looked at, as ``product date: status``.
    """
    by_table = {p.product_table: p for p in tree.products.values()}
    done = []
    for name, day in dates_built_from(home, table, version):
        if name in by_table:
            done.append(f"{name} {day}: {_one(home, tree, by_table[name], day, why)}")
    return tuple(done)


def _one(home: Home, tree: Tree, product: Contract, day: date, why: str) -> str:
    built = build_product(home, tree, product, day)
    if built.status != "published":
        products.hide(home.table("gold", product.product_table), day, why)
        for policy in product.product_plan.policies:
            shared = f"{product.product_table}__{policy.name}"
            products.hide(home.table("shared", shared), day, why)
    share_product(home, product, day)
    return built.status


def fed_by(tree: Tree, contract: Contract) -> tuple[Contract, ...]:
    """Return the products that read a source contract, in the tree's order."""
    return tuple(p for p in tree.products.values() if contract.id in p.product_plan.inputs)


def rebuild_after(
    home: Home, tree: Tree, contract: Contract, days: Sequence[date], changed: Sequence[date]
) -> Iterator[ProductVersion]:
    """Build and share what a contract feeds, after deliveries came: those days, and later ones.

    A product date after the first of ``changed`` read a table that has older rows now, so it is
    made anew if it was ever made. Building the same again changes nothing.
    """
    first = min(changed, default=None)
    publications = governance.latest_publications(home)
    for product in fed_by(tree, contract):
        made = {
            row.business_date
            for row in publications
            if row.kind == "product" and row.table_name == product.product_table
        }
        later = {day for day in made if first is not None and day > first}
        for day in sorted({*days, *later}):
            built = build_product(home, tree, product, day)
            share_product(home, product, day)
            yield built
