"""Which leaves belong to one affair: a grant, or a dataset over some days.

With the leaves that are asked for come those that they rest on: the contract version that a batch
was judged by, and the product version that a shared version was projected from.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from contracts.errors import UsageError
from lineage.evidence.errors import EvidenceError
from lineage.evidence.leaf import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Entries = Callable[[], Iterator[tuple[int, bytes]]]

_DATE = re.compile(r"@(\d{4})-?(\d{2})-?(\d{2})(?!\d)")


@dataclass(frozen=True)
class GrantScope:
    """A grant: its leaves, and every version and read of the shared table that it opened.

    ``grant`` is its subject ``recipient/table#id``, its id or the beginning of it, or
    ``recipient/table`` where one such grant was ever given.
    """

    grant: str

    def __str__(self) -> str:
        return f"授权 grant {self.grant}"

    def select(self, entries: Entries) -> list[tuple[int, Leaf]]:
        """Return the grant's leaves with their indices, in the log's order.

        Raises:
            UsageError: It names several grants.
        """
        named = {leaf["subject"] for _, leaf in _of_type(entries, "grant") if self._is_named(leaf)}
        if len(named) > 1:
            raise UsageError(
                f"{self.grant} names {len(named)} grants.",
                f"Choose one of {', '.join(sorted(named))}.",
            )
        if not named:
            return []
        [subject] = named
        table = subject.rpartition("#")[0].rpartition("/")[2].rpartition(".")[2]

        def concerns(leaf: dict[str, Any]) -> bool:
            is_of_table = leaf["type"] in {"share", "reads"} and _table_of(leaf) == table
            return leaf["subject"] == subject or is_of_table

        return _with_grounds(entries, concerns)

    def _is_named(self, leaf: dict[str, Any]) -> bool:
        who_and_what, _, name = str(leaf["subject"]).rpartition("#")
        is_id = bool(self.grant) and name.startswith(self.grant)
        return self.grant in {leaf["subject"], who_and_what} or is_id


@dataclass(frozen=True)
class DatasetScope:
    """What happened to one dataset's business dates, first and last included.

    ``dataset`` is a contract id, a table (``<provider>__<dataset>``) or a dataset of any provider.
    """

    dataset: str
    first: date
    last: date

    def __str__(self) -> str:
        return f"数据集 dataset {self.dataset}, {self.first} – {self.last}"

    def select(self, entries: Entries) -> list[tuple[int, Leaf]]:
        """Return the dataset's leaves with their indices, in the log's order."""

        def concerns(leaf: dict[str, Any]) -> bool:
            table = _table_of(leaf)
            names = {table, table.partition("__")[2], leaf["facts"].get("contract_id")}
            day = _date_of(leaf)
            return self.dataset in names and day is not None and self.first <= day <= self.last

        return _with_grounds(entries, concerns)


Scope = GrantScope | DatasetScope


def _with_grounds(
    entries: Entries, concerns: Callable[[dict[str, Any]], bool]
) -> list[tuple[int, Leaf]]:
    chosen = {index: leaf for index, leaf in _leaves(entries) if concerns(leaf)}
    contracts = {
        f"{leaf['facts'].get('contract_id')}@{leaf['facts'].get('contract_version')}"
        for leaf in chosen.values()
    }
    sources = {
        (leaf["facts"].get("contract_id"), leaf["facts"].get("source"))
        for leaf in chosen.values()
        if leaf["type"] == "share"
    }
    for index, leaf in _leaves(entries):
        is_contract = leaf["type"] == "contract" and leaf["subject"] in contracts
        made = (leaf["facts"].get("contract_id"), leaf["facts"].get("version"))
        if is_contract or (leaf["type"] == "build" and made in sources):
            chosen[index] = leaf
    return [(index, Leaf(**chosen[index])) for index in sorted(chosen)]


def _leaves(entries: Entries) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read leaves without checking their form: the log takes no others, and most are not asked for.

    Raises:
        EvidenceError: One is no leaf.
    """
    for index, entry in entries():
        try:
            leaf = json.loads(entry)
            is_leaf = isinstance(leaf["facts"], dict) and isinstance(leaf["subject"], str)
        except (ValueError, TypeError, KeyError, RecursionError):
            is_leaf = False
        if not is_leaf:
            raise EvidenceError(f"Entry {index} is no leaf.", "Run `./jingshu evidence verify`.")
        yield index, leaf


def _of_type(entries: Entries, leaf_type: str) -> Iterator[tuple[int, dict[str, Any]]]:
    return ((index, leaf) for index, leaf in _leaves(entries) if leaf["type"] == leaf_type)


def _table_of(leaf: dict[str, Any]) -> str:
    """Return what stands before the ``@`` of a subject: a table, or a contract's id."""
    return str(leaf["subject"]).partition("@")[0]


def _date_of(leaf: dict[str, Any]) -> date | None:
    """Return the business date that a leaf names, by itself or in its batch's name."""
    try:
        stated = leaf["facts"].get("business_date")
        if isinstance(stated, str):
            return date.fromisoformat(stated)
        found = _DATE.search(leaf["subject"])
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None
