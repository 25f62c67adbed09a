"""Decisions on exports as they are kept: a row each, its leaf, and whom it counts as tokens."""

from __future__ import annotations

import json
from datetime import datetime  # noqa: TC003  (SQLAlchemy reads it)
from typing import TYPE_CHECKING, Final

from sqlalchemy import Integer, LargeBinary, String, Text, delete, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.digest import sha256
from contracts.moment import iso
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.control import Base
from sharing.crossborder.decide import Counters, Destination, Facts
from sharing.owed import OwingRow
from sharing.readable import read_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

#: Rows of tokens that are written at once.
_CHUNK: Final = 10_000


def read_facts(text: str) -> Facts:
    """Read what a decision was made of, as it was kept; what was not yet kept is as before."""
    kept = json.loads(text)
    to = kept.get("destination")
    lists = {k: tuple(kept[k]) for k in ("holders", "lacking") if k in kept}
    return Facts(
        **{
            **kept,
            **lists,
            "counters": Counters(**kept["counters"]),
            "destination": Destination(**to) if to else None,
        }
    )


class ExportRow(OwingRow):
    """One decision, and its end as a row of its own where the export was not carried out."""

    __tablename__ = "share_exports"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))
    exporter: Mapped[str] = mapped_column(String(63), index=True)
    year: Mapped[int]
    table: Mapped[str] = mapped_column(String(255))
    version: Mapped[int]
    origin: Mapped[str] = mapped_column(String(16))
    facts: Mapped[str] = read_by(read_facts)
    assessment_id: Mapped[str | None] = mapped_column(String(255))
    rule_row: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(32))
    rule_version: Mapped[str] = mapped_column(String(16))
    own_general: Mapped[int]
    own_sensitive: Mapped[int]
    general: Mapped[int]
    sensitive: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


class ExportedPersonRow(Base):
    """A person that an export counts: a token of the year, and whether as sensitive."""

    __tablename__ = "share_export_persons"
    export: Mapped[str] = mapped_column(String(16), primary_key=True)
    token: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    exporter: Mapped[str] = mapped_column(String(63), index=True)
    year: Mapped[int]
    is_sensitive: Mapped[bool]


@owed.owes(ExportRow)
def export_leaf(row: ExportRow) -> Leaf:
    """Return the leaf of a decision: what was decided, by which rules, at which counts."""
    return Leaf(
        type="crossborder",
        subject=f"{row.id}#{row.seq}",
        facts={
            "kind": row.kind,
            "exporter": row.exporter,
            "year": row.year,
            "table": row.table,
            "version": row.version,
            "origin": row.origin,
            "facts_sha256": sha256(row.facts),
            "assessment_id": row.assessment_id,
            "row": row.rule_row,
            "outcome": row.outcome,
            "rule_version": row.rule_version,
            "own_general": row.own_general,
            "own_sensitive": row.own_sensitive,
            "general": row.general,
            "sensitive": row.sensitive,
            "reason_sha256": sha256(row.reason),
            "actor": row.actor,
        },
        at=iso(row.at),
    )


def facts_of(row: ExportRow) -> Facts:
    """Return what a decision was made of."""
    return read_facts(row.facts)


def counted_persons(session: Session) -> dict[str, int]:
    """Return how many persons each export counts; one that counts nobody is left out."""
    rows = session.execute(
        select(ExportedPersonRow.export, func.count()).group_by(ExportedPersonRow.export)
    )
    return {export: int(n) for export, n in rows}


def keep(
    session: Session,
    export_id: str,
    exporter: str,
    year: int,
    tokens: frozenset[bytes],
    *,
    is_sensitive: bool,
) -> None:
    """Write whom an export counts; who is counted already by another is counted once."""
    same = {"export": export_id, "exporter": exporter, "year": year, "is_sensitive": is_sensitive}
    ordered: Sequence[bytes] = sorted(tokens)
    for start in range(0, len(ordered), _CHUNK):
        rows = [same | {"token": token} for token in ordered[start : start + _CHUNK]]
        session.execute(insert(ExportedPersonRow), rows)


def forget(session: Session, export_id: str) -> None:
    """Count nobody for an export any more."""
    session.execute(delete(ExportedPersonRow).where(ExportedPersonRow.export == export_id))


def counted_persons_of(session: Session, exporter: str, year: int) -> Counters:
    """Return an exporter's distinct persons of a year so far."""
    rows = session.execute(
        select(ExportedPersonRow.is_sensitive, func.count(ExportedPersonRow.token.distinct()))
        .where(ExportedPersonRow.exporter == exporter, ExportedPersonRow.year == year)
        .group_by(ExportedPersonRow.is_sensitive)
    )
    found = {bool(is_sensitive): int(n) for is_sensitive, n in rows}
    return Counters(found.get(False, 0), found.get(True, 0))
