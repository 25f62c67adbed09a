"""Whose data an export carries, and by what its exporter may use it.

A company that a bureau lets use its data does not make it the company's: who holds it by origin is
asked for every table that a product is made from. A right of the register (process or operate) or
an active grant gives use, for its purpose; a grant also keeps its ceiling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import or_, select

from contracts.model import SHARE_CEILING
from sharing.control import Grant, Recipient
from sharing.rights.register import read_register
from sharing.rights.terms import city_day, origin_holder

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from sharing.crossborder.count import Exported
    from sharing.rights.terms import RightType

_RIGHTS: tuple[RightType, ...] = ("process", "operate")


@dataclass(frozen=True)
class Title:
    """By what somebody may use a table: as its holder, by a right or by a grant, with its id."""

    kind: Literal["holder", "right", "grant"]
    id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


def holders(tree: Tree, table: str) -> tuple[str, ...]:
    """Return every body whose data a table is made from, by origin, in order.

    Raises UsageError where there is no such table.
    """
    found = {origin_holder(tree, table)}
    product = next((p for p in tree.active_products() if p.product_table == table), None)
    waiting, seen = [] if product is None else [product], set[str]()
    while waiting:
        contract = waiting.pop()
        if contract.id in seen:
            continue
        seen.add(contract.id)
        if contract.product is None:
            found |= {server.provider for server in contract.servers}
        else:
            found.add(contract.domain)
            waiting += [tree.contract(name) for name in contract.product.inputs]
    return tuple(sorted(found))


def is_held_by_organ(tree: Tree, held_by: tuple[str, ...]) -> bool:
    """Tell whether a state organ holds any of it; a body whose kind is unknown is taken for one."""
    kinds = [
        tree.providers[name].legal_kind if name in tree.providers else None for name in held_by
    ]
    return any(kind != "processor" for kind in kinds)


def title(
    session: Session, tree: Tree, exporter: str, what: Exported, purpose: str, at: datetime
) -> Title | None:
    """Return by what an exporter may use a table for a purpose; None where by nothing."""
    if exporter == origin_holder(tree, what.table):
        return Title("holder", exporter)
    register, day = read_register(session, tree), city_day(at)
    for right in _RIGHTS:
        if chain := register.chain(exporter, what.table, right, day, purpose):
            return Title("right", chain[-1].right_id or "")
    granted = session.scalars(
        select(Grant)
        .join(Recipient, Recipient.name == Grant.recipient)
        .where(Recipient.body == exporter, Grant.purpose == purpose)
        .where(Grant.grant_leaf_at.is_not(None), Grant.granted_at <= at)
        .where(or_(Grant.until_at.is_(None), Grant.until_at > at))
        .where(or_(Grant.revoked_at.is_(None), Grant.revoked_at > at))
        .order_by(Grant.id)
    )
    # A grant is of a shared table, <product>__<policy>, and no higher than its ceiling.
    of = next((g for g in granted if g.table.rpartition("__")[0] == what.table), None)
    is_below = what.level <= SHARE_CEILING
    return Title("grant", of.id) if of is not None and is_below else None
