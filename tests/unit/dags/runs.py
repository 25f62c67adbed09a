"""Take runs of the ingest DAGs through Airflow's own database models, and print what came of them.

Run by the tests in a process of its own, for Airflow spoils the process that imports it. Each line
of standard input is a scenario: what to ``play``, the ``date`` (each scenario its own), what lies
in the ``drop`` folder (name → text) and which tasks are ``dying``: a task whose worker was killed is
marked failed by the scheduler, never by itself.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.api.common.trigger_dag import trigger_dag
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.models.asset import AssetEvent
from airflow.models.dagbag import DBDagBag
from airflow.models.dagrun import DagRun
from airflow.sdk.api.datamodels._generated import TaskInstance as TaskOfRun
from airflow.sdk.execution_time.supervisor import run_task_in_process
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType
from sqlalchemy import select

if TYPE_CHECKING:
    from collections.abc import Sequence

BUNDLE = "dags-folder"
_MOST_ROUNDS = 10


def prepare() -> DagBag:
    """Create the database with this tree's DAGs in it."""
    initdb()
    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"], bundle_name=BUNDLE)
    assert not bag.import_errors, bag.import_errors
    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(bag, BUNDLE, None)
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
            ready, _ = run.update_state(session=session)
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
        return {
            "run": run.state,
            "note": run.note,
            "tasks": {t.task_id: t.state for t in run.get_task_instances(session=session)},
            "events": [event.source_task_id for event in session.scalars(events)],
        }


def _run_of(dag_id: str, date: str) -> Any:
    return select(DagRun).where(DagRun.dag_id == dag_id, DagRun.partition_key == date)


PLAYS = {"delivery": delivery}


def main() -> None:
    """Play each scenario as it comes."""
    bag = prepare()
    drop = Path(os.environ["JINGSHU_DROP"])
    for line in sys.stdin:
        scenario = json.loads(line)
        for name, text in scenario.pop("drop", {}).items():
            (drop / name).parent.mkdir(parents=True, exist_ok=True)
            (drop / name).write_text(text, "utf-8")
        told = PLAYS[scenario.pop("play")](bag, scenario.pop("date"), **scenario)
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    os._exit(0)  # the engines' threads may abort an orderly exit


main()
