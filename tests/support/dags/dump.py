"""Print what the DAG files build, as JSON; run by the tests in a process of its own.

Airflow configures logging and warnings of the process that imports it; this one may be spoilt.
"""

from __future__ import annotations

import json
import runpy
import sys
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, Asset

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = ("pyspark", "pyarrow", "deltalake", "great_expectations", "pandas", "jobs")


def assets_of(condition: object) -> Iterator[str]:
    if isinstance(condition, Asset):
        yield condition.name
    for part in getattr(condition, "objects", ()):
        yield from assets_of(part)


def timetable(dag: DAG) -> dict[str, Any]:
    table = dag.timetable
    told: dict[str, Any] = {"type": type(table).__name__}
    for name in ("expression", "run_offset", "key_format"):
        if hasattr(table, name):
            told[name] = getattr(table, name)
    if hasattr(table, "timezone"):
        told["timezone"] = str(table.timezone)
    if hasattr(table, "asset_condition"):
        told["condition"] = type(table.asset_condition).__name__
        told["assets"] = sorted(assets_of(table.asset_condition))
    return told


def describe(dag: DAG) -> dict[str, Any]:
    alerts: Any = dag.deadline or []
    return {
        "title": dag.dag_display_name,
        "description": dag.description,
        "doc_md": (dag.doc_md or "").splitlines(),
        "timetable": timetable(dag),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "tags": sorted(dag.tags),
        "late_after_h": [alert.interval.total_seconds() / 3600 for alert in alerts],
        "told_of_failures": dag.has_on_failure_callback,
        "tasks": {task.task_id: describe_task(task) for task in dag.tasks},
    }


def describe_task(task: Any) -> dict[str, Any]:
    return {
        "after": sorted(task.upstream_task_ids),
        "trigger_rule": task.trigger_rule.value,
        "counts_for_the_run": not task.is_teardown,
        "retries": task.retries,
        "retry_after_s": task.retry_delay.total_seconds(),
        "retry_exponential_backoff": bool(task.retry_exponential_backoff),
        "max_active_tis_per_dag": task.max_active_tis_per_dag,
        "owner": task.owner,
        "outlets": {asset.name: asset.uri for asset in task.outlets},
    }


found: dict[str, DAG] = {}
for path in sys.argv[1:]:
    found |= {key: dag for key, dag in runpy.run_path(path).items() if isinstance(dag, DAG)}
loaded = sorted(name for name in ENGINES if name in sys.modules)
dags = {dag_id: describe(dag) for dag_id, dag in sorted(found.items())}
sys.stdout.write(json.dumps({"loaded": loaded, "dags": dags}, ensure_ascii=False) + "\n")
