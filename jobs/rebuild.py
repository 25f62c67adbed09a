"""rebuild: makes products anew after rows they were built from were taken back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jobs import governance, versions
from jobs.build import build_product
from jobs.governance import PublicationRow
from jobs.project import share_product

if TYPE_CHECKING:
    from datetime import date

    from contracts.layout import Home
    from contracts.model import Contract
    from contracts.tree import Tree


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
    products = {p.product_table: p for p in tree.products.values()}
    done = []
    for name, day in dates_built_from(home, table, version):
        if name in products:
            done.append(f"{name} {day}: {_one(home, tree, products[name], day, why)}")
    return tuple(done)


def _one(home: Home, tree: Tree, product: Contract, day: date, why: str) -> str:
    built = build_product(home, tree, product, day)
    if built.status != "published":
        versions.hide(home.table("gold", product.product_table), day, why)
        for policy in product.product_plan.policies:
            shared = f"{product.product_table}__{policy.name}"
            versions.hide(home.table("shared", shared), day, why)
    share_product(home, product, day)
    return built.status
