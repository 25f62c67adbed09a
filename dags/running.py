"""When DAGs run, and what all their tasks share: business date, retries, lineage parent."""

from __future__ import annotations

import functools
import logging
import operator
import os
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import (
    Asset,
    CronPartitionTimetable,
    ExceptionRetryPolicy,
    PartitionedAssetTimetable,
    PartitionedAtRuntime,
    RetryAction,
    RetryRule,
    get_current_context,
    get_parsing_context,
)

from contracts.errors import UsageError
from contracts.layout import ASSET_SCHEME
from contracts.model import CITY_TZ
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.model import Contract, Schedule

_LOG = logging.getLogger(__name__)
#: One partition is one business date.
KEY_FORMAT = "%Y-%m-%d"


def is_clock_driven() -> bool:
    """Tell whether the clock starts ingest runs (``JINGSHU_SCHEDULE=cron``, what ``up`` sets)."""
    return os.environ.get("JINGSHU_SCHEDULE", "cron") == "cron"


def _retries() -> dict[str, Any]:
    """Return how often a task is tried again, and after how long.

    Under the clock nobody watches, and what a task needs may be away for minutes: half an hour in
    all. Under ``run`` somebody waits, and dead parts of the stack are started again at once.
    """
    more, first = (5, timedelta(minutes=1)) if is_clock_driven() else (2, timedelta(seconds=5))
    return {
        "retries": more,
        "retry_delay": first,
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=15),
    }


#: A wrong question stays wrong; everything else is tried again.
TASK_DEFAULTS: dict[str, Any] = {
    **_retries(),
    "execution_timeout": timedelta(hours=2),
    "retry_policy": ExceptionRetryPolicy(
        rules=[RetryRule(exception=UsageError, action=RetryAction.FAIL, reason="wrong usage")]
    ),
}

#: What people wait for goes before what may still be landing.
PRODUCT_DEFAULTS: dict[str, Any] = {**TASK_DEFAULTS, "priority_weight": 10}


def is_wanted(dag_id: str) -> bool:
    """Tell whether this parse needs the DAG: a task's process needs its own only."""
    return get_parsing_context().dag_id in (None, dag_id)


def ingest_timetable(schedule: Schedule) -> CronPartitionTimetable | PartitionedAtRuntime:
    """Return one run a business date, on the next day at the time the contract names.

    Datasets of a longer cycle run daily too: a date on which nothing is due completes as
    ``not_due``, so that a product over daily and monthly inputs completes every date.

    A stack that is started within a tenth of a day after that time makes up for it (Airflow's
    ``run_immediately``); what was missed for longer is done by ``backfill``.
    """
    if not is_clock_driven():
        return PartitionedAtRuntime()
    at = schedule.available_at
    return CronPartitionTimetable(
        f"{at.minute} {at.hour} * * *",
        timezone=str(CITY_TZ),
        run_offset=-1,
        key_format=KEY_FORMAT,
    )


def when_all_complete(
    inputs: Sequence[Asset],
) -> PartitionedAssetTimetable | PartitionedAtRuntime:
    """Return one run a business date, once every input has completed that date.

    Without inputs (all of them drafts or retired) runs start by hand only.
    """
    if not inputs:
        return PartitionedAtRuntime()
    return PartitionedAssetTimetable(assets=functools.reduce(operator.and_, inputs))


def silver_asset(contract: Contract, provider: str) -> Asset:
    """Return the asset of one source table."""
    return _asset(f"silver/{contract.table(provider)}")


def gold_asset(product: Contract) -> Asset:
    """Return the asset of one product table."""
    return _asset(f"gold/{product.product_table}")


def _asset(table: str) -> Asset:
    return Asset(name=table, uri=f"{ASSET_SCHEME}{table}")


def business_date() -> str:
    """Return the running task's business date, ``YYYY-MM-DD``: its run's partition key.

    Raises:
        UsageError: the run was started without a partition key, or with one that is no date.
    """
    key = get_current_context()["dag_run"].partition_key
    remedy = Words(
        "请以业务日期（YYYY-MM-DD）作为分区键触发该 DAG。",
        "Trigger the DAG with the business date (YYYY-MM-DD) as its partition key.",
    )
    if not key:
        none = Words("本次运行没有业务日期。", "This run has no business date.")
        raise UsageError(none, remedy)
    try:
        return date.fromisoformat(key).isoformat()
    except ValueError as error:
        problem = Words(f"分区键 {key!r} 不是日期。", f"The partition key {key!r} is no date.")
        raise UsageError(problem, remedy) from error


def logged(told: str) -> str:
    """Say in the task's log how a delivery ended, the reason in full; return what was told."""
    from jobs.stages import Ended, from_json

    stage = from_json(told)
    if isinstance(stage, Ended):
        _LOG.warning("%s: %s", stage.state, Words.read(stage.reason))
        if stage.batch_id:
            look = f"./jingshu batch show {stage.batch_id}"
            _LOG.warning("%s", Words(f"批次：{look}", f"batch: {look}"))
    return told


def announce_lineage_parent() -> None:
    """Name this task as the OpenLineage parent of what its job emits, its DAG run as the root."""
    from airflow.providers.openlineage.plugins.macros import (
        lineage_job_name,
        lineage_job_namespace,
        lineage_root_job_name,
        lineage_root_job_namespace,
        lineage_root_run_id,
        lineage_run_id,
    )

    task_instance = get_current_context()["ti"]
    os.environ["JINGSHU_PARENT_RUN"] = lineage_run_id(task_instance)
    os.environ["JINGSHU_PARENT_NAMESPACE"] = lineage_job_namespace()
    os.environ["JINGSHU_PARENT_JOB"] = lineage_job_name(task_instance)
    os.environ["JINGSHU_ROOT_RUN"] = lineage_root_run_id(task_instance)
    os.environ["JINGSHU_ROOT_NAMESPACE"] = lineage_root_job_namespace(task_instance)
    os.environ["JINGSHU_ROOT_JOB"] = lineage_root_job_name(task_instance)
