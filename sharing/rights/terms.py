"""What a right is, from whom it comes, and how far it reaches on a day. Pure.

Three rights are kept apart (数据二十条, 2022-12): 持有 hold, 加工使用 process, 经营 operate. Each
provider holds its own tables by origin, which the contracts say and no row does; the other two are
granted, by one who has them, never beyond its own. What may be passed on is this project's choice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, cast, get_args

from contracts.errors import JingshuError, UsageError
from contracts.model import CITY_TZ
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from contracts.tree import Tree

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


class NoRightError(JingshuError, PermissionError):
    """Somebody uses, or gives away, a right that it does not have."""


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
    """One step of a proof: who has which right from whom; by origin where ``right_id`` is None.

    ``legal_basis`` may be stored words.
    """

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


Chain = tuple[Link, ...]


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

    def has_any(self, holder: str, dataset: str, on: date) -> bool:
        """Tell whether a holder has any of the three rights in a table on a day, for any use.

        Raises UsageError where there is no such table.
        """
        if holder == origin_holder(self.tree, dataset):
            return True
        own = (r for r in self.rights.values() if (r.holder, r.dataset) == (holder, dataset))
        return any(self.in_force(right, on) is not None for right in own)

    def parent_for(self, asked: Asked) -> str | None:
        """Return the grantor's right that a grant comes from; None where that is its origin.

        Raises:
            NoRightError: The grantor has none, or none as wide and as long.
        """
        if asked.grantor == origin_holder(self.tree, asked.dataset):
            return None
        own = self._of(asked.grantor, asked.dataset, asked.right_type)
        return self._covering(
            own,
            asked.terms,
            Words(f"{asked.grantor} 不能这样授予", f"{asked.grantor} cannot grant"),
        ).id

    def check_process(self, asked: Asked) -> None:
        """Raise NoRightError where one is to operate what it may not process as widely and long."""
        if asked.right_type == "operate":
            own = self._of(asked.holder, asked.dataset, "process")
            problem = Words(
                f"{asked.holder} 不能这样加工使用，也就不能经营",
                f"{asked.holder} may not process, so not operate,",
            )
            self._covering(own, asked.terms, problem)

    def _covering(self, rights: Iterable[Right], wanted: Terms, problem: Words) -> Right:
        """Return the first right that holds all of the wanted terms, or say which part lacks."""
        lacking = Words("那时没有这样的权利", "there is no such right then")
        for right in rights:
            terms = self.in_force(right, wanted.from_on)
            if terms is None:
                continue
            if not is_within(wanted.scope, terms.scope):
                scope = ", ".join(sorted(terms.scope))
                lacking = Words(f"{right.id} 只用于 {scope}", f"{right.id} is for {scope} only")
            elif not terms.holds_all_days_of(wanted):
                lacking = Words(
                    f"{right.id} 于 {terms.to_on} 终止", f"{right.id} ends on {terms.to_on}"
                )
            else:
                return right
        raise NoRightError(
            Words(f"{problem.zh}：{lacking.zh}。", f"{problem.en} this: {lacking.en}."),
            Words(
                "请先向授予方的上一级授予方申请：… rights list。",
                "Ask the grantor's grantor first: … rights list.",
            ),
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
        Words(
            f"{tree.root} 里没有表 {dataset!r}。", f"There is no table {dataset!r} in {tree.root}."
        ),
        Words(
            "请写表名，如 health__disease_case，或产品名，如 heat_readiness。",
            "Name a table: health__disease_case, or a product: heat_readiness.",
        ),
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


def _origin_link(provider: str) -> Link:
    basis = Words("数源部门，依其契约", "provider by its contract").stored()
    return Link(None, "hold", provider, provider, basis, (ANY_USE,), None, None, None)
