"""回流: what a product returns to the districts is granted to them as soon as it is there.

The law gives it to them (Decree 809, Art. 24), so nobody asks and nobody agrees; each grant is in
evidence like any other, and ends when the product stops returning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from contracts.words import Words
from sharing.control import Grant
from sharing.grants.belonging import adopt
from sharing.grants.grants import grant, revoke
from sharing.grants.recipients import NotItsRecipientError
from sharing.tables.names import Catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.tree import Tree
    from sharing.control import Control

PURPOSE: Final = Words(
    "区级数据回流（政务数据共享条例第二十四条）",
    "Returned to the district (Decree 809, Art. 24)",
).stored()
#: What it was in an earlier version, whose grants stay as they are.
_BEFORE: Final = "区级数据回流 Returned to the district (Decree 809, Art. 24)"  # as it was stored
_ACTOR: Final = "system"


def grant_returned(control: Control, tree: Tree) -> list[tuple[str, str]]:
    """Grant each district its tables that are there; end what is returned no more.

    Return (district, table) of the grants that are new. A district's recipient is its own.

    Raises:
        NotItsRecipientError: A recipient with a district's name is not that district's; the others
            were granted what is theirs.
    """
    wanted = set(_returned(tree))
    there = {table.name for table in Catalog(control).tables()}
    with control.read() as session:
        rows = session.scalars(
            select(Grant).where(Grant.purpose.in_((PURPOSE, _BEFORE)), Grant.revoked_at.is_(None))
        )
        known = {(row.recipient, row.table): row.purpose for row in rows}
    for district, table in sorted(known.keys() - wanted):
        purpose = known[district, table]
        revoke(control, district, table, purpose=purpose, actor=_ACTOR)
    new = sorted((d, t) for d, t in wanted - known.keys() if t in there)
    refused: list[NotItsRecipientError] = []
    for district, table in new:
        adopt(control, district, district, _ACTOR)
        try:
            grant(control, district, table, PURPOSE, actor=_ACTOR, body=district)
        except NotItsRecipientError as error:
            refused.append(error)
    if refused:
        raise refused[0]
    return new


def _returned(tree: Tree) -> Iterator[tuple[str, str]]:
    for product in tree.active_products():
        for district in product.product_plan.returned_to:
            yield district, f"{product.product_table}__{district}"
