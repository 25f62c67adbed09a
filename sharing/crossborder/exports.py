"""Decisions on exports: which rule holds, at which counts, cumulative since 1 January.

Each is a row with the version of the rules, the counters and its leaf. Who goes abroad is kept as
tokens of the year; exports that are denied, exempt under rows 3–6 or not carried out count nobody.
Whoever's sensitive information goes counts as sensitive; who goes both ways counts both ways.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime  # noqa: TC003  (SQLAlchemy reads it)
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import Integer, LargeBinary, String, Text, delete, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.errors import UsageError
from contracts.model import CITY_TZ
from jobs.leaves import iso
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.control import Base
from sharing.crossborder.assessments import city_date, relied_on, standing
from sharing.crossborder.count import exported, persons
from sharing.crossborder.decide import UNCOUNTED_ROWS, Counters, Decision, Facts, decide, rules
from sharing.owed import OwingRow
from sharing.people import require
from sharing.requests.tables import next_number, sha256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.crossborder.assessments import Assessment
    from sharing.crossborder.count import Exported
    from sharing.crossborder.decide import Necessity, Outcome
    from sharing.people import Actor

_ORGANS: Final = ("bureau", "district")
#: Rows of tokens that are written at once.
_CHUNK: Final = 10_000


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
    facts: Mapped[str] = mapped_column(Text)
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


@dataclass(frozen=True)
class Circumstances:
    """What no table tells of an export: how the law sees the exporter and the occasion.

    ``assessment_id`` names a security assessment (PIPL Art. 36) that ``assessments`` has on record.
    """

    assessment_id: str | None = None
    is_foreign_collected_only: bool = False
    necessity: Necessity | None = None
    is_in_ftz: bool = False
    is_on_negative_list: bool = False
    is_ciio: bool = False


@dataclass(frozen=True)
class Export:
    """Who wants to export which table, which of its columns (none: all), and how it stands."""

    exporter: str
    table: str
    columns: tuple[str, ...] = ()
    circumstances: Circumstances = Circumstances()


@dataclass(frozen=True)
class Decided:
    """A decision as people see it; ``own`` are the persons of this export alone.

    ``assessment`` is the one it relies on, as it stands now; ``reason`` says why it was denied
    where the rule alone does not, and what to do.
    """

    id: str
    table: str
    exporter: str
    decision: Decision
    own: Counters
    origin: str
    is_carried_out: bool
    at: datetime
    assessment: Assessment | None
    reason: str


def decide_export(
    control: Control, tree: Tree, export: Export, actor: Actor, at: datetime
) -> Decided:
    """Decide whether a table may go abroad, on the persons counted in it and since 1 January.

    Raises:
        NotCountedError: Nothing of the table is published.
        UsageError: There is no such table or column, or no such assessment of the exporter's.
    """
    require(actor, "decide_crossborder", export.exporter)
    named = export.circumstances.assessment_id
    with control.read() as session:
        relied = relied_on(session, named, export.exporter, at)
    year = at.astimezone(CITY_TZ).year
    what = exported(control.home, tree, export.table, export.columns)
    tokens = persons(control.home, what, year)
    with control.write() as session:
        export_id = next_number(session, ExportRow.id, "X", at)
        # Written before they are counted: the database then tells of each person once.
        _keep(session, export_id, export.exporter, year, tokens, is_sensitive=what.is_sensitive)
        is_over = relied is not None and relied.is_over(city_date(at))
        counted = _counted(session, export.exporter, year)
        facts = _facts(tree, export, what, counted, is_over=is_over)
        decision = decide(facts)
        row = _row(export_id, export, what, facts, decision, len(tokens), actor, at)
        if relied is not None and is_over and decision.outcome == "deny":
            row.reason = _over(relied)
        if not is_counted(row):
            _forget(session, export_id)
        session.add(row)
        session.flush()
        made = _decided(row, relied, is_carried_out=True)
    settle(control)
    return made


def give_up(control: Control, export_id: str, reason: str, actor: Actor, at: datetime) -> None:
    """Note that an export was not carried out: its persons no longer count.

    Raises UsageError where there is no such export, it was given up, or no reason was given.
    """
    words = " ".join(reason.split())
    if not words:
        raise UsageError("Giving an export up needs a reason.", "Give one.")
    with control.write() as session:
        rows = session.scalars(
            select(ExportRow).where(ExportRow.id == export_id).order_by(ExportRow.seq)
        ).all()
        if len(rows) != 1:
            said = "was given up already" if rows else "is not known"
            raise UsageError(f"The export {export_id} {said}.", "See … crossborder list.")
        require(actor, "decide_crossborder", rows[0].exporter)
        _forget(session, export_id)
        kept = {c.key: getattr(rows[0], c.key) for c in ExportRow.__table__.columns}
        ended = {"seq": 1, "kind": "given_up", "reason": words, "actor": actor.name, "at": at}
        session.add(ExportRow(**kept | ended | {"leaf_at": None}))
    settle(control)


def decisions(control: Control) -> list[Decided]:
    """Return every decision there ever was, the oldest first."""
    with control.read() as session:
        rows = session.scalars(select(ExportRow).order_by(ExportRow.id, ExportRow.seq)).all()
        known = standing(session)
    ended = {row.id for row in rows if row.kind == "given_up"}
    return [
        _decided(r, known.get(r.assessment_id or ""), is_carried_out=r.id not in ended)
        for r in rows
        if r.kind == "decided"
    ]


def counted_persons(session: Session) -> dict[str, int]:
    """Return how many persons each export counts; one that counts nobody is left out."""
    rows = session.execute(
        select(ExportedPersonRow.export, func.count()).group_by(ExportedPersonRow.export)
    )
    return {export: int(n) for export, n in rows}


def is_counted(row: ExportRow) -> bool:
    """Tell whether a decision's persons count: not where it is denied, or exempt by rows 3–6."""
    return row.outcome != "deny" and row.rule_row not in UNCOUNTED_ROWS


def counters(control: Control, exporter: str, year: int) -> Counters:
    """Return an exporter's distinct persons of a year so far."""
    with control.read() as session:
        return _counted(session, exporter, year)


def settle(control: Control) -> None:
    """Write the leaves that decisions still owe."""
    owed.settle(control, ExportRow)


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
    """Return what a decision was made of, as it was kept."""
    said = json.loads(row.facts)
    return Facts(**{**said, "counters": Counters(**said["counters"])})


def _facts(
    tree: Tree, export: Export, what: Exported, counted: Counters, *, is_over: bool
) -> Facts:
    grading, how = what.contract.grading, export.circumstances
    has_persons = what.has_personal_information
    return Facts(
        grade=grading.gb43697 if grading else "general",
        level=what.level,
        is_state_organ=tree.provider(export.exporter).kind in _ORGANS,
        has_personal_information=has_persons,
        # What is without persons is judged without those of other exports.
        counters=counted if has_persons else Counters(),
        has_security_assessment=bool(how.assessment_id) and not is_over,
        is_foreign_collected_only=how.is_foreign_collected_only,
        necessity=how.necessity,
        is_in_ftz=how.is_in_ftz,
        is_on_negative_list=how.is_on_negative_list,
        is_ciio=how.is_ciio,
        is_assessment_over=is_over,
    )


def _over(relied: Assessment) -> str:
    return (
        f"安全评估 {relied.id} 的有效期已于 {relied.last_day} 届满；"
        "请重新申报评估并登记结果后再判定。"
        f" The security assessment {relied.id} ended on {relied.last_day}: have it assessed anew, "
        "record the result (… crossborder assess), and decide again."
    )


def _keep(  # noqa: PLR0913 - whom an export counts, for whom and as what
    session: Session,
    export_id: str,
    exporter: str,
    year: int,
    tokens: frozenset[bytes],
    *,
    is_sensitive: bool,
) -> None:
    same = {"export": export_id, "exporter": exporter, "year": year, "is_sensitive": is_sensitive}
    ordered: Sequence[bytes] = sorted(tokens)
    for start in range(0, len(ordered), _CHUNK):
        rows = [same | {"token": token} for token in ordered[start : start + _CHUNK]]
        session.execute(insert(ExportedPersonRow), rows)


def _forget(session: Session, export_id: str) -> None:
    session.execute(delete(ExportedPersonRow).where(ExportedPersonRow.export == export_id))


def _counted(session: Session, exporter: str, year: int) -> Counters:
    rows = session.execute(
        select(ExportedPersonRow.is_sensitive, func.count(ExportedPersonRow.token.distinct()))
        .where(ExportedPersonRow.exporter == exporter, ExportedPersonRow.year == year)
        .group_by(ExportedPersonRow.is_sensitive)
    )
    found = {bool(is_sensitive): int(n) for is_sensitive, n in rows}
    return Counters(found.get(False, 0), found.get(True, 0))


def _row(  # noqa: PLR0913, PLR0917 - a decision has these parts
    export_id: str,
    export: Export,
    what: Exported,
    facts: Facts,
    decision: Decision,
    own: int,
    actor: Actor,
    at: datetime,
) -> ExportRow:
    return ExportRow(
        id=export_id,
        seq=0,
        kind="decided",
        exporter=export.exporter,
        year=at.astimezone(CITY_TZ).year,
        table=what.table,
        version=what.version,
        origin=what.origin,
        assessment_id=export.circumstances.assessment_id,
        facts=json.dumps(asdict(facts), ensure_ascii=False, sort_keys=True),
        rule_row=decision.row,
        outcome=decision.outcome,
        rule_version=decision.rule_version,
        own_general=0 if what.is_sensitive else own,
        own_sensitive=own if what.is_sensitive else 0,
        general=decision.counters.general,
        sensitive=decision.counters.sensitive,
        reason="",
        actor=actor.name,
        at=at,
    )


def _decided(row: ExportRow, relied: Assessment | None, *, is_carried_out: bool) -> Decided:
    counted = Counters(row.general, row.sensitive)
    source = next(rule.source for rule in rules() if rule.row == row.rule_row)
    decision = Decision(
        row.rule_row, cast("Outcome", row.outcome), row.rule_version, counted, source
    )
    own = Counters(row.own_general, row.own_sensitive)
    return Decided(
        row.id,
        row.table,
        row.exporter,
        decision,
        own,
        row.origin,
        is_carried_out,
        row.at,
        relied,
        row.reason,
    )
