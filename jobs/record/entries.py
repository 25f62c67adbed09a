"""What every stage writes down of its run: the lineage event, and then the leaf that names it.

A stage's record has one order: intent → what becomes visible → governance row → lineage event →
leaf → intent closed. Each is named after the fact it states, so stating it twice writes nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from contracts.moment import utc_now
from jobs.record import leaves, meter
from lineage import outbox
from lineage.runs import Parent
from lineage.stages import Occasion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from contracts.delivery import Origin
    from contracts.layout import Home
    from lineage.evidence.leaf import JsonScalar, Leaf, LeafType
    from lineage.runs import Run


def logged(
    home: Home,
    run: Run,
    kind: LeafType,
    subject: str,
    facts: Mapping[str, JsonScalar],
    *owed: Leaf,
) -> None:
    """Write a run's lineage event, then its leaf, which names the event beside ``facts``.

    ``owed`` are leaves of what the run relied on; they go into the log before it, with one write.
    """
    event = outbox.write(home, run)
    told = leaves.leaf(kind, subject, {**facts, **leaves.event_facts(event)})
    leaves.state(home, *owed, told)


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
