"""The column graph: which fields every column of every table is made from, and how.

Derived from our own plans (contracts, product SQL, share policies), never from what an engine's
listener saw. Terms and subtypes: OpenLineage, ColumnLineageDatasetFacet 1-2-0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from contracts.model import max_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contracts.layout import Layer
    from contracts.model import Column, Contract, Level

Type = Literal["DIRECT", "INDIRECT"]
Subtype = Literal[
    "IDENTITY",
    "TRANSFORMATION",
    "AGGREGATION",
    "JOIN",
    "FILTER",
    "GROUP_BY",
    "SORT",
    "WINDOW",
    "CONDITIONAL",
]

#: The namespace of every table of ours, and of our jobs.
NAMESPACE: Final = "jingshu"
#: The data set of what comes from no export: constants of a plan, and what a stage writes itself.
DECLARED: Final = "declared"
#: What stands for a constant written into a product's SQL.
LITERAL: Final = "literal"
#: Columns that landing and publishing write themselves, with their levels.
BRONZE_SYSTEM: Final[Mapping[str, Level]] = {
    "_source_line": "L1",
    "_row_error": "L1",
    "_extra": "L3",  # whatever unknown columns held: nobody has graded it
    "_batch_id": "L1",
}
SILVER_SYSTEM: Final[Mapping[str, Level]] = {
    "_source_line": "L1",
    "_batch_id": "L1",
    "_business_date": "L1",
}
#: The level of every column that a stage writes itself; quarantine's reasons speak of values.
SYSTEM_LEVELS: Final[Mapping[str, Level]] = {
    **BRONZE_SYSTEM,
    **SILVER_SYSTEM,
    "_reasons": "L3",
    "_status": "L1",
}
#: The declared sources above L1.
DECLARED_LEVELS: Final[Mapping[str, Level]] = {"_extra": "L3", "_reasons": "L3"}
_STRENGTH: Final = {"IDENTITY": 0, "TRANSFORMATION": 1, "AGGREGATION": 2}


@dataclass(frozen=True, order=True)
class Field:
    """One column of one data set, named as OpenLineage names it."""

    namespace: str
    dataset: str
    column: str

    def __str__(self) -> str:
        where = self.dataset if self.namespace == NAMESPACE else f"{self.namespace}/{self.dataset}"
        return f"{where}.{self.column}"


@dataclass(frozen=True, order=True)
class Transformation:
    """How an input takes part in a value.

    ``masking`` says that the input's values cannot be seen any more; ``summarised`` that they only
    went into a count, sum or mean over rows (which ``max`` or ``first`` is not).
    """

    type: Type = "DIRECT"
    subtype: Subtype = "IDENTITY"
    masking: bool = False
    summarised: bool = False
    description: str = ""

    def after(self, inner: Transformation) -> Transformation:
        """Return what ``inner`` followed by this comes to."""
        if self.type == "INDIRECT":
            subtype = self.subtype
        elif inner.type == "INDIRECT":
            subtype = inner.subtype
        else:
            subtype = max(self.subtype, inner.subtype, key=lambda s: _STRENGTH[s])
        return Transformation(
            type="INDIRECT" if "INDIRECT" in (self.type, inner.type) else "DIRECT",
            subtype=subtype,
            masking=self.masking or inner.masking,
            summarised=self.summarised or inner.summarised,
            description=self.description or ("" if self.type == "INDIRECT" else inner.description),
        )


IDENTITY: Final = Transformation()


@dataclass(frozen=True, order=True)
class Input:
    """One field that a column or a table depends on."""

    field: Field
    how: Transformation = IDENTITY

    @property
    def type(self) -> Type:
        """DIRECT: the value is derived from it; INDIRECT: it only decides."""
        return self.how.type

    @property
    def subtype(self) -> Subtype:
        """The kind of derivation or decision, in OpenLineage's words."""
        return self.how.subtype

    @property
    def masking(self) -> bool:
        """Whether the input's values can no longer be seen."""
        return self.how.masking

    @property
    def description(self) -> str:
        """The derivation in words or SQL; never a data value."""
        return self.how.description

    def through(self, outer: Transformation) -> Input:
        """Return this input as seen from behind one more transformation."""
        return replace(self, how=outer.after(self.how))


@dataclass(frozen=True)
class Graph:
    """The inputs of one table.

    ``columns`` holds, in table order, what each value is computed from: DIRECT inputs, and INDIRECT
    ones that decide this very value (CONDITIONAL, WINDOW, SORT). ``dataset`` holds what decides
    which rows there are: JOIN, FILTER, GROUP_BY, SORT.
    """

    columns: Mapping[str, tuple[Input, ...]]
    dataset: tuple[Input, ...] = ()

    @property
    def tables(self) -> tuple[tuple[str, str], ...]:
        """The (namespace, data set) pairs read, without declared constants, sorted."""
        every = (*self.dataset, *(i for inputs in self.columns.values() for i in inputs))
        found = {(i.field.namespace, i.field.dataset) for i in every}
        return tuple(sorted(found - {(NAMESPACE, DECLARED)}))


def table_field(layer: Layer | Literal["reference"], table: str, column: str) -> Field:
    """Name a column of one of our tables; the data set is ``<layer>/<table>``."""
    return Field(NAMESPACE, f"{layer}/{table}", column)


def declared(name: str) -> Field:
    """Name a declared constant or a generated source."""
    return Field(NAMESPACE, DECLARED, name)


def export_namespace(provider: str) -> str:
    """Name the place a provider exports to; it has no path of this machine in it."""
    return f"file://{provider}"


def headers(contract: Contract, provider: str, column: Column) -> tuple[str, ...]:
    """Return the headers that fill a column in a provider's files: its aliases, or its own."""
    aliases = contract.server(provider).export.aliases
    return tuple(h for h, name in aliases.items() if name == column.name) or (column.header,)


def bronze_graph(contract: Contract, provider: str) -> Graph:
    """Trace bronze: each column is a header of the export as it stands."""
    own = {name: (Input(declared(name)),) for name in BRONZE_SYSTEM}
    return Graph(
        {
            column.name: tuple(
                Input(Field(export_namespace(provider), contract.dataset, header))
                for header in headers(contract, provider, column)
            )
            for column in contract.columns
        }
        | own
    )


def silver_graph(contract: Contract, provider: str) -> Graph:
    """Trace silver: each column is bronze's text, trimmed and cast as the contract says."""
    table = contract.table(provider)
    cast = {
        c.name: (
            Input(
                table_field("bronze", table, c.name),
                Transformation(subtype="TRANSFORMATION", description=_casting(c)),
            ),
        )
        for c in contract.columns
    }
    kept = {n: (Input(table_field("bronze", table, n)),) for n in ("_source_line", "_batch_id")}
    return Graph(cast | kept | {"_business_date": (Input(declared("business_date")),)})


def quarantine_graph(contract: Contract, provider: str) -> Graph:
    """Trace quarantine: bronze's text unchanged, with the reasons that the refining adds."""
    table = contract.table(provider)
    names = (*(c.name for c in contract.columns), "_source_line", "_batch_id")
    raw = {n: (Input(table_field("bronze", table, n)),) for n in names}
    added = {"_business_date": "business_date", "_reasons": "_reasons", "_status": "_status"}
    return Graph(raw | {name: (Input(declared(source)),) for name, source in added.items()})


def highest(levels: Iterable[Level]) -> Level:
    """Return the highest of some levels, 就高从严; of nothing, the untagged level."""
    return max_level(tuple(levels))


def _casting(column: Column) -> str:
    if column.type == "string":
        return "trimmed, null tokens to NULL"
    layout = f" ({column.options.format})" if column.options.format else ""
    return f"trimmed, null tokens to NULL, cast to {column.type}{layout}"
