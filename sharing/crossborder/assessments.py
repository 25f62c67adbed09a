"""Results of security assessments (数据出境安全评估): how long each holds, when to ask for more.

Source: 促进和规范数据跨境流动规定 (CAC, 2024-03-22) Art. 9: a result holds three years from its
date, and by approval three more. The years end on the day of the same date (民法典 Art. 201, 202:
the first day does not count; a month without that day ends with its last one).

A result is for one exporter, table, recipient, country and purpose. One that was recorded before
these were kept holds for none of them, until its number is recorded again with them.

The extension is to be asked for 60 working days before the end. Art. 9 says 届满前60个工作日内,
which can also be read as the last 60 working days; the day given here is right by either reading,
and no extension that was approved is refused for having been asked for on another.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import Date, Integer, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.digest import sha256
from contracts.errors import UsageError
from contracts.model import CITY_TZ
from contracts.moment import iso
from contracts.words import Words
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.crossborder.decide import Destination, Scope
from sharing.crossborder.parties import party
from sharing.crossborder.reasons import of_another, out_of_time, unknown_assessment
from sharing.owed import OwingRow
from sharing.people import require
from sharing.workdays import CalendarMissingError, subtract_workdays

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from lineage.evidence.leaf import JsonScalar
    from sharing.control import Control
    from sharing.people import Actor

Kind = Literal["result", "scoped", "asked", "extended"]
VALID_YEARS: Final = 3
ASK_WORKDAYS: Final = 60
_ID_CHARACTERS: Final = 200


class AssessmentRow(OwingRow):
    """What became of an assessment: its result first, then each asking for more and each approval.

    ``on_date`` is the day of the paper; ``last_day`` is the last on which the result then holds.
    """

    __tablename__ = "share_assessments"
    id: Mapped[str] = mapped_column(String(_ID_CHARACTERS), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))
    exporter: Mapped[str] = mapped_column(String(63), index=True)
    on_date: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    #: What it is for; None where that was not yet kept.
    dataset: Mapped[str | None] = mapped_column(String(255))
    recipient: Mapped[str | None] = mapped_column(String(200))
    country: Mapped[str | None] = mapped_column(String(2))
    purpose: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


@dataclass(frozen=True)
class Assessment:
    """An assessment as it stands: whose, of which day, extended how often, valid until when.

    ``scope`` is what it is for; None where that was not yet kept. ``is_asked`` says that an
    extension was asked for, and none was approved since.
    ``ask_by`` is the 60th working day before its end, the last on which to ask for an extension; it
    is None where the calendar of a year before the end is missing, which ``problem`` says.
    """

    id: str
    exporter: str
    issued_on: date
    extensions: int
    is_asked: bool
    last_day: date
    ask_by: date | None
    problem: Words | None = None
    scope: Scope | None = None

    def is_over(self, day: date) -> bool:
        """Tell whether it holds no more on a day."""
        return day > self.last_day


def end_of_years(day: date, years: int = VALID_YEARS) -> date:
    """Return the last day of a time of whole years that begins on ``day``."""
    year = day.year + years
    return date(year, day.month, min(day.day, calendar.monthrange(year, day.month)[1]))


def record(
    control: Control,
    tree: Tree,
    scope: Scope,
    assessment_id: str,
    issued_on: date,
    actor: Actor,
    at: datetime,
) -> Assessment:
    """Keep the result of an assessment, under the number that its authority gave it.

    A number that was recorded without what it is for is recorded again with it, once.

    Raises:
        UsageError: Its date is to come, it has no number, or the number is recorded already.
        UnknownPartyError: Nobody may export by that name.
    """
    require(actor, "decide_crossborder", scope.exporter)
    named = _number(assessment_id)
    _require_past(issued_on, at)
    with control.write() as session:
        party(session, tree, scope.exporter, at)
        rows = _rows(session, named)
        same = (scope.exporter, issued_on) == ((rows[0].exporter, rows[0].on_date) if rows else ())
        if rows and not (same and rows[-1].dataset is None):
            raise UsageError(
                Words(
                    f"安全评估 {named} 已经登记。",
                    f"The security assessment {named} is recorded already.",
                ),
                Words(
                    "请查看 … crossborder assessments；获准延期的，用 … extend 登记。",
                    "See … crossborder assessments; record an approved extension with … extend.",
                ),
            )
        before = rows[-1] if rows else None
        kind: Kind = "result" if before is None else "scoped"
        row = AssessmentRow(id=named, seq=len(rows), kind=kind, exporter=scope.exporter)
        row.on_date = issued_on if before is None else before.on_date
        row.last_day = last_day_after(kind, issued_on, before)
        to = scope.destination
        row.dataset, row.recipient = scope.dataset, to.recipient
        row.country, row.purpose = to.country, to.purpose
        row.actor, row.at = actor.name, at
        session.add(row)
    owed.settle(control, AssessmentRow)
    return _the_one(control, named)


def ask(
    control: Control, assessment_id: str, asked_on: date, actor: Actor, at: datetime
) -> Assessment:
    """Keep that an extension was asked for: it is owed no more; raises as ``extend`` does."""
    return _follow(control, assessment_id, "asked", asked_on, actor, at)


def extend(
    control: Control, assessment_id: str, approved_on: date, actor: Actor, at: datetime
) -> Assessment:
    """Keep the approval of three more years, which begin where the ones before end (Art. 9).

    Raises:
        UsageError: There is no such assessment, the date is before the one before it, to come, or
            after the end: what is over is assessed anew.
    """
    return _follow(control, assessment_id, "extended", approved_on, actor, at)


def _follow(
    control: Control, assessment_id: str, kind: Kind, day: date, actor: Actor, at: datetime
) -> Assessment:
    _require_past(day, at)
    with control.write() as session:
        rows = _rows(session, assessment_id)
        if not rows:
            raise unknown_assessment(assessment_id)
        last = rows[-1]
        require(actor, "decide_crossborder", last.exporter)
        if not last.on_date <= day <= last.last_day:
            raise out_of_time(day, last)
        more = AssessmentRow(id=last.id, seq=last.seq + 1, kind=kind, exporter=last.exporter)
        more.on_date, more.last_day = day, last_day_after(kind, day, last)
        more.dataset, more.recipient = last.dataset, last.recipient
        more.country, more.purpose = last.country, last.purpose
        more.actor, more.at = actor.name, at
        session.add(more)
    owed.settle(control, AssessmentRow)
    return _the_one(control, assessment_id)


def last_day_after(kind: str, day: date, before: AssessmentRow | None) -> date:
    """Return until when an assessment holds after a row of this kind and day."""
    if before is None:
        return end_of_years(day)
    return end_of_years(before.last_day) if kind == "extended" else before.last_day


def assessments(control: Control, at: datetime | None = None) -> dict[str, Assessment]:
    """Return every assessment by its number, as it was recorded at a time; now where none is."""
    with control.read() as session:
        return standing(session, at)


def standing(session: Session, at: datetime | None = None) -> dict[str, Assessment]:
    """Return the same in a transaction of the caller's."""
    asked = select(AssessmentRow).order_by(AssessmentRow.id, AssessmentRow.seq)
    found: dict[str, list[AssessmentRow]] = {}
    for row in session.scalars(asked if at is None else asked.where(AssessmentRow.at <= at)):
        found.setdefault(row.id, []).append(row)
    return {name: _assessment(rows) for name, rows in found.items()}


def relied_on(
    session: Session, assessment_id: str | None, scope: Scope, at: datetime
) -> Assessment | None:
    """Return the assessment that an export names, as recorded by then; None where it names none.

    Raises:
        UsageError: There is no such assessment, or it is of another export.
    """
    if not assessment_id:
        return None
    found = standing(session, at).get(assessment_id)
    if found is None:
        raise unknown_assessment(assessment_id)
    if found.exporter != scope.exporter:
        raise of_another(assessment_id, found.exporter, scope.exporter)
    if found.scope is None:
        raise UsageError(
            Words(
                f"安全评估 {assessment_id} 登记时未写明数据、接收方、国家与目的，"
                "不能用于任何出境。",
                f"The security assessment {assessment_id} was recorded without its table,"
                " recipient, country and purpose: it holds for no export.",
            ),
            Words(
                "请按评估结果补登：… crossborder assess。",
                "Record it again with them, as its result names them: … crossborder assess.",
            ),
        )
    if found.scope != scope:
        of, wanted = _named(found.scope), _named(scope)
        raise UsageError(
            Words(
                f"安全评估 {assessment_id} 不含此次出境：评估的是 {of}，此次为 {wanted}。",
                f"The security assessment {assessment_id} is of {of}, not of {wanted}.",
            ),
            Words(
                "请对此次出境另行申报；全部评估见 … crossborder assessments。",
                "Have this export assessed: … crossborder assessments lists all.",
            ),
        )
    return found


@owed.owes(AssessmentRow)
def assessment_leaf(row: AssessmentRow) -> Leaf:
    """Return the leaf of one row: what it is, whose, of which day, valid until when."""
    return Leaf(
        type="crossborder",
        subject=f"assessment/{row.id}#{row.seq}",
        facts={
            "kind": row.kind,
            "exporter": row.exporter,
            "on_date": row.on_date.isoformat(),
            "last_day": row.last_day.isoformat(),
            "actor": row.actor,
            **scope_facts(row),
        },
        at=iso(row.at),
    )


def city_date(at: datetime) -> date:
    """Return the city's day of a time."""
    return at.astimezone(CITY_TZ).date()


def scope_facts(row: AssessmentRow) -> dict[str, JsonScalar]:
    """Return what a leaf says of what a result is for: nothing where that was not kept."""
    if row.dataset is None:
        return {}
    return {
        "dataset": row.dataset,
        "recipient": row.recipient,
        "country": row.country,
        "purpose_sha256": sha256(row.purpose or ""),
    }


def _number(written: str) -> str:
    """Return a number without needless space; UsageError where it is none."""
    named = " ".join(written.split())
    if not 0 < len(named) <= _ID_CHARACTERS or not named.isprintable():
        raise UsageError(
            Words(
                f"安全评估的编号须为 1 至 {_ID_CHARACTERS} 个字符。",
                f"A security assessment has a number of 1 to {_ID_CHARACTERS} characters.",
            ),
            Words("请填写评估结果的编号。", "Give the number of its result."),
        )
    return named


def _named(scope: Scope) -> str:
    to = scope.destination
    return f"{scope.dataset} → {to.recipient} ({to.country}), {to.purpose}"


def _require_past(day: date, at: datetime) -> None:
    if day > city_date(at):
        raise UsageError(
            Words(f"日期 {day} 尚未到。", f"{day} is still to come."),
            Words("请填写书面决定的日期。", "Give the date of the written decision."),
        )


def _rows(session: Session, assessment_id: str) -> Sequence[AssessmentRow]:
    asked = select(AssessmentRow).where(AssessmentRow.id == assessment_id)
    return session.scalars(asked.order_by(AssessmentRow.seq)).all()


def _the_one(control: Control, assessment_id: str) -> Assessment:
    return assessments(control)[assessment_id]


def _assessment(rows: Sequence[AssessmentRow]) -> Assessment:
    first, last = rows[0], rows[-1]
    ask_by, problem = None, None
    try:
        ask_by = subtract_workdays(last.last_day, ASK_WORKDAYS)
    except CalendarMissingError as missing:
        problem = missing.words
    return Assessment(
        id=first.id,
        exporter=first.exporter,
        issued_on=first.on_date,
        extensions=sum(row.kind == "extended" for row in rows),
        is_asked=last.kind == "asked",
        last_day=last.last_day,
        ask_by=ask_by,
        problem=problem,
        scope=_scope(last),
    )


def _scope(row: AssessmentRow) -> Scope | None:
    if row.dataset is None or row.recipient is None or row.country is None or row.purpose is None:
        return None
    to = Destination(row.recipient, row.country, row.purpose)
    return Scope(row.exporter, row.dataset, to)
