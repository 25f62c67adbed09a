"""lint: every error of every contract that cannot be used: file, line, place, remedy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from contracts.approvals import FILE as APPROVALS
from contracts.approvals import read_approvals
from contracts.crosscheck import check_across, check_tables
from contracts.document import ContractError, outside, twin
from contracts.errors import UsageError
from contracts.glossary import FILE as GLOSSARY
from contracts.glossary import read_glossary
from contracts.reading import read_contract
from contracts.tree import Tree, read_providers
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from contracts.model import Contract

_K = TypeVar("_K")
_V = TypeVar("_V")


def contract_files(root: Path, paths: Sequence[Path] = ()) -> list[Path]:
    """Return the contract files that paths mean: files as they are, folders searched; else all.

    Reference tables' own files are no contracts of deliveries and are passed over in folders.
    Raises UsageError for a path that is not there.
    """
    found: list[Path] = []
    for path in paths or (root,):
        if not path.exists():
            raise UsageError(
                Words(f"没有 {path}。", f"There is no {path}."),
                Words(
                    "请给出契约文件，或存放契约的文件夹。",
                    "Name a contract file or a folder of them.",
                ),
            )
        if path.is_dir():
            reference = (root / "reference").resolve()
            below = sorted(path.rglob("*.odcs.yaml"))
            found += [f for f in below if not f.resolve().is_relative_to(reference)]
        else:
            found.append(path)
    return list(dict.fromkeys(f.resolve() for f in found))


def lint(root: Path, paths: Sequence[Path] = ()) -> tuple[list[Contract], list[ContractError]]:
    """Read the named contracts in their tree; return those that hold, and all errors of the others.

    Files are judged beside every readable contract of the tree.
    """
    root = root.resolve()
    wanted = contract_files(root, paths)
    contracts: dict[Path, Contract] = {}
    errors: list[ContractError] = []
    for file in dict.fromkeys([*contract_files(root), *wanted]):
        try:
            _refuse_outside(root, file, is_named=bool(paths))
            contract = read_contract(file, root)
            _refuse_twin(file, contract, contracts)
        except ContractError as bad:
            errors += bad.all
        else:
            is_inside = file.is_relative_to(root)
            source = contract.source if is_inside else str(file)
            contracts[file] = contract.model_copy(update={"source": source})
    tree = _tree(root, contracts.values(), errors)
    checks: list[Callable[[Tree], None]] = [check_tables]
    checks += [partial(check_across, contract=c) for c in contracts.values()]
    for check in checks:
        try:
            check(tree)
        except ContractError as bad:
            errors += bad.all
    told = {e.file.resolve() for e in errors}
    good = [contracts[f] for f in wanted if f in contracts and f not in told]
    named = {*wanted, *(root / name for name in ("providers.yaml", GLOSSARY, APPROVALS))}
    ours = (e for e in errors if e.file.resolve() in named)
    return good, sorted(ours, key=lambda e: (e.file.resolve(), e.line or 0))


def _tree(root: Path, contracts: Iterable[Contract], errors: list[ContractError]) -> Tree:
    """Return the contracts beside what their tree lists; what cannot be read is told and empty."""

    def listed(read: Callable[[Path], Mapping[_K, _V] | None]) -> Mapping[_K, _V] | None:
        try:
            return read(root)
        except ContractError as bad:
            errors.extend(bad.all)
            return {}

    by_id = {c.id: c for c in contracts}
    sources = {i: c for i, c in sorted(by_id.items()) if c.product is None}
    products = {i: c for i, c in sorted(by_id.items()) if c.product is not None}
    return Tree(
        root,
        sources,
        products,
        listed(read_providers) or {},
        listed(read_glossary) or {},
        listed(read_approvals),
    )


def _refuse_outside(root: Path, file: Path, *, is_named: bool) -> None:
    if not is_named and not file.is_relative_to(root):
        raise outside(file)


def _refuse_twin(file: Path, contract: Contract, known: dict[Path, Contract]) -> None:
    other = next((f for f, c in known.items() if c.id == contract.id and f != file), None)
    if other is not None:
        raise twin(file, contract.id, other.name)
