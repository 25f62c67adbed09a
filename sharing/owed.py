"""Rows that owe the evidence log a leaf: written first, then logged, then marked as logged.

A crash between the steps leaves a row that still owes; the next ``settle`` writes its leaf again,
which the log knows by its name.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  (SQLAlchemy reads it)
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import inspect, select
from sqlalchemy.orm import Mapped, mapped_column

from lineage.evidence.log import EvidenceLog
from sharing.control import Base, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.evidence.leaf import Leaf
    from sharing.control import Control


class OwingRow(Base):
    """A row with one leaf; ``leaf_at`` None while it is owed."""

    __abstract__ = True
    leaf_at: Mapped[datetime | None] = mapped_column()


_R = TypeVar("_R", bound=OwingRow)


def settle(control: Control, kind: type[_R], leaf_of: Callable[[_R], Leaf]) -> None:
    """Write the leaves that the rows of one table still owe."""
    key = inspect(kind).primary_key
    with control.write() as session:
        owing = session.scalars(select(kind).where(kind.leaf_at.is_(None)).order_by(*key)).all()
        for row in owing:
            row.leaf_at = utc_now()
        if owing:
            EvidenceLog(control.home).append([leaf_of(row) for row in owing])
