"""The register of rights (确权): who holds, processes or operates which table, and from whom.

Registrations are first, change, correct and cancel (公共数据资源登记管理暂行办法, 2025): rows are
only ever added. What a right is worth on a day is ``terms``'s to say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime  # noqa: TC003  (SQLAlchemy reads them)
from typing import TYPE_CHECKING, Final, cast

from pydantic import TypeAdapter
from sqlalchemy import Date, Integer, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.digest import sha256
from contracts.errors import UsageError
from contracts.moment import iso
from contracts.words import Words
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.owed import OwingRow
from sharing.people import require
from sharing.readable import read_by
from sharing.requests.tables import next_number
from sharing.rights.terms import (
    ANY_USE,
    WORDS,
    Asked,
    Chain,
    Entry,
    Kind,
    NoRightError,
    Register,
    Right,
    RightType,
    Terms,
    city_day,
    origin_holder,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.people import Actor

_TERM_CHARACTERS: Final = 100
_SCOPE: Final = TypeAdapter(frozenset[str])


def read_scope(text: str) -> frozenset[str]:
    """Read the uses that a right is for: a list of texts."""
    return _SCOPE.validate_json(text)


class RightRow(OwingRow):
    """One registration of a right, with its whole wording; the newest of an id counts."""

    __tablename__ = "share_rights"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))
    dataset: Mapped[str] = mapped_column(String(255), index=True)
    right_type: Mapped[str] = mapped_column(String(16))
    holder: Mapped[str] = mapped_column(String(63), index=True)
    grantor: Mapped[str] = mapped_column(String(63))
    parent: Mapped[str | None] = mapped_column(String(16))
    legal_basis: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = read_by(read_scope)
    from_on: Mapped[date] = mapped_column(Date)
    to_on: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


def require_rights(
    control: Control,
    tree: Tree,
    holder: str,
    dataset: str,
    right: RightType,
    on: date,
    use: str = ANY_USE,
) -> Chain:
    """Return the proof that a holder has a right on a day for a use, from the origin down.

    Raises:
        NoRightError: It has not, or no longer.
        UsageError: There is no such table.
    """
    with control.read() as session:
        chain = read_register(session, tree).chain(holder, dataset, right, on, use)
    if not chain:
        origin = origin_holder(tree, dataset)
        raise NoRightError(
            _without(holder, dataset, right, on, use),
            Words(
                f"请向其原始持有方 {origin} 申请。",
                f"Its holder by origin is {origin}: ask it for one.",
            ),
        )
    return chain


def _without(holder: str, dataset: str, right: RightType, on: date, use: str) -> Words:
    """Say which right a holder has not, on which day, and for which use."""
    zh, en = ("", "") if use == ANY_USE else (f"为 {use} ", f" for {use}")
    return Words(
        f"{holder} 在 {on} {zh}对 {dataset} 没有{WORDS[right]}。",
        f"{holder} has no right to {right} {dataset} on {on}{en}.",
    )


def grant(control: Control, tree: Tree, asked: Asked, actor: Actor, at: datetime) -> str:
    """Register a new right (首次登记); return its id, such as ``Q2026-0001``.

    Raises:
        NoRightError: The grantor has no such right, or only a narrower or shorter one.
        UsageError: It is granted to its holder, back-dated, or names no table.
    """
    require(actor, "grant_rights", asked.grantor)
    _check_parties(tree, asked)
    _check_terms(asked.terms)
    if asked.terms.from_on < city_day(at):
        raise UsageError(
            Words(
                f"权利自 {asked.terms.from_on} 起，属倒签。",
                f"A right from {asked.terms.from_on} is back-dated.",
            ),
            Words("请让它自今天或以后起。", "Let it begin today or later."),
        )
    with control.write() as session:
        register = read_register(session, tree)
        parent = register.parent_for(asked)
        register.check_process(asked)
        right_id = next_number(session, RightRow.id, "Q", at)
        new = Right(
            right_id,
            asked.dataset,
            asked.right_type,
            asked.holder,
            asked.grantor,
            parent,
            entries=(),
        )
        session.add(_row(new, "first", asked.terms, "", actor, at))
    owed.settle(control, RightRow)
    return right_id


@dataclass(frozen=True)
class Extent:
    """How far a right is to reach: to which uses, and to which day; None: without an end."""

    scope: frozenset[str]
    to_on: date | None


def change(
    control: Control,
    tree: Tree,
    right_id: str,
    extent: Extent,
    reason: str,
    actor: Actor,
    at: datetime,
) -> None:
    """Register another scope or end of a right (变更登记), in force from that day on.

    Raises:
        NoRightError: The grantor's own right is narrower or shorter.
        UsageError: There is no such right, it is cancelled, or no reason was given.
    """
    with control.write() as session:
        register = read_register(session, tree)
        right = _open_right(register, right_id)
        require(actor, "grant_rights", right.grantor)
        terms = replace(right.terms, scope=extent.scope, to_on=extent.to_on)
        _check_terms(terms)
        # What it comes to from now on is compared; its first day may be long past.
        from_now = replace(terms, from_on=max(terms.from_on, city_day(at)))
        _check_terms(from_now)
        asked = Asked(right.dataset, right.right_type, right.holder, right.grantor, from_now)
        register.parent_for(asked)
        register.check_process(asked)
        session.add(_row(right, "change", terms, _stated(reason), actor, at))
    owed.settle(control, RightRow)


def correct(
    control: Control,
    tree: Tree,
    right_id: str,
    legal_basis: str,
    reason: str,
    actor: Actor,
    at: datetime,
) -> None:
    """Register that a right's legal basis was written wrongly (更正登记): it never was otherwise.

    Raises UsageError where there is no such right, it is cancelled, or no reason was given.
    """
    with control.write() as session:
        right = _open_right(read_register(session, tree), right_id)
        require(actor, "grant_rights", right.grantor)
        terms = replace(right.terms, legal_basis=legal_basis)
        _check_terms(terms)
        session.add(_row(right, "correct", terms, _stated(reason), actor, at))
    owed.settle(control, RightRow)


def cancel(
    control: Control, tree: Tree, right_id: str, reason: str, actor: Actor, at: datetime
) -> None:
    """Register a right's end (注销登记), by its grantor or given up by its holder.

    It ends that day, and every right that came from it ends with it.

    Raises:
        UsageError: There is no such right, it is cancelled, or no reason was given.
    """
    with control.write() as session:
        right = _open_right(read_register(session, tree), right_id)
        is_given_up = actor.body == right.holder
        require(actor, "grant_rights", right.holder if is_given_up else right.grantor)
        session.add(_row(right, "cancel", right.terms, _stated(reason), actor, at))
    owed.settle(control, RightRow)


def read_register(session: Session, tree: Tree) -> Register:
    """Return all rights as they are registered."""
    rows: dict[str, list[RightRow]] = {}
    for row in session.scalars(select(RightRow).order_by(RightRow.id, RightRow.seq)):
        rows.setdefault(row.id, []).append(row)
    return Register(tree, {right_id: _right(found) for right_id, found in rows.items()})


@owed.owes(RightRow)
def right_leaf(row: RightRow) -> Leaf:
    """Return the leaf of one registration; people's words by their digests."""
    return Leaf(
        type="rights",
        subject=f"{row.id}#{row.seq}",
        facts={
            "kind": row.kind,
            "dataset": row.dataset,
            "right_type": row.right_type,
            "holder": row.holder,
            "grantor": row.grantor,
            "parent": row.parent,
            "scope": row.scope,
            "from": row.from_on.isoformat(),
            "to": None if row.to_on is None else row.to_on.isoformat(),
            "legal_basis_sha256": sha256(row.legal_basis),
            "reason_sha256": sha256(row.reason),
            "actor": row.actor,
        },
        at=iso(row.at),
    )


def _check_parties(tree: Tree, asked: Asked) -> None:
    origin = origin_holder(tree, asked.dataset)
    if asked.right_type == "hold":
        raise UsageError(
            Words(
                f"{asked.dataset} 来自 {origin}，由其持有：持有权不能授予。",
                f"{asked.dataset} is held by {origin}, which it comes from: nobody grants that.",
            ),
            Words("请授予加工使用权（process）或经营权（operate）。", "Grant process or operate."),
        )
    if asked.holder in (asked.grantor, origin):
        raise UsageError(
            Words(
                f"{asked.holder} 对 {asked.dataset} 的权利另有来源。",
                f"{asked.holder} has its rights in {asked.dataset} from elsewhere.",
            ),
            Words("请授予其他主体。", "Grant to another body."),
        )


def _check_terms(terms: Terms) -> None:
    if not terms.legal_basis.strip():
        raise UsageError(
            Words("权利须有法律依据。", "A right has a legal basis."),
            Words("请写明法律或协议及其条款。", "Name the law or agreement, and article."),
        )
    strange = [t for t in terms.scope if not 0 < len(t.strip()) <= _TERM_CHARACTERS]
    if not terms.scope or strange or (ANY_USE in terms.scope and terms.scope != {ANY_USE}):
        raise UsageError(
            Words(
                "权利的范围须写明用途，或只写 *。", "A right's scope names its uses, or is * alone."
            ),
            Words("请写明用途：--scope 高温应急。", "Say what it is for: --scope 高温应急."),
        )
    if terms.to_on is not None and terms.to_on < terms.from_on:
        raise UsageError(
            Words(
                f"它在开始之前就于 {terms.to_on} 终止。",
                f"It would end on {terms.to_on}, before it begins.",
            ),
            Words("请写更晚的日期。", "Give a later day."),
        )


def _stated(reason: str) -> str:
    words = " ".join(reason.split())
    if not words:
        raise UsageError(
            Words("登记须写明理由。", "A registration says why."),
            Words("请写明理由。", "Give a reason."),
        )
    return words


def _open_right(register: Register, right_id: str) -> Right:
    right = register.rights.get(right_id)
    if right is None:
        known = ", ".join(list(register.rights)[-10:])
        raise UsageError(
            Words(f"没有权利 {right_id!r}。", f"There is no right {right_id!r}."),
            Words(f"最新的有：{known or '无'}。", f"The newest are: {known or 'none'}."),
        )
    if right.is_cancelled:
        raise UsageError(
            Words(f"{right_id} 已注销。", f"{right_id} is cancelled."),
            Words("请重新授予。", "Grant a new one."),
        )
    return right


def _row(
    right: Right, kind: Kind, terms: Terms, reason: str, actor: Actor, at: datetime
) -> RightRow:
    return RightRow(
        id=right.id,
        seq=len(right.entries),
        kind=kind,
        dataset=right.dataset,
        right_type=right.right_type,
        holder=right.holder,
        grantor=right.grantor,
        parent=right.parent,
        legal_basis=terms.legal_basis.strip(),
        scope=json.dumps(sorted(terms.scope), ensure_ascii=False),
        from_on=terms.from_on,
        to_on=terms.to_on,
        reason=reason,
        actor=actor.name,
        at=at,
    )


def _right(rows: Sequence[RightRow]) -> Right:
    first = rows[0]
    return Right(
        first.id,
        first.dataset,
        cast("RightType", first.right_type),
        first.holder,
        first.grantor,
        first.parent,
        entries=tuple(_entry(row) for row in rows),
    )


def _entry(row: RightRow) -> Entry:
    terms = Terms(row.legal_basis, read_scope(row.scope), row.from_on, row.to_on)
    return Entry(cast("Kind", row.kind), terms, row.reason, row.actor, row.at, right_leaf(row).key)
