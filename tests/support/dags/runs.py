"""Take runs of the ingest DAGs through Airflow's own database models, and print what came of them.

Run by the tests in a process of its own, for Airflow spoils the process that imports it. Each line
of standard input is a scenario: what to ``play``, the ``date`` (each scenario its own), what lies
in the ``drop`` folder (name → text) and which tasks are ``dying``: what a killed worker ran is
marked failed by the scheduler, never by itself.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from airflow._shared.module_loading import import_string
from airflow.api.common.trigger_dag import trigger_dag
from airflow.assets.manager import asset_manager
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.dag_processing.processor import _execute_dag_callbacks
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.asset import AssetEvent, AssetModel
from airflow.models.asset import AssetPartitionDagRun as Pending
from airflow.models.dagbag import DBDagBag
from airflow.models.dagrun import DagRun
from airflow.models.deadline import Deadline
from airflow.sdk.api.datamodels._generated import TaskInstance as TaskOfRun
from airflow.sdk.execution_time.supervisor import run_task_in_process
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType
from sqlalchemy import select

from contracts.layout import Home
from dags import running
from infra.stack.partitions import heal
from jobs.record import governance
from sharing.control import Control
from sharing.notices import outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BUNDLE = "dags-folder"
_MOST_ROUNDS = 10


def prepare() -> DagBag:
    """Create the database with this tree's DAGs in it."""
    initdb()
    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"], bundle_name=BUNDLE)
    assert not bag.import_errors, bag.import_errors
    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(bag, BUNDLE, None)
    SchedulerJobRunner(job=Job())._update_asset_orphanage()
    return bag


def delivery(
    bag: DagBag, date: str, *, dag_id: str = "ingest__health__case", dying: Sequence[str] = ()
) -> dict[str, Any]:
    """Run a feed's DAG for the date until its run has ended; return what Airflow says of it."""
    by = DagRunTriggeredByType.CLI
    trigger_dag(dag_id, run_id=f"run_{date}", partition_key=date, triggered_by=by)
    dag = bag.dags[dag_id]
    with create_session() as session:
        run = session.scalar(_run_of(dag_id, date))
        run.dag = DBDagBag().get_dag_for_run(run, session=session)
        run.state = DagRunState.RUNNING
        for _ in range(_MOST_ROUNDS):
            if run.state != DagRunState.RUNNING:
                break
            ready, request = run.update_state(session=session, execute_callbacks=False)
            for instance in ready:
                instance.try_number += 1
                instance.state = TaskInstanceState.QUEUED
            session.commit()
            for instance in ready:
                if instance.task_id in dying:
                    instance.set_state(TaskInstanceState.FAILED, session=session)
                    continue
                told = TaskOfRun(
                    id=instance.id,
                    task_id=instance.task_id,
                    dag_id=dag_id,
                    run_id=run.run_id,
                    try_number=instance.try_number,
                    dag_version_id=instance.dag_version_id,
                )
                run_task_in_process(ti=told, task=dag.get_task(instance.task_id))
            session.commit()
            session.expire_all()  # the tasks' own reports came by another session
        events = select(AssetEvent).where(
            AssetEvent.partition_key == date, AssetEvent.source_dag_id == dag_id
        )
        if request is not None:
            _execute_dag_callbacks(bag, request, structlog.get_logger())
        return {
            "run": run.state,
            "note": run.note,
            "tasks": {t.task_id: t.state for t in run.get_task_instances(session=session)},
            "events": [event.source_task_id for event in session.scalars(events)],
        }


def late(bag: DagBag, date: str) -> dict[str, Any]:
    """Let a run miss its deadline; play the scheduler's part in it, and then the triggerer's."""
    dag_id = "ingest__health__case"
    by = DagRunTriggeredByType.CLI
    trigger_dag(dag_id, run_id=f"run_{date}", partition_key=date, triggered_by=by)
    with create_session() as session:
        run = session.scalar(_run_of(dag_id, date))
        [deadline] = session.scalars(select(Deadline).where(Deadline.dagrun_id == run.id))
        after = deadline.deadline_time - run.queued_at
        deadline.handle_miss(session)
        session.flush()
        row = deadline.callback.trigger
        trigger = import_string(row.classpath)(**row.kwargs)
        told = asyncio.run(_events_of(trigger))
    return {"after_h": after.total_seconds() / 3600, "callback": told}


async def _events_of(trigger: Any) -> list[str]:
    return [event.payload["state"] async for event in trigger.run()]


def doubled(bag: DagBag, date: str) -> dict[str, Any]:
    """Complete a product's four inputs while its pending run is doubled after the first."""
    feeds = ("health__case", "chaoyang__report", "dongcheng__report")
    delivery(bag, date, dag_id=f"ingest__{feeds[0]}")
    with create_session() as session:
        first = session.scalar(select(Pending).where(Pending.partition_key == date))
        assert first is not None
        second = Pending(
            target_dag_id=first.target_dag_id,
            partition_key=date,
            rollup_fingerprint=first.rollup_fingerprint,
        )
        session.add(second)
    for feed in feeds[1:]:
        delivery(bag, date, dag_id=f"ingest__{feed}")
    with create_session() as session:
        sketch = session.scalar(select(AssetModel).where(AssetModel.name == "gold/sketch"))
        assert sketch is not None
        asset_manager.register_asset_change(asset=sketch, partition_key=date, session=session)
    told: dict[str, Any] = {"started_at_first": _started(date)}
    with create_session() as session:
        told["healed"] = heal(session)
        told["healed_again"] = heal(session)
    told["started"] = _started(date)
    told["started_again"] = _started(date)
    return told


def said(bag: DagBag, date: str, *, told: str) -> dict[str, Any]:
    """Have a task say how a delivery ended."""
    return {"handed_on": running.logged(told)}


class Lines(logging.Handler):
    """Keeps what a task says of its delivery."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line as people read it."""
        self.kept.append(record.getMessage())


def _started(date: str) -> list[str]:
    """Let the scheduler create the runs that pend; return those of the product for the date."""
    with create_session() as session:
        SchedulerJobRunner(job=Job())._create_dagruns_for_partitioned_asset_dags(session)
    with create_session() as session:
        runs = session.scalars(_run_of("product__overview", date))
        return [run.state for run in runs]


def _run_of(dag_id: str, date: str) -> Any:
    return select(DagRun).where(DagRun.dag_id == dag_id, DagRun.partition_key == date)


PLAYS: dict[str, Callable[..., dict[str, Any]]] = {
    "delivery": delivery,
    "late": late,
    "doubled": doubled,
    "said": said,
}


def main() -> None:
    """Play each scenario as it comes."""
    bag = prepare()
    drop = Path(os.environ["JINGSHU_DROP"])
    lines = Lines()
    logging.getLogger(running.__name__).addHandler(lines)
    for line in sys.stdin:
        scenario = json.loads(line)
        for name, text in scenario.pop("drop", {}).items():
            (drop / name).parent.mkdir(parents=True, exist_ok=True)
            (drop / name).write_text(text, "utf-8")
        date = scenario.pop("date")
        lines.kept.clear()
        told = PLAYS[scenario.pop("play")](bag, date, **scenario)
        told["log"] = lines.kept
        batches = governance.latest_batches(Home.from_env(), dt.date.fromisoformat(date))
        told["batches"] = [[batch.batch_id, batch.reason] for batch in batches]
        with Control(Home.from_env()) as control:
            told["notices"] = sorted(
                [notice.kind, notice.body, notice.role]
                for notice in outbox.list_notices(control)
                if date in notice.subject
            )
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    os._exit(0)  # the engines' threads may abort an orderly exit


main()
