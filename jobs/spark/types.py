"""Logical types of contracts as Spark SQL calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from contracts.model import Column

#: Logical types of contracts as Spark SQL calls them.
SPARK_TYPES: Final = {
    "string": "string",
    "integer": "bigint",
    "number": "double",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
}


def spark_type(column: Column) -> str:
    """Return the Spark SQL type of a column: its decimal if it names one, else by logical type."""
    physical = column.physical_type.strip().lower()
    if column.type == "number" and physical.startswith(("decimal", "numeric")):
        return physical.replace("numeric", "decimal", 1).replace(" ", "")
    return SPARK_TYPES[column.type]
