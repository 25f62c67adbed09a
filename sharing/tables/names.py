"""Which shared tables there are, and what they are called outside.

A table ``lake/shared/<product>__<policy>`` is ``jingshu.<domain>.<product>__<policy>``, where the
domain is the product contract's; a table without a contract is in the schema ``city``. A table
that others wrote has the names it was given, in another share.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlalchemy import select

from contracts.errors import JingshuError, UsageError
from contracts.model import UNTAGGED
from contracts.requested import city_tree
from contracts.words import Words
from sharing.control import ForeignTable
from sharing.tables.storage import Folder, storage_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from contracts.model import Level
    from sharing.control import Control
    from sharing.tables.storage import Storage

SHARE = "jingshu"
DEFAULT_SCHEMA = "city"

#: Names (Delta Sharing protocol § Names): no space, ``/``, ``.`` or control characters, ≤ 255.
_NAME = re.compile(r"[^\s/.\x00-\x1f\x7f]{1,255}")
_LOG = logging.getLogger("jingshu.gateway")


@dataclass(frozen=True)
class SharedTable:
    """A shared table's three names and where it lies."""

    share: str
    schema: str
    name: str
    root: Storage
    #: The level of untagged columns in a table that others wrote; ours are all tagged.
    foreign: Level | None = None

    @property
    def key(self) -> str:
        """What grants, pages and file URLs know the table by."""
        return table_key(self.share, self.schema, self.name)

    def __str__(self) -> str:
        return f"{self.share}.{self.schema}.{self.name}"

    def is_called(self, share: str, schema: str, name: str) -> bool:
        """Compare names as the protocol does: without regard to case."""
        ours = (self.share, self.schema, self.name)
        return all(
            a.casefold() == b.casefold() for a, b in zip(ours, (share, schema, name), strict=True)
        )


def table_key(share: str, schema: str, name: str) -> str:
    """Return a table's key: our tables' names are unique alone, and hold no dot."""
    return name if share == SHARE else f"{share}.{schema}.{name}"


def is_name(text: str) -> bool:
    """Tell whether a share, schema or table can be called so."""
    return _NAME.fullmatch(text) is not None


class Catalog:
    """The shared tables of one home, read from its folders whenever it is asked."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self.home = control.home
        self._domains: dict[str, str] = {}

    def tables(self) -> tuple[SharedTable, ...]:
        """Return all shared tables in the order of their keys, granted or not, servable or not."""
        folder = self.home.table("shared", "_").parent
        names = sorted(p.parent.name for p in folder.glob("*/_delta_log") if p.is_dir())
        return (*self._ours(name for name in names if is_name(name)), *self._foreign())

    def named(self, share: str, schema: str, name: str) -> SharedTable | None:
        """Return the table that is called so, without looking at every other."""
        if share.casefold() != SHARE:
            found = self._foreign()
        else:
            found = self._ours([name]) if self._is_there(name) else self.tables()
        return next((t for t in found if t.is_called(share, schema, name)), None)

    def keyed(self, key: str) -> SharedTable | None:
        """Return the table with this key."""
        return next(iter(self.of_keys({key})), None)

    def of_keys(self, keys: Collection[str]) -> tuple[SharedTable, ...]:
        """Return the tables with these keys, in their order, without looking at any other."""
        names = sorted(k for k in keys if "." not in k)
        ours = self._ours(name for name in names if self._is_there(name)) if names else ()
        foreign = self._foreign() if len(names) < len(keys) else ()
        return (*ours, *(t for t in foreign if t.key in keys))

    def called(self, keys: Iterable[str], share: str, schema: str, name: str) -> SharedTable | None:
        """Return which of the tables with these keys is called so.

        No other table is looked for, so that what there is beside them makes no difference.
        """
        asked = table_key(SHARE if share.casefold() == SHARE else share, schema, name).casefold()
        candidates = {key for key in keys if key.casefold() == asked}
        return next((t for t in self.of_keys(candidates) if t.is_called(share, schema, name)), None)

    def _is_there(self, name: str) -> bool:
        try:
            return is_name(name) and (self.home.table("shared", name) / "_delta_log").is_dir()
        except OSError:  # a table's name has 255 characters, a folder's 255 bytes
            return False

    def _ours(self, names: Iterable[str]) -> tuple[SharedTable, ...]:
        domains = self._current_domains()
        return tuple(
            SharedTable(
                SHARE,
                domains.get(name.split("__", 1)[0], DEFAULT_SCHEMA),
                name,
                Folder(self.home.table("shared", name)),
            )
            for name in names
        )

    def _foreign(self) -> tuple[SharedTable, ...]:
        with self.control.read() as session:
            rows = session.scalars(select(ForeignTable).where(ForeignTable.removed_at.is_(None)))
            tables = [
                SharedTable(r.share, r.schema, r.table, storage_of(r.folder), _level(r.level))
                for r in rows
            ]
        return tuple(sorted(tables, key=lambda t: t.key))

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
        known = ", ".join(str(t) for t in tables)
        raise UsageError(
            Words(f"没有共享表 {reference!r}。", f"There is no shared table {reference!r}."),
            Words(
                f"现有：{known or '尚无，请先运行一天'}。",
                f"There are: {known or 'none yet: run a day first'}.",
            ),
        )

    def _current_domains(self) -> dict[str, str]:
        """Map products to domains; while a contract is broken, what was last read stays."""
        try:
            products = city_tree(self.home).products.values()
        except JingshuError as broken:
            why = broken.words
            _LOG.warning(
                "%s",
                Words(
                    f"契约无法读取，各 schema 保持原样：{why.zh}",
                    f"contracts cannot be read, schemas stay as they were: {why.en}",
                ),
            )
            return self._domains
        self._domains = {p.product_table: p.domain for p in products if _NAME.fullmatch(p.domain)}
        return self._domains


def _level(word: str | None) -> Level:
    return UNTAGGED if word is None else cast("Level", word)
