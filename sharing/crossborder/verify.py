"""What assessments must be among themselves, and what decisions said of them (rights.verify asks).

Dates are worked out again from the rows: a result holds three years from its date, an extension
three from the end before it (促进和规范数据跨境流动规定 Art. 9).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from sharing.crossborder.assessments import (
    AssessmentRow,
    assessment_leaf,
    city_date,
    last_day_after,
    standing,
)
from sharing.crossborder.decide import rules
from sharing.crossborder.exports import ExportRow, facts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from lineage.evidence.leaf import Leaf


def leaves(session: Session) -> Iterator[tuple[Leaf, datetime | None, str]]:
    """Yield the leaf that each assessment should have left, whether it has, and its table."""
    for row in _rows(session):
        yield assessment_leaf(row), row.leaf_at, "share_assessments"


def dates(session: Session) -> Iterator[tuple[str, str | None]]:
    """Hold every row of an assessment against its date and the row before it."""
    before: AssessmentRow | None = None
    for row in _rows(session):
        before = before if before is not None and before.id == row.id else None
        yield f"share_assessments {row.id}#{row.seq}", _wrong(row, before)
        before = row


def reliance(session: Session) -> Iterator[tuple[str, str | None]]:
    """Hold what each decision said of its assessment against the records of that time."""
    version = rules()[0].version
    for row in session.scalars(select(ExportRow).where(ExportRow.kind == "decided")):
        if row.rule_version != version:
            continue
        found = standing(session, row.at).get(row.assessment_id or "")
        is_own = found is not None and found.exporter == row.exporter
        is_over = found is not None and is_own and found.is_over(city_date(row.at))
        facts, problem = facts_of(row), None
        if row.assessment_id and not is_own:
            problem = f"{row.exporter} had no security assessment {row.assessment_id} then"
        elif facts.is_assessment_over != is_over:
            problem = f"its assessment was {'over' if is_over else 'not over'} on that day"
        elif facts.has_security_assessment != (is_own and not is_over):
            problem = "it does not say whether an assessment held on that day"
        yield f"share_exports {row.id}", problem


def _wrong(row: AssessmentRow, before: AssessmentRow | None) -> str | None:
    if row.seq != (0 if before is None else before.seq + 1):
        return "an earlier record of it is gone"
    if row.on_date > city_date(row.at):
        return f"its date {row.on_date} was still to come"
    holds_to = last_day_after(row.kind, row.on_date, before)
    if row.last_day != holds_to:
        return f"it holds to {holds_to}, not to {row.last_day}"
    if before is None:
        return None
    if before.exporter != row.exporter:
        return f"it is of {before.exporter}, and then of {row.exporter}"
    is_within = before.on_date <= row.on_date <= before.last_day
    return None if is_within else f"{row.on_date} is not within the time it held then"


def _rows(session: Session) -> Sequence[AssessmentRow]:
    asked = select(AssessmentRow).order_by(AssessmentRow.id, AssessmentRow.seq)
    return session.scalars(asked).all()
