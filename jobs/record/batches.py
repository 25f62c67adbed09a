"""Writes down what a stage did: governance rows, lineage event, evidence leaf, in that order.

Every entry is named after the fact it states, so stating it twice writes nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from contracts.digest import sha256
from contracts.moment import iso, utc_now
from jobs.files.raw import sealed_facts
from jobs.record import footprint, governance, intents, leaves, meter
from jobs.record.governance import BatchRow, CheckRow, DeliveryRow
from jobs.tables import silver, staged
from jobs.tables.delta import open_table
from jobs.tables.quarantine import mark
from lineage import outbox, stages
from lineage.evidence.log import EvidenceLog
from lineage.evidence.machine import this_machine
from lineage.runs import Parent
from lineage.stages import Made, Occasion

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

    from contracts.delivery import BatchStatus, Delivery, DeliveryState, Origin
    from contracts.layout import Home
    from jobs.record.leaves import Named
    from jobs.stages import Batch, CheckResult, LandedBatch, PublishedVersion, Verdict
    from lineage.evidence.leaf import Leaf


def parent_run() -> Parent | None:
    """Return the Airflow task run that called, and its DAG run, if one did (the task sets them)."""
    run_id = os.environ.get("JINGSHU_PARENT_RUN")
    if not run_id:
        return None
    return Parent(
        run_id=run_id,
        job_namespace=os.environ.get("JINGSHU_PARENT_NAMESPACE", "airflow"),
        job_name=os.environ.get("JINGSHU_PARENT_JOB", "task"),
        root_run_id=os.environ.get("JINGSHU_ROOT_RUN"),
        root_job_namespace=os.environ.get("JINGSHU_ROOT_NAMESPACE"),
        root_job_name=os.environ.get("JINGSHU_ROOT_JOB"),
    )


def occasion(  # what a stage knows of its run; the rest is of this process and moment
    run: tuple[str, str, date],
    status: str,
    origin: Origin,
    started_at: datetime,
    reason: str = "",
) -> Occasion:
    """Return the occasion of a run that ends now: its stage, table and date, and what became of it.

    It has the CPU time of the processes that worked for it, and the task that called as its parent.
    """
    cpu = meter.read(*run)
    return Occasion(status, started_at, utc_now(), origin, reason, parent_run(), cpu)


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


def delivery_state(
    home: Home,
    delivery: Delivery,
    state: DeliveryState,
    reason: str,
    *,
    batch_id: str | None = None,
    received_at: datetime | None = None,
) -> Leaf:
    """State a delivery's state on its date; return the leaf that is owed if the state is an end.

    What the newest row says already is not said again.
    """
    said = governance.states_of(home, delivery)
    if said and (said[-1].state, said[-1].batch_id) == (state, batch_id):
        return leaves.delivery_leaf(said[-1], len(said))
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
    return leaves.delivery_leaf(row, change)


def received(home: Home, delivery: Delivery, batch: Batch) -> Leaf:
    """State that a delivery arrived, in time or late; return the leaf that is owed."""
    is_late = batch.received_at > delivery.due_at
    return delivery_state(
        home,
        delivery,
        "late" if is_late else "received",
        f"迟到 late: due {iso(delivery.due_at)}" if is_late else "",
        batch_id=batch.batch_id,
        received_at=batch.received_at,
    )


def ended(
    home: Home, delivery: Delivery, state: DeliveryState, reason: str, batch_id: str | None = None
) -> None:
    """State that a delivery ended without a batch: missing, refused, or a duplicate.

    Of what is refused nothing is kept, in governance and evidence neither.
    """
    with intents.under_way(
        home, f"deliver:{delivery.table}:{delivery.business_date}", delivery.table
    ):
        owed = [delivery_state(home, delivery, state, reason, batch_id=batch_id)]
        if state == "refused":
            owed.append(_refusal(delivery, owed[0].subject))
        leaves.state(home, *owed)


def _refusal(delivery: Delivery, subject: str) -> Leaf:
    facts: footprint.Facts = {
        "contract_id": delivery.contract.id,
        "contract_version": delivery.contract.version,
        "provider": delivery.provider,
        "business_date": delivery.business_date.isoformat(),
    }
    return leaves.leaf("refusal", subject, facts)


def landed(home: Home, delivery: Delivery, batch: LandedBatch, arrived: Leaf) -> None:
    """State a landing: the batch, its lineage and its evidence, the delivery's with it."""
    name = f"batch:{batch.batch_id}:landed"
    governance.append(home, name, [batch_row(batch, "landed", "", batch.rows_landed)])
    _land_leaves(home, delivery, batch, leaves.contract_leaf(delivery.contract), arrived)


def landed_again(home: Home, delivery: Delivery, batch: LandedBatch) -> None:
    """State a retry's landing; where it says what an earlier one said, that leaf stands."""
    attempt = governance.attempts(home, batch.batch_id) + 1
    name = f"batch:{batch.batch_id}:landed:{attempt}"
    governance.append(home, name, [batch_row(batch, "landed", "", batch.rows_landed)])
    _land_leaves(home, delivery, batch, leaves.contract_leaf(delivery.contract))


def put_back(home: Home, delivery: Delivery, batch: LandedBatch) -> None:
    """State that rows which the lake lost are there again, in other files; no row of it changes."""
    _land_leaves(home, delivery, batch)
    _quarantine_again(home, batch)


def _land_leaves(home: Home, delivery: Delivery, batch: LandedBatch, *owed: Leaf) -> None:
    event = _landed_run(home, delivery, batch)
    facts = {
        **leaves.landing_facts(batch),
        **sealed_facts(home, batch.provider, batch.dataset, batch.batch_id),
        **footprint.of_batch(home.table("bronze", batch.table), batch.batch_id),
        **leaves.event_facts(event),
        **this_machine().facts(),
    }
    leaves.state(home, *owed, leaves.leaf("landing", leaves.subject_of(batch), facts))


def _landed_run(home: Home, delivery: Delivery, batch: LandedBatch) -> Path:
    of = ("land", batch.table, batch.business_date)
    run = stages.land_run(
        delivery,
        occasion(of, "landed", batch.origin, batch.started_at),
        batch_id=batch.batch_id,
        file_name=batch.file_name,
        made=Made(batch.bronze_version, batch.rows_landed),
    )
    return outbox.write(home, run)


def audited(home: Home, delivery: Delivery, verdict: Verdict) -> None:
    """State a verdict: every element's result, a held or rejected status, and the leaf."""
    said = f"{verdict.digest[:12]}:{governance.attempts(home, verdict.batch_id)}"
    now = utc_now()  # one moment for all results of an audit: the newest moment's results count
    facts = leaves.verdict_facts(verdict)
    with intents.under_way(home, f"audit:{verdict.batch_id}", verdict.table):
        governance.append(
            home,
            f"checks:{verdict.batch_id}:{said}",
            [_check_row(verdict, r, now) for r in verdict.results],
        )
        if verdict.decision != "publish":
            facts |= leaves.event_facts(_stopped_by_audit(home, delivery, verdict, said))
        subject = leaves.verdict_subject(home, verdict, verdict.digest)
        leaves.state(home, leaves.leaf("verdict", subject, facts))


def _stopped_by_audit(home: Home, delivery: Delivery, verdict: Verdict, said: str) -> Path:
    """State that a batch is held or rejected; return its run's events."""
    status: BatchStatus = "held" if verdict.decision == "hold" else "rejected"
    row = batch_row(
        verdict,
        status,
        verdict.reason,
        verdict.rows_landed,
        rows_duplicate=verdict.rows_duplicate,
    )
    governance.append(home, f"batch:{verdict.batch_id}:{status}:{said}", [row])
    return _refined_run(home, delivery, verdict, status)


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
    made = Made(version.silver_version, version.rows_published, version.rows_quarantined)
    event = _refined_run(home, delivery, verdict, "published", made)
    silver_table = home.table("silver", verdict.table)
    kept = home.table("quarantine", verdict.table)
    facts = {
        **leaves.publication_facts(verdict, version),
        **footprint.of_stage(silver_table, version.silver_version, verdict.batch_id),
        **footprint.of_batch(kept, verdict.batch_id, "quarantine"),
        **leaves.event_facts(event),
    }
    leaves.state(home, leaves.leaf("publication", leaves.subject_of(verdict), facts))


def _refined_run(
    home: Home,
    delivery: Delivery,
    verdict: Verdict,
    status: BatchStatus,
    made: Made | None = None,
) -> Path:
    """Write the lineage event of refining, auditing and publishing, or of stopping there."""
    of = ("publish", verdict.table, verdict.business_date)
    run = stages.publish_run(
        delivery,
        occasion(of, status, verdict.origin, verdict.started_at, verdict.reason),
        batch_id=verdict.batch_id,
        made=made,
        results=verdict.results,
    )
    return outbox.write(home, run)


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
        visible = {staged.stage_of_file(f["path"]) for f in staged.files(table)}
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
    """State a known batch's new status, in its bad rows too; its counts stay what they were."""
    marked(home, row, status)
    update = {"status": status, "reason": reason, "recorded_at": utc_now()}
    said = sha256(reason)[:12]
    name = f"batch:{row.batch_id}:{status}:{said}"
    governance.append(home, name, [row.model_copy(update=update)])


def marked(home: Home, row: BatchRow, status: BatchStatus) -> None:
    """Mark a batch's bad rows with its new status, and log the files that say so."""
    if not row.rows_quarantined:
        return
    with intents.under_way(home, f"mark:{row.batch_id}", row.table):
        mark(home, row.table, row.batch_id, status)
        _quarantine_again(home, row)


def _quarantine_again(home: Home, batch: Named) -> None:
    """Log the files that hold a published batch's bad rows now; nothing else of it changed."""
    subject = leaves.subject_of(batch)
    kept = footprint.of_batch(home.table("quarantine", batch.table), batch.batch_id, "quarantine")
    known = EvidenceLog(home).find(f"publication:{subject}")
    if known is not None and kept:
        leaves.state(home, leaves.leaf("publication", subject, {**known.leaf.facts, **kept}))


def stopped(
    home: Home, batch: Batch, status: BatchStatus, reason: str, rows_landed: int = 0
) -> None:
    """State that a batch ended before publication: rejected at landing, or failed."""
    row = batch_row(batch, status, reason, rows_landed)
    said = sha256(reason)[:12]
    governance.append(home, f"batch:{batch.batch_id}:{status}:{said}", [row])


def _check_row(verdict: Verdict, result: CheckResult, recorded_at: datetime) -> CheckRow:
    return CheckRow(
        recorded_at=recorded_at,
        batch_id=verdict.batch_id,
        provider=verdict.provider,
        dataset=verdict.dataset,
        business_date=verdict.business_date,
        **result.model_dump(),
    )
