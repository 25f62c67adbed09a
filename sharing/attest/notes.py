"""Leaves that are noted in the control database beside the rows they are about, until logged.

A note is written in the transaction of its row and carries a MAC, so that nobody who has the
database alone has us log what we did not write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import delete, insert, select

from lineage.evidence.errors import EvidenceError
from lineage.evidence.leaf import Leaf
from sharing.attest.key import is_mac, mac
from sharing.control import OwedLeaf

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

    from contracts.layout import Home

#: What a note is of: one state of an attested row, or the one leaf of an owing row.
Kind = Literal["state", "row"]
#: In a session's ``info``: the home it writes for.
HOME: Final = "attest home"
_PURPOSES: Final[dict[Kind, str]] = {"state": "owed leaf", "row": "owed leaf of a row"}


@dataclass(frozen=True)
class Owed:
    """A leaf that is noted and not logged; None where the note is not this home's own."""

    id: int
    leaf: Leaf | None
    kind: Kind | None


def note(session: Session, leaves: Sequence[Leaf], kind: Kind) -> None:
    """Note leaves in the session's transaction."""
    home = session.info[HOME]
    rows = [
        {"leaf": entry.decode(), "mac": mac(home, _PURPOSES[kind], entry)}
        for entry in (leaf.canonical() for leaf in leaves)
    ]
    session.connection().execute(insert(OwedLeaf), rows)


def read_owed(session: Session, home: Home) -> list[Owed]:
    """Return what is noted and not logged, oldest first."""
    rows = session.execute(
        select(OwedLeaf.id, OwedLeaf.leaf, OwedLeaf.mac).order_by(OwedLeaf.id)
    ).all()
    return [_checked(home, row.id, row.leaf, row.mac) for row in rows]


def forget(session: Session, numbers: Iterable[int]) -> None:
    """Drop the notes of leaves that are being logged."""
    session.execute(delete(OwedLeaf).where(OwedLeaf.id.in_(list(numbers))))


def _checked(home: Home, number: int, text: object, given: object) -> Owed:
    if not isinstance(text, str) or not isinstance(given, str):  # SQLite keeps bytes there too
        return Owed(number, None, None)
    entry = text.encode("utf-8", "replace")
    for kind, purpose in _PURPOSES.items():
        if is_mac(home, purpose, entry, given):
            try:
                return Owed(number, Leaf.parse(entry), kind)
            except EvidenceError:
                break
    return Owed(number, None, None)
