"""What one contract file alone cannot tell: rules, references, inputs, levels, providers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.document import ContractError, load_yaml
from contracts.errors import UsageError
from contracts.model import max_level
from contracts.reference import column_values, reference_csv
from contracts.rules import NAMED_RULES

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.model import Column, Contract
    from contracts.tree import Tree

_CUSTOM: Final = "customProperties"


@dataclass(frozen=True)
class _Check:
    """One contract in its tree; every method raises ContractError for what does not fit."""

    tree: Tree
    contract: Contract

    @property
    def file(self) -> Path:
        return self.tree.root / self.contract.source

    def fail(self, place: str, problem: str, remedy: str) -> ContractError:
        """Return the error at a top-level element or, by its name, at a column."""
        document = load_yaml(self.file)
        names = [p.get("name") for p in document.data["schema"][0].get("properties", ())]
        where: tuple[str | int, ...] = (place,)
        if place in names:
            where = ("schema", 0, "properties", names.index(place))
        return document.fail(where, problem, remedy)

    def rule(self, column: Column) -> None:
        if column.rule is None:
            return
        named = NAMED_RULES.get(column.rule.name)
        if named is None:
            raise self.fail(
                column.name,
                f"there is no rule {column.rule.name!r}",
                f"Use one of: {', '.join(NAMED_RULES)}.",
            )
        wrong = set(column.rule.arguments) - set(named.arguments)
        if wrong:
            raise self.fail(
                column.name,
                f"the rule {named.name} takes no {min(wrong)!r}",
                f"It takes: {', '.join(named.arguments) or 'nothing'}.",
            )

    def reference(self, column: Column) -> None:
        if column.reference is None:
            return
        try:
            file = reference_csv(self.tree.root, column.reference.file)
            column_values(file, column.reference.column)
        except UsageError as missing:
            raise self.fail(column.name, missing.problem, missing.remedy) from None

    def format(self, column: Column) -> None:
        is_time = column.type in ("date", "timestamp")
        if is_time and not column.options.format and self.contract.servers:
            raise self.fail(
                column.name,
                "a date column declares no format",
                'Add logicalTypeOptions {format: "yyyy-MM-dd"}: formats are never guessed.',
            )

    def grade(self) -> None:
        contract = self.contract
        highest = max_level(tuple(c.effective_level for c in contract.columns))
        if contract.grading is not None and contract.grading.level < highest:
            raise self.fail(
                _CUSTOM,
                f"graded {contract.grading.level}, below its highest column",
                "Grade the table at least as high as its columns (就高从严).",
            )

    def product(self) -> None:
        product = self.contract.product
        if product is None:
            if not self.contract.servers:
                raise self.fail(
                    "servers", "a source contract names no server", "Add its providers."
                )
            return
        for name in product.inputs:
            if name not in self.tree.sources and name not in self.tree.products:
                raise self.fail(_CUSTOM, f"the input {name!r} is no contract", "Correct the id.")
        if not (self.file.parent / product.sql).is_file():
            raise self.fail(
                _CUSTOM,
                f"there is no {product.sql} beside the contract",
                "Write the product's SQL there.",
            )

    def servers(self) -> None:
        names = {c.name for c in self.contract.columns}
        for server in self.contract.servers:
            is_known = not self.tree.providers or server.provider in self.tree.providers
            if not is_known and self.contract.product is None:
                raise self.fail(
                    "servers",
                    f"{server.provider!r} is not in providers.yaml",
                    "Add the provider there.",
                )
            for header, name in server.export.aliases.items():
                if name not in names:
                    raise self.fail(
                        "servers",
                        f"the alias {header!r} leads to no column {name!r}",
                        "Correct it.",
                    )

    def load(self) -> None:
        load = self.contract.load
        if load.mode == "merge_key" and not self.contract.key:
            raise self.fail(
                _CUSTOM, "load merge_key without a primaryKey", "Mark the key's columns."
            )
        if load.delete_marker is None:
            return
        if load.mode != "merge_key":
            raise self.fail(_CUSTOM, "a delete marker needs merge_key", "Change load.mode.")
        if load.delete_marker.column not in {c.name for c in self.contract.columns}:
            raise self.fail(
                _CUSTOM,
                f"the delete marker {load.delete_marker.column!r} is no column",
                "Name one of the columns.",
            )


def check_across(tree: Tree, contract: Contract) -> None:
    """Check a contract against its tree; raises ContractError with file, line and remedy."""
    check = _Check(tree, contract)
    for column in contract.columns:
        check.rule(column)
        check.reference(column)
        check.format(column)
    check.load()
    check.grade()
    check.product()
    check.servers()
