"""verify: rows of rights and of the books say what the evidence log says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from contracts.moment import utc_now
from contracts.words import Words
from jobs.verify.report import checked
from sharing import owed
from sharing.attest.adopt import STATE, adoption_of
from sharing.attest.journal import MARK, facts_of, key_of, newest_of
from sharing.attest.kinds import ADOPTIONS, KINDS
from sharing.attest.notes import read_owed
from sharing.verify.grants import no_such, not_logged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked
    from lineage.evidence.leaf import JsonScalar, Leaf, LeafType
    from sharing.attest.notes import Owed
    from sharing.control import AttestedRow
    from sharing.verify.lake import CityLake

    Rows = dict[tuple[LeafType, str], AttestedRow]
    Newest = Mapping[tuple[LeafType, str], Leaf]

_NOT_OVER: Final = Words(
    "它并非所接管各行之上的存证", "it is not over the rows that were taken over"
)
_TYPES: Final = frozenset(kind.leaf_type for kind in KINDS)


def attested(lake: CityLake) -> Iterator[Checked]:
    """Invariant 6: each row says what its newest leaf says, and each leaf has its row.

    A row whose newest leaf is noted and not logged yet is recovering.
    """
    rows: Rows = {}
    noted_leaves: list[Owed] = []
    owing: set[bytes] = set()
    if lake.records.are_kept:
        with lake.records.read() as session:
            for kind in KINDS:
                rows |= {
                    (kind.leaf_type, key_of(row)): row for row in session.scalars(select(kind))
                }
            noted_leaves = read_owed(session, lake.home)
            if any(o.kind == "row" for o in noted_leaves):
                owing = {
                    leaf.canonical()
                    for kind in owed.declared()
                    for _, _, leaf in owed.read_owing(session, kind)
                }
    logged = newest_of([leaf for leaf in lake.log if leaf.type in _TYPES])
    noted = newest_of([o.leaf for o in noted_leaves if o.leaf is not None and o.kind == "state"])
    for (name, key), row in rows.items():
        where = f"control.db {row.__tablename__} {key}"
        yield _row(where, row, logged.get((name, key)), noted.get((name, key)))
    for of in sorted({**logged, **noted}):
        gone = None if of in rows else no_such(of[0])
        yield checked(6, f"evidence {of[0]}:{of[1]}", gone)
    yield from _adopted(lake)
    for note in noted_leaves:
        yield checked(6, f"control.db share_owed_leaves {note.id}", _note(note, owing))


def _note(note: Owed, owing: AbstractSet[bytes]) -> Words | None:
    """Say what is wrong with a note; one of a row has its row, which says what was noted."""
    if note.leaf is None:
        return Words("它不是由本数据湖写入的", "it was not written by this home")
    if note.kind == "row" and note.leaf.canonical() not in owing:
        key = note.leaf.key
        return Words(
            f"控制数据库里没有哪一行欠它所说的 {key}",
            f"no row of the control database owes the {key} that it is of",
        )
    return None


def _adopted(lake: Lake) -> Iterator[Checked]:
    """Hold the leaves of rows that were taken over against the one leaf over them all."""
    state = f"{MARK}{STATE}"
    for group in ADOPTIONS:
        taken = [x for x in lake.log if x.type in group.types and x.subject.endswith(state)]
        adoption = lake.leaves.get(f"adoption:{group.subject}")
        if adoption is None and not taken:
            continue
        whole = adoption_of(group.subject, taken, utc_now())
        is_whole = adoption is not None and whole.agrees_with(adoption)
        problem = None if is_whole else _NOT_OVER
        yield checked(6, f"evidence adoption:{group.subject}", problem)


def _row(where: str, row: AttestedRow, logged: Leaf | None, noted: Leaf | None) -> Checked:
    """Hold a row against its newest leaf, or against the one that is still to be logged."""
    now = facts_of(row)
    newest = noted or logged
    if newest is None:
        return checked(6, where, not_logged(row.leaf_type))
    differing = _differing(now, newest.facts)
    if differing:
        names = ", ".join(differing)
        return checked(
            6,
            where,
            Words(
                f"其 {names} 与最新的 {row.leaf_type} 存证不符",
                f"its {names} is not what its newest {row.leaf_type} leaf says",
            ),
        )
    if noted is not None:
        problem = Words(
            f"其 {row.leaf_type} 还不在存证日志里",
            f"its {row.leaf_type} is not in the evidence log yet",
        )
        return checked(6, where, problem, is_recovering=True)
    return checked(6, where, None)


def _differing(now: Mapping[str, JsonScalar], then: Mapping[str, JsonScalar]) -> list[str]:
    return [n for n in sorted({*now, *then}) if now.get(n) != then.get(n)]
