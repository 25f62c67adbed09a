"""What assessments must be among themselves, and what decisions state of them (``rights`` asks).

Dates are worked out again from the rows: a result holds three years from its date, an extension
three from the end before it (促进和规范数据跨境流动规定 Art. 9).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from contracts.words import Words
from sharing.crossborder.assessments import (
    AssessmentRow,
    assessment_leaf,
    city_date,
    last_day_after,
    scope_facts,
    standing,
)
from sharing.crossborder.decide import Scope, decide
from sharing.crossborder.papers import PaperRow, paper_leaf
from sharing.crossborder.parties import PartyRow, party_leaf
from sharing.crossborder.records import ExportRow, facts_of
from sharing.crossborder.rules import rulebook_of
from sharing.crossborder.zone import ZoneListRow, list_leaf

#: The rules of the time before assessments were recorded: a decision then named any text.
_UNRECORDED: Final = "2026-1"

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from lineage.evidence.leaf import Leaf


def leaves(session: Session) -> Iterator[tuple[Leaf, datetime | None, str]]:
    """Yield the leaf that each row of the registers should have left, and its table."""
    for row in _rows(session):
        yield assessment_leaf(row), row.leaf_at, "share_assessments"
    for known in session.scalars(select(PartyRow).order_by(PartyRow.id, PartyRow.seq)):
        yield party_leaf(known), known.leaf_at, "share_parties"
    for paper in session.scalars(select(PaperRow).order_by(PaperRow.id)):
        yield paper_leaf(paper), paper.leaf_at, "share_export_papers"
    for listed in session.scalars(select(ZoneListRow).order_by(ZoneListRow.version)):
        yield list_leaf(listed), listed.leaf_at, "share_zone_lists"


def decisions(session: Session) -> Iterator[tuple[str, Words | None]]:
    """Decide each export again from its facts, under the rules of its day."""
    for row in session.scalars(select(ExportRow)):
        yield f"share_exports {row.id}", _undecided(row)


def dates(session: Session) -> Iterator[tuple[str, Words | None]]:
    """Hold every row of an assessment against its date and the row before it."""
    before: AssessmentRow | None = None
    for row in _rows(session):
        before = before if before is not None and before.id == row.id else None
        yield f"share_assessments {row.id}#{row.seq}", _wrong(row, before)
        before = row


def reliance(session: Session) -> Iterator[tuple[str, Words | None]]:
    """Hold what each decision states of its assessment against the records of that time."""
    for row in session.scalars(select(ExportRow).where(ExportRow.kind == "decided")):
        if row.rule_version == _UNRECORDED:
            continue
        found = standing(session, row.at).get(row.assessment_id or "")
        to = facts_of(row).destination
        wanted = None if to is None else Scope(row.exporter, row.table, to)
        is_own = found is not None and found.exporter == row.exporter
        # Decisions before 2026-3 kept no recipient: only whose the assessment was can be asked.
        is_own = is_own and (wanted is None or (found is not None and found.scope == wanted))
        is_over = found is not None and is_own and found.is_over(city_date(row.at))
        facts = facts_of(row)
        problem: Words | None = None
        if row.assessment_id and not is_own:
            problem = Words(
                f"{row.exporter} 那时没有安全评估 {row.assessment_id}",
                f"{row.exporter} had no security assessment {row.assessment_id} then",
            )
        elif facts.is_assessment_over != is_over:
            zh, en = ("已过期", "over") if is_over else ("未过期", "not over")
            problem = Words(f"其安全评估在那一天{zh}", f"its assessment was {en} on that day")
        elif facts.has_security_assessment != (is_own and not is_over):
            problem = Words(
                "它没有说明那一天是否有有效的安全评估",
                "it does not say whether an assessment held on that day",
            )
        yield f"share_exports {row.id}", problem


def _undecided(row: ExportRow) -> Words | None:
    """Say how a decision differs from what follows from its facts; None where it does not."""
    book = rulebook_of(row.rule_version, city_date(row.at))
    if book is None:
        return Words(
            f"规则 {row.rule_version} 那一天并未施行",
            f"the rules {row.rule_version} were not in force on that day",
        )
    facts = facts_of(row)
    again = decide(facts, book)
    counted = (again.counters.general, again.counters.sensitive)
    is_same = (again.row, again.outcome) == (row.rule_row, row.outcome)
    if is_same and counted == (row.general, row.sensitive):
        return None
    outcome = f"{again.row} ({again.outcome})"
    return Words(f"按其事实应为第 {outcome} 行", f"row {outcome} follows from its facts")


def _wrong(row: AssessmentRow, before: AssessmentRow | None) -> Words | None:
    if row.seq != (0 if before is None else before.seq + 1):
        return Words("它的一条在先记录已不在", "an earlier record of it is gone")
    if row.on_date > city_date(row.at):
        return Words(
            f"其日期 {row.on_date} 那时尚未到来", f"its date {row.on_date} was still to come"
        )
    holds_to = last_day_after(row.kind, row.on_date, before)
    if row.last_day != holds_to:
        return Words(
            f"它有效至 {holds_to}，不是 {row.last_day}",
            f"it holds to {holds_to}, not to {row.last_day}",
        )
    if before is None:
        return None
    is_same = before.dataset is None or scope_facts(before) == scope_facts(row)
    if before.exporter != row.exporter or not is_same:
        was, now = _whose(before), _whose(row)
        return Words(f"它先属于 {was}，后属于 {now}", f"it is of {was}, and then of {now}")
    is_within = before.on_date <= row.on_date <= before.last_day
    problem = Words(
        f"{row.on_date} 不在其当时的有效期内", f"{row.on_date} is not within the time it held then"
    )
    return None if is_within else problem


def _whose(row: AssessmentRow) -> str:
    return f"{row.exporter} {row.dataset or ''}".rstrip()


def _rows(session: Session) -> Sequence[AssessmentRow]:
    asked = select(AssessmentRow).order_by(AssessmentRow.id, AssessmentRow.seq)
    return session.scalars(asked).all()
