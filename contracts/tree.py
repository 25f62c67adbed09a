"""A tree of contracts: every file below a root, read once, checked across files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from contracts.errors import UsageError
from contracts.layout import contracts_root
from contracts.model import Provider
from contracts.reading import ContractError, load_yaml, read_contract
from contracts.reference import column_values, reference_csv
from contracts.rules import NAMED_RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from contracts.model import Contract


@dataclass(frozen=True)
class Feed:
    """One provider's deliveries of one dataset: what a DAG and a table are made for."""

    contract: Contract
    provider: str

    @property
    def table(self) -> str:
        """The Delta table's name in bronze, silver and quarantine."""
        return self.contract.table(self.provider)


@dataclass(frozen=True)
class Tree:
    """All contracts of one root."""

    root: Path
    sources: Mapping[str, Contract]
    products: Mapping[str, Contract]
    providers: Mapping[str, Provider]

    def contract(self, contract_id: str) -> Contract:
        """Return a source or product by id; UsageError lists what there is."""
        found = self.sources.get(contract_id) or self.products.get(contract_id)
        if found is None:
            known = ", ".join([*self.sources, *self.products]) or "nothing"
            raise UsageError(
                f"There is no contract {contract_id!r} in {self.root}.", f"It holds: {known}."
            )
        return found

    def feeds(self, providers: frozenset[str] | None = None) -> Iterator[Feed]:
        """Yield every (contract, provider) of the active sources, in id order."""
        for contract in self.sources.values():
            if contract.status not in ("active", "deprecated"):
                continue
            for server in contract.servers:
                if providers is None or server.provider in providers:
                    yield Feed(contract, server.provider)

    def provider(self, provider_id: str) -> Provider:
        """Return a provider; one that the tree does not list is named by its id."""
        return self.providers.get(provider_id) or Provider(
            id=provider_id, name=provider_id, name_en=provider_id, kind="external", code=""
        )


def load_tree(root: Path | None = None) -> Tree:
    """Read the tree at ``root`` (default: the one in force); cached by path and file times."""
    root = (root or contracts_root()).resolve()
    if not root.is_dir():
        raise UsageError(f"There is no contracts folder {root}.", "Name one with --contracts DIR.")
    files = tuple(sorted(root.rglob("*.odcs.yaml")))
    stamps = tuple(f.stat().st_mtime_ns for f in (*files, *root.glob("providers.yaml")))
    return _load(root, files, stamps)


@lru_cache(maxsize=8)
def _load(root: Path, files: tuple[Path, ...], _stamps: tuple[int, ...]) -> Tree:
    contracts: dict[str, Contract] = {}
    for file in files:
        if not file.resolve().is_relative_to(root):
            raise ContractError(
                file, None, (), "the file lies outside its tree", "Replace the link by the file."
            )
        if file.is_relative_to(root / "reference"):
            continue
        contract = read_contract(file, root)
        if contract.id in contracts:
            raise ContractError(
                file,
                None,
                ("id",),
                f"{contract.id} is also in {contracts[contract.id].source}",
                "Give each contract its own id.",
            )
        contracts[contract.id] = contract
    tree = Tree(
        root,
        {i: c for i, c in sorted(contracts.items()) if c.product is None},
        {i: c for i, c in sorted(contracts.items()) if c.product is not None},
        _providers(root),
    )
    for contract in contracts.values():
        _check_across(tree, contract)
    return tree


def _providers(root: Path) -> dict[str, Provider]:
    file = root / "providers.yaml"
    if not file.exists():
        return {}
    document = load_yaml(file)
    found = [
        document.parse(Provider, item, ("providers", i))
        for i, item in enumerate(document.data.get("providers") or ())
    ]
    return {p.id: p for p in found}


def _check_across(tree: Tree, contract: Contract) -> None:
    """Check what one file alone cannot tell: rules, references, inputs, levels, providers."""
    file = tree.root / contract.source

    def fail(place: str, problem: str, remedy: str) -> ContractError:
        document = load_yaml(file)
        names = [p.get("name") for p in document.data["schema"][0].get("properties", ())]
        where: tuple[str | int, ...] = (place,)
        if place in names:
            where = ("schema", 0, "properties", names.index(place))
        return document.fail(where, problem, remedy)

    for column in contract.columns:
        if column.rule is not None:
            named = NAMED_RULES.get(column.rule.name)
            if named is None:
                raise fail(
                    column.name,
                    f"there is no rule {column.rule.name!r}",
                    f"Use one of: {', '.join(NAMED_RULES)}.",
                )
            wrong = set(column.rule.arguments) - set(named.arguments)
            if wrong:
                raise fail(
                    column.name,
                    f"the rule {named.name} takes no {min(wrong)!r}",
                    f"It takes: {', '.join(named.arguments) or 'nothing'}.",
                )
        if column.reference is not None:
            try:
                column_values(
                    reference_csv(tree.root, column.reference.file), column.reference.column
                )
            except UsageError as missing:
                raise fail(column.name, missing.problem, missing.remedy) from None
        if column.type in ("date", "timestamp") and not column.options.format and contract.servers:
            raise fail(
                column.name,
                "a date column declares no format",
                'Add logicalTypeOptions {format: "yyyy-MM-dd"}: formats are never guessed.',
            )
    _check_load(contract, fail)
    if contract.grading is not None and contract.grading.level < max(
        c.effective_level for c in contract.columns
    ):
        raise fail(
            "customProperties",
            f"graded {contract.grading.level}, below its highest column",
            "Grade the table at least as high as its columns (就高从严).",
        )
    if contract.product is not None:
        for name in contract.product.inputs:
            if name not in tree.sources and name not in tree.products:
                raise fail(
                    "customProperties", f"the input {name!r} is no contract", "Correct the id."
                )
        if not (file.parent / contract.product.sql).is_file():
            raise fail(
                "customProperties",
                f"there is no {contract.product.sql} beside the contract",
                "Write the product's SQL there.",
            )
    elif not contract.servers:
        raise fail("servers", "a source contract names no server", "Add its providers.")
    if tree.providers:
        for server in contract.servers:
            if server.provider not in tree.providers and contract.product is None:
                raise fail(
                    "servers",
                    f"{server.provider!r} is not in providers.yaml",
                    "Add the provider there.",
                )


def _check_load(contract: Contract, fail: Callable[[str, str, str], ContractError]) -> None:
    names = [c.name for c in contract.columns]
    load = contract.load
    if load.mode == "merge_key" and not contract.key:
        raise fail(
            "customProperties", "load merge_key without a primaryKey", "Mark the key's columns."
        )
    if load.delete_marker is not None:
        if load.mode != "merge_key":
            raise fail(
                "customProperties", "a delete marker needs merge_key", "Change load.mode."
            )
        if load.delete_marker.column not in names:
            raise fail(
                "customProperties",
                f"the delete marker {load.delete_marker.column!r} is no column",
                "Name one of the columns.",
            )
    for server in contract.servers:
        for header, name in server.export.aliases.items():
            if name not in names:
                raise fail(
                    "servers", f"the alias {header!r} leads to no column {name!r}", "Correct it."
                )
