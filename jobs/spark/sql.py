"""Text that is put into Spark SQL: literals and names, quoted so that they stand for themselves."""

from __future__ import annotations


def quoted(text: str) -> str:
    """Return a Spark SQL string literal that stands for exactly ``text``."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    """Return a quoted Spark SQL identifier."""
    return "`" + name.replace("`", "``") + "`"
