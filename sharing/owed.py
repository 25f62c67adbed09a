"""Rows that owe the evidence log a leaf: written with a note of it, then logged, then marked.

A session notes the leaf in the transaction that makes a row owe it, and ``settle`` logs what is
noted alone: a row with an empty marker that somebody put into the database is never logged. A crash
between the steps leaves row and note; the next ``settle`` writes the leaf again, which the log
knows by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  (SQLAlchemy reads it)
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import inspect, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.moment import utc_now
from lineage.evidence.log import EvidenceLog
from sharing.attest import notes
from sharing.control import Base, Control
from sharing.readable import read_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session, UOWTransaction

    from contracts.layout import Home
    from lineage.evidence.leaf import Leaf

#: How the columns are called that say since when a row's leaf is logged, None while it is owed.
MARKER: Final = "leaf_at"
#: Modules that make leaves of rows whose tables others declare (``sharing.migrations.MODELS``).
_DECLARING: Final = ("sharing.grants.grants", "sharing.tables.foreign", "sharing.requests.flow")


class OwingRow(Base):
    """A row with one leaf; ``leaf_at`` None while it is owed."""

    __abstract__ = True
    leaf_at: Mapped[datetime | None] = mapped_column()


@dataclass(frozen=True)
class Due:
    """One leaf that each row of a table owes, from when ``since`` is set, or from its first."""

    marker: str
    since: str | None
    leaf_of: Callable[[Any], Leaf]


_R = TypeVar("_R", bound=Base)
_DUES: Final[dict[type[Base], tuple[Due, ...]]] = {}


def owes(
    kind: type[_R], marker: str = MARKER, *, since: str | None = None
) -> Callable[[Callable[[_R], Leaf]], Callable[[_R], Leaf]]:
    """Declare the function that makes the leaf which the rows of a table owe."""

    def declare(leaf_of: Callable[[_R], Leaf]) -> Callable[[_R], Leaf]:
        _DUES[kind] = (*_DUES.get(kind, ()), Due(marker, since, leaf_of))
        return leaf_of

    return declare


def dues(kind: type[Base]) -> tuple[Due, ...]:
    """Return what the rows of a table owe.

    Raises:
        LookupError: It has a marker, and no function was declared that makes its leaf.
    """
    declared = _DUES.get(kind, ())
    markers = {c.key for c in inspect(kind).column_attrs if c.key.endswith(MARKER)}
    if lacking := markers - {due.marker for due in declared}:
        raise LookupError(f"{kind.__name__}.{lacking.pop()}: decorate its leaf with @owed.owes")
    return declared


def note_changes(session: Session, _context: UOWTransaction) -> None:
    """Note each leaf that a flush made its rows owe; what they owed before is no news."""
    leaves = [
        due.leaf_of(row)
        for is_new, rows in ((True, session.new), (False, session.dirty))
        for row in rows
        for due in dues(type(row))
        if _is_owed(row, due) and (is_new or _is_set_now(row, due))
    ]
    if leaves:
        notes.note(session, leaves, "row")


def settle(control: Control, *kinds: type[Base]) -> None:
    """Log the leaves that rows of these tables owe, in the order they were noted.

    A row stays as it is, for verify to name, where no leaf can be made of it, where its leaf is not
    noted by this home, or where it says something else than its note, unless that very leaf is in
    the log already.
    """
    with control.write() as session:
        owing = [found for kind in kinds for found in read_owing(session, kind)]
        if not owing:
            return
        log, noted = EvidenceLog(control.home), _noted(session, control.home)
        taken: list[tuple[int, Leaf]] = []
        for row, due, leaf in owing:
            number = noted.get(leaf.canonical())
            if number is not None:
                taken.append((number, leaf))
            elif not _is_logged(log, leaf):
                continue
            setattr(row, due.marker, utc_now())
        if taken:
            notes.forget(session, [number for number, _ in taken])
            log.append([leaf for _, leaf in sorted(taken, key=lambda one: one[0])])


def read_owing(session: Session, kind: type[Base]) -> list[tuple[Any, Due, Leaf]]:
    """Return the rows of a table that are not marked as logged, with the leaves they owe.

    Without what somebody planted of which no leaf can be made: ``verify`` names it.
    """
    owed = [getattr(kind, d.marker).is_(None) & _is_due(kind, d) for d in dues(kind)]
    asked = select(kind).where(or_(*owed)).order_by(*inspect(kind).primary_key)
    return [
        (row, due, leaf)
        for row in read_rows(session, kind, asked)
        for due in dues(kind)
        if _is_owed(row, due) and (leaf := _leaf(row, due)) is not None
    ]


def leaves_due(row: Base) -> list[Leaf]:
    """Return the leaves that a row owes or has left."""
    is_due = [due.since is None or getattr(row, due.since) is not None for due in dues(type(row))]
    return [due.leaf_of(row) for due, is_so in zip(dues(type(row)), is_due, strict=True) if is_so]


def declared() -> Iterator[type[Base]]:
    """Return every table whose rows owe leaves, by its class."""
    from sharing import migrations  # it imports this module

    migrations.declare_all()
    for module in _DECLARING:
        import_module(module)
    yield from (m.class_ for m in Base.registry.mappers if dues(m.class_))


def is_coming(home: Home, leaf: Leaf) -> bool:
    """Tell whether a leaf that is missing is noted by this home, or was logged just now."""
    with Control(home) as control, control.read() as session:
        is_noted = leaf.canonical() in _noted(session, home)
    return is_noted or _is_logged(EvidenceLog(home), leaf)


def _noted(session: Session, home: Home) -> dict[bytes, int]:
    """Return the numbers of this home's own notes by the leaves that they are of."""
    return {
        owed.leaf.canonical(): owed.id
        for owed in notes.read_owed(session, home)
        if owed.leaf is not None and owed.kind == "row"
    }


def _leaf(row: Base, due: Due) -> Leaf | None:
    try:
        leaf = due.leaf_of(row)
        leaf.canonical()
    except Exception:  # noqa: BLE001 - what is planted may break anything
        return None
    return leaf


def _is_logged(log: EvidenceLog, leaf: Leaf) -> bool:
    found = log.find(leaf.key)
    return found is not None and found.leaf == leaf  # whenever the log took it


def _is_due(kind: type[Base], due: Due) -> Any:
    return True if due.since is None else getattr(kind, due.since).is_not(None)


def _is_owed(row: Base, due: Due) -> bool:
    is_due = due.since is None or getattr(row, due.since) is not None
    return is_due and getattr(row, due.marker) is None


def _is_set_now(row: Base, due: Due) -> bool:
    return due.since is not None and inspect(row).attrs[due.since].history.has_changes()
