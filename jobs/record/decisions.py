"""Writes down what people decide about a batch, and who opened its original: rows and leaves."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.digest import sha256
from contracts.moment import utc_now
from contracts.words import Words
from jobs.files.raw import sealed_facts
from jobs.names import Step
from jobs.record import batches, footprint, governance, leaves
from jobs.record.entries import logged, occasion
from jobs.tables import silver
from lineage import stages
from lineage.evidence.log import EvidenceLog

if TYPE_CHECKING:
    from contracts.delivery import Delivery
    from contracts.layout import Home
    from jobs.record.footprint import Facts
    from jobs.record.governance import BatchRow
    from jobs.record.leaves import Named
    from jobs.stages import Verdict
    from lineage.evidence.digests import FileDigest
    from lineage.evidence.leaf import Leaf


@dataclass(frozen=True)
class Withdrawn:
    """What a withdrawal made: its silver version, and the batches that are visible again.

    ``lost`` names a batch that should have come back but whose staged files are gone.
    """

    version: int
    actor: str
    reason: str
    returned: tuple[str, ...]
    lost: str | None


def verdict_leaf(home: Home, batch: Named, digest: str) -> Leaf | None:
    """Return the leaf of a batch's verdict by the verdict's digest; None where it was not given."""
    logged_as = EvidenceLog(home).find(f"verdict:{leaves.verdict_subject(home, batch, digest)}")
    return logged_as.leaf if logged_as is not None else None


def released(home: Home, verdict: Verdict, held_digest: str, actor: str, reason: str) -> None:
    """Log the verdict that a person's release made of a held one; one that was logged stands."""
    if verdict_leaf(home, verdict, verdict.digest) is not None:
        return
    facts: Facts = {
        **leaves.verdict_facts(verdict),
        "released_by": actor,
        "reason_sha256": sha256(reason),
        "held_digest": held_digest,
    }
    subject = leaves.verdict_subject(home, verdict, verdict.digest)
    leaves.state(home, leaves.leaf("verdict", subject, facts))


def rejected(home: Home, row: BatchRow, actor: str, reason: str) -> str:
    """State that a person turned a held batch down; return the row's reason.

    A decision is its own fact: the leaf comes first, and deciding again finishes what follows.
    """
    attempt = governance.attempts(home, row.batch_id)
    subject = f"{leaves.subject_of(row)}/rejected-{attempt}-{sha256(actor + reason)[:12]}"
    facts: Facts = {
        **leaves.contract_facts(row),
        "decision": "reject",
        "rejected_by": actor,
        "reason_sha256": sha256(reason),
    }
    leaves.state(home, leaves.leaf("verdict", subject, facts))
    held = Words.read(row.reason)
    full_reason = Words(
        f"{actor} 退回：{reason}（{held.zh}）", f"{actor} rejected it: {reason} ({held.en})"
    ).stored()
    name = Step.BATCH.of(row.batch_id, "rejected", attempt, sha256(full_reason)[:12])
    governance.append(home, name, [batches.with_status(row, "rejected", full_reason)])
    return full_reason


def withdrawn(home: Home, delivery: Delivery, row: BatchRow, made: Withdrawn) -> None:
    """State a withdrawal: the batch's row and those of what is visible again, the run, the leaf."""
    began = utc_now()
    reason = Words(
        f"{made.actor} 撤回：{made.reason}", f"{made.actor} withdrew it: {made.reason}"
    ).stored()
    batches.marked(home, row, "withdrawn")
    gone = batches.with_status(row, "withdrawn", reason)
    governance.append(home, Step.BATCH.of(row.batch_id, "withdrawn"), [gone])
    for back in governance.batches_of(home, row.provider, row.dataset):
        if back.batch_id in made.returned and back.status == "superseded":
            again = Words(
                f"批次 {row.batch_id} 撤回后重新可见",
                f"visible again: batch {row.batch_id} was withdrawn",
            ).stored()
            batches.marked(home, back, "published")
            name = Step.BATCH.of(back.batch_id, "published", f"without-{row.batch_id}")
            governance.append(home, name, [batches.with_status(back, "published", again)])
    run = stages.withdraw_run(
        delivery,
        occasion(("withdraw", row.table, row.business_date), "withdrawn", row.origin, began),
        batch_id=row.batch_id,
        silver_version=made.version,
    )
    stage = f"{row.batch_id}{silver.WITHDRAWN}"  # a merge is shown anew, from a stage of its own
    facts: Facts = {
        "contract_id": row.contract_id,
        "contract_version": row.contract_version,
        "silver_version": made.version,
        "actor": made.actor,
        "reason_sha256": sha256(made.reason),
        "returned": ",".join(made.returned),
        **footprint.of_stage(home.table("silver", row.table), made.version, stage),
    }
    logged(home, run, "withdrawal", leaves.subject_of(row), facts)


def opened(home: Home, row: BatchRow, clear: FileDigest, actor: str, reason: str) -> Leaf:
    """Log that a person opens a batch's original, by the digests of it in clear; return the leaf.

    Each opening is a fact of its own.
    """
    facts: Facts = {
        "actor": actor,
        "reason_sha256": sha256(reason),
        "file_sha256": clear.sha256,
        "file_sm3": clear.sm3,
        **sealed_facts(home, row.provider, row.dataset, row.batch_id),
    }
    leaf = leaves.leaf("opening", f"{leaves.subject_of(row)}/{uuid.uuid4().hex[:12]}", facts)
    leaves.state(home, leaf)
    return leaf
