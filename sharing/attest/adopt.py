"""Rows that an earlier version wrote, without leaves: they are taken over once, for good.

The door for a group of kinds is open in a home whose mark of it, a file beside the keys, is not
there yet. Whoever can write to the database alone cannot open it again: neither the mark nor the
log's one leaf goes away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import rfc8785
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from contracts.moment import iso, utc_now
from lineage.evidence.digests import digest_bytes
from lineage.evidence.durable import write_once
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from sharing import owed
from sharing.attest.journal import leaf_of
from sharing.attest.key import ensure_key
from sharing.attest.kinds import ADOPTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from contracts.layout import Home
    from lineage.evidence.leaf import JsonScalar
    from sharing.attest.kinds import Adopted

#: The state in which rows were taken over.
STATE: Final = "adopted"


def open_once(home: Home, connection: Connection, *, is_new: bool) -> None:
    """Log what the rows of an earlier version say, inside the transaction of the upgrade.

    An upgrade that was killed after the log took the leaves goes on where it stopped, if the rows
    are still those; rows that may not be taken over are left for verify to name.

    Raises:
        EvidenceError: The log does not take them.
    """
    at, log = utc_now(), EvidenceLog(home)
    if not is_new and not any((home.keys / group.mark).exists() for group in ADOPTIONS):
        log.append(_owing(connection))
    for group in () if is_new else ADOPTIONS:
        leaves = _leaves(connection, group, at)
        adoption = adoption_of(group.subject, leaves, at)
        before = log.find(adoption.key)
        is_open = not (home.keys / group.mark).exists()
        may = is_open if before is None else adoption.agrees_with(before.leaf)
        if leaves and may:
            log.append([adoption, *leaves])
    ensure_key(home)
    for group in ADOPTIONS:
        write_once(home.keys / group.mark, b"", home.keys, 0o600)


def _leaves(connection: Connection, group: Adopted, at: datetime) -> list[Leaf]:
    with Session(connection, join_transaction_mode="rollback_only") as session:
        return [
            leaf_of(row, STATE, at)
            for kind in group.kinds
            for row in session.scalars(select(kind).order_by(*inspect(kind).primary_key))
        ]


def _owing(connection: Connection) -> list[Leaf]:
    """Return what rows owe that have no note, as an earlier version wrote none.

    The next settle finds these leaves in the log, and marks their rows.
    """
    with Session(connection, join_transaction_mode="rollback_only") as session:
        return [leaf for kind in owed.declared() for _, _, leaf in owed.read_owing(session, kind)]


def adoption_of(subject: str, leaves: Sequence[Leaf], at: datetime) -> Leaf:
    """Return the one leaf over the leaves of all rows that were taken over."""
    rows = [{"type": leaf.type, "subject": leaf.subject, **leaf.facts} for leaf in leaves]
    digest = digest_bytes(rfc8785.dumps(rows))
    facts: dict[str, JsonScalar] = {
        "rows": len(rows),
        "rows_sha256": digest.sha256,
        "rows_sm3": digest.sm3,
    }
    return Leaf("adoption", subject, facts, iso(at))
