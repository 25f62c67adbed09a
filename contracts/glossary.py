"""The column glossary of a tree: one meaning for a column name, wherever it stands.

A contract's header stays its provider's own; the business name, the types and the named rule are
the glossary's, and the level is at least the glossary's (a street is public; a patient's is not).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from contracts.document import load_yaml
from contracts.frozen import Frozen
from contracts.model import Column, Level, LogicalType, RuleUse
from contracts.product import Release
from contracts.vocabulary import QuasiIdentifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILE = "glossary.yaml"


class Term(Frozen):
    """What a column name means in every contract that uses it."""

    business_name: str = Field(alias="businessName")
    description: str
    type: LogicalType = Field(alias="logicalType")
    physical_type: str = Field(alias="physicalType")
    level: Level = Field(alias="classification")
    rule: RuleUse | None = None
    release: Release | None = None
    quasi_identifier: QuasiIdentifier | None = None
    role: Literal["key", "time", "place", "marker"] | None = None
    """What the name is for where it is no collected fact (Decree 809, Art. 19)."""

    @field_validator("rule", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """Read ``name`` or ``{name: {arguments}}``, as a contract writes it."""
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, dict) and len(value) == 1:
            name, arguments = next(iter(value.items()))
            return {"name": name, "arguments": arguments}
        return value

    def departures(self, column: Column) -> Iterator[str]:
        """Yield, in words, what of a column is not as the glossary has it."""
        if column.business_name != self.business_name:
            yield f"its businessName is {column.business_name!r}, not {self.business_name!r}"
        if (column.type, column.physical_type) != (self.type, self.physical_type):
            yield (
                f"it is {column.type}/{column.physical_type}, not {self.type}/{self.physical_type}"
            )
        if column.effective_level < self.level:
            yield f"its level is {column.effective_level}, below {self.level}"
        if column.rule != self.rule:
            actual = column.rule.name if column.rule else "none"
            yield f"its rule is {actual}, not {self.rule.name if self.rule else 'none'}"


def read_glossary(root: Path) -> Mapping[str, Term]:
    """Return a tree's glossary by column name; empty where the tree has none.

    Raises ContractError for a glossary that cannot be read.
    """
    file = root / FILE
    if not file.exists():
        return {}
    document = load_yaml(file)
    listed = document.data.get("columns")
    if not isinstance(listed, dict):
        raise document.fail(("columns",), "there is no mapping of columns", "Name them.")
    return {name: document.parse(Term, term, ("columns", name)) for name, term in listed.items()}
