"""Products that agreed requests made: each a folder below ``JINGSHU_HOME/requests``.

A folder holds what a product holds in a tree: its contract, its SQL, and its register of approvals.
One that no longer fits its tree is left out and reported, so that it stops no other product.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from contracts.approvals import read_approvals
from contracts.crosscheck import check_across, check_tables
from contracts.document import ContractError
from contracts.loading import load_tree
from contracts.reading import read_contract
from contracts.words import Words

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from contracts.tree import Tree

#: Of the contract, its register and its SQL; what is being written has none of these names.
_SUFFIXES: Final = (".yaml", ".sql")
#: The domain of every such product: it belongs to no body, but to who asked.
DOMAIN: Final = "requests"


def city_tree(home: Home, root: Path | None = None) -> Tree:
    """Return the tree at ``root`` (default: the one in force) with the home's requested products.

    ``left_out`` says of each that does not fit the tree why.
    """
    files = tuple(f for f in sorted(home.requests.glob("*/*")) if f.suffix in _SUFFIXES)
    stamps = tuple(file.lstat().st_mtime_ns for file in files)
    return _joined(load_tree(root), files, stamps)


# Read once until a file changes, as the tree is: the gateway asks for it at every request.
@lru_cache(maxsize=8)
def _joined(tree: Tree, files: tuple[Path, ...], _stamps: tuple[int, ...]) -> Tree:
    for file in (f for f in files if f.name.endswith(".odcs.yaml")):
        try:
            tree = _with(tree, file)
        except ContractError as error:
            tree = replace(tree, left_out=(*tree.left_out, error))
    return tree


def _with(tree: Tree, file: Path) -> Tree:
    """Return the tree with one more product; raises ContractError where it does not fit."""
    contract = read_contract(file, file.parent).model_copy(update={"source": str(file)})
    if contract.product is None or contract.id in tree.products:
        raise ContractError(
            file,
            None,
            ("id",),
            Words(f"{contract.id} 不是独立的产品", f"{contract.id} is no product of its own"),
            Words("请重新提出申请。", "Make the request anew."),
        )
    approvals = {**(tree.approvals or {}), **(read_approvals(file.parent) or {})}
    more = replace(tree, products={**tree.products, contract.id: contract}, approvals=approvals)
    check_tables(more)
    check_across(more, contract)
    return more
