"""Who may export: bodies of the contracts and those that the data authority registered.

A name that is neither is refused: it would be a company with a counter of its own. A registered
body is known by its unified social credit code (GB 32100-2015), so that none is there twice, and
that code tells what it is: digits 11 are state organs (机关), 12 and 13 public institutions and
mass organisations, anything else is a processor (个人信息处理者).
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  (SQLAlchemy reads it)
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import Integer, String, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.errors import JingshuError, UsageError
from contracts.moment import iso
from contracts.words import Words
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.owed import OwingRow
from sharing.people import DATA_AUTHORITY, require

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

    from contracts.model import LegalKind
    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.people import Actor

#: Whom PIPL Art. 36 binds; Art. 37 adds those that a law lets manage public affairs.
ORGANS: Final = frozenset({"state_organ", "public_institution"})
_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_CHARACTERS: Final = 200
_NEAR: Final = 0.75
#: Digits that are read as letters: an id that differs by them alone is taken for a misspelling.
_ALIKE: Final = str.maketrans({"0": "o", "1": "l", "5": "s", "_": None, "-": None, ".": None})
_USCC: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


class UnknownPartyError(JingshuError, LookupError):
    """An exporter that is no body of the city's and is not registered."""


@dataclass(frozen=True)
class Party:
    """A body as the law on exports sees it.

    ``is_ciio``: it runs critical infrastructure (关键信息基础设施), as its department told the
    authority; ``is_in_ftz``: it is established in the free-trade zone.
    """

    id: str
    name: str
    legal_kind: LegalKind
    is_ciio: bool = False
    is_in_ftz: bool = False

    @property
    def is_organ(self) -> bool:
        """Whether PIPL Art. 36 and 37 bind it."""
        return self.legal_kind in ORGANS


@dataclass(frozen=True)
class Registration:
    """What the authority registers of a body; ``uscc`` is empty for one of the contracts'."""

    id: str
    name: str = ""
    uscc: str = ""
    is_ciio: bool = False
    is_in_ftz: bool = False


class PartyRow(OwingRow):
    """One registration of a body; the newest of an id counts."""

    __tablename__ = "share_parties"
    id: Mapped[str] = mapped_column(String(63), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(_CHARACTERS))
    uscc: Mapped[str] = mapped_column(String(18), index=True)
    legal_kind: Mapped[str] = mapped_column(String(32))
    is_ciio: Mapped[bool]
    is_in_ftz: Mapped[bool]
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]


def register(
    control: Control, tree: Tree, asked: Registration, actor: Actor, at: datetime
) -> Party:
    """Register a body that exports, or what the authority knows of one; the newest counts.

    Raises:
        UsageError: Its id is none, is easily taken for another's, or its code is wrong or
            registered under another id.
        ForbiddenError: The actor is not the data authority's.
    """
    require(actor, "keep_exporters", DATA_AUTHORITY)
    with control.write() as session:
        newest = _newest(session)
        kind = _checked(tree, asked, newest)
        before = newest.get(asked.id)
        listed = tree.providers.get(asked.id)
        row = PartyRow(id=asked.id, seq=0 if before is None else before.seq + 1)
        row.name = listed.name if listed else " ".join(asked.name.split())
        row.uscc, row.legal_kind = asked.uscc, kind
        row.is_ciio, row.is_in_ftz = asked.is_ciio, asked.is_in_ftz
        row.actor, row.at = actor.name, at
        session.add(row)
        session.flush()
        made = _party(row)
    owed.settle(control, PartyRow)
    return made


def party(session: Session, tree: Tree, party_id: str, at: datetime) -> Party:
    """Return a body that is known at a time, by its exact id.

    Raises UnknownPartyError, with the ids that it may be a misspelling of.
    """
    newest = _newest(session, at)
    row, listed = newest.get(party_id), tree.providers.get(party_id)
    if listed is not None:
        if listed.legal_kind is None:
            raise UnknownPartyError(
                Words(
                    f"合同未写明 {party_id} 的法律性质。",
                    f"The contracts do not say what the law takes {party_id} for.",
                ),
                Words(
                    "请在 providers.yaml 的条目中写明 legal：state_organ、public_institution 或"
                    " processor。",
                    "Give its entry in providers.yaml a legal: state_organ, public_institution or"
                    " processor.",
                ),
            )
        flags = (row.is_ciio, row.is_in_ftz) if row else (False, False)
        return Party(listed.id, listed.name, listed.legal_kind, *flags)
    if row is not None:
        return _party(row)
    near = near_names(party_id, {*tree.providers, *newest})
    hint = Words(f"是否为 {'、'.join(near)}？", f"Did you mean {', '.join(near)}?")
    remedy = Words(
        "请由数据主管部门登记：… crossborder party。",
        "Have the data authority register one: … crossborder party.",
    )
    raise UnknownPartyError(
        Words(
            f"没有登记的出境者 {party_id!r}。", f"There is no body {party_id!r} that may export."
        ),
        hint.then(remedy) if near else remedy,
    )


def parties(control: Control) -> list[Party]:
    """Return every registered body, by id."""
    with control.read() as session:
        return [_party(row) for _, row in sorted(_newest(session).items())]


def near_names(name: str, known: Iterable[str]) -> list[str]:
    """Return the known ids that a name is like, the likest first; looks count, not code points."""
    by_look: dict[str, list[str]] = {}
    for one in sorted(known):
        by_look.setdefault(_look(one), []).append(one)
    likest = difflib.get_close_matches(_look(name), by_look, n=3, cutoff=_NEAR)
    return [one for look in likest for one in by_look[look]]


@owed.owes(PartyRow)
def party_leaf(row: PartyRow) -> Leaf:
    """Return the leaf of one registration."""
    return Leaf(
        type="crossborder",
        subject=f"party/{row.id}#{row.seq}",
        facts={
            "name": row.name,
            "uscc": row.uscc,
            "legal_kind": row.legal_kind,
            "is_ciio": row.is_ciio,
            "is_in_ftz": row.is_in_ftz,
            "actor": row.actor,
        },
        at=iso(row.at),
    )


def kind_of_code(uscc: str) -> LegalKind:
    """Return what a unified social credit code says its holder is.

    Raises UsageError where the code is none (GB 32100-2015).
    """
    if len(uscc) != len(_USCC_WEIGHTS) + 1 or set(uscc) - set(_USCC):
        raise _wrong_code(uscc)
    total = sum(w * _USCC.index(c) for w, c in zip(_USCC_WEIGHTS, uscc, strict=False))
    if _USCC[-total % len(_USCC)] != uscc[-1]:
        raise _wrong_code(uscc)
    if uscc.startswith("11"):
        return "state_organ"
    return "public_institution" if uscc.startswith("1") else "processor"


def _checked(tree: Tree, asked: Registration, newest: dict[str, PartyRow]) -> LegalKind:
    """Return the legal kind of a body that may be registered so."""
    listed = tree.providers.get(asked.id)
    if listed is not None:
        if listed.legal_kind is None or asked.uscc:
            raise UsageError(
                Words(
                    f"{asked.id} 的法律性质由合同写明。",
                    f"What {asked.id} is stands in the contracts.",
                ),
                Words(
                    "请改 providers.yaml，或不写代码。",
                    "Change providers.yaml, or leave its code out.",
                ),
            )
        return listed.legal_kind
    if not _ID.fullmatch(asked.id):
        raise UsageError(
            Words(f"{asked.id!r} 不能作为标识。", f"{asked.id!r} cannot name a body."),
            Words(
                "请用小写字母、数字、下划线或连字符。",
                "Use lower-case letters, digits, '_' and '-'.",
            ),
        )
    others = {*tree.providers, *newest} - {asked.id}
    if twin := next((o for o in sorted(others) if _look(o) == _look(asked.id)), None):
        raise UsageError(
            Words(f"{asked.id} 易与 {twin} 混淆。", f"{asked.id} is easily taken for {twin}."),
            Words("请换一个标识。", "Give it another id."),
        )
    if not asked.name.strip() or len(asked.name) > _CHARACTERS or not asked.name.isprintable():
        raise UsageError(
            Words("出境者未写明名称。", "The body has no name."),
            Words("请填写全称。", "Give its full name."),
        )
    kind = kind_of_code(asked.uscc)
    same = next((o for o, r in newest.items() if r.uscc == asked.uscc and o != asked.id), None)
    before = newest.get(asked.id)
    if same is not None or (before is not None and before.uscc != asked.uscc):
        known = same or asked.id
        raise UsageError(
            Words(f"{known} 已以其代码登记。", f"{known} is registered, by its own code."),
            Words(
                f"一个代码只对应一个出境者：请用 {known}，或另用标识。",
                f"A code is one exporter: use {known}, or another id.",
            ),
        )
    return kind


def _look(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().translate(_ALIKE)


def _newest(session: Session, at: datetime | None = None) -> dict[str, PartyRow]:
    asked = select(PartyRow).order_by(PartyRow.id, PartyRow.seq)
    rows: Sequence[PartyRow] = session.scalars(
        asked if at is None else asked.where(PartyRow.at <= at)
    ).all()
    return {row.id: row for row in rows}


def _party(row: PartyRow) -> Party:
    return Party(row.id, row.name, cast("LegalKind", row.legal_kind), row.is_ciio, row.is_in_ftz)


def _wrong_code(uscc: str) -> UsageError:
    return UsageError(
        Words(f"统一社会信用代码有误：{uscc!r}。", f"{uscc!r} is no unified social credit code."),
        Words("请核对 18 位代码（GB 32100-2015）。", "Look its 18 characters up (GB 32100-2015)."),
    )
