"""Which leaves belong to one affair: a grant, or a dataset over some days.

With the leaves that are asked for come those that they rest on, back to the provider's file and to
the request (``custody``).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from contracts.errors import UsageError
from contracts.words import Words
from lineage.evidence.custody import Chain, Gap, gaps_of
from lineage.evidence.errors import VERIFY, EvidenceError
from lineage.evidence.leaf import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Entries = Callable[[], Iterator[tuple[int, bytes]]]

#: The share of this city's own tables; a table of any other share is kept by another office.
OWN_SHARE: Final = "jingshu"
_OF_GRANTS: Final = frozenset({"grant", "revoke"})
_DATE: Final = re.compile(r"@(\d{4})-?(\d{2})-?(\d{2})(?!\d)")


@dataclass(frozen=True)
class Entry:
    """An entry of the log, read without checking its form: the log takes no others."""

    index: int
    data: Mapping[str, Any]

    @property
    def type(self) -> str:
        """The leaf's type."""
        return str(self.data["type"])

    @property
    def subject(self) -> str:
        """What the leaf is about."""
        return str(self.data["subject"])

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the leaf states."""
        facts: Mapping[str, Any] = self.data["facts"]
        return facts


@dataclass(frozen=True)
class Selection:
    """The leaves of one affair by their indices, in the log's order, and where custody ends."""

    leaves: tuple[tuple[int, Leaf], ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class GrantScope:
    """A grant: its leaves, and every version and read of the shared table that it opened.

    ``grant`` is its subject ``recipient/table#id``, its id or the beginning of it, or
    ``recipient/table`` where one such grant was ever given.
    """

    grant: str

    def __str__(self) -> str:
        return f"授权 grant {self.grant}"  # as dossiers have it

    @property
    def words(self) -> Words:
        """Name it."""
        return Words(f"授权 {self.grant} ", f"grant {self.grant}")

    def select(self, entries: Entries) -> Selection:
        """Return the grant's leaves, what was shared and read under it, and all it rests on.

        Raises:
            UsageError: It names several grants.
        """
        named = [e for e in _entries(entries) if e.type in _OF_GRANTS and self._is_named(e)]
        granted = {entry.subject: entry for entry in named if entry.type == "grant"}
        if len(granted) > 1:
            names = sorted(granted)
            raise UsageError(
                Words(
                    f"{self.grant} 对应 {len(names)} 项授权。",
                    f"{self.grant} names {len(names)} grants.",
                ),
                Words(f"请选择其一：{'、'.join(names)}。", f"Choose one of {', '.join(names)}."),
            )
        if not granted:
            return Selection((), ())
        [grant] = granted.values()
        revoke = next((e for e in named if e.type == "revoke"), None)
        opened = _Opened.by(grant, revoke)
        found = _with_grounds(entries, lambda e: e.subject == grant.subject or opened.is_of(e))
        kinds = {leaf.type for _, leaf in found.leaves}
        lacking = [
            Gap(f"no {what}", f"grant:{grant.subject}")
            for what, kind in (("share", "share"), ("reads", "reads"))
            if kind not in kinds and not (kind == "share" and "table" in kinds)
        ]
        return Selection(found.leaves, (*found.gaps, *lacking))

    def _is_named(self, entry: Entry) -> bool:
        who_and_what, _, name = entry.subject.rpartition("#")
        is_id = bool(self.grant) and name.startswith(self.grant)
        return self.grant in {entry.subject, who_and_what} or is_id


@dataclass(frozen=True)
class _Opened:
    """What a grant opened: the table, by its names, from when to when."""

    share: str  # the table's name alone, as versions of this city's own are logged
    reads: str  # the key that its reads are logged by
    since: datetime
    until: datetime | None

    @classmethod
    def by(cls, grant: Entry, revoke: Entry | None) -> _Opened:
        full = str(grant.facts.get("table"))
        table = full.rpartition(".")[2]
        is_own = full.partition(".")[0].casefold() == OWN_SHARE
        until = None if revoke is None else _moment(revoke.data.get("at"))
        since = _moment(grant.data.get("at"))
        return cls(table if is_own else "", (table if is_own else full).casefold(), since, until)

    def is_of(self, entry: Entry) -> bool:
        if entry.type == "share":
            return _table_of(entry) == self.share
        if entry.type != "reads" or _table_of(entry) != self.reads:
            return False
        first, end = _moment(entry.facts.get("from")), _moment(entry.facts.get("until"))
        return end > self.since and (self.until is None or first < self.until)


@dataclass(frozen=True)
class DatasetScope:
    """What happened to one dataset's business dates, first and last included.

    ``dataset`` is a contract id, a table (``<provider>__<dataset>``) or a dataset of any provider.
    """

    dataset: str
    first: date
    last: date

    def __str__(self) -> str:
        return f"数据集 dataset {self.dataset}, {self.first} – {self.last}"  # as dossiers have it

    @property
    def words(self) -> Words:
        """Name it."""
        return Words(
            f"数据集 {self.dataset}（{self.first} 至 {self.last}）",
            f"dataset {self.dataset}, {self.first} – {self.last}",
        )

    def select(self, entries: Entries) -> Selection:
        """Return the dataset's leaves, and all that they rest on."""

        def concerns(entry: Entry) -> bool:
            table = _table_of(entry)
            names = {table, table.partition("__")[2], entry.facts.get("contract_id")}
            day = _date_of(entry)
            return self.dataset in names and day is not None and self.first <= day <= self.last

        return _with_grounds(entries, concerns)


Scope = GrantScope | DatasetScope


def _with_grounds(entries: Entries, concerns: Callable[[Entry], bool]) -> Selection:
    """Read the log again as long as what was found asks for more; it need not fit in memory."""
    chosen = {entry.index: entry for entry in _entries(entries) if concerns(entry)}
    chain, new = Chain(), list(chosen.values())
    while chain.follow(new):
        new = [e for e in _entries(entries) if e.index not in chosen and chain.wants(e)]
        chosen |= {entry.index: entry for entry in new}
    leaves = tuple((index, Leaf(**chosen[index].data)) for index in sorted(chosen))
    return Selection(leaves, tuple(gaps_of(leaf for _, leaf in leaves)))


def _entries(entries: Entries) -> Iterator[Entry]:
    """Read the log's entries.

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
            problem = Words(f"第 {index} 条不是存证。", f"Entry {index} is no leaf.")
            raise EvidenceError(problem, VERIFY)
        yield Entry(index, leaf)


def _moment(text: object) -> datetime:
    """Read a leaf's time; what is none lies before all others."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _table_of(entry: Entry) -> str:
    """Return what stands before the ``@`` of a subject: a table, or a contract's id."""
    return entry.subject.partition("@")[0]


def _date_of(entry: Entry) -> date | None:
    """Return the business date that an entry names, by itself or in its batch's name."""
    try:
        stated = entry.facts.get("business_date")
        if isinstance(stated, str):
            return date.fromisoformat(stated)
        found = _DATE.search(entry.subject)
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None
