"""A product offered for trade (上架): one package with its proofs, or every reason why not.

The package is a product sheet, the proof of rights back to every provider, a compliance and a
quality report, the price rule and the keys of the evidence (domain reference, §5). Nothing is
listed that is not real from end to end: a row is made of a ``RealOrigin``, the table takes no other
value, and ``verify`` proves each one again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import rfc8785
from sqlalchemy import BigInteger, CheckConstraint, Integer, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.digest import sha256
from contracts.errors import UsageError
from contracts.moment import iso
from contracts.words import Words
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.catalogue.lake import scores
from sharing.owed import OwingRow
from sharing.people import require
from sharing.readable import read_by
from sharing.requests.corrections import CorrectionRow
from sharing.requests.tables import next_number
from sharing.rights.offered import NotListableError, Offered, RealOrigin, offered
from sharing.rights.prices import USES
from sharing.rights.refusals import cannot_list, refusals
from sharing.rights.register import read_register
from sharing.rights.terms import city_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.people import Actor
    from sharing.rights.prices import PriceRule, Use
    from sharing.rights.terms import Chain, Link, Register

Kind = Literal["listed", "withdrawn"]


def datasets_in(bundle: str) -> list[str]:
    """Read a package: the tables whose rights it proves."""
    found = json.loads(bundle)
    if not isinstance(found, dict):
        raise ValueError("a package is an object")  # noqa: TRY004 - a text that is none such
    return list(found["parts"]["rights"])


class ListingRow(OwingRow):
    """A listing, and its end as a row of its own; ``bundle`` is the package as it was made."""

    __tablename__ = "share_listings"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))
    product: Mapped[str] = mapped_column(String(255))
    policy: Mapped[str] = mapped_column(String(255))
    table: Mapped[str] = mapped_column(String(255), index=True)
    version: Mapped[int]
    business_date: Mapped[str] = read_by(date.fromisoformat, String(10))
    lister: Mapped[str] = mapped_column(String(63))
    origin: Mapped[str] = mapped_column(String(16))
    price_rule: Mapped[str] = mapped_column(String(63))
    commercial_fen: Mapped[int] = mapped_column(BigInteger)
    bundle: Mapped[str] = read_by(datasets_in)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]

    __table_args__ = (CheckConstraint("origin = 'real'", name="share_listings_real"),)


@dataclass(frozen=True)
class Offer:
    """What a body wants to list: a product's policy, of a date or the newest, at which price."""

    product: str
    policy: str
    lister: str
    price: PriceRule
    on: date | None = None


@dataclass(frozen=True)
class Listing:
    """A listing as people see it."""

    id: str
    product: str
    table: str
    version: int
    lister: str
    prices: Mapping[Use, int]
    bundle: str
    is_open: bool


def list_product(control: Control, tree: Tree, offer: Offer, actor: Actor, at: datetime) -> str:
    """Offer a published version of a shared table for trade; return the listing's id.

    Raises:
        SimulatedDataError: Anything it is made from is simulated, or not known to be real.
        NotListableError: It lacks a right, a proof, a report, or is above L2; with every reason.
        UsageError: There is no such product or policy, or it is listed already.
    """
    require(actor, "list_product", offer.lister)
    found = offered(control.home, tree, offer.product, offer.policy, offer.on)
    real = RealOrigin(found.claims)
    with control.write() as session:
        chains = _chains(read_register(session, tree), found, offer.lister, city_day(at))
        issues = _open_corrections(session, found)
        if problems := list(refusals(found, chains, issues)):
            raise NotListableError(
                cannot_list(found.table, problems),
                Words("请逐项解决。", "Settle each of these first."),
            )
        _check_new(session, found)
        listing_id = next_number(session, ListingRow.id, "L", at)
        text = bundle(listing_id, found, real, chains, offer)
        session.add(_row(listing_id, found, real, offer, text, actor, at))
    owed.settle(control, ListingRow)
    return listing_id


def withdraw(control: Control, listing_id: str, reason: str, actor: Actor, at: datetime) -> None:
    """End a listing; what was sold stays sold.

    Raises UsageError where there is none, it is withdrawn already, or no reason was given.
    """
    words = " ".join(reason.split())
    if not words:
        raise UsageError(
            Words("下架须写明理由。", "A withdrawal says why."),
            Words("请写明理由。", "Give a reason."),
        )
    with control.write() as session:
        row = open_listing(session, listing_id)
        require(actor, "list_product", row.lister)
        kept = {c.key: getattr(row, c.key) for c in ListingRow.__table__.columns}
        ended = {"seq": 1, "kind": "withdrawn", "reason": words, "actor": actor.name, "at": at}
        session.add(ListingRow(**kept | ended | {"leaf_at": None}))
    owed.settle(control, ListingRow)


def open_listing(session: Session, listing_id: str) -> ListingRow:
    """Return a listing that is not withdrawn; UsageError where there is none."""
    rows = session.scalars(
        select(ListingRow).where(ListingRow.id == listing_id).order_by(ListingRow.seq)
    ).all()
    if not rows:
        known = session.scalars(select(ListingRow.id).order_by(ListingRow.id.desc()).limit(10))
        newest = ", ".join(dict.fromkeys(known))
        raise UsageError(
            Words(f"没有上架 {listing_id!r}。", f"There is no listing {listing_id!r}."),
            Words(f"最新的有：{newest or '无'}。", f"The newest are: {newest or 'none'}."),
        )
    if rows[-1].kind == "withdrawn":
        raise UsageError(
            Words(f"{listing_id} 已下架。", f"{listing_id} is withdrawn."),
            Words("请看 … rights listing list。", "See … rights listing list."),
        )
    return rows[0]


def listings(control: Control) -> list[Listing]:
    """Return every listing there ever was, the oldest first."""
    with control.read() as session:
        rows = session.scalars(select(ListingRow).order_by(ListingRow.id, ListingRow.seq)).all()
    ended = {row.id for row in rows if row.kind == "withdrawn"}
    return [
        Listing(
            row.id,
            row.product,
            row.table,
            row.version,
            row.lister,
            {"public_interest": 0, "commercial": row.commercial_fen},
            row.bundle,
            row.id not in ended,
        )
        for row in rows
        if row.kind == "listed"
    ]


def bundle(
    listing_id: str,
    found: Offered,
    real: RealOrigin,
    chains: Mapping[str, Chain],
    offer: Offer,
) -> str:
    """Return the package as canonical JSON (RFC 8785), with a digest of each of its parts."""
    parts: dict[str, Any] = {
        "product": _sheet(found),
        "rights": {name: [_link(link) for link in chain] for name, chain in chains.items()},
        "compliance": _compliance(found, real),
        "quality": _quality(found),
        "price": dict(offer.price.to_dict()),
        "evidence": list(found.evidence_ids),
    }
    digests = {n: hashlib.sha256(rfc8785.dumps(part)).hexdigest() for n, part in parts.items()}
    whole: Any = {"listing": listing_id, "lister": offer.lister, "parts": parts, "sha256": digests}
    return rfc8785.dumps(whole).decode()


@owed.owes(ListingRow)
def listing_leaf(row: ListingRow) -> Leaf:
    """Return the leaf of a listing or its end; the package and people's words by digest."""
    return Leaf(
        type="trade",
        subject=f"{row.id}#{row.seq}",
        facts={
            "kind": row.kind,
            "product": row.product,
            "policy": row.policy,
            "table": row.table,
            "version": row.version,
            "business_date": row.business_date,
            "lister": row.lister,
            "origin": row.origin,
            "price_rule": row.price_rule,
            "commercial_fen": row.commercial_fen,
            "bundle_sha256": sha256(row.bundle),
            "reason_sha256": sha256(row.reason),
            "actor": row.actor,
        },
        at=iso(row.at),
    )


def _chains(register: Register, found: Offered, lister: str, on: date) -> Mapping[str, Chain]:
    """Return the proof of the right to operate each table, for every use that is offered."""
    return {
        name: min((register.chain(lister, name, "operate", on, use) for use in USES), key=len)
        for name in found.datasets
    }


def _open_corrections(session: Session, found: Offered) -> list[str]:
    concerned = {found.product.id, *(feed.contract.id for feed in found.feeds)}
    rows = session.scalars(
        select(CorrectionRow)
        .where(CorrectionRow.answered_at.is_(None), CorrectionRow.contract.in_(concerned))
        .order_by(CorrectionRow.id)
    )
    return [row.id for row in rows]


def _check_new(session: Session, found: Offered) -> None:
    rows = session.scalars(
        select(ListingRow)
        .where(ListingRow.table == found.table, ListingRow.version == found.version)
        .order_by(ListingRow.id, ListingRow.seq)
    ).all()
    if rows and rows[-1].kind == "listed":
        raise UsageError(
            Words(
                f"{found.table} 版本 {found.version} 已上架，编号 {rows[-1].id}。",
                f"{found.table} version {found.version} is listed as {rows[-1].id}.",
            ),
            Words("请先将其下架。", "Withdraw that listing first."),
        )


def _row(
    listing_id: str,
    found: Offered,
    real: RealOrigin,
    offer: Offer,
    text: str,
    actor: Actor,
    at: datetime,
) -> ListingRow:
    return ListingRow(
        id=listing_id,
        seq=0,
        kind="listed",
        product=found.product.id,
        policy=found.policy.name,
        table=found.table,
        version=found.version,
        business_date=found.row.business_date.isoformat(),
        lister=offer.lister,
        origin=real.claims[0].origin,
        price_rule=offer.price.version,
        commercial_fen=offer.price.price("commercial"),
        bundle=text,
        reason="",
        actor=actor.name,
        at=at,
    )


def _sheet(found: Offered) -> dict[str, Any]:
    product = found.product
    return {
        "id": product.id,
        "contract_version": product.version,
        "name": product.name,
        "purpose": product.purpose,
        "usage": product.usage,
        "limitations": product.limitations,
        "made_by": product.domain,
        "table": found.table,
        "version": found.version,
        "business_date": found.row.business_date.isoformat(),
        "rows": found.row.rows,
        "cycle": product.schedule.cycle,
        "columns": [
            {
                "name": name,
                "title": product.column(name).business_name,
                "type": product.column(name).type,
                "level": product.column(name).effective_level,
                "mask": found.policy.columns[name].mask,
            }
            for name in found.shown
        ],
    }


def _compliance(found: Offered, real: RealOrigin) -> dict[str, Any]:
    grading = found.product.grading
    return {
        "level": found.level,
        "gb43697": grading.gb43697 if grading else None,
        "is_aggregate": found.is_aggregate,
        "k": found.k,
        "k_wanted": found.k_wanted,
        "origin": {"value": "real", "records": len(real.claims)},
        "assessments": {
            feed.contract.id: feed.contract.grading.pia_id
            for feed in found.feeds
            if feed.contract.grading and feed.contract.grading.personal_information
        },
        "secrecy_review": grading.secrecy_review if grading else None,
    }


def _quality(found: Offered) -> dict[str, Any]:
    by_status: dict[str, int] = {}
    for check in found.checks:
        by_status[check.status] = by_status.get(check.status, 0) + 1
    return {
        "standard": "GB/T 36344-2018",
        "scores": {name: asdict(score) for name, score in scores(found.checks).items()},
        "checks": by_status,
        "batches": {name: list(ids) for name, ids in sorted(found.batches.items())},
        "note": found.row.reason,
    }


def _link(link: Link) -> dict[str, Any]:
    days = {"from_on": link.from_on, "to_on": link.to_on}
    dates = {name: None if day is None else day.isoformat() for name, day in days.items()}
    return {**asdict(link), "scope": list(link.scope), **dates}
