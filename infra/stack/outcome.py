"""What a day came to: the governance tables' words, beside how long Airflow took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.words import Words
from jobs.record import governance

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from contracts.layout import Home
    from infra.stack.plan import Step
    from jobs.record.governance import BatchRow, DeliveryRow, PublicationRow


@dataclass(frozen=True)
class DeliveryLine:
    """One delivery of the date: its state, its batch's rows (counts), why, and seconds."""

    provider: str
    dataset: str
    state: str
    batch_id: str | None
    rows_landed: int
    rows_published: int
    rows_quarantined: int
    rows_duplicate: int
    reason: str
    seconds: float


@dataclass(frozen=True)
class PublicationLine:
    """One product or shared table of the date."""

    kind: str
    table: str
    status: str
    version: int | None
    rows: int
    reason: str


@dataclass(frozen=True)
class Outcome:
    """One business date: deliveries, publications, and what failed technically."""

    business_date: date
    deliveries: tuple[DeliveryLine, ...]
    publications: tuple[PublicationLine, ...]
    failures: tuple[Words, ...]
    seconds: float

    @property
    def is_complete(self) -> bool:
        """Tell whether the date completed; a held or refused delivery is an outcome too."""
        return not self.failures

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "date": self.business_date.isoformat(),
            "complete": self.is_complete,
            "deliveries": [vars(line) for line in self.deliveries],
            "publications": [vars(line) for line in self.publications],
            "failures": [failure.en for failure in self.failures],
            "seconds": self.seconds,
        }


def read_outcome(home: Home, business_date: date, steps: Sequence[Step], seconds: float) -> Outcome:
    """Read what the governance tables say about the date, for the feeds that were run."""
    by_feed = {step.node.dag_id: step for step in steps}
    batches = {batch.batch_id: batch for batch in governance.latest_batches(home, business_date)}
    lines = [
        _delivery_line(row, batches.get(row.batch_id or ""), step)
        for row in governance.latest_deliveries(home, business_date)
        if (step := by_feed.get(f"ingest__{row.provider}__{row.dataset}")) is not None
    ]
    publications = [_line(row) for row in governance.latest_publications(home, business_date)]
    return Outcome(
        business_date,
        tuple(sorted(lines, key=lambda line: (line.provider, line.dataset))),
        tuple(sorted(publications, key=lambda line: (line.kind, line.table))),
        tuple(failure for step in steps for failure in _failures(step)),
        round(seconds, 1),
    )


def _delivery_line(row: DeliveryRow, batch: BatchRow | None, step: Step) -> DeliveryLine:
    """Join delivery and batch: the batch's status says more, once there is a batch."""
    return DeliveryLine(
        provider=row.provider,
        dataset=row.dataset,
        state=batch.status if batch and row.state in ("received", "late") else row.state,
        batch_id=row.batch_id,
        rows_landed=batch.rows_landed if batch else 0,
        rows_published=batch.rows_published if batch else 0,
        rows_quarantined=batch.rows_quarantined if batch else 0,
        rows_duplicate=batch.rows_duplicate if batch else 0,
        reason=(batch.reason if batch else "") or row.reason,
        seconds=round(step.seconds, 1),
    )


def _line(row: PublicationRow) -> PublicationLine:
    return PublicationLine(row.kind, row.table_name, row.status, row.version, row.rows, row.reason)


def _failures(step: Step) -> list[Words]:
    dag_id = step.node.dag_id
    if step.is_blocked:
        return [
            Words(f"{dag_id}：未运行，其前置步骤失败", f"{dag_id}: not run, what it follows failed")
        ]
    failed = [task for task in step.tasks if task.state == "failed"]
    if step.has_failed and not failed:
        return [Words(f"{dag_id}：运行失败", f"{dag_id}: the run failed")]
    return [
        Words(
            f"{task.dag_id}.{task.task_id}：尝试 {task.try_number} 次后失败",
            f"{task.dag_id}.{task.task_id}: failed after {task.try_number} tries",
        )
        for task in failed
    ]
