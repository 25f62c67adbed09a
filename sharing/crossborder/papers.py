"""Papers that the law asks of an export, on record: what each is for and how long it holds.

Each is bound to one exporter, table, recipient, country and purpose.

- ``impact_assessment``: 个人信息保护影响评估 (PIPL Art. 55, 56); its report is kept three years,
  and it is made anew where those are over.
- ``separate_consent``: 单独同意 of the persons (PIPL Art. 39).
- ``standard_contract``: 个人信息出境标准合同, filed within 10 working days of taking effect
  (个人信息出境标准合同办法 Art. 7).
- ``certificate``: 个人信息保护认证 (PIPL Art. 38(2)), until its own end.
- ``approval``: that the competent authority lets data go to a foreign judicial or law-enforcement
  body (数据安全法 Art. 36, PIPL Art. 41).
- ``outside_zone_list``: that the data is not on the free-trade zone's negative list
  (促进和规范数据跨境流动规定 Art. 6), by whoever read the list; a later list ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime  # noqa: TC003  (SQLAlchemy reads them)
from typing import TYPE_CHECKING, Final, Literal, cast

from sqlalchemy import Date, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.digest import sha256
from contracts.errors import UsageError
from contracts.moment import iso
from contracts.words import Words
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.crossborder.assessments import city_date, end_of_years
from sharing.crossborder.decide import Destination, Scope
from sharing.crossborder.parties import party
from sharing.owed import OwingRow
from sharing.people import DATA_AUTHORITY, require
from sharing.requests.tables import next_number
from sharing.workdays import CalendarMissingError, add_workdays

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.crossborder.decide import Facts
    from sharing.people import Actor

PaperKind = Literal[
    "impact_assessment",
    "separate_consent",
    "standard_contract",
    "certificate",
    "approval",
    "outside_zone_list",
]
#: What only the data authority records: whose word it is.
_OF_THE_AUTHORITY: Final = ("approval", "outside_zone_list")
#: A standard contract is filed within so many working days of taking effect.
FILE_WORKDAYS: Final = 10
_CHARACTERS: Final = 200
#: What each row's route asks for beside the route itself: (the persons' consent is the basis).
_PERSONS: Final = ("impact_assessment", "separate_consent")
_ASKED: Final = {
    1: (),
    5: ("impact_assessment",),
    6: _PERSONS,
    7: _PERSONS,
    8: _PERSONS,
    9: (*_PERSONS, "contract_or_certificate"),
    10: _PERSONS,
    14: _PERSONS,
    15: (*_PERSONS, "contract_or_certificate"),
}
_CONTRACT_OR_CERTIFICATE: Final = ("standard_contract", "certificate")


class PaperRow(OwingRow):
    """One paper as it was recorded."""

    __tablename__ = "share_export_papers"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    number: Mapped[str] = mapped_column(String(_CHARACTERS))
    exporter: Mapped[str] = mapped_column(String(63), index=True)
    dataset: Mapped[str] = mapped_column(String(255))
    recipient: Mapped[str] = mapped_column(String(_CHARACTERS))
    country: Mapped[str] = mapped_column(String(2))
    purpose: Mapped[str] = mapped_column(Text)
    on_date: Mapped[date] = mapped_column(Date)
    filed_on: Mapped[date | None] = mapped_column(Date)
    last_day: Mapped[date | None] = mapped_column(Date)
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


@dataclass(frozen=True)
class Paper:
    """A paper of a day; a standard contract is filed on one, and a certificate has its own end.

    ``on_date`` of a standard contract is the day on which it takes effect.
    """

    kind: PaperKind
    number: str
    scope: Scope
    on_date: date
    filed_on: date | None = None
    last_day: date | None = None

    @property
    def is_filed_late(self) -> bool | None:
        """Whether a standard contract was filed after its 10 working days; it stays on record.

        None where the working days of its year are not known.
        """
        if self.filed_on is None:
            return False
        try:
            return self.filed_on > add_workdays(self.on_date, FILE_WORKDAYS)
        except CalendarMissingError:
            return None

    def holds_on(self, day: date) -> bool:
        """Tell whether it holds on a day: a standard contract only once it is filed."""
        if self.kind == "standard_contract" and (self.filed_on is None or self.filed_on > day):
            return False
        return self.on_date <= day and (self.last_day is None or day <= self.last_day)


def record(control: Control, tree: Tree, paper: Paper, actor: Actor, at: datetime) -> str:
    """Keep a paper; return the id of its record, such as ``P2026-0001``.

    Raises:
        UsageError: A date or number is missing, still to come, or of another kind of paper.
        UnknownPartyError: Nobody may export by that name.
        ForbiddenError: The actor may not; some are the data authority's to record.
    """
    exporter = paper.scope.exporter
    if paper.kind in _OF_THE_AUTHORITY:
        require(actor, "keep_exporters", DATA_AUTHORITY)
    else:
        require(actor, "decide_crossborder", exporter)
    _check(paper, at)
    with control.write() as session:
        party(session, tree, exporter, at)
        paper_id = next_number(session, PaperRow.id, "P", at)
        to = paper.scope.destination
        row = PaperRow(id=paper_id, kind=paper.kind, number=paper.number.strip())
        row.exporter, row.dataset = exporter, paper.scope.dataset
        row.recipient, row.country, row.purpose = to.recipient, to.country, to.purpose
        row.on_date, row.filed_on = paper.on_date, paper.filed_on
        row.last_day = last_day_of(paper.kind, paper.on_date, paper.last_day)
        row.actor, row.at = actor.name, at
        session.add(row)
    owed.settle(control, PaperRow)
    return paper_id


def papers(control: Control) -> dict[str, Paper]:
    """Return every paper by the id of its record."""
    with control.read() as session:
        rows = session.scalars(select(PaperRow).order_by(PaperRow.id)).all()
        return {row.id: _paper(row) for row in rows}


def held(session: Session, scope: Scope, at: datetime) -> frozenset[str]:
    """Return the kinds of papers that hold for an export at a time, as recorded by then."""
    return frozenset(paper.kind for paper in _holding(session, scope, at))


def is_outside_list(session: Session, scope: Scope, issued_on: date, at: datetime) -> bool:
    """Tell whether it was said of an export that it is outside a list of a day, or a later one."""
    said = (p for p in _holding(session, scope, at) if p.kind == "outside_zone_list")
    return any(paper.on_date >= issued_on for paper in said)


def _holding(session: Session, scope: Scope, at: datetime) -> list[Paper]:
    asked = select(PaperRow).where(PaperRow.exporter == scope.exporter, PaperRow.at <= at)
    found = (_paper(row) for row in session.scalars(asked))
    return [p for p in found if p.scope == scope and p.holds_on(city_date(at))]


def lacking(facts: Facts, row: int, on_record: frozenset[str]) -> tuple[str, ...]:
    """Return what the route of a row asks for and is not on record; nothing without persons."""
    if not facts.has_personal_information:
        return ()
    wanted = [w for w in _ASKED.get(row, ()) if w not in on_record]
    if not on_record.isdisjoint(_CONTRACT_OR_CERTIFICATE):
        wanted = [w for w in wanted if w != "contract_or_certificate"]
    return tuple(wanted)


def last_day_of(kind: str, on_date: date, last_day: date | None) -> date | None:
    """Return until when a paper holds: an impact assessment for the three years it is kept."""
    return end_of_years(on_date) if kind == "impact_assessment" else last_day


@owed.owes(PaperRow)
def paper_leaf(row: PaperRow) -> Leaf:
    """Return the leaf of one paper; people's words by their digests."""
    return Leaf(
        type="crossborder",
        subject=f"paper/{row.id}",
        facts={
            "kind": row.kind,
            "number": row.number,
            "exporter": row.exporter,
            "dataset": row.dataset,
            "recipient": row.recipient,
            "country": row.country,
            "purpose_sha256": sha256(row.purpose),
            "on_date": row.on_date.isoformat(),
            "filed_on": row.filed_on.isoformat() if row.filed_on else None,
            "last_day": row.last_day.isoformat() if row.last_day else None,
            "actor": row.actor,
        },
        at=iso(row.at),
    )


def _check(paper: Paper, at: datetime) -> None:
    today = city_date(at)
    number = paper.number.strip()
    if not 0 < len(number) <= _CHARACTERS or not number.isprintable():
        raise UsageError(
            Words("文件未写明编号。", "The paper has no number."),
            Words("请填写编号。", "Give its number."),
        )
    if paper.on_date > today or (paper.filed_on or today) > today:
        raise UsageError(
            Words("文件日期尚未到。", "Its date is still to come."),
            Words("请填写文件自身的日期。", "Give its own date."),
        )
    if (paper.kind == "certificate") != (paper.last_day is not None):
        raise UsageError(
            Words(
                "认证证书须有到期日，其他文件没有。",
                "A certificate has an end, no other paper has one.",
            ),
            Words(
                "认证证书请填写 --until，其他文件请勿填写。",
                "Give a certificate its --until, and nothing else one.",
            ),
        )
    if paper.last_day is not None and paper.last_day < paper.on_date:
        raise UsageError(
            Words("到期日早于发证日。", "It ends before it begins."),
            Words("请核对两个日期。", "Look both dates up."),
        )
    if paper.filed_on is not None and (
        paper.kind != "standard_contract" or paper.filed_on < paper.on_date
    ):
        raise UsageError(
            Words(
                "只有标准合同须备案，且在生效之后。",
                "Only a standard contract is filed, once it is in effect.",
            ),
            Words("请核对备案日期 --filed。", "Look --filed up."),
        )


def _paper(row: PaperRow) -> Paper:
    to = Destination(row.recipient, row.country, row.purpose)
    scope = Scope(row.exporter, row.dataset, to)
    kind = cast("PaperKind", row.kind)
    return Paper(kind, row.number, scope, row.on_date, row.filed_on, row.last_day)
