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
from contracts.words import Words

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

    def departures(self, column: Column) -> Iterator[Words]:
        """Yield, in words, what of a column is not as the glossary has it."""
        if column.business_name != self.business_name:
            has, wanted = repr(column.business_name), repr(self.business_name)
            yield Words(
                f"其 businessName 是 {has}，不是 {wanted}",
                f"its businessName is {has}, not {wanted}",
            )
        if (column.type, column.physical_type) != (self.type, self.physical_type):
            has = f"{column.type}/{column.physical_type}"
            wanted = f"{self.type}/{self.physical_type}"
            yield Words(f"其类型是 {has}，不是 {wanted}", f"it is {has}, not {wanted}")
        if column.effective_level < self.level:
            has = column.effective_level
            yield Words(
                f"其级别是 {has}，低于 {self.level}", f"its level is {has}, below {self.level}"
            )
        if column.rule != self.rule:
            has = column.rule.name if column.rule else ""
            wanted = self.rule.name if self.rule else ""
            yield Words(
                f"其规则是 {has or '无'}，不是 {wanted or '无'}",
                f"its rule is {has or 'none'}, not {wanted or 'none'}",
            )


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
        raise document.fail(
            ("columns",),
            Words("没有列的映射", "there is no mapping of columns"),
            Words("请写出各列。", "Name them."),
        )
    return {name: document.parse(Term, term, ("columns", name)) for name, term in listed.items()}
