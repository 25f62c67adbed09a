"""The register of the catalogue (目录登记): every step of an entry, and the rulings on items.

Rows are only ever added, and each owes one leaf. An entry is assessed, submitted, reviewed; a
change begins the same way again (Decree 809, Art. 13, 16, 17). A ruling says which body leads an
item that several collect, or that they differ (Art. 19); the newest of an item counts, and stands
before ``rulings.csv``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime  # noqa: TC003  (SQLAlchemy reads it)
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import Integer, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.digest import sha256
from contracts.errors import JingshuError, UsageError
from contracts.moment import iso
from contracts.words import Words
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.catalogue.entries import LakeFacts, missing
from sharing.catalogue.lead import Ruling, items, rulings
from sharing.catalogue.steps import TRANSITIONS
from sharing.control import Control, has_control
from sharing.owed import OwingRow
from sharing.people import DATA_AUTHORITY, require
from sharing.readable import read_by, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from contracts.layout import Home
    from contracts.tree import Tree
    from sharing.catalogue.entries import Entry
    from sharing.catalogue.steps import Action, State, Transition
    from sharing.people import Actor

#: The article that a ruling rests on.
ART_19: Final = "政务数据共享条例 第十九条"


class RegisterStateError(JingshuError, RuntimeError):
    """A step that an entry's state, or what was done before, does not allow."""


class EntryStepRow(OwingRow):
    """One step of an entry; ``said`` is people's words and stays out of the log."""

    __tablename__ = "share_catalogue_steps"
    code: Mapped[str] = mapped_column(String(16), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    action: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    provider: Mapped[str] = mapped_column(String(63))
    contract_version: Mapped[str] = mapped_column(String(32))
    entry_sha256: Mapped[str] = mapped_column(String(64))
    said: Mapped[str] = read_by(words)
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


class RulingRow(OwingRow):
    """One ruling of the authority on an item; ``body`` is empty where the bodies' data differ."""

    __tablename__ = "share_catalogue_rulings"
    item: Mapped[str] = mapped_column(String(255), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    ruling: Mapped[str] = mapped_column(String(16))
    body: Mapped[str] = mapped_column(String(63))
    legal_basis: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


@dataclass(frozen=True)
class Step:
    """One step as it was taken: what, when (UTC), by whom, of which wording, with which words."""

    seq: int
    action: Action
    state: State
    contract_version: str
    entry_sha256: str
    statements: Mapping[str, str]
    actor: str
    at: datetime


@dataclass(frozen=True)
class History:
    """Every step of one entry, oldest first; none: it is not registered."""

    steps: tuple[Step, ...] = ()

    @property
    def state(self) -> State:
        """Where the entry stands."""
        return self.steps[-1].state if self.steps else "unregistered"

    def last(self, *actions: Action) -> Step | None:
        """Return the newest step that is one of these actions."""
        return next((s for s in reversed(self.steps) if s.action in actions), None)

    def is_behind(self, entry: Entry) -> bool:
        """Tell whether an entry that was catalogued reads otherwise now."""
        approved = self.last("approve")
        return approved is not None and approved.entry_sha256 != digest(entry)


def take(
    control: Control,
    entry: Entry,
    action: Action,
    statements: Mapping[str, str],
    actor: Actor,
    at: datetime,
) -> State:
    """Take one step of an entry; return the state it comes to.

    ``statements`` has the transition's words: ``signed_by``, ``reason``; and ``pia_id`` with an
    assessment of personal information.

    Raises:
        ForbiddenError: The actor may not.
        RegisterStateError: The entry's state does not allow it, or it was changed meanwhile.
        UsageError: Words or mandatory fields lack, or contradict the contract.
    """
    transition = TRANSITIONS[action]
    require(actor, transition.permission, entry.provider)
    if entry.class_codes is None:
        raise UsageError(
            Words(f"{entry.contract} 的目录条目还没有编码。", f"{entry.contract} has no code yet."),
            Words("请写 catalogue.code：3NNNNN/NNNNNN。", "Write catalogue.code: 3NNNNN/NNNNNN."),
        )
    given = {name: " ".join(text.split()) for name, text in statements.items() if text.strip()}
    _check_words(entry, transition, given)
    with control.write() as session:
        history = read_histories(session, entry.code).get(entry.code, History())
        _check_turn(entry, transition, history)
        state = transition.to or history.state
        session.add(
            EntryStepRow(
                code=entry.code,
                seq=len(history.steps),
                action=action,
                state=state,
                provider=entry.provider,
                contract_version=entry.contract_version,
                entry_sha256=digest(entry),
                said=json.dumps(given, ensure_ascii=False, sort_keys=True),
                actor=actor.name,
                at=at,
            )
        )
    owed.settle(control, EntryStepRow, RulingRow)
    return state


def rule(control: Control, tree: Tree, ruling: Ruling, actor: Actor, at: datetime) -> None:
    """Keep the authority's ruling on an item that several bodies collect (数源部门).

    Raises:
        ForbiddenError: The actor is not of the authority.
        UsageError: Fewer than two bodies collect it, the lead does not, or no reason was given.
    """
    require(actor, "review_catalogue", DATA_AUTHORITY)
    reason = " ".join(ruling.reason.split())
    _check_ruling(tree, ruling, reason)
    with control.write() as session:
        earlier = session.scalars(select(RulingRow.seq).where(RulingRow.item == ruling.item)).all()
        words = asdict(ruling) | {"reason": reason}
        session.add(RulingRow(**words, seq=len(earlier), actor=actor.name, at=at))
    owed.settle(control, EntryStepRow, RulingRow)


def read_histories(session: Session, code: str | None = None) -> Mapping[str, History]:
    """Return the history of each registered entry, or of one, by code."""
    chosen = select(EntryStepRow).order_by(EntryStepRow.code, EntryStepRow.seq)
    if code is not None:
        chosen = chosen.where(EntryStepRow.code == code)
    found: dict[str, list[Step]] = {}
    for row in session.scalars(chosen):
        found.setdefault(row.code, []).append(_step(row))
    return {of: History(tuple(steps)) for of, steps in found.items()}


def histories(home: Home) -> Mapping[str, History]:
    """Return every entry's history; none where no database is kept yet, which it does not make."""
    if not has_control(home):
        return {}
    with Control(home) as control, control.read() as session:
        return read_histories(session)


def all_rulings(home: Home) -> Mapping[str, Ruling]:
    """Return the rulings by item: those of ``rulings.csv``, then the authority's, newest last."""
    if not has_control(home):
        return rulings()
    with Control(home) as control, control.read() as session:
        rows = session.scalars(select(RulingRow).order_by(RulingRow.item, RulingRow.seq)).all()
    return {**rulings(), **{row.item: _ruling(row) for row in rows}}


@owed.owes(EntryStepRow)
def step_leaf(row: EntryStepRow) -> Leaf:
    """Return the leaf of one step; people's words by their digest."""
    return Leaf(
        type="catalogue",
        subject=f"{row.code}#{row.seq}",
        facts={
            "action": row.action,
            "state": row.state,
            "provider": row.provider,
            "contract_version": row.contract_version,
            "entry_sha256": row.entry_sha256,
            "said_sha256": sha256(row.said),
            "actor": row.actor,
        },
        at=iso(row.at),
    )


@owed.owes(RulingRow)
def ruling_leaf(row: RulingRow) -> Leaf:
    """Return the leaf of one ruling; its reason by its digest."""
    return Leaf(
        type="catalogue",
        subject=f"ruling/{row.item}#{row.seq}",
        facts={
            "ruling": row.ruling,
            "body": row.body,
            "legal_basis": row.legal_basis,
            "reason_sha256": sha256(row.reason),
            "actor": row.actor,
        },
        at=iso(row.at),
    )


def digest(entry: Entry) -> str:
    """Return the SHA-256 of what an entry states; what lies in the lake is no part of it."""
    stated = asdict(replace(entry, lake=LakeFacts()))
    return sha256(json.dumps(stated, ensure_ascii=False, sort_keys=True))


def _check_words(entry: Entry, transition: Transition, words: Mapping[str, str]) -> None:
    for name in transition.needs:
        if name not in words:
            raise UsageError(
                Words(
                    f"办 {transition.action} 须写明 {name}。",
                    f"To {transition.action} says its {name}.",
                ),
                Words(f"请填写 {name}。", f"Give the {name}."),
            )
    if transition.action in ("clear", "withhold"):
        _check_assessment(entry, words)
    if transition.action == "submit" and (lacking := [f.field for f in missing(entry)]):
        fields = ", ".join(lacking)
        raise UsageError(
            Words(
                f"{entry.code} 的必填项不全（第十三条）：{fields}。",
                f"{entry.code} does not state: {fields} (Art. 13).",
            ),
            Words(
                "请补全其契约；见 ./jingshu share catalogue check。",
                "Complete its contract; see ./jingshu share catalogue check.",
            ),
        )


def _check_assessment(entry: Entry, words: Mapping[str, str]) -> None:
    """Hold an assessment against what the contract says of it: who signs, and the PIA."""
    signed_by = words["signed_by"]
    if signed_by != entry.signed_by:
        raise UsageError(
            Words(
                f"签字人 {signed_by} 不是 {entry.provider} 的负责人（第十三条）。",
                f"{signed_by} is not the head who signs for {entry.provider} (Art. 13).",
            ),
            _named_head(entry),
        )
    stated = entry.pia_id if entry.pi_flag else ""
    if words.get("pia_id", "") != stated:
        raise UsageError(
            Words(
                f"{entry.code} 在契约中的影响评估编号是 {stated or '无'}，与所填不符（第十三条）。",
                f"{entry.code} has the PIA id {stated or 'none'} in its contract (Art. 13).",
            ),
            Words(
                "请用契约中的编号，或改 grading.pia_id。",
                "Give that one, or correct grading.pia_id.",
            ),
        )


def _named_head(entry: Entry) -> Words:
    """Say who signs by the contract, or that it names nobody."""
    if not entry.signed_by:
        return Words(
            "契约未载负责人：请在 team.members 中写明。",
            "Its contract names nobody: name one in team.members.",
        )
    return Words(f"契约所载负责人：{entry.signed_by}。", f"Its contract names {entry.signed_by}.")


def _check_turn(entry: Entry, transition: Transition, history: History) -> None:
    if history.state not in transition.sources:
        sources = ", ".join(transition.sources)
        raise RegisterStateError(
            Words(
                f"{entry.code} 现在的状态是 {history.state}，不能办 {transition.action}。",
                f"{entry.code} is {history.state}: it cannot {transition.action}.",
            ),
            Words(f"可办的状态：{sources}。", f"That is for: {sources}."),
        )
    # Not the newest step of all: more time may have been given since, which reads nothing.
    before = history.last("clear", "submit") if transition.is_of_same else None
    if before is not None and before.entry_sha256 != digest(entry):
        raise RegisterStateError(
            Words(
                f"{entry.code} 的内容在成为 {history.state} 之后已变。",
                f"{entry.code} reads otherwise than when it came to be {history.state}.",
            ),
            Words(
                "请按现在的内容重新评估、报送；已报送的先退回。",
                "Assess and submit it as it is now; what was submitted is returned first.",
            ),
        )
    if transition.action == "extend":
        _check_extension(entry, history)


def _check_extension(entry: Entry, history: History) -> None:
    newest = history.last("change", "approve", "extend")
    if newest is None or newest.action == "approve":
        raise RegisterStateError(
            Words(f"{entry.code} 没有到期的变更。", f"{entry.code} has no change that is due."),
            Words("不必延期：首次登记没有时限。", "A first registration has no limit."),
        )
    if newest.action == "extend":
        raise RegisterStateError(
            Words(f"{entry.code} 已延期一次。", f"{entry.code} was given more time already."),
            Words("每次变更只能延期一次（第十七条）。", "Art. 17 allows it once a change."),
        )


def _check_ruling(tree: Tree, ruling: Ruling, reason: str) -> None:
    bodies = sorted({use.body for use in items(tree).get(ruling.item, ())})
    known = ", ".join(bodies)
    if len(bodies) < 2:  # noqa: PLR2004 - it takes two to repeat
        raise UsageError(
            Words(
                f"采集 {ruling.item} 的部门是 {known or '无'}：不是重复采集，无需裁定。",
                f"{ruling.item} is collected by {known or 'nobody'}: no ruling is owed.",
            ),
            Words(
                "请查看重复采集：./jingshu share catalogue check。",
                "See what is repeated: ./jingshu share catalogue check.",
            ),
        )
    is_lead = ruling.ruling == "lead"
    if is_lead != bool(ruling.body) or (is_lead and ruling.body not in bodies):
        raise UsageError(
            Words(
                f"{ruling.item} 不能定 {ruling.body or '无'} 为数源部门。",
                f"{ruling.body or 'Nobody'} cannot lead {ruling.item}.",
            ),
            Words(f"采集该项的部门：{known}。", f"Those who collect it: {known}."),
        )
    if not reason or not ruling.legal_basis.strip():
        raise UsageError(
            Words("裁定须写理由和依据。", "A ruling gives its reason and legal basis."),
            Words("请填写。", "Say why."),
        )


def _step(row: EntryStepRow) -> Step:
    return Step(
        row.seq,
        cast("Action", row.action),
        cast("State", row.state),
        row.contract_version,
        row.entry_sha256,
        words(row.said),
        row.actor,
        row.at,
    )


def _ruling(row: RulingRow) -> Ruling:
    words = (row.item, row.ruling, row.body, row.legal_basis, row.reason)
    return Ruling(*words)  # type: ignore[arg-type]  # rule() compared it
