"""What rows of rights say goes into the evidence log: each new state of each row, as one leaf.

A session notes the leaf beside the row, in one transaction, and ``settle`` logs it after that. What
is noted carries a MAC, so that nobody has us log a state that we did not write.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import event, inspect

from contracts.digest import sha256
from contracts.errors import JingshuError
from contracts.moment import iso, utc_now
from contracts.words import Words
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from sharing import owed
from sharing.attest.notes import HOME, forget, note, read_owed
from sharing.control import AttestedRow
from sharing.readable import still_owed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

    from contracts.layout import Home
    from lineage.evidence.leaf import JsonScalar, LeafType
    from sharing.control import Control

#: Parts a row's key from the name of one state of it.
MARK: Final = "#"
#: In a session's ``info``: whether it noted a leaf.
OWES: Final = "attest owes"
_LOG = logging.getLogger("jingshu.sharing")


class UnattestedError(JingshuError, RuntimeError):
    """A program tried to change rows of rights past the evidence log."""


def begin(session: Session, home: Home) -> None:
    """Have a writing session note the leaves of what it changes."""
    session.info[HOME] = home
    event.listen(session, "after_flush", _note_changes)
    event.listen(session, "after_flush", owed.note_changes)
    event.listen(session, "do_orm_execute", _refuse_bulk)


def key_of(row: AttestedRow) -> str:
    """Return a row's primary key as text."""
    return "/".join(str(part) for part in inspect(type(row)).primary_key_from_instance(row))


def facts_of(row: AttestedRow) -> dict[str, JsonScalar]:
    """Return what a row says now, as its leaf holds it."""
    return {
        f"{name}_sha256" if name in row.digested else name: _scalar(
            getattr(row, name), is_digested=name in row.digested
        )
        for name in row.attested
    }


def leaf_of(row: AttestedRow, state: str, at: datetime) -> Leaf:
    """Return the leaf of one state of a row."""
    return Leaf(row.leaf_type, f"{key_of(row)}{MARK}{state}", facts_of(row), iso(at))


def subject_of(leaf: Leaf) -> tuple[LeafType, str]:
    """Return which row a leaf is about: its type and key."""
    return leaf.type, leaf.subject.rpartition(MARK)[0]


def settle(control: Control) -> None:
    """Log the leaves of attested rows that are noted, oldest first.

    Within one transaction: the log knows a leaf by its name, so a crash between the two commits is
    healed by logging it again. A note that is not ours stays, for verify to name.

    Raises:
        EvidenceError: The log does not take them.
    """
    with control.write() as session:
        ours = [
            (o.id, o.leaf)
            for o in read_owed(session, control.home)
            if o.leaf is not None and o.kind == "state"
        ]
        if not ours:
            return
        forget(session, [number for number, _ in ours])
        EvidenceLog(control.home).append([leaf for _, leaf in ours])


def settle_all(control: Control) -> None:
    """Log whatever is owed: the leaves of rows of every table, and of attested rows' states.

    Raises:
        EvidenceError: The log does not take them.
    """
    owed.settle(control, *owed.declared())
    settle(control)


def settle_or_warn(control: Control) -> None:
    """Log what is noted; what fails stays owed, is named by verify, and is tried again later."""
    try:
        settle(control)
    except (JingshuError, OSError) as problem:
        _LOG.warning("%s", still_owed(problem))


def _note_changes(session: Session, _context: UOWTransaction) -> None:
    """Note the leaf of every row that is new or says something else now."""
    if any(isinstance(row, AttestedRow) for row in session.deleted):
        raise _past_the_log(Words("删除", "removed"))
    rows = [*session.new, *(row for row in session.dirty if _says_otherwise(row))]
    noted = [row for row in rows if isinstance(row, AttestedRow)]
    if not noted:
        return
    at = utc_now()
    note(session, [leaf_of(row, uuid.uuid4().hex, at) for row in noted], "state")
    session.info[OWES] = True


def _says_otherwise(row: object) -> bool:
    if not isinstance(row, AttestedRow):
        return False
    state = inspect(row)
    return any(state.attrs[name].history.has_changes() for name in row.attested)


def _refuse_bulk(state: ORMExecuteState) -> None:
    """Refuse statements that change rows without loading them: no leaf would be noted."""
    mapper = state.bind_mapper
    changes = state.is_update or state.is_delete or state.is_insert
    if changes and mapper is not None and issubclass(mapper.class_, AttestedRow):
        raise _past_the_log(Words("更改", "changed"))


def _past_the_log(what: Words) -> UnattestedError:
    return UnattestedError(
        Words(
            f"权利记录将被{what.zh}，而存证日志里没有相应存证。",
            f"Rows of rights would be {what.en} without their leaf in the evidence log.",
        ),
        Words(
            "请先读出这些行再改其列；要终止权利，不要删除它。",
            "Load the rows and set their columns; end a right instead of removing it.",
        ),
    )


def _scalar(value: object, *, is_digested: bool) -> JsonScalar:
    if is_digested and value is not None:
        return sha256(str(value))
    if isinstance(value, datetime):
        return iso(value)
    return value if value is None else str(value)


def newest_of(leaves: Sequence[Leaf]) -> dict[tuple[LeafType, str], Leaf]:
    """Return the newest leaf about each row, of leaves in the order they were logged."""
    return {subject_of(leaf): leaf for leaf in leaves}
