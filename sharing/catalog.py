"""Which shared tables there are, and what they are called outside.

A table ``lake/shared/<product>__<policy>`` is ``jingshu.<domain>.<product>__<policy>``, where the
domain is the product contract's; a table without a contract is in the schema ``city``.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.errors import JingshuError, UsageError
from contracts.requested import city_tree

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home

SHARE = "jingshu"
DEFAULT_SCHEMA = "city"

#: Names (Delta Sharing protocol § Names): no space, ``/``, ``.`` or control characters, ≤ 255.
_NAME = re.compile(r"[^\s/.\x00-\x1f\x7f]{1,255}")
_LOG = logging.getLogger("jingshu.gateway")


@dataclass(frozen=True)
class SharedTable:
    """A shared table's three names and its folder."""

    share: str
    schema: str
    name: str
    path: Path

    def __str__(self) -> str:
        return f"{self.share}.{self.schema}.{self.name}"

    def is_called(self, share: str, schema: str, name: str) -> bool:
        """Compare names as the protocol does: without regard to case."""
        ours = (self.share, self.schema, self.name)
        return all(
            a.casefold() == b.casefold() for a, b in zip(ours, (share, schema, name), strict=True)
        )


class Catalog:
    """The shared tables of one home, read from its folders whenever it is asked."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._domains: dict[str, str] = {}

    def tables(self) -> tuple[SharedTable, ...]:
        """Return all shared tables in name order, granted or not, servable or not."""
        folder = self.home.table("shared", "_").parent
        names = sorted(p.parent.name for p in folder.glob("*/_delta_log") if p.is_dir())
        domains = self._current_domains()
        return tuple(
            SharedTable(
                SHARE,
                domains.get(name.split("__", 1)[0], DEFAULT_SCHEMA),
                name,
                self.home.table("shared", name),
            )
            for name in names
            if _NAME.fullmatch(name)
        )

    def find(self, reference: str) -> SharedTable:
        """Find a table by ``share.schema.table`` or by its plain name.

        Raises:
            UsageError: There is no such table; it says which there are.
        """
        tables = self.tables()
        parts = reference.split(".")
        for table in tables:
            names = (table.share, table.schema, parts[0]) if len(parts) == 1 else tuple(parts)
            if len(names) == 3 and table.is_called(*names):  # noqa: PLR2004 - share, schema, table
                return table
        known = ", ".join(str(t) for t in tables) or "none yet: run a day first"
        raise UsageError(f"There is no shared table {reference!r}.", f"There are: {known}.")

    def _current_domains(self) -> dict[str, str]:
        """Map products to domains; while a contract is broken, what was last read stays."""
        try:
            products = city_tree(self.home).products.values()
        except JingshuError as broken:
            _LOG.warning("contracts cannot be read, schemas stay as they were: %s", broken)
            return self._domains
        self._domains = {p.product_table: p.domain for p in products if _NAME.fullmatch(p.domain)}
        return self._domains
