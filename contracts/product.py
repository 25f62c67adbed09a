"""How a product is made and to whom it is released, as its contract says.

Source: this project's ``customProperties`` (docs/reference/contract-dialect.md).
"""

from __future__ import annotations

from pydantic import ConfigDict, Field

from contracts.frozen import Frozen


class Release(Frozen):
    """What masking a column needs before it leaves its owner."""

    model_config = ConfigDict(frozen=True, extra="allow")
    mask: str


class Policy(Frozen):
    """A projection of a product for a group of recipients: one physical table."""

    name: str
    columns: dict[str, Release]
    rows: str | None = None
    k: int | None = Field(default=None, ge=2, description="smallest group; default the product's")
    l: int | None = Field(default=None, ge=2, description="distinct sensitive values a group")  # noqa: E741  (its name in the literature)
    quasi_identifiers: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()


class Total(Frozen):
    """A margin that is published: sums of ``column`` by ``by``, here as ``total`` or elsewhere."""

    column: str
    by: tuple[str, ...]
    total: str | None = None


class Return(Frozen):
    """回流: each district gets the rows whose ``column``, a division code, begins with its own."""

    column: str
    columns: dict[str, Release]
    rows: str | None = None
    k: int | None = Field(default=None, ge=2)
    l: int | None = Field(default=None, ge=2)  # noqa: E741  (as a policy's)
    quasi_identifiers: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()


class Product(Frozen):
    """How a product is made: its inputs, its SQL file and its smallest cell."""

    #: ``return`` is no name in Python: it is written and read as that all the same.
    model_config = ConfigDict(serialize_by_alias=True)

    inputs: tuple[str, ...]
    sql: str
    k: int = Field(default=20, ge=2)
    policies: tuple[Policy, ...] = ()
    totals: tuple[Total, ...] = ()
    returns: Return | None = Field(default=None, alias="return")
    returned_to: tuple[str, ...] = ()
    """The districts whose policies were made from ``returns`` (contracts.returned)."""
