"""verify: grants and share reads in the control database are what the evidence log says of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from contracts.words import Words
from jobs.verify.report import checked
from sharing.control import AccessRecord, ForeignTable, Grant, LoggedReads
from sharing.gateway.reads import leaves_of
from sharing.gateway.retention import is_removal, removed_until
from sharing.grants.grants import grant_leaf, revoke_leaf
from sharing.owed import is_coming
from sharing.tables.foreign import leaves_of as leaves_of_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked
    from lineage.evidence.leaf import Leaf
    from sharing.verify.lake import CityLake


_KINDS: Final = ("table", "grant", "revoke", "reads")


def grants(lake: CityLake) -> Iterator[Checked]:
    """Invariant 6: each grant, revocation, foreign table and hour of reads has its leaf.

    The leaf says the same, and each such leaf has its row. A grant whose leaf is still owed opens
    nothing, so it is recovering.
    """
    if not lake.records.are_kept:
        yield from without_rows(lake, _KINDS, frozenset())
        return
    with lake.records.read() as session:
        rows = session.scalars(select(Grant).order_by(Grant.granted_at)).all()
        tables = session.scalars(select(ForeignTable).order_by(ForeignTable.added_at)).all()
        marked = session.scalars(select(LoggedReads)).one_or_none()
        until = _logged_until(lake, None if marked is None else marked.until)
        asked = select(AccessRecord).order_by(AccessRecord.id)
        reads = leaves_of(session.scalars(asked.where(AccessRecord.at < until))) if until else []
    expected = set()
    for row in rows:
        leaf = grant_leaf(row)
        expected.add(leaf.key)
        yield logged(lake, leaf, "share_grants", is_owed=row.grant_leaf_at is None)
        if row.revoked_at is not None:
            leaf = revoke_leaf(row)
            expected.add(leaf.key)
            yield logged(lake, leaf, "share_grants", is_owed=row.revoke_leaf_at is None)
    for leaf in reads:
        expected.add(leaf.key)
        yield logged(lake, leaf, "share_requests", is_owed=False)
    for added in tables:
        owed = (added.added_leaf_at is None, added.removed_leaf_at is None)
        for leaf, is_owed in zip(leaves_of_table(added), owed, strict=False):
            expected.add(leaf.key)
            yield logged(lake, leaf, "share_foreign_tables", is_owed=is_owed)
    yield from without_rows(lake, _KINDS, frozenset({*expected, *_removed(lake)}))


def _removed(lake: Lake) -> Iterator[str]:
    """Yield the leaves of hours whose records were removed in their time, and of the removals."""
    until = removed_until(lake.log)
    for leaf in lake.log:
        if leaf.type == "reads" and until is not None:
            end = datetime.fromisoformat(str(leaf.facts["until"]))
            if is_removal(leaf) or end <= until:
                yield leaf.key


def _logged_until(lake: Lake, marked: datetime | None) -> datetime | None:
    """Return up to when requests must be in the log: as marked, or as its own leaves say."""
    ends = [
        datetime.fromisoformat(str(leaf.facts["until"])).astimezone(UTC)
        for leaf in lake.log
        if leaf.type == "reads"
    ]
    return max([*ends, *([marked] if marked else [])], default=None)


def logged(lake: Lake, wanted: Leaf, table: str, *, is_owed: bool) -> Checked:
    """Hold what a row should have left in the log against the leaf that is there."""
    where = f"control.db {table} {wanted.subject}"
    leaf = lake.leaves.get(wanted.key)
    if leaf is None:
        problem = not_logged(wanted.type)
        if not is_owed or is_coming(lake.home, wanted):
            return checked(6, where, problem, is_recovering=is_owed)
        return checked(
            6,
            where,
            Words(
                f"{problem.zh}，本数据湖也没有尚欠它的记录",
                f"{problem.en}, and this home has no note that it owes it",
            ),
        )
    names = sorted({*wanted.facts, *leaf.facts})
    differing = [n for n in names if wanted.facts.get(n) != leaf.facts.get(n)]
    if wanted.at != leaf.at:
        differing.append("time")
    which = ", ".join(differing)
    problem = Words(
        f"其 {which} 与 {wanted.type} 存证不符",
        f"its {which} is not what its {wanted.type} leaf says",
    )
    return checked(6, where, problem if differing else None)


def not_logged(kind: str) -> Words:
    """Say that the leaf that a row should have left is not in the log."""
    return Words(f"其 {kind} 不在存证日志里", f"its {kind} is not in the evidence log")


def no_such(kind: str) -> Words:
    """Say that the log has a leaf of what the control database has not."""
    return Words(
        f"控制数据库里已没有这一项 {kind}", f"the control database has no such {kind} any more"
    )


def without_rows(lake: Lake, kinds: Sequence[str], expected: frozenset[str]) -> Iterator[Checked]:
    """Find leaves of these kinds that the control database has nothing for."""
    for leaf in lake.log:
        if leaf.type in kinds:
            problem = no_such(leaf.type)
            is_there = leaf.key in expected
            yield checked(6, f"evidence {leaf.key}", None if is_there else problem)
