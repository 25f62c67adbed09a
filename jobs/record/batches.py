"""Writes down what a stage did to a batch: governance rows, lineage event, evidence leaf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.digest import sha256
from contracts.moment import utc_now
from contracts.words import Words
from jobs.files.raw import sealed_facts
from jobs.names import Step
from jobs.record import footprint, governance, intents, leaves
from jobs.record.entries import logged, occasion
from jobs.record.governance import BatchRow, CheckRow
from jobs.tables import silver, staged
from jobs.tables.delta import open_table
from jobs.tables.quarantine import mark
from lineage import stages
from lineage.evidence.log import EvidenceLog
from lineage.evidence.machine import this_machine
from lineage.stages import Made

if TYPE_CHECKING:
    from datetime import datetime

    from contracts.delivery import BatchStatus, Delivery
    from contracts.layout import Home
    from jobs.record.leaves import Named
    from jobs.stages import Batch, CheckResult, LandedBatch, PublishedVersion, Verdict
    from lineage.evidence.leaf import Leaf
    from lineage.runs import Run


@dataclass(frozen=True)
class _Rows:
    """Where a batch's rows are, as far as the step knows, and the version that shows them."""

    landed: int
    published: int = 0
    quarantined: int = 0
    duplicate: int = 0
    silver_version: int | None = None


def _row(batch: Batch, status: BatchStatus, reason: str, rows: _Rows) -> BatchRow:
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
        rows_landed=rows.landed,
        rows_published=rows.published,
        rows_quarantined=rows.quarantined,
        rows_duplicate=rows.duplicate,
        silver_version=rows.silver_version,
        started_at=batch.started_at,
        finished_at=now,
    )


def landed(home: Home, delivery: Delivery, batch: LandedBatch, arrived: Leaf) -> None:
    """State a landing: the batch, its lineage and its evidence, the delivery's with it."""
    name = Step.BATCH.of(batch.batch_id, "landed")
    governance.append(home, name, [_landed_row(batch)])
    _landing(home, delivery, batch, leaves.contract_leaf(delivery.contract), arrived)


def landed_again(home: Home, delivery: Delivery, batch: LandedBatch) -> None:
    """State a retry's landing; where it repeats an earlier one, that leaf stands."""
    attempt = governance.attempts(home, batch.batch_id) + 1
    name = Step.BATCH.of(batch.batch_id, "landed", attempt)
    governance.append(home, name, [_landed_row(batch)])
    _landing(home, delivery, batch, leaves.contract_leaf(delivery.contract))


def _landed_row(landed: LandedBatch) -> BatchRow:
    return _row(landed.batch, "landed", "", _Rows(landed.rows_landed))


def has_landed(home: Home, batch: Named) -> bool:
    """Tell whether evidence knows a batch's landing: governance may have been lost since."""
    return EvidenceLog(home).find(f"landing:{leaves.subject_of(batch)}") is not None


def put_back(home: Home, delivery: Delivery, batch: LandedBatch) -> None:
    """State that rows which the lake lost are there again, in other files; no row of it changes."""
    _landing(home, delivery, batch)
    _quarantine_again(home, batch)


def _landing(home: Home, delivery: Delivery, landed: LandedBatch, *owed: Leaf) -> None:
    """Write a landing's lineage event and its leaf."""
    batch = landed.batch
    of = ("land", batch.table, batch.business_date)
    run = stages.land_run(
        delivery,
        occasion(of, "landed", batch.origin, batch.started_at),
        batch_id=batch.batch_id,
        file_name=batch.file_name,
        made=Made(landed.bronze_version, landed.rows_landed),
    )
    facts = {
        **leaves.landing_facts(landed),
        **sealed_facts(home, batch.provider, batch.dataset, batch.batch_id),
        **footprint.of_batch(home.table("bronze", batch.table), batch.batch_id),
        **this_machine().facts(),
    }
    logged(home, run, "landing", leaves.subject_of(batch), facts, *owed)


def audited(home: Home, delivery: Delivery, verdict: Verdict) -> None:
    """State a verdict: every element's result, a held or rejected status, and the leaf."""
    audit_id = f"{verdict.digest[:12]}:{governance.attempts(home, verdict.batch_id)}"
    now = utc_now()  # one moment for all results of an audit: the newest moment's results count
    checks = [_check_row(verdict.batch, r, now) for r in verdict.results]
    subject = leaves.verdict_subject(home, verdict, verdict.digest)
    facts = leaves.verdict_facts(verdict)
    with intents.under_way(home, Step.AUDIT.of(verdict.batch_id), verdict.table):
        governance.append(home, Step.CHECKS.of(verdict.batch_id, audit_id), checks)
        if verdict.decision == "publish":
            leaves.state(home, leaves.leaf("verdict", subject, facts))
            return
        status: BatchStatus = "held" if verdict.decision == "hold" else "rejected"
        rows = _Rows(verdict.rows_landed, duplicate=verdict.rows_duplicate)
        row = _row(verdict.batch, status, verdict.reason, rows)
        governance.append(home, Step.BATCH.of(verdict.batch_id, status, audit_id), [row])
        logged(home, _publish_run(delivery, verdict, status), "verdict", subject, facts)


def published(home: Home, delivery: Delivery, verdict: Verdict, version: PublishedVersion) -> None:
    """State a publication, and that it superseded what it took the place of."""
    rows = _Rows(
        verdict.rows_landed,
        published=version.rows_published,
        quarantined=version.rows_quarantined,
        duplicate=version.rows_duplicate,
        silver_version=version.silver_version,
    )
    attempt = governance.attempts(home, verdict.batch_id)
    retry = (attempt,) if attempt > 1 else ()
    name = Step.BATCH.of(verdict.batch_id, "published", version.silver_version, *retry)
    governance.append(home, name, [_row(verdict.batch, "published", verdict.reason, rows)])
    _superseded(home, delivery, verdict.batch)
    made = Made(version.silver_version, version.rows_published, version.rows_quarantined)
    run = _publish_run(delivery, verdict, "published", made)
    shown, kept = home.table("silver", verdict.table), home.table("quarantine", verdict.table)
    facts = {
        **leaves.publication_facts(verdict, version),
        **footprint.of_stage(shown, version.silver_version, verdict.batch_id),
        **footprint.of_batch(kept, verdict.batch_id, "quarantine"),
    }
    logged(home, run, "publication", leaves.subject_of(verdict), facts)


def superseded_before(home: Home, verdict: Verdict, reason: str) -> None:
    """State that newer data of its period replaced a batch before it was ever shown."""
    row = _row(verdict.batch, "superseded", reason, _Rows(verdict.rows_landed))
    governance.append(home, Step.BATCH.of(verdict.batch_id, "superseded"), [row])


def _publish_run(
    delivery: Delivery, verdict: Verdict, status: BatchStatus, made: Made | None = None
) -> Run:
    """Return the run of refining, auditing and publishing, or of stopping there."""
    batch = verdict.batch
    of = ("publish", batch.table, batch.business_date)
    return stages.publish_run(
        delivery,
        occasion(of, status, batch.origin, batch.started_at, verdict.reason),
        batch_id=batch.batch_id,
        made=made,
        results=verdict.results,
        bronze_version=verdict.bronze_version,
    )


def _superseded(home: Home, delivery: Delivery, batch: Batch) -> None:
    """Give every published batch without a visible file of its own its new status."""
    table = open_table(home.table("silver", batch.table))
    if table is None or delivery.contract.load.mode == "merge_key":
        replaced = {
            p.batch_id
            for p in silver.in_force(table)
            if p.business_date == batch.business_date and p.batch_id != batch.batch_id
        }
    else:
        visible = {staged.stage_of_file(f["path"]) for f in staged.files(table)}
        replaced = {p.batch_id for p in silver.in_force(table)} - visible - {batch.batch_id}
    for row in governance.batches_of(home, batch.provider, batch.dataset):
        is_corrected = (
            row.status == "held"
            and row.business_date == batch.business_date
            and row.revision < batch.revision
        )
        if is_corrected or (row.batch_id in replaced and row.status == "published"):
            by = batch.batch_id
            reason = Words(f"已被批次 {by} 取代", f"superseded by batch {by}")
            restated(home, row, "superseded", reason.stored())


def restated(home: Home, row: BatchRow, status: BatchStatus, reason: str) -> None:
    """State a known batch's new status, in its bad rows too; its counts stay what they were."""
    marked(home, row, status)
    name = Step.BATCH.of(row.batch_id, status, sha256(reason)[:12])
    governance.append(home, name, [with_status(row, status, reason)])


def with_status(row: BatchRow, status: BatchStatus, reason: str) -> BatchRow:
    """Return a batch's row as it states a new status from now."""
    update = {"status": status, "reason": reason, "recorded_at": utc_now()}
    return row.model_copy(update=update)


def marked(home: Home, row: BatchRow, status: BatchStatus) -> None:
    """Mark a batch's bad rows with its new status, and log the files that say so."""
    if not row.rows_quarantined:
        return
    with intents.under_way(home, Step.MARK.of(row.batch_id), row.table):
        mark(home, row.table, row.batch_id, status)
        _quarantine_again(home, row)


def _quarantine_again(home: Home, batch: Named) -> None:
    """Log the files that hold a published batch's bad rows now; nothing else of it changed."""
    subject = leaves.subject_of(batch)
    kept = footprint.of_batch(home.table("quarantine", batch.table), batch.batch_id, "quarantine")
    known = EvidenceLog(home).find(f"publication:{subject}")
    if known is not None and kept:
        leaves.state(home, leaves.leaf("publication", subject, {**known.leaf.facts, **kept}))


def stopped(home: Home, batch: Batch, reason: str) -> None:
    """State that a batch was rejected before it landed."""
    name = Step.BATCH.of(batch.batch_id, "rejected", sha256(reason)[:12])
    governance.append(home, name, [_row(batch, "rejected", reason, _Rows(0))])


def _check_row(batch: Batch, result: CheckResult, recorded_at: datetime) -> CheckRow:
    return CheckRow(
        recorded_at=recorded_at,
        batch_id=batch.batch_id,
        provider=batch.provider,
        dataset=batch.dataset,
        business_date=batch.business_date,
        **result.model_dump(),
    )
