"""Whom a table is about: each person once, as a token that only this year's key can make.

Sealed numbers are equal only inside one table and one version of its key, so they are opened in
memory and given as HMAC-SM3 under a key of the year: the same person is the same token in every
table and export of that year, and in no other. Nothing clear is written anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from contracts.errors import JingshuError, UsageError
from contracts.model import SEALED_LEVEL, max_level
from contracts.words import Words
from jobs.record import governance
from jobs.seal.columns import opened, pseudonyms
from jobs.seal.keys import keys_of
from jobs.seal.plan import typed_seals
from jobs.tables.delta import dataset, open_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home, Layer
    from contracts.model import Column, Contract, Level
    from contracts.tree import Tree
    from jobs.seal.keys import Key, KeyProvider

_PERSONAL: Final = "个人信息"
_SENSITIVE: Final = "敏感个人信息"
_RESIDENT: Final = "resident_id"
_PSEUDONYM: Final = "hmac_sm3"
_FIRST: Final = 1


class NotCountedError(JingshuError, LookupError):
    """A table whose persons cannot be counted: it is not published."""


@dataclass(frozen=True)
class Exported:
    """What is to go abroad: a published table at a version, in full or some of its columns."""

    table: str
    layer: Layer
    contract: Contract
    version: int
    columns: tuple[Column, ...]
    origin: str

    @property
    def person(self) -> Column | None:
        """The column that tells its persons apart; None where none does.

        A resident's number, else what is released as a pseudonym: that is what persons join by.
        """
        columns = self.contract.columns
        numbers = [c for c in columns if c.rule and c.rule.name == _RESIDENT]
        joined = [
            c for c in columns if _PERSONAL in c.tags and c.release and c.release.mask == _PSEUDONYM
        ]
        return next(iter([*numbers, *joined]), None)

    @property
    def has_personal_information(self) -> bool:
        """Whether its rows are about persons, by the contract's word or its columns' tags."""
        grading = self.contract.grading
        declared = grading is not None and grading.personal_information
        return declared or any({_PERSONAL, _SENSITIVE} & set(c.tags) for c in self.columns)

    @property
    def is_sensitive(self) -> bool:
        """Whether what goes is sensitive (PIPL Art. 28): by the contract's word, by tag, or as L4.

        To be in a table of patients at all is sensitive, whatever column goes.
        """
        grading = self.contract.grading
        declared = grading is not None and grading.sensitive
        return self.has_personal_information and (
            declared
            or any(_SENSITIVE in c.tags or c.effective_level == SEALED_LEVEL for c in self.columns)
        )

    @property
    def level(self) -> Level:
        """The highest level among the columns that go; of the whole table, its own."""
        if len(self.columns) == len(self.contract.columns):
            return self.contract.level
        return max_level(tuple(c.effective_level for c in self.columns))


@dataclass(frozen=True)
class _Pinned:
    """A provider whose newest key is always the first: rotating must count nobody twice."""

    keys: KeyProvider

    @property
    def reference(self) -> str:
        """Name the provider."""
        return self.keys.reference

    def newest(self, name: str) -> Key:
        """Return the first version, made where there is none."""
        self.keys.newest(name)
        return self.keys.version(name, _FIRST)

    def version(self, name: str, number: int) -> Key:
        """Return one version of a key."""
        return self.keys.version(name, number)


def exported(home: Home, tree: Tree, table: str, columns: tuple[str, ...] = ()) -> Exported:
    """Return a provider's table or a product as it is published, with the columns that go.

    No ``columns`` means all.

    Raises:
        UsageError: There is no such table or column.
        NotCountedError: Nothing of it is published.
    """
    contract, layer = _contract(tree, table)
    found = open_table(home.table(layer, table))
    if found is None:
        raise NotCountedError(
            Words(f"{layer}/{table} 尚未发布。", f"{layer}/{table} is not published."),
            Words("请先发布：./jingshu run。", "Publish it: ./jingshu run."),
        )
    names = {c.name for c in contract.columns}
    if strange := sorted(set(columns) - names):
        known = sorted(names)
        raise UsageError(
            Words(f"{table} 没有 {strange[0]!r} 列。", f"{table} has no column {strange[0]!r}."),
            Words(f"可选：{'、'.join(known)}。", f"It has: {', '.join(known)}."),
        )
    kept = tuple(c for c in contract.columns if not columns or c.name in columns)
    return Exported(table, layer, contract, found.version(), kept, _origin(home, table))


def persons(home: Home, what: Exported, year: int) -> frozenset[bytes]:
    """Return a token of 32 octets for each person a table is about, as of the year.

    A row that does not say whom it is about counts as one person.
    """
    if not what.has_personal_information:
        return frozenset()
    table = DeltaTable(str(home.table(what.layer, what.table)), version=what.version)
    column, unnamed = what.person, dataset(table).count_rows()
    found: set[bytes] = set()
    if column is not None:
        for texts in _texts(table, column):
            unnamed -= len(texts) - texts.null_count
            found |= _tokens(home, _opened(home, texts, what, column), _kind(column), year)
    rows = pa.array((f"{what.table}@{what.version}#{n}" for n in range(unnamed)), pa.string())
    return frozenset(found | _tokens(home, rows, "row", year))


def key_name(year: int) -> str:
    """Return the name of the key that makes the year's tokens."""
    return f"purpose/crossborder-{year}"


def _contract(tree: Tree, table: str) -> tuple[Contract, Layer]:
    for feed in tree.feeds():
        if feed.table == table:
            return feed.contract, "silver"
    for product in tree.active_products():
        if product.product_table == table:
            return product, "gold"
    raise UsageError(
        Words(f"{tree.root} 中没有表 {table!r}。", f"There is no table {table!r} in {tree.root}."),
        Words(
            "请填写表名（如 health__disease_case）或产品名（如 heat_readiness）。",
            "Name a table: health__disease_case, or a product: heat_readiness.",
        ),
    )


def _texts(table: DeltaTable, column: Column) -> Iterator[pa.Array]:
    """Yield the persons' numbers as they are stored, batch by batch."""
    for batch in dataset(table).to_batches(columns=[column.name]):
        yield batch.column(0).cast(pa.string())


def _opened(home: Home, texts: pa.Array, what: Exported, column: Column) -> pa.Array:
    """Return each number once, in clear, in memory only."""
    once = texts.drop_null().unique()
    seal = typed_seals(what.contract, what.table).get(column.name)
    return once if seal is None else opened(once, seal, keys_of(home))


def _tokens(home: Home, texts: pa.Array, kind: str, year: int) -> set[bytes]:
    plain = pc.utf8_upper(pc.utf8_trim_whitespace(texts))
    named = pc.binary_join_element_wise(pa.scalar(kind), plain, ":")
    made = pseudonyms(named, key_name(year), _Pinned(keys_of(home)))
    return {bytes.fromhex(text) for text in made.to_pylist()}


def _kind(column: Column) -> str:
    """Name what a number is, so that equal texts of two numberings are two persons."""
    return column.rule.name if column.rule else column.name


def _origin(home: Home, table: str) -> str:
    batches = [b.origin for b in governance.latest_batches(home) if b.table == table]
    built = [
        p.origin
        for p in governance.latest_publications(home)
        if p.kind == "product" and p.table_name == table
    ]
    found = {*batches, *built}
    return "simulated" if "simulated" in found else next(iter(found), "unknown")
