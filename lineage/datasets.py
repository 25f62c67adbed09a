"""The data sets of our plans as readers of lineage see them: columns, levels, owners, place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from contracts.model import SEALED_LEVEL
from lineage.columns import (
    BRONZE_SYSTEM,
    NAMESPACE,
    SILVER_SYSTEM,
    SYSTEM_LEVELS,
    export_namespace,
    headers,
)
from lineage.plan import reference_contract
from lineage.runs import ColumnFact, Dataset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contracts.delivery import Origin
    from contracts.layout import Layer
    from contracts.model import Column, Contract, Level
    from contracts.product import Policy
    from contracts.tree import Tree

#: The columns that stages add: type and meaning.
SYSTEM: Final[Mapping[str, tuple[str, str]]] = {
    "_source_line": ("long", "源文件中的物理行号"),
    "_row_error": ("string", "该行无法成形的原因"),
    "_extra": ("string", "契约以外的列"),
    "_batch_id": ("string", "批次号"),
    "_business_date": ("date", "业务日期"),
    "_reasons": ("array<struct<rule_id:string,column:string,message:string>>", "隔离原因"),
    "_status": ("string", "隔离状态"),
}
#: What a member's role is called in DataHub, by a word of it.
_ROLES: Final[Mapping[str, str]] = {
    "数据官": "DATAOWNER",
    "管家": "DATA_STEWARD",
    "steward": "DATA_STEWARD",
    "owner": "DATAOWNER",
}


def export(contract: Contract, provider: str, origin: Origin) -> Dataset:
    """Describe a provider's export by its headers."""
    return Dataset(
        namespace=export_namespace(provider),
        name=contract.dataset,
        kind="FILE",
        description=_title(contract),
        columns=tuple(
            ColumnFact(header, "string", _describe(c), c.effective_level, c.tags)
            for c in contract.columns
            for header in headers(contract, provider, c)
        ),
        owners=owners(contract),
        tags=_tags(contract, origin),
    )


def source_table(
    layer: Literal["bronze", "silver", "quarantine"],
    contract: Contract,
    provider: str,
    origin: Origin,
) -> Dataset:
    """Describe a source's table in one layer: text in bronze and quarantine, typed in silver."""
    system: Mapping[str, Level] = SILVER_SYSTEM
    if layer == "bronze":
        system = BRONZE_SYSTEM
    elif layer == "quarantine":
        names = (*SILVER_SYSTEM, "_reasons", "_status")
        system = {name: SYSTEM_LEVELS[name] for name in names}
    columns = _stored(contract.columns)
    if layer != "silver":
        columns = [replace(fact, type="string") for fact in columns]
    columns += [ColumnFact(name, *SYSTEM[name], level) for name, level in system.items()]
    return _table(layer, contract.table(provider), contract, columns, origin)


def gold_table(product: Contract, origin: Origin | None) -> Dataset:
    """Describe a product's table."""
    return _table("gold", product.product_table, product, _stored(product.columns), origin)


def shared_table(product: Contract, policy: Policy, origin: Origin) -> Dataset:
    """Describe a shared table: the columns that the policy names and does not drop."""
    kept = [
        c
        for c in product.columns
        if c.name in policy.columns and policy.columns[c.name].mask != "drop"
    ]
    name = f"{product.product_table}__{policy.name}"
    return _table("shared", name, product, _typed(kept), origin)


def reference_table(tree: Tree, name: str) -> Dataset:
    """Describe a code table; without a contract its columns are not known here."""
    contract = reference_contract(tree, name)
    return Dataset(
        namespace=NAMESPACE,
        name=f"reference/{name}",
        kind="FILE",
        description=_title(contract) if contract else name,
        columns=tuple(_typed(contract.columns if contract else ())),
        owners=owners(contract) if contract else (),
    )


def read_table(tree: Tree, name: str) -> Dataset:
    """Describe a table that a product reads, by its lineage name; origin is not known here."""
    layer, _, table = name.partition("/")
    if layer == "reference":
        return reference_table(tree, table)
    if layer == "gold":
        product = next(p for p in tree.products.values() if p.product_table == table)
        return gold_table(product, None)
    provider, _, dataset = table.partition("__")
    contract = next(
        c
        for c in tree.sources.values()
        if c.dataset == dataset and any(s.provider == provider for s in c.servers)
    )
    columns = _stored(contract.columns)
    columns += [ColumnFact(n, *SYSTEM[n], level) for n, level in SILVER_SYSTEM.items()]
    return _table("silver", table, contract, columns, None)


def _table(
    layer: Layer,
    table: str,
    contract: Contract,
    columns: Iterable[ColumnFact],
    origin: Origin | None,
) -> Dataset:
    return Dataset(
        namespace=NAMESPACE,
        name=f"{layer}/{table}",
        kind="TABLE",
        description=_title(contract),
        columns=tuple(columns),
        owners=owners(contract),
        tags=_tags(contract, origin),
    )


def _stored(columns: Iterable[Column]) -> list[ColumnFact]:
    """Describe columns as silver and gold store them: a sealed one is text, whatever its type."""
    facts = _typed(columns)
    return [replace(f, type="string") if f.level == SEALED_LEVEL else f for f in facts]


def _typed(columns: Iterable[Column]) -> list[ColumnFact]:
    return [
        ColumnFact(c.name, c.physical_type, _describe(c), c.effective_level, c.tags)
        for c in columns
    ]


def _describe(column: Column) -> str:
    if column.description in ("", column.business_name):
        return column.business_name
    return f"{column.business_name}：{column.description}"


def _title(contract: Contract) -> str:
    return f"{contract.title}：{contract.purpose}" if contract.purpose else contract.title


def owners(contract: Contract) -> tuple[tuple[str, str], ...]:
    """Return who answers for a contract's tables and jobs: (name, type), the body first.

    Names are ``team:`` and ``user:``, as the OwnershipDatasetFacet recommends and OpenMetadata
    resolves them; types are DataHub's, which calls every other one TECHNICAL_OWNER.
    """
    body = ((f"team:{contract.owner}", "BUSINESS_OWNER"),) if contract.owner else ()
    return (*body, *((f"user:{m.username}", _role(m.role)) for m in contract.members))


def _role(role: str) -> str:
    return next((kind for word, kind in _ROLES.items() if word in role), "TECHNICAL_OWNER")


def _tags(contract: Contract, origin: Origin | None) -> tuple[tuple[str, str], ...]:
    tags = [("jingshu.tag", tag) for tag in contract.tags]
    if origin is not None:
        tags.append(("jingshu.origin", origin))
    if contract.grading is not None:
        tags.append(("jingshu.gb43697", contract.grading.gb43697))
        tags.append(
            ("jingshu.personal_information", str(contract.grading.personal_information).lower())
        )
    return tuple(tags)
