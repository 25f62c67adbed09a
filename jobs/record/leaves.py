"""What leaves say: the facts of deliveries, batches and products, and how they get into the log.

A leaf is written last, after everything it speaks of: commit, governance row, lineage event. So it
names digests of what is on disk, and writing it again says the same.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from contracts.digest import sha256
from contracts.moment import iso, utc_now
from jobs.record import governance
from lineage.evidence.digests import digest_bytes, digest_file
from lineage.evidence.errors import EvidenceConflictError
from lineage.evidence.leaf import MADE_BY, Leaf
from lineage.evidence.log import EvidenceLog

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from contracts.layout import Home
    from contracts.model import Contract
    from jobs.record.footprint import Facts
    from jobs.record.governance import BatchRow, DeliveryRow
    from jobs.stages import Batch, LandedBatch, PublishedVersion, Verdict
    from lineage.evidence.leaf import JsonScalar, LeafType
    from lineage.levels import Graded


class Named(Protocol):
    """A batch or its row: what a leaf's subject is made of."""

    @property
    def table(self) -> str:
        """The table's name, ``<provider>__<dataset>``."""

    @property
    def batch_id(self) -> str:
        """The batch's name."""


def leaf(kind: LeafType, subject: str, facts: Mapping[str, JsonScalar]) -> Leaf:
    """Return a leaf about something that came about just now."""
    return Leaf(kind, subject, facts, iso(utc_now()))


def state(home: Home, *leaves: Leaf) -> None:
    """Log facts, each once, with one write for all.

    One that is logged with other contents (a lost table's batch is published twice) stands beside
    the earlier one, as a part of its subject.
    """
    log = EvidenceLog(home)
    try:
        log.append(leaves)
    except EvidenceConflictError:
        log.append([_beside(log, one) for one in leaves])


def _beside(log: EvidenceLog, one: Leaf) -> Leaf:
    known = log.find(one.key)
    if known is None or known.leaf.agrees_with(one):
        return one
    stated = {name: value for name, value in one.facts.items() if name not in MADE_BY}
    digest = sha256(json.dumps(stated, sort_keys=True))
    return Leaf(one.type, f"{one.subject}/{digest[:12]}", one.facts, one.at)


def subject_of(batch: Named) -> str:
    """Return what a batch's leaves are about."""
    return f"{batch.table}@{batch.batch_id}"


def event_facts(event: Path) -> Facts:
    """Return the facts of a run's lineage events: the run, and digests of its file."""
    digest = digest_file(event)
    return {"event": event.stem, "event_sha256": digest.sha256, "event_sm3": digest.sm3}


def contract_facts(batch: Batch | BatchRow) -> Facts:
    """Return whose batch it is, by which contract."""
    return {
        "contract_id": batch.contract_id,
        "contract_version": batch.contract_version,
        "provider": batch.provider,
        "dataset": batch.dataset,
        "business_date": batch.business_date.isoformat(),
    }


def contract_leaf(contract: Contract) -> Leaf:
    """Return the leaf of a contract's version: its file as it was first used."""
    digest = digest_bytes(contract.written)
    facts: Facts = {
        "file": contract.source,
        "file_sha256": digest.sha256,
        "file_sm3": digest.sm3,
        "level": contract.level,
    }
    return leaf("contract", f"{contract.id}@{contract.version}", facts)


def delivery_leaf(row: DeliveryRow, change: int) -> Leaf:
    """Return the leaf of a delivery's ``change``-th state."""
    return leaf("delivery", delivery_subject(row, change), delivery_facts(row))


def delivery_subject(row: DeliveryRow, change: int) -> str:
    """Return what the leaf of a delivery's ``change``-th state is about."""
    return f"{row.provider}__{row.dataset}@{row.business_date}#{change}"


def delivery_facts(row: DeliveryRow) -> Facts:
    """Return the facts of a delivery's state; its reason by digest, for it may quote a name."""
    return {
        "contract_id": row.contract_id,
        "contract_version": row.contract_version,
        "provider": row.provider,
        "dataset": row.dataset,
        "business_date": row.business_date.isoformat(),
        "state": row.state,
        "batch_id": row.batch_id,
        "reason_sha256": sha256(row.reason),
        "due_at": iso(row.due_at),
        "received_at": None if row.received_at is None else iso(row.received_at),
    }


def landing_facts(landed: LandedBatch) -> Facts:
    """Return the facts of a landing: the bytes that came, and the rows in them."""
    batch = landed.batch
    return {
        **contract_facts(batch),
        "file_sha256": batch.sha256,
        "file_sm3": batch.sm3,
        "size_bytes": batch.size_bytes,
        "revision": batch.revision,
        "origin": batch.origin,
        "rows_landed": landed.rows_landed,
    }


def verdict_subject(home: Home, batch: Named, digest: str) -> str:
    """Return what a verdict's leaf is about: the batch, which verdict, and of which retry."""
    attempt = governance.attempts(home, batch.batch_id)
    retry = f"-{attempt}" if attempt > 1 else ""
    return f"{subject_of(batch)}/{digest[:12]}{retry}"


def verdict_facts(verdict: Verdict) -> Facts:
    """Return the facts of a verdict."""
    return {
        **contract_facts(verdict.batch),
        "decision": verdict.decision,
        "digest": verdict.digest,
        "rows_good": verdict.rows_good,
        "rows_bad": verdict.rows_bad,
        "rows_duplicate": verdict.rows_duplicate,
    }


def publication_facts(verdict: Verdict, version: PublishedVersion) -> Facts:
    """Return the facts of a publication: on which verdict, as which version, how many rows."""
    return {
        **contract_facts(verdict.batch),
        "digest": verdict.digest,
        "silver_version": version.silver_version,
        "rows_published": version.rows_published,
        "rows_quarantined": version.rows_quarantined,
        "rows_duplicate": version.rows_duplicate,
        "revision": verdict.batch.revision,
        "origin": verdict.batch.origin,
    }


def level_leaves(product: Contract, graded: Mapping[str, Graded]) -> list[Leaf]:
    """Return a leaf for every column that a build shows below what it is made of, as approved."""
    found = []
    for column in product.columns:
        grade, lowering = graded[column.name], column.lowering
        if lowering is None or grade.level >= grade.inherited:
            continue
        facts: Facts = {
            "contract_id": product.id,
            "contract_version": product.version,
            "column": column.name,
            "from": grade.inherited,
            "to": grade.level,
            "function": lowering.function,
            "approval": lowering.approval,
            "approved_by": lowering.approved_by,
            "approved_on": lowering.approved_on.isoformat(),
        }
        subject = f"{product.product_table}.{column.name}@{product.version}"
        found.append(leaf("level", subject, facts))
    return found
