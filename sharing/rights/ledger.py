"""The rows of the books: costs, closed months, approvals, and when machine time was measured.

Each is attested: its leaf is noted with it, so that no row is altered, cut or put in unseen
(``sharing.attest``). Costs have a number in their body's books, from 1 on without a gap.
"""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003  (SQLAlchemy reads them)

from sqlalchemy import BigInteger, Date, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sharing.control import AttestedRow


class ApprovalRow(AttestedRow):
    """Somebody else's consent that one cost of before the open period is booked, once."""

    __tablename__ = "share_cost_approvals"
    leaf_type = "approval"
    attested = (
        "body",
        "dataset",
        "version",
        "kind",
        "quantity",
        "incurred_on",
        "run",
        "reason",
        "actor",
        "at",
    )
    digested = frozenset({"reason"})
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    body: Mapped[str] = mapped_column(String(63), index=True)
    dataset: Mapped[str] = mapped_column(String(255))
    version: Mapped[int | None]
    kind: Mapped[str] = mapped_column(String(16))
    quantity: Mapped[int] = mapped_column(BigInteger)
    incurred_on: Mapped[date] = mapped_column(Date)
    run: Mapped[str | None] = mapped_column(String(64), index=True)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


class CostRow(AttestedRow):
    """One cost, or the reversal of one (``reverses``); rows are only ever added."""

    __tablename__ = "share_costs"
    leaf_type = "cost"
    attested = (
        "body",
        "number",
        "dataset",
        "version",
        "kind",
        "stage",
        "quantity",
        "unit",
        "rate_version",
        "amount_fen",
        "incurred_on",
        "booked_on",
        "run",
        "reverses",
        "approval",
        "reason",
        "actor",
        "at",
    )
    digested = frozenset({"reason"})
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    body: Mapped[str] = mapped_column(String(63), index=True)
    #: Its place in the body's books.
    number: Mapped[int]
    dataset: Mapped[str] = mapped_column(String(255), index=True)
    version: Mapped[int | None]
    kind: Mapped[str] = mapped_column(String(16))
    #: Which stage of the pipeline, where a run cost it; none in rows of an earlier version.
    stage: Mapped[str | None] = mapped_column(String(16))
    quantity: Mapped[int] = mapped_column(BigInteger)
    unit: Mapped[str] = mapped_column(String(16))
    rate_version: Mapped[str] = mapped_column(String(16))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    incurred_on: Mapped[date] = mapped_column(Date)
    booked_on: Mapped[date] = mapped_column(Date)
    run: Mapped[str | None] = mapped_column(String(64), index=True)
    reverses: Mapped[str | None] = mapped_column(String(16), unique=True)
    #: The approval it was booked by, where it is of before the open period.
    approval: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("body", "number", name="share_costs_numbers"),
        UniqueConstraint("approval", name="share_costs_approvals"),
    )


class ClosedMonthRow(AttestedRow):
    """A body's month that takes no more costs, with the digest of those it has."""

    __tablename__ = "share_closed_months"
    leaf_type = "closing"
    attested = ("costs", "amount_fen", "costs_sha256", "actor", "at")
    body: Mapped[str] = mapped_column(String(63), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    costs: Mapped[int]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    costs_sha256: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


class MeasureRow(AttestedRow):
    """Up to when machine time has been shared out among the runs that had ended."""

    __tablename__ = "share_measures"
    leaf_type = "measure"
    attested = ("until_at", "actor", "at")
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    until_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]
