"""The memory of shared tables' shapes: what was seen last, so that a change is told once.

A row is added when a table is first seen and whenever its shape is another, also back to an older
one; so a change that is made, taken back and made again has a number each time. What is told comes
first and what is remembered second: a crash between them tells the same again under the same key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  (SQLAlchemy reads it)
from typing import TYPE_CHECKING

from sqlalchemy import Integer, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from sharing.control import Base
from sharing.notices.shape import Shape
from sharing.readable import read_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from sharing.control import Control


def _shape(text: str) -> Shape:
    return Shape.model_validate_json(text)


class ShapeRow(Base):
    """The ``seq``-th shape of a shared table, seen from ``at`` on; None: it was made no more."""

    __tablename__ = "share_shapes"
    table: Mapped[str] = mapped_column(String(255), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    shape: Mapped[str | None] = read_by(_shape)
    at: Mapped[datetime]


@dataclass(frozen=True)
class Change:
    """A table that is not as it was last seen: ``seq`` numbers its shapes from 0, the first."""

    table: str
    seq: int
    before: Shape | None
    after: Shape | None


def changes(control: Control, now: Mapping[str, Shape]) -> list[Change]:
    """Return each table that is new, gone or of another shape than was remembered."""
    with control.read() as session:
        known = {row.table: (row.seq, _read(row)) for row in _newest(session)}
    found = []
    for table in sorted(known.keys() | now.keys()):
        seq, before = known.get(table, (-1, None))
        after = now.get(table)
        if after != before:
            found.append(Change(table, seq + 1, before, after))
    return found


def remember(control: Control, changed: Iterable[Change], at: datetime) -> None:
    """Keep the new shapes; one that somebody else kept meanwhile is left to be compared again."""
    with control.write() as session:
        kept = {row.table: row.seq for row in _newest(session)}
        for change in changed:
            if kept.get(change.table, -1) == change.seq - 1:
                shape = None if change.after is None else change.after.model_dump_json()
                session.add(ShapeRow(table=change.table, seq=change.seq, shape=shape, at=at))


def _newest(session: Session) -> list[ShapeRow]:
    last = select(ShapeRow.table, func.max(ShapeRow.seq).label("seq")).group_by(ShapeRow.table)
    newest = last.subquery()
    same = (ShapeRow.table == newest.c.table) & (ShapeRow.seq == newest.c.seq)
    return list(session.scalars(select(ShapeRow).join(newest, same)))


def _read(row: ShapeRow) -> Shape | None:
    return None if row.shape is None else _shape(row.shape)
