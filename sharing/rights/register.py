"""The register of rights (确权): who holds, processes or operates which table, and from whom.

Three rights are kept apart (数据二十条, 2022-12): 持有 hold, 加工使用 process, 经营 operate. Each
provider holds its own tables by origin, which the contracts say and no row does; the other two are
granted, by one who has them, never beyond its own. Registrations are first, change, correct and
cancel (公共数据资源登记管理暂行办法, 2025): rows are only ever added. What may be passed on is this
project's choice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime  # noqa: TC003  (SQLAlchemy reads them)
from typing import TYPE_CHECKING, Final, Literal, cast, get_args

from sqlalchemy import Date, Integer, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.errors import JingshuError, UsageError
from contracts.model import CITY_TZ
from jobs.leaves import iso
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.owed import OwingRow
from sharing.people import require
from sharing.requests.tables import next_number, sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.people import Actor

RightType = Literal["hold", "process", "operate"]
Kind = Literal["first", "change", "correct", "cancel"]
RIGHT_TYPES: Final[tuple[RightType, ...]] = get_args(RightType)
WORDS: Final[Mapping[RightType, str]] = {
    "hold": "持有权",
    "process": "加工使用权",
    "operate": "经营权",
}
#: The scope of one who may use data for anything.
ANY_USE: Final = "*"
_ALL: Final = frozenset({ANY_USE})
_TERM_CHARACTERS: Final = 100


class NoRightError(JingshuError, PermissionError):
    """Somebody uses, or gives away, a right that it does not have."""


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
    scope: Mapped[str] = mapped_column(Text)
    from_on: Mapped[date] = mapped_column(Date)
    to_on: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


@dataclass(frozen=True)
class Terms:
    """What a right is for, on which legal basis, and on which days (both included) it is in force.

    ``scope`` names uses, or is ``{"*"}`` for any; ``to_on`` None has no end.
    """

    legal_basis: str
    scope: frozenset[str]
    from_on: date
    to_on: date | None = None

    def covers(self, day: date) -> bool:
        """Tell whether a day is among its days."""
        return self.from_on <= day and (self.to_on is None or day <= self.to_on)

    def allows(self, use: str) -> bool:
        """Tell whether it may be used for this."""
        return bool(self.scope & {use, ANY_USE})

    def holds_all_days_of(self, other: Terms) -> bool:
        """Tell whether the other's days are all among its own."""
        ends = self.to_on is None or (other.to_on is not None and other.to_on <= self.to_on)
        return self.from_on <= other.from_on and ends


@dataclass(frozen=True)
class Entry:
    """One registration as it was made."""

    kind: Kind
    terms: Terms
    reason: str
    actor: str
    at: datetime
    evidence_id: str


@dataclass(frozen=True)
class Right:
    """A granted right with every registration of it, oldest first."""

    id: str
    dataset: str
    right_type: RightType
    holder: str
    grantor: str
    parent: str | None
    entries: tuple[Entry, ...]

    @property
    def is_cancelled(self) -> bool:
        """Whether it was taken back or given up."""
        return self.entries[-1].kind == "cancel"

    @property
    def terms(self) -> Terms:
        """Its newest wording."""
        return self.entries[-1].terms

    def terms_on(self, day: date) -> Terms | None:
        """Return its own terms of a day; None where it is not in force then.

        A change and a cancellation count from the day they are registered; a correction is of
        words that were wrong from the start.
        """
        in_force: Terms | None = None
        for entry in self.entries:
            since = city_day(entry.at)
            match entry.kind:
                case "correct" if in_force is not None:
                    in_force = replace(in_force, legal_basis=entry.terms.legal_basis)
                case "change" if since <= day:
                    in_force = entry.terms
                case "cancel" if since <= day:
                    in_force = None
                case "first":
                    in_force = entry.terms
        return in_force if in_force is not None and in_force.covers(day) else None


@dataclass(frozen=True)
class Link:
    """One step of a proof: who has which right from whom; by origin where ``right_id`` is None."""

    right_id: str | None
    right_type: RightType
    holder: str
    grantor: str
    legal_basis: str
    scope: tuple[str, ...]
    from_on: date | None
    to_on: date | None
    evidence_id: str | None


@dataclass(frozen=True)
class Asked:
    """A right that is to be granted."""

    dataset: str
    right_type: RightType
    holder: str
    grantor: str
    terms: Terms


@dataclass(frozen=True)
class Register:
    """All rights there are, held against the contracts that say who holds by origin."""

    tree: Tree
    rights: Mapping[str, Right]

    def in_force(self, right: Right, on: date) -> Terms | None:
        """Return what a right gives on a day: never more than its parent, and ending with it.

        The right to operate is for those who may process: it ends where that does.
        """
        own = right.terms_on(on)
        if own is None:
            return None
        if right.parent is None:
            above = _ALL if origin_holder(self.tree, right.dataset) == right.grantor else None
        else:
            parent = self.rights.get(right.parent)  # gone where the database was changed
            terms = None if parent is None else self.in_force(parent, on)
            above = None if terms is None else terms.scope
        if above is None:
            return None
        scope = _common(own.scope, above)
        if right.right_type == "operate":
            scope = _common(scope, self._processed(right, on))
        return replace(own, scope=scope) if scope else None

    def chain(self, holder: str, dataset: str, right: RightType, on: date, use: str) -> Chain:
        """Return how a holder comes by a right on a day, from the origin down; empty if not."""
        origin = origin_holder(self.tree, dataset)
        if holder == origin:
            return (_origin_link(origin),)
        for found in self._of(holder, dataset, right):
            terms = self.in_force(found, on)
            if terms is not None and terms.allows(use):
                return self._links(found, on)
        return ()

    def parent_for(self, asked: Asked) -> str | None:
        """Return the grantor's right that a grant comes from; None where that is its origin.

        Raises:
            NoRightError: The grantor has none, or none as wide and as long.
        """
        if asked.grantor == origin_holder(self.tree, asked.dataset):
            return None
        own = self._of(asked.grantor, asked.dataset, asked.right_type)
        return self._covering(own, asked.terms, f"{asked.grantor} cannot grant").id

    def check_process(self, asked: Asked) -> None:
        """Raise NoRightError where one is to operate what it may not process as widely and long."""
        if asked.right_type == "operate":
            own = self._of(asked.holder, asked.dataset, "process")
            self._covering(own, asked.terms, f"{asked.holder} may not process, so not operate,")

    def _covering(self, rights: Iterable[Right], wanted: Terms, problem: str) -> Right:
        """Return the first right that holds all of the wanted terms, or say which part lacks."""
        lacking = "there is no such right then"
        for right in rights:
            terms = self.in_force(right, wanted.from_on)
            if terms is None:
                continue
            if not is_within(wanted.scope, terms.scope):
                lacking = f"{right.id} is for {', '.join(sorted(terms.scope))} only"
            elif not terms.holds_all_days_of(wanted):
                lacking = f"{right.id} ends on {terms.to_on}"
            else:
                return right
        raise NoRightError(
            f"{problem} this: {lacking}.", "Ask the grantor's grantor first: … rights list."
        )

    def _of(self, holder: str, dataset: str, right: RightType) -> list[Right]:
        return [
            r
            for r in self.rights.values()
            if (r.holder, r.dataset, r.right_type) == (holder, dataset, right)
        ]

    def _processed(self, right: Right, on: date) -> frozenset[str]:
        """Return the uses for which the holder of a right may process the same table."""
        found = (self.in_force(r, on) for r in self._of(right.holder, right.dataset, "process"))
        return frozenset[str]().union(*(terms.scope for terms in found if terms is not None))

    def _links(self, right: Right, on: date) -> Chain:
        terms = cast("Terms", self.in_force(right, on))
        link = Link(
            right_id=right.id,
            right_type=right.right_type,
            holder=right.holder,
            grantor=right.grantor,
            legal_basis=terms.legal_basis,
            scope=tuple(sorted(terms.scope)),
            from_on=terms.from_on,
            to_on=terms.to_on,
            evidence_id=right.entries[-1].evidence_id,
        )
        above: Chain = (_origin_link(right.grantor),)
        if right.parent is not None:
            above = self._links(self.rights[right.parent], on)
        return (*above, link)


Chain = tuple[Link, ...]


def origin_holder(tree: Tree, dataset: str) -> str:
    """Return who holds a table by origin: its provider, or the body that makes a product.

    ``dataset`` is a table's name: ``<provider>__<dataset>``, or a product's. Raises UsageError.
    """
    for feed in tree.feeds():
        if feed.table == dataset:
            return feed.provider
    for product in tree.active_products():
        if product.product_table == dataset:
            return product.domain
    raise UsageError(
        f"There is no table {dataset!r} in {tree.root}.",
        "Name a table: health__disease_case, or a product: heat_readiness.",
    )


def require_rights(  # noqa: PLR0913, PLR0917 - who does what with which table, when and for what
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
        raise NoRightError(
            f"{holder} has no right to {right} {dataset} on {on}"
            + ("." if use == ANY_USE else f" for {use}."),
            f"Its holder by origin is {origin_holder(tree, dataset)}: ask it for one.",
        )
    return chain


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
            f"A right from {asked.terms.from_on} is back-dated.", "Let it begin today or later."
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
    settle(control)
    return right_id


def change(  # noqa: PLR0913, PLR0917 - which right becomes what, why, by whom and when
    control: Control,
    tree: Tree,
    right_id: str,
    scope: frozenset[str],
    to_on: date | None,
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
        terms = replace(right.terms, scope=scope, to_on=to_on)
        _check_terms(terms)
        # What it comes to from now on is compared; its first day may be long past.
        from_now = replace(terms, from_on=max(terms.from_on, city_day(at)))
        _check_terms(from_now)
        asked = Asked(right.dataset, right.right_type, right.holder, right.grantor, from_now)
        register.parent_for(asked)
        register.check_process(asked)
        session.add(_row(right, "change", terms, _said(reason), actor, at))
    settle(control)


def correct(  # noqa: PLR0913, PLR0917 - which right's wording, why, by whom and when
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
        session.add(_row(right, "correct", terms, _said(reason), actor, at))
    settle(control)


def cancel(  # noqa: PLR0913, PLR0917 - which right, why, by whom and when
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
        session.add(_row(right, "cancel", right.terms, _said(reason), actor, at))
    settle(control)


def read_register(session: Session, tree: Tree) -> Register:
    """Return all rights as they are registered."""
    rows: dict[str, list[RightRow]] = {}
    for row in session.scalars(select(RightRow).order_by(RightRow.id, RightRow.seq)):
        rows.setdefault(row.id, []).append(row)
    return Register(tree, {right_id: _right(found) for right_id, found in rows.items()})


def settle(control: Control) -> None:
    """Write the leaves that registrations still owe."""
    owed.settle(control, RightRow, right_leaf)


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


def is_within(wanted: frozenset[str], given: frozenset[str]) -> bool:
    """Tell whether a scope goes nowhere beyond another."""
    return given == _ALL or wanted <= given


def city_day(at: datetime) -> date:
    """Return the day of a moment in Beijing."""
    return at.astimezone(CITY_TZ).date()


def _common(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    if ANY_USE in one:
        return other
    return one if ANY_USE in other else one & other


def _check_parties(tree: Tree, asked: Asked) -> None:
    origin = origin_holder(tree, asked.dataset)
    if asked.right_type == "hold":
        raise UsageError(
            f"{asked.dataset} is held by {origin}, which it comes from: nobody grants that.",
            "Grant process or operate.",
        )
    if asked.holder in (asked.grantor, origin):
        raise UsageError(
            f"{asked.holder} has its rights in {asked.dataset} from elsewhere.",
            "Grant to another body.",
        )


def _check_terms(terms: Terms) -> None:
    if not terms.legal_basis.strip():
        raise UsageError("A right has a legal basis.", "Name the law or agreement, and article.")
    strange = [t for t in terms.scope if not 0 < len(t.strip()) <= _TERM_CHARACTERS]
    if not terms.scope or strange or (ANY_USE in terms.scope and terms.scope != _ALL):
        raise UsageError(
            "A right's scope names its uses, or is * alone.",
            "Say what it is for: --scope 高温应急.",
        )
    if terms.to_on is not None and terms.to_on < terms.from_on:
        raise UsageError(f"It would end on {terms.to_on}, before it begins.", "Give a later day.")


def _said(reason: str) -> str:
    words = " ".join(reason.split())
    if not words:
        raise UsageError("A registration says why.", "Give a reason.")
    return words


def _open_right(register: Register, right_id: str) -> Right:
    right = register.rights.get(right_id)
    if right is None:
        known = ", ".join(list(register.rights)[-10:]) or "none"
        raise UsageError(f"There is no right {right_id!r}.", f"The newest are: {known}.")
    if right.is_cancelled:
        raise UsageError(f"{right_id} is cancelled.", "Grant a new one.")
    return right


def _row(  # noqa: PLR0913, PLR0917 - a registration has these parts
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
    terms = Terms(row.legal_basis, frozenset(json.loads(row.scope)), row.from_on, row.to_on)
    return Entry(cast("Kind", row.kind), terms, row.reason, row.actor, row.at, right_leaf(row).key)


def _origin_link(provider: str) -> Link:
    basis = "数源部门 provider by its contract"
    return Link(None, "hold", provider, provider, basis, (ANY_USE,), None, None, None)
