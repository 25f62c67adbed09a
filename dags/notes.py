"""What a run of a delivery came to, as its note: Airflow itself knows success and failure only.

Airflow calls these when a run has ended, in the scheduler and within its transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.listeners import hookimpl
from sqlalchemy import select
from sqlalchemy.orm import object_session

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

#: The tasks whose result says how a delivery ended, the last first.
_TELLING = ("complete", "publish")


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001
    """Note a delivery that is held, rejected, refused, missing or the like."""
    _note(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001
    """Note a delivery that failed."""
    _note(dag_run)


def _note(run: DagRun) -> None:
    from dags.wording import outcome_note
    from jobs.stages import Ended, from_json

    if not run.dag_id.startswith("ingest__") or run.note:
        return
    told = _result(run)
    stage = from_json(told) if isinstance(told, str) else None
    if isinstance(stage, Ended) and (note := outcome_note(stage)):
        run.note = note


def _result(run: DagRun) -> object:
    """Return what the last task that has a result returned."""
    from airflow.models.xcom import XCOM_RETURN_KEY, XComModel

    session = object_session(run)
    if session is None:
        return None
    rows = session.scalars(
        select(XComModel).where(
            XComModel.dag_id == run.dag_id,
            XComModel.run_id == run.run_id,
            XComModel.key == XCOM_RETURN_KEY,
            XComModel.task_id.in_(_TELLING),
        )
    )
    results = {row.task_id: row.value for row in rows}
    return next((results[name] for name in _TELLING if name in results), None)
