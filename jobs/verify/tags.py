"""Invariant 5: tables carry their contract's levels, and nothing above the ceiling is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.model import SHARE_CEILING, UNTAGGED
from jobs.verify.report import said
from lineage.errors import TagLossError
from lineage.levels import check_levels

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def levels(lake: Lake) -> Iterator[Checked]:
    """Check the level of every column of every table, and of every product along its lineage."""
    products = {p.product_table: p for p in lake.tree.products.values()}
    for layer in _LAYERS:
        for name, table in lake.layer(layer).items():
            contract = lake.contract_of(name) or products.get(
                name.rpartition("__")[0] if layer == "shared" else name
            )
            promised = {c.name: c.effective_level for c in contract.columns} if contract else {}
            for column in table.schema().fields:
                level = (column.metadata or {}).get("jingshu.level")
                problem = _problem(layer, level, promised.get(column.name))
                yield said(5, f"{layer}/{name}.{column.name}", problem)
    for product in products.values():
        yield said(5, product.id, _lost(lake, product))


def _problem(layer: Layer, level: object, promised: str | None) -> str | None:
    counts = str(level or UNTAGGED)
    if layer == "shared" and counts > SHARE_CEILING:
        return f"it is shared at {counts}, above {SHARE_CEILING}"
    if level is None:
        return f"its level is lost; it counts as {UNTAGGED}"
    if promised is not None and counts < promised:
        return f"it is tagged {counts}, its contract says {promised}"
    return None


def _lost(lake: Lake, product: Contract) -> str | None:
    try:
        check_levels(lake.tree, product)
    except TagLossError as error:
        return str(error)
    return None
