"""What one contract file alone cannot tell: rules, references, inputs, levels, providers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.approvals import FILE as APPROVALS
from contracts.document import Faults, load_yaml
from contracts.errors import UsageError
from contracts.glossary import FILE as GLOSSARY
from contracts.grading import grade_of, is_below
from contracts.header import header_key
from contracts.model import EXCEL_SERIAL
from contracts.reference import column_rows, column_values, reference_csv
from contracts.rules import NAMED_RULES, batch_rules, row_rules

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.document import ContractError
    from contracts.model import Column, Contract, Server
    from contracts.tree import Tree

_CUSTOM: Final = "customProperties"
#: Letters of Spark's datetime patterns that mean the same everywhere; Y is the week's year.
_FORMAT_LETTERS: Final = "yMdHhmsSaXxzZV"
#: Formats whose rows lie in a grid; the others name each value, and have no header to look for.
_GRIDS: Final = ("csv", "xlsx", "xls")
_OF_GRIDS: Final = frozenset({"delimiter", "header_row", "sheet"})
_COLUMN_METRICS: Final = ("nullValues", "missingValues", "invalidValues", "duplicateValues")


@dataclass(frozen=True)
class _Check:
    """One contract in its tree; every method raises ContractError for what does not fit."""

    tree: Tree
    contract: Contract

    @property
    def file(self) -> Path:
        return self.tree.file(self.contract)

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
        for name, value in column.rule.arguments.items():
            allowed = named.arguments.get(name)
            if allowed is None:
                raise self.fail(
                    column.name,
                    f"the rule {named.name} takes no {name!r}",
                    f"It takes: {', '.join(named.arguments) or 'nothing'}.",
                )
            if value not in allowed:
                raise self.fail(
                    column.name,
                    f"the rule {named.name} has {name}: {value!r}",
                    f"Use one of {', '.join(map(str, allowed))}.",
                )
        if column.type not in named.types:
            raise self.fail(
                column.name,
                f"the rule {named.name} reads a {' or '.join(named.types)}, not a {column.type}",
                "Correct the column's logicalType, or its rule.",
            )

    def reference(self, column: Column) -> None:
        if column.reference is None:
            return
        try:
            file = reference_csv(self.tree.root, column.reference.file)
            values = column_values(file, column.reference.column)
        except UsageError as missing:
            raise self.fail(column.name, missing.problem, missing.remedy) from None
        if not values:
            raise self.fail(
                column.name, f"{file.name} holds no values", "Fill it: nothing would be right."
            )

    def references(self) -> None:
        for reference in self.contract.references:
            try:
                file = reference_csv(self.tree.root, reference.file)
                values = column_rows(file, reference.targets)
            except UsageError as missing:
                raise self.fail("schema", missing.problem, missing.remedy) from None
            if not values:
                raise self.fail(
                    "schema", f"{file.name} holds no values", "Fill it: nothing would be right."
                )

    def ids(self) -> None:
        """Refuse a check that is called as a rule is: one result would hide the other."""
        if any(c.rule and c.rule.name not in NAMED_RULES for c in self.contract.columns):
            return  # told already, and such a contract has no rules to list
        own = {r.id for r in row_rules(self.contract)}
        own |= {r.id for r in batch_rules(self.contract)}
        for quality in self.contract.quality:
            if quality.id in own:
                raise self.fail(
                    quality.column or "schema",
                    f"the check {quality.id!r} is called as a rule of the table is",
                    "Give the check another id.",
                )

    def meaning(self, column: Column) -> None:
        if self.contract.product is not None:
            return  # a product's column says what it was made into
        term = self.tree.glossary.get(column.name)
        for departure in term.departures(column) if term else ():
            raise self.fail(
                column.name,
                f"{column.name} is a word of the glossary, and here {departure}",
                f"Write it as {GLOSSARY} has it, or give the column another name.",
            )

    def format(self, column: Column) -> None:
        is_time = column.type in ("date", "timestamp")
        letters = set(re.sub("'[^']*'|[^A-Za-z]", "", column.options.format or ""))
        strange = sorted(letters - set(_FORMAT_LETTERS))
        if is_time and strange and column.options.format != EXCEL_SERIAL:
            raise self.fail(
                column.name,
                f"{strange[0]!r} in the format {column.options.format!r} is no part of a date",
                "Write it as yyyy-MM-dd HH:mm:ss is written: small y and d, large M and H.",
            )
        if is_time and not column.options.format and self.contract.servers:
            raise self.fail(
                column.name,
                "a date column declares no format",
                'Add logicalTypeOptions {format: "yyyy-MM-dd"}: formats are never guessed.',
            )

    def grade(self) -> None:
        declared = self.contract.grading
        if declared is None:
            return
        found = grade_of(self.contract, self.tree.glossary)
        because = f" ({'; '.join(found.reasons)})" if found.reasons else ""
        if declared.level < found.level:
            raise self.fail_grading(
                f"graded {declared.level}, below its highest column, or what they come to together:"
                f" {found.level}{because}",
                f"Grade the table {found.level}: 就高从严, the highest counts.",
            )
        if is_below(declared.gb43697, found.gb43697):
            raise self.fail_grading(
                f"graded {declared.gb43697}, but it is {found.gb43697} data{because}",
                f"Write gb43697: {found.gb43697}, and have it approved by the city.",
            )

    def fail_grading(self, problem: str, remedy: str) -> ContractError:
        """Return the error at the line of ``grading``."""
        document = load_yaml(self.file)
        listed = document.data.get(_CUSTOM) or ()
        at = next((i for i, c in enumerate(listed) if c.get("property") == "grading"), 0)
        return document.fail((_CUSTOM, at), problem, remedy)

    def lowering(self, column: Column) -> None:
        if column.lowering is None:
            return
        name = f"{self.contract.id}.{column.name}"
        if self.tree.approvals is None:
            raise self.fail(
                column.name,
                f"it is lowered, and the tree has no {APPROVALS}",
                f"Write {APPROVALS} at the tree's root: approvals: [{{id, function, column, from,"
                " to, approver, date, reason}].",
            )
        approval = self.tree.approvals.get((column.lowering.approval, name))
        if approval is None:
            raise self.fail(
                column.name,
                f"{APPROVALS} has no approval {column.lowering.approval!r} for {name}",
                "Have it approved and registered, or keep the column at the level of its inputs.",
            )
        for departure in approval.departures(column):
            raise self.fail(
                column.name,
                f"the lowering is not as {approval.id} approved it: {departure}",
                f"Write it as {APPROVALS} has it, or have the change approved.",
            )

    def disclosure(self) -> None:
        """Refuse policies and totals that speak of columns which are not there."""
        product = self.contract.product
        if product is None:
            return
        names = {c.name for c in self.contract.columns}
        for policy in product.policies:
            kept = {n for n, release in policy.columns.items() if release.mask != "drop"}
            for column in (*policy.quasi_identifiers, *policy.sensitive):
                if column not in kept:
                    raise self.fail(
                        _CUSTOM,
                        f"the policy {policy.name} measures {column!r}, which it does not release",
                        "Name columns that the policy keeps.",
                    )
            if policy.l is not None and not (policy.sensitive and policy.quasi_identifiers):
                raise self.fail(
                    _CUSTOM,
                    f"the policy {policy.name} asks for l = {policy.l} of nothing",
                    "Name its quasi_identifiers and its sensitive columns.",
                )
        for total in product.totals:
            lost = {total.column, *total.by, *filter(None, (total.total,))} - names
            if lost or not total.by:
                raise self.fail(
                    _CUSTOM,
                    f"a total speaks of {min(lost, default='no group')!r}, which is no column",
                    "Name the summed column, the columns it is summed by, and its total.",
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
        sql = (self.file.parent / product.sql).resolve()
        own = self.file.parent.resolve()
        if not sql.is_relative_to(self.tree.root if own.is_relative_to(self.tree.root) else own):
            raise self.fail(
                _CUSTOM, f"{product.sql} lies outside the tree", "Put it beside the contract."
            )
        if not sql.is_file():
            raise self.fail(
                _CUSTOM,
                f"there is no {product.sql} beside the contract",
                "Write the product's SQL there.",
            )

    def servers(self) -> None:
        for server in self.contract.servers:
            is_known = not self.tree.providers or server.provider in self.tree.providers
            if not is_known and self.contract.product is None:
                raise self.fail(
                    "servers",
                    f"{server.provider!r} is not in providers.yaml",
                    "Add the provider there.",
                )
            if not server.path and self.contract.product is None:
                raise self.fail(
                    "servers", f"{server.provider} has no path", "Say where its files are put."
                )
            unread = sorted(_OF_GRIDS & server.export.model_fields_set)
            if unread and server.format not in _GRIDS:
                raise self.fail(
                    "servers",
                    f"{server.provider} sends {server.format}, where nothing reads"
                    f" {', '.join(unread)}",
                    f"Take {', '.join(unread)} out of its export, or correct its format.",
                )
            self.aliases(server)

    def aliases(self, server: Server) -> None:
        """Refuse an alias of no column, or one that is another column's header."""
        headers = {header_key(c.header): c.name for c in self.contract.columns}
        for header, name in server.export.aliases.items():
            if name not in headers.values():
                raise self.fail(
                    "servers", f"the alias {header!r} leads to no column {name!r}", "Correct it."
                )
            other = headers.setdefault(header_key(header), name)
            if other != name:
                raise self.fail(
                    "servers",
                    f"the alias {header!r} of {name} is how {other} is called too",
                    "Take it out: a header leads to one column.",
                )

    def load(self) -> None:
        load = self.contract.load
        if load.mode == "merge_key" and not self.contract.key:
            raise self.fail(
                _CUSTOM, "load merge_key without a primaryKey", "Mark the key's columns."
            )
        for column in self.contract.key:
            if not column.required and self.contract.product is None:
                raise self.fail(
                    column.name, "a key column may be empty", "Add required: true to it."
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
        if self.contract.column(load.delete_marker.column).type != "string":
            raise self.fail(
                load.delete_marker.column, "the delete marker is no text", "Make it a string."
            )

    def metrics(self) -> None:
        names = {c.name for c in self.contract.columns}
        for quality in self.contract.quality:
            if quality.type != "library" or quality.metric not in _COLUMN_METRICS:
                continue
            asked = quality.arguments.get("properties", quality.arguments.get("property"))
            wanted = asked if isinstance(asked, list) else [asked or quality.column]
            lost = [n for n in wanted if n not in names]
            if lost or not wanted:
                raise self.fail(
                    "schema",
                    f"the check {quality.id} looks at no column {(lost or [None])[0]!r}",
                    "Put it under its column, or name properties in its arguments.",
                )


def check_tables(tree: Tree) -> None:
    """Refuse two contracts that would write one table, and products that feed themselves."""
    owners: dict[str, Contract] = {}
    for contract in (*tree.sources.values(), *tree.products.values()):
        is_product = contract.product is not None
        tables = [contract.table(s.provider) for s in contract.servers]
        for table in [contract.product_table] if is_product else tables:
            other = owners.setdefault(table, contract)
            if other is not contract:
                raise _Check(tree, contract).fail(
                    "id", f"{other.id} makes the table {table} too", "Rename one dataset."
                )
    for product in tree.products.values():
        seen: set[str] = set()
        inputs = list(product.product_plan.inputs)
        while inputs:
            name = inputs.pop()
            if name == product.id:
                raise _Check(tree, product).fail(
                    _CUSTOM, f"{product.id} is its own input", "Take it out of the inputs."
                )
            if name in tree.products and name not in seen:
                inputs += tree.products[name].product_plan.inputs
            seen.add(name)


def check_across(tree: Tree, contract: Contract) -> None:
    """Check a contract against its tree; raises the first of all its errors, with the others."""
    check, faults = _Check(tree, contract), Faults()
    for of_column in (check.rule, check.reference, check.format, check.meaning, check.lowering):
        for column in contract.columns:
            with faults.noted():
                of_column(column)
    for of_contract in (
        check.references,
        check.ids,
        check.metrics,
        check.load,
        check.grade,
        check.product,
        check.disclosure,
        check.servers,
    ):
        with faults.noted():
            of_contract()
    faults.stop()
