"""Loads a tree of contracts: every file below a root, read once, checked across files."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from contracts.approvals import FILE as APPROVALS
from contracts.approvals import read_approvals
from contracts.crosscheck import check_across, check_tables
from contracts.document import outside, twin
from contracts.errors import UsageError
from contracts.glossary import FILE as GLOSSARY
from contracts.glossary import read_glossary
from contracts.layout import contracts_root
from contracts.reading import read_contract
from contracts.returned import with_returns
from contracts.tree import Tree, read_providers
from contracts.words import Words

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.model import Contract


def load_tree(root: Path | None = None) -> Tree:
    """Read the tree at ``root`` (default: the one in force); cached by path and file times."""
    root = (root or contracts_root()).resolve()
    if not root.is_dir():
        raise UsageError(
            Words(f"没有契约文件夹 {root}。", f"There is no contracts folder {root}."),
            Words("请用 --contracts DIR 指定。", "Name one with --contracts DIR."),
        )
    files = tuple(sorted(root.rglob("*.odcs.yaml")))
    beside = (root / name for name in ("providers.yaml", GLOSSARY, APPROVALS))
    stamps = tuple(f.lstat().st_mtime_ns for f in (*files, *(f for f in beside if f.exists())))
    return _load(root, files, stamps)


@lru_cache(maxsize=8)
def _load(root: Path, files: tuple[Path, ...], _stamps: tuple[int, ...]) -> Tree:
    contracts: dict[str, Contract] = {}
    providers = read_providers(root)
    for file in files:
        if not file.resolve().is_relative_to(root):
            raise outside(file)
        if file.is_relative_to(root / "reference"):
            continue
        contract = read_contract(file, root)
        if contract.id in contracts:
            raise twin(file, contract.id, contracts[contract.id].source)
        contracts[contract.id] = with_returns(contract, providers, file)
    tree = Tree(
        root,
        {i: c for i, c in sorted(contracts.items()) if c.product is None},
        {i: c for i, c in sorted(contracts.items()) if c.product is not None},
        providers,
        read_glossary(root),
        read_approvals(root),
    )
    check_tables(tree)
    for contract in contracts.values():
        check_across(tree, contract)
    return tree
