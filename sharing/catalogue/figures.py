"""The catalogue's rates, each as numerator and denominator (domain reference §4, CDO figures)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sharing.catalogue.lead import repeated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.tree import Tree
    from sharing.catalogue.entries import Entry
    from sharing.catalogue.lead import Ruling


@dataclass(frozen=True)
class Figure:
    """A rate whose two parts are shown; a count has its whole as denominator."""

    id: str
    zh: str
    en: str
    numerator: int
    denominator: int


def figures(
    tree: Tree, found: Sequence[Entry], ruled: Mapping[str, Ruling] | None = None
) -> tuple[Figure, ...]:
    """Return completeness, mounting, repeated items and the share of columns that have a level.

    ``ruled`` None counts the items that ``rulings.csv`` alone leaves open.
    """
    contracts = [*tree.sources.values(), *tree.products.values()]
    columns = [c for contract in contracts for c in contract.columns]
    items = {c.business_name for contract in tree.sources.values() for c in contract.columns}
    complete = sum(e.is_complete for e in found)
    mounted = sum(e.is_mounted for e in found)
    twice = len(repeated(tree, ruled))
    tagged = sum(c.level is not None for c in columns)
    return (
        Figure("completeness", "目录完整率", "complete entries", complete, len(found)),
        Figure("mounted", "挂接率", "mounted entries", mounted, len(found)),
        Figure("repeated", "重复采集数", "items collected twice", twice, len(items)),
        Figure("graded", "分级覆盖率", "columns with a level", tagged, len(columns)),
    )
