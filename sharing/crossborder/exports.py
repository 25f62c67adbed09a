"""Decisions on exports: which rule holds, at which counts, cumulative since 1 January.

Each is a row with the version of the rules, the counters and its leaf. Who goes abroad is kept as
tokens of the year; exports that are denied, exempt under rows 3–6 or not carried out count nobody.
Whoever's sensitive information goes counts as sensitive; who goes both ways counts both ways.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, cast

from sqlalchemy import select

from contracts.errors import UsageError
from contracts.model import CITY_TZ
from contracts.words import Words
from sharing import owed
from sharing.crossborder.assessments import city_date, relied_on, standing
from sharing.crossborder.count import exported, persons
from sharing.crossborder.decide import (
    Counters,
    Decision,
    Destination,
    Facts,
    Scope,
    decide,
    is_counted,
    may_go,
)
from sharing.crossborder.papers import held, is_outside_list, lacking
from sharing.crossborder.parties import party
from sharing.crossborder.reasons import reason_of
from sharing.crossborder.records import (
    ExportRow,
    counted_persons_of,
    facts_of,
    forget,
    keep,
)
from sharing.crossborder.rules import rulebook_on, rulebooks
from sharing.crossborder.title import holders, is_held_by_organ, title
from sharing.crossborder.zone import list_on
from sharing.people import require
from sharing.requests.tables import next_number

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.crossborder.assessments import Assessment
    from sharing.crossborder.count import Exported
    from sharing.crossborder.decide import Necessity
    from sharing.crossborder.parties import Party
    from sharing.crossborder.rules import Outcome
    from sharing.crossborder.title import Title
    from sharing.crossborder.zone import ZoneList
    from sharing.people import Actor


@dataclass(frozen=True)
class Circumstances:
    """What no table tells of an export: how the law sees the occasion.

    ``assessment_id`` names a security assessment (PIPL Art. 36) that ``assessments`` has on record.
    ``because`` says why the export is necessary, where ``necessity`` says that it is. ``is_ciio``
    and ``is_on_negative_list`` can only add to what the registers say.
    """

    assessment_id: str | None = None
    is_foreign_collected_only: bool = False
    necessity: Necessity | None = None
    because: str = ""
    is_in_ftz: bool = False
    is_on_negative_list: bool = False
    is_ciio: bool = False
    is_for_foreign_authority: bool = False


@dataclass(frozen=True)
class Export:
    """Who wants to export which table to whom, which of its columns (none: all), and how."""

    exporter: str
    table: str
    destination: Destination
    columns: tuple[str, ...] = ()
    circumstances: Circumstances = Circumstances()

    @property
    def scope(self) -> Scope:
        """What a paper must be about to be of this export."""
        return Scope(self.exporter, self.table, self.destination)


@dataclass(frozen=True)
class Decided:
    """A decision as people see it; ``own`` are the persons of this export alone.

    ``assessment`` is the one it relies on, as it stands now; ``reason`` says why it may not go
    where the rule alone does not, and what to do: as it is stored, for ``Words.read``. ``facts``
    are what it was decided on.
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
    facts: Facts

    @property
    def may_go(self) -> bool:
        """Whether the export may begin: its route is complete and no paper lacks."""
        return self.is_carried_out and may_go(self.facts, self.decision)


@dataclass(frozen=True)
class _Found:
    """What the registers say of an export at its time."""

    party: Party
    relied: Assessment | None
    title: Title | None
    holders: tuple[str, ...]
    papers: frozenset[str]
    zone: ZoneList | None
    is_outside_list: bool


def decide_export(
    control: Control, tree: Tree, export: Export, actor: Actor, at: datetime
) -> Decided:
    """Decide whether a table may go abroad, on the persons counted in it and since 1 January.

    Raises:
        UnknownPartyError: Nobody may export by that name.
        NotCountedError: Nothing of the table is published.
        UsageError: There is no such table or column, no such assessment of this export, a
            necessity has no reason or no columns, or the exporter is not in the zone.
    """
    require(actor, "decide_crossborder", export.exporter)
    _check(export)
    with control.read() as session:
        exporter = party(session, tree, export.exporter, at)
        relied = relied_on(session, export.circumstances.assessment_id, export.scope, at)
    year = at.astimezone(CITY_TZ).year
    what = exported(control.home, tree, export.table, export.columns)
    tokens = persons(control.home, what, year)
    with control.write() as session:
        found = _found(session, tree, export, what, exporter, relied, at)
        export_id = next_number(session, ExportRow.id, "X", at)
        # Written before they are counted: the database then tells of each person once.
        keep(session, export_id, export.exporter, year, tokens, is_sensitive=what.is_sensitive)
        counted = counted_persons_of(session, export.exporter, year)
        facts = _facts(tree, export, what, counted, found, city_date(at))
        decision = decide(facts, rulebook_on(city_date(at)))
        facts = replace(facts, lacking=lacking(facts, decision.row, found.papers))
        row = _row(export_id, export, what, facts, decision, len(tokens), at)
        reason = reason_of(export.scope, facts, decision, relied)
        row.actor, row.reason = actor.name, "" if reason is None else reason.stored()
        if not is_counted(row.outcome, row.rule_row):
            forget(session, export_id)
        session.add(row)
        session.flush()
        made = _decided(row, relied, is_carried_out=True)
    owed.settle(control, ExportRow)
    return made


def give_up(control: Control, export_id: str, reason: str, actor: Actor, at: datetime) -> None:
    """Note that an export was not carried out: its persons no longer count.

    Raises UsageError where there is no such export, it was given up, or no reason was given.
    """
    words = " ".join(reason.split())
    if not words:
        raise UsageError(
            Words("未实施须写明理由。", "Giving an export up needs a reason."),
            Words("请填写理由。", "Give one."),
        )
    with control.write() as session:
        rows = session.scalars(
            select(ExportRow).where(ExportRow.id == export_id).order_by(ExportRow.seq)
        ).all()
        if len(rows) != 1:
            raise _not_open(export_id, is_known=bool(rows))
        require(actor, "decide_crossborder", rows[0].exporter)
        forget(session, export_id)
        kept = {c.key: getattr(rows[0], c.key) for c in ExportRow.__table__.columns}
        ended = {"seq": 1, "kind": "given_up", "reason": words, "actor": actor.name, "at": at}
        session.add(ExportRow(**kept | ended | {"leaf_at": None}))
    owed.settle(control, ExportRow)


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


def counters(control: Control, exporter: str, year: int) -> Counters:
    """Return an exporter's distinct persons of a year so far."""
    with control.read() as session:
        return counted_persons_of(session, exporter, year)


def _check(export: Export) -> None:
    how = export.circumstances
    if how.necessity and not (" ".join(how.because.split()) and export.columns):
        raise UsageError(
            Words(
                "必要情形须写明理由，且只出境必要的列。",
                "A necessity needs its reason, and names the columns that are necessary.",
            ),
            Words(
                "请用 --because 写明理由，每列各用一个 --column。",
                "Give --because and one --column for each.",
            ),
        )


def _not_open(export_id: str, *, is_known: bool) -> UsageError:
    problem = (
        Words(f"出境 {export_id} 已登记为未实施。", f"The export {export_id} was given up already.")
        if is_known
        else Words(f"没有出境 {export_id}。", f"The export {export_id} is not known.")
    )
    return UsageError(problem, Words("请查看 … crossborder list。", "See … crossborder list."))


def _found(
    session: Session,
    tree: Tree,
    export: Export,
    what: Exported,
    exporter: Party,
    relied: Assessment | None,
    at: datetime,
) -> _Found:
    if export.circumstances.is_in_ftz and not exporter.is_in_ftz:
        raise UsageError(
            Words(
                f"{exporter.id} 未登记为自贸区企业。",
                f"{exporter.id} is not registered in the zone.",
            ),
            Words(
                "请由数据主管部门登记：… crossborder party --ftz。",
                "Have the data authority register it: … crossborder party --ftz.",
            ),
        )
    zone = list_on(session, at)
    return _Found(
        exporter,
        relied,
        title(session, tree, exporter.id, what, export.destination.purpose, at),
        holders(tree, what.table),
        held(session, export.scope, at),
        zone,
        zone is not None and is_outside_list(session, export.scope, zone.issued_on, at),
    )


def _facts(
    tree: Tree, export: Export, what: Exported, counted: Counters, found: _Found, day: date
) -> Facts:
    grading, how = what.contract.grading, export.circumstances
    has_persons = what.has_personal_information
    is_over = found.relied is not None and found.relied.is_over(day)
    listed = found.zone if how.is_in_ftz else None
    asks = listed.asks(what, counted.general + counted.sensitive) if listed else None
    is_said = found.is_outside_list and not how.is_on_negative_list
    return Facts(
        grade=grading.gb43697 if grading else "general",
        level=what.level,
        is_state_organ=found.party.is_organ,
        has_personal_information=has_persons,
        # What is without persons is judged without those of other exports.
        counters=counted if has_persons else Counters(),
        has_security_assessment=found.relied is not None and not is_over,
        is_foreign_collected_only=how.is_foreign_collected_only,
        necessity=how.necessity,
        is_in_ftz=how.is_in_ftz,
        is_on_negative_list=how.is_on_negative_list,
        is_ciio=how.is_ciio or found.party.is_ciio,
        is_assessment_over=is_over,
        is_held_by_organ=is_held_by_organ(tree, found.holders),
        has_title=found.title is not None,
        is_for_foreign_authority=how.is_for_foreign_authority,
        has_approval="approval" in found.papers,
        zone_list=listed.version if listed else None,
        zone_route=asks.route if asks else None,
        is_zone_open=asks is not None and not asks.is_clear and not is_said,
        holders=found.holders,
        title=str(found.title or ""),
        because=" ".join(how.because.split()),
        destination=export.destination,
    )


def _row(
    export_id: str,
    export: Export,
    what: Exported,
    facts: Facts,
    decision: Decision,
    own: int,
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
        at=at,
    )


def _decided(row: ExportRow, relied: Assessment | None, *, is_carried_out: bool) -> Decided:
    decision = Decision(
        row.rule_row,
        cast("Outcome", row.outcome),
        row.rule_version,
        Counters(row.general, row.sensitive),
        _source(row),
    )
    return Decided(
        row.id,
        row.table,
        row.exporter,
        decision,
        Counters(row.own_general, row.own_sensitive),
        row.origin,
        is_carried_out,
        row.at,
        relied,
        row.reason,
        facts_of(row),
    )


def _source(row: ExportRow) -> str:
    """Return where a decision's rule is written; empty for a version that is not known here."""
    rules = (
        rule for book in rulebooks() if book.version == row.rule_version for rule in book.rules
    )
    return next((rule.source for rule in rules if rule.row == row.rule_row), "")
