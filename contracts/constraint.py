"""What a column promises of its values: options, references, and how many rows may break them."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from contracts.errors import BadValueError
from contracts.frozen import Frozen
from contracts.pattern import Pattern
from contracts.words import Words

Severity = Literal["error", "warning", "info"]
_SWAP: Final = Words(
    "请把较小的界限写为最小值，或删去其一。",
    "Write the smaller bound as the minimum, or take one of them out.",
)


class Threshold(Frozen):
    """The share of bad rows, in percent, above which a rule's result is a failure."""

    bad_percent: float = Field(ge=0, le=100)
    severity: Severity = "error"


class Reference(Frozen):
    """A foreign key into a reference table: ``values_of`` names file, object and property."""

    file: str
    column: str
    threshold: Threshold = Threshold(bad_percent=0)


class TableReference(Frozen):
    """A composite foreign key: ``columns`` together stand in one row of a reference table."""

    columns: tuple[str, ...]
    file: str
    targets: tuple[str, ...]
    threshold: Threshold = Threshold(bad_percent=0)


class Options(Frozen):
    """ODCS ``logicalTypeOptions`` that this project checks, called as the standard calls them."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    pattern: Pattern | None = None
    min_length: int | None = Field(default=None, ge=0)
    max_length: int | None = Field(default=None, ge=0)
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None
    multiple_of: float | None = Field(default=None, gt=0)
    format: str | None = None

    @model_validator(mode="after")
    def _something_fits(self) -> Options:
        """Refuse bounds that no value can lie between: every row would be bad."""
        none = float("-inf")
        low = max(none if b is None else b for b in (self.minimum, self.exclusive_minimum))
        high = min(-none if b is None else b for b in (self.maximum, self.exclusive_maximum))
        is_point = low == high and high in (self.exclusive_minimum, self.exclusive_maximum)
        if low > high or is_point:
            raise BadValueError(
                Words(
                    f"{low:g} 与 {high:g} 之间没有数",
                    f"no number lies between {low:g} and {high:g}",
                ),
                _SWAP,
            )
        if self.max_length is not None and (self.min_length or 0) > self.max_length:
            low_length, high_length = self.min_length, self.max_length
            raise BadValueError(
                Words(
                    f"没有文本长 {low_length} 至 {high_length} 个字符",
                    f"no text is {low_length} to {high_length} characters long",
                ),
                _SWAP,
            )
        return self
