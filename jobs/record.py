"""Writes down what a stage did: governance rows, evidence leaf, lineage event, in that order.

Every entry is named after the fact it states, so stating it twice writes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Protocol

from jobs import governance, silver, tables
from jobs.delta import open_table
from jobs.governance import BatchRow, CheckRow, DeliveryRow, utc_now
from lineage import outbox, stages
from lineage.events import Parent
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog

if TYPE_CHECKING:
    from datetime import datetime

    from contracts.delivery import BatchStatus, Delivery, DeliveryState
    from contracts.layout import Home
    from jobs.stages import Batch, CheckResult, LandedBatch, PublishedVersion, Verdict
    from lineage.evidence.leaf import JsonScalar, LeafType


class Named(Protocol):
    """A batch or its row: what a leaf's subject is made of."""

    @property
    def table(self) -> str:
        """The table's name, ``<provider>__<dataset>``."""

    @property
    def batch_id(self) -> str:
        """The batch's name."""


def parent_run() -> Parent | None:
    """Return the Airflow task run that called, if one did (set by the DAG's task)."""
    run_id = os.environ.get("JINGSHU_PARENT_RUN")
    if not run_id:
        return None
    return Parent(
        run_id=run_id,
        job_namespace=os.environ.get("JINGSHU_PARENT_NAMESPACE", "airflow"),
        job_name=os.environ.get("JINGSHU_PARENT_JOB", "task"),
    )


def iso(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC."""
    return moment.isoformat().replace("+00:00", "Z")


def batch_row(  # noqa: PLR0913  (a row has these columns)
    batch: Batch,
    status: BatchStatus,
    reason: str,
    rows_landed: int,
    *,
    rows_published: int = 0,
    rows_quarantined: int = 0,
    rows_duplicate: int = 0,
    silver_version: int | None = None,
) -> BatchRow:
    """Return the row that states a batch's new status."""
    now = utc_now()
    return BatchRow(
        recorded_at=now,
        provider=batch.provider,
        dataset=batch.dataset,
        batch_id=batch.batch_id,
        business_date=batch.business_date,
        contract_id=batch.contract_id,
        contract_version=batch.contract_version,
        revision=batch.revision,
        origin=batch.origin,
        status=status,
        reason=reason,
        file_name=batch.file_name,
        rows_landed=rows_landed,
        rows_published=rows_published,
        rows_quarantined=rows_quarantined,
        rows_duplicate=rows_duplicate,
        silver_version=silver_version,
        started_at=batch.started_at,
        finished_at=now,
    )


def leaf(home: Home, kind: LeafType, subject: str, facts: dict[str, JsonScalar]) -> None:
    """Append one fact to the evidence log, once."""
    EvidenceLog(home).append([Leaf(kind, subject, facts, iso(utc_now()))])


def delivery_state(  # noqa: PLR0913  (a row has these columns)
    home: Home,
    delivery: Delivery,
    state: DeliveryState,
    reason: str,
    *,
    batch_id: str | None = None,
    received_at: datetime | None = None,
) -> int:
    """State a delivery's state on its date; return which change of state this is, from 1.

    What the newest row says already is not said again.
    """
    said = governance.states_of(home, delivery)
    if said and (said[-1].state, said[-1].batch_id) == (state, batch_id):
        return len(said)
    row = DeliveryRow(
        recorded_at=utc_now(),
        provider=delivery.provider,
        dataset=delivery.contract.dataset,
        contract_id=delivery.contract.id,
        contract_version=delivery.contract.version,
        business_date=delivery.business_date,
        state=state,
        batch_id=batch_id,
        reason=reason,
        due_at=delivery.due_at,
        received_at=received_at,
    )
    change = len(said) + 1
    governance.append(home, f"delivery:{delivery.table}:{delivery.business_date}:{change}", [row])
    return change


def received(home: Home, delivery: Delivery, batch: Batch) -> None:
    """State that a delivery arrived, in time or late."""
    is_late = batch.received_at > delivery.due_at
    delivery_state(
        home,
        delivery,
        "late" if is_late else "received",
        f"迟到 late: due {iso(delivery.due_at)}" if is_late else "",
        batch_id=batch.batch_id,
        received_at=batch.received_at,
    )


def landed(home: Home, delivery: Delivery, batch: LandedBatch) -> None:
    """State a landing: the batch, its evidence (of the bytes, at landing) and its lineage."""
    name = f"batch:{batch.batch_id}:landed"
    governance.append(home, name, [batch_row(batch, "landed", "", batch.rows_landed)])
    leaf(home, "landing", f"{batch.table}@{batch.batch_id}", _landing_facts(batch))
    _landed_run(home, delivery, batch)


def landed_again(home: Home, delivery: Delivery, batch: LandedBatch) -> None:
    """State a retry's landing; where it says what an earlier one said, that leaf stands."""
    attempt = governance.attempts(home, batch.batch_id) + 1
    name = f"batch:{batch.batch_id}:landed:{attempt}"
    governance.append(home, name, [batch_row(batch, "landed", "", batch.rows_landed)])
    _leaf_again(home, "landing", batch, _landing_facts(batch))
    _landed_run(home, delivery, batch)


def _leaf_again(home: Home, kind: LeafType, batch: Named, facts: dict[str, JsonScalar]) -> None:
    """Append a fact that was perhaps logged before; where it is another now, both stand."""
    subject = f"{batch.table}@{batch.batch_id}"
    known = EvidenceLog(home).find(f"{kind}:{subject}")
    if known is not None and known.leaf.facts != facts:
        said = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        subject = f"{subject}/{said[:12]}"
    leaf(home, kind, subject, facts)


def _landing_facts(batch: LandedBatch) -> dict[str, JsonScalar]:
    return {
        **_contract_facts(batch),
        "file_sha256": batch.sha256,
        "file_sm3": batch.sm3,
        "size_bytes": batch.size_bytes,
        "revision": batch.revision,
        "origin": batch.origin,
        "rows_landed": batch.rows_landed,
    }


def _landed_run(home: Home, delivery: Delivery, batch: LandedBatch) -> None:
    outbox.write(
        home,
        stages.land_run(
            delivery,
            batch_id=batch.batch_id,
            file_name=batch.file_name,
            rows=batch.rows_landed,
            bronze_version=batch.bronze_version,
            origin=batch.origin,
            started_at=batch.started_at,
            ended_at=utc_now(),
            parent=parent_run(),
        ),
    )


def audited(home: Home, delivery: Delivery, verdict: Verdict) -> None:
    """State a verdict: every element's result, the leaf, and a held or rejected status."""
    said = f"{verdict.digest[:12]}:{governance.attempts(home, verdict.batch_id)}"
    now = utc_now()  # one moment for all results of an audit: the newest moment's results count
    governance.append(
        home,
        f"checks:{verdict.batch_id}:{said}",
        [_check_row(verdict, r, now) for r in verdict.results],
    )
    leaf(home, "verdict", verdict_subject(home, verdict, verdict.digest), verdict_facts(verdict))
    if verdict.decision != "publish":
        status: BatchStatus = "held" if verdict.decision == "hold" else "rejected"
        row = batch_row(
            verdict,
            status,
            verdict.reason,
            verdict.rows_landed,
            rows_duplicate=verdict.rows_duplicate,
        )
        governance.append(home, f"batch:{verdict.batch_id}:{status}:{said}", [row])
        _refined_run(home, delivery, verdict, status)


def verdict_subject(home: Home, batch: Named, digest: str) -> str:
    """Return what a verdict's leaf is about: the batch, which verdict, and of which retry."""
    attempt = governance.attempts(home, batch.batch_id)
    retry = f"-{attempt}" if attempt > 1 else ""
    return f"{batch.table}@{batch.batch_id}/{digest[:12]}{retry}"


def verdict_facts(verdict: Verdict) -> dict[str, JsonScalar]:
    """Return the facts of a verdict's leaf."""
    return {
        **_contract_facts(verdict),
        "decision": verdict.decision,
        "digest": verdict.digest,
        "rows_good": verdict.rows_good,
        "rows_bad": verdict.rows_bad,
        "rows_duplicate": verdict.rows_duplicate,
    }


def published(home: Home, delivery: Delivery, verdict: Verdict, version: PublishedVersion) -> None:
    """State a publication, and that it superseded what it took the place of."""
    row = batch_row(
        verdict,
        "published",
        verdict.reason,
        verdict.rows_landed,
        rows_published=version.rows_published,
        rows_quarantined=version.rows_quarantined,
        rows_duplicate=version.rows_duplicate,
        silver_version=version.silver_version,
    )
    attempt = governance.attempts(home, verdict.batch_id)
    retry = f":{attempt}" if attempt > 1 else ""
    name = f"batch:{verdict.batch_id}:published:{version.silver_version}{retry}"
    governance.append(home, name, [row])
    _superseded(home, delivery, verdict)
    facts: dict[str, JsonScalar] = {
        **_contract_facts(verdict),
        "digest": verdict.digest,
        "silver_version": version.silver_version,
        "rows_published": version.rows_published,
        "rows_quarantined": version.rows_quarantined,
        "rows_duplicate": version.rows_duplicate,
        "revision": verdict.revision,
        "origin": verdict.origin,
    }
    _leaf_again(home, "publication", verdict, facts)  # a lost table's batch is published twice
    _refined_run(
        home,
        delivery,
        verdict,
        "published",
        silver_version=version.silver_version,
        counts=(version.rows_published, version.rows_quarantined),
    )


def _refined_run(  # noqa: PLR0913  (the facts of a run)
    home: Home,
    delivery: Delivery,
    verdict: Verdict,
    status: BatchStatus,
    *,
    silver_version: int | None = None,
    counts: tuple[int, int] = (0, 0),
) -> None:
    """Write the lineage event of refining, auditing and publishing, or of stopping there."""
    outbox.write(
        home,
        stages.publish_run(
            delivery,
            batch_id=verdict.batch_id,
            silver_version=silver_version,
            rows_published=counts[0],
            rows_quarantined=counts[1],
            results=verdict.results,
            status=status,
            origin=verdict.origin,
            started_at=verdict.started_at,
            ended_at=utc_now(),
            reason=verdict.reason,
            parent=parent_run(),
        ),
    )


def _superseded(home: Home, delivery: Delivery, verdict: Verdict) -> None:
    """Give every published batch without a visible file of its own its new status."""
    table = open_table(home.table("silver", verdict.table))
    if table is None or delivery.contract.load.mode == "merge_key":
        replaced = {
            p.batch_id
            for p in silver.in_force(table)
            if p.business_date == verdict.business_date and p.batch_id != verdict.batch_id
        }
    else:
        visible = {tables.stage_of_file(f["path"]) for f in tables.files(table)}
        replaced = {p.batch_id for p in silver.in_force(table)} - visible - {verdict.batch_id}
    for row in governance.batches_of(home, verdict.provider, verdict.dataset):
        is_corrected = (
            row.status == "held"
            and row.business_date == verdict.business_date
            and row.revision < verdict.revision
        )
        if is_corrected or (row.batch_id in replaced and row.status == "published"):
            reason = f"已被批次 {verdict.batch_id} 取代 superseded by batch {verdict.batch_id}"
            restated(home, row, "superseded", reason)


def restated(home: Home, row: BatchRow, status: BatchStatus, reason: str) -> None:
    """State a known batch's new status; its counts stay what they were."""
    update = {"status": status, "reason": reason, "recorded_at": utc_now()}
    said = hashlib.sha256(reason.encode()).hexdigest()[:12]
    name = f"batch:{row.batch_id}:{status}:{said}"
    governance.append(home, name, [row.model_copy(update=update)])


def stopped(
    home: Home, batch: Batch, status: BatchStatus, reason: str, rows_landed: int = 0
) -> None:
    """State that a batch ended before publication: rejected at landing, or failed."""
    row = batch_row(batch, status, reason, rows_landed)
    said = hashlib.sha256(reason.encode()).hexdigest()[:12]
    governance.append(home, f"batch:{batch.batch_id}:{status}:{said}", [row])


def refused(home: Home, delivery: Delivery, reason: str) -> None:
    """State a refusal in governance and evidence; nothing of the file is kept."""
    change = delivery_state(home, delivery, "refused", reason)
    leaf(
        home,
        "refusal",
        f"{delivery.table}@{delivery.business_date}#{change}",
        {
            "contract_id": delivery.contract.id,
            "contract_version": delivery.contract.version,
            "provider": delivery.provider,
            "business_date": delivery.business_date.isoformat(),
        },
    )


def _contract_facts(batch: Batch) -> dict[str, JsonScalar]:
    return {
        "contract_id": batch.contract_id,
        "contract_version": batch.contract_version,
        "provider": batch.provider,
        "dataset": batch.dataset,
        "business_date": batch.business_date.isoformat(),
    }


def _check_row(verdict: Verdict, result: CheckResult, recorded_at: datetime) -> CheckRow:
    return CheckRow(
        recorded_at=recorded_at,
        batch_id=verdict.batch_id,
        provider=verdict.provider,
        dataset=verdict.dataset,
        business_date=verdict.business_date,
        **result.model_dump(),
    )
