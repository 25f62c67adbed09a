"""The products and shares of a date: what was built from which versions, and who may read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from portal.words import PUBLICATION, Word, word_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from contracts.model import Contract, Level
    from contracts.tree import Tree
    from jobs.record.governance import PublicationRow
    from sharing.grants.grants import GrantView


@dataclass(frozen=True)
class Recipient:
    """A recipient with an open grant, and what for."""

    name: str
    purpose: str


@dataclass(frozen=True)
class Publication:
    """One product or one share (a policy's projection of a product) on the date."""

    kind: Literal["product", "share"]
    table: str
    title: str
    policy: str | None
    row: PublicationRow | None
    contract: Contract | None
    recipients: tuple[Recipient, ...] | None
    """None where nobody is granted a table: for products, and where no grants are kept."""

    @property
    def status(self) -> Word:
        """The state in words; ``no record`` where nothing tried to build it."""
        return word_for(PUBLICATION, self.row.status if self.row else "none")

    @property
    def level(self) -> Level | None:
        """The level of the product's contract; None where it has left the tree."""
        return self.contract.level if self.contract else None

    @property
    def smallest_cell(self) -> int | None:
        """The k below which a cell is suppressed."""
        return self.contract.product.k if self.contract and self.contract.product else None

    @property
    def inputs(self) -> tuple[tuple[str, str], ...]:
        """Each input table and its version."""
        return _inputs(self.row.inputs) if self.row else ()

    @property
    def is_simulated(self) -> bool:
        """Tell whether any input came from the simulated city."""
        return self.row is not None and self.row.origin == "simulated"


def _inputs(text: str) -> tuple[tuple[str, str], ...]:
    try:
        parsed = json.loads(text or "{}")
    except json.JSONDecodeError:
        return ((text, ""),)
    if not isinstance(parsed, dict):
        return ((text, ""),)
    return tuple(sorted((str(k), "" if v is None else str(v)) for k, v in parsed.items()))


def publications(
    tree: Tree, rows: Sequence[PublicationRow], grants: Iterable[GrantView] | None
) -> tuple[Publication, ...]:
    """Return every product of the tree with its shares, then rows that no contract explains.

    ``rows`` are one date's newest; ``grants`` is None where no grants are kept yet.
    """
    by_table = {(r.kind, r.table_name): r for r in rows}
    open_grants = None if grants is None else [g for g in grants if g.state == "active"]
    found = [p for c in tree.products.values() for p in _of(c, by_table, open_grants)]
    explained = {(p.kind, p.table) for p in found}
    for kind, table in sorted(by_table.keys() - explained):
        is_share = kind == "share"
        found.append(
            Publication(
                kind="share" if is_share else "product",
                table=table,
                title=table,
                policy=None,
                row=by_table[kind, table],
                contract=None,
                recipients=_recipients(table, open_grants) if is_share else None,
            )
        )
    return tuple(found)


def _of(
    contract: Contract,
    rows: dict[tuple[str, str], PublicationRow],
    grants: Sequence[GrantView] | None,
) -> Iterator[Publication]:
    table = contract.product_table
    row = rows.get(("product", table))
    yield Publication("product", table, contract.title, None, row, contract, None)
    for policy in contract.product_plan.policies:
        shared = f"{table}__{policy.name}"
        yield Publication(
            "share",
            shared,
            contract.title,
            policy.name,
            rows.get(("share", shared)),
            contract,
            _recipients(shared, grants),
        )


def _recipients(table: str, grants: Sequence[GrantView] | None) -> tuple[Recipient, ...] | None:
    if grants is None:
        return None
    named = {(g.recipient, g.purpose) for g in grants if g.table.rpartition(".")[2] == table}
    return tuple(Recipient(*n) for n in sorted(named))
