"""One ingest DAG a feed (contract and provider): land → publish, by business date."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, cast

from airflow.sdk import DAG, TriggerRule, get_current_context, task

from contracts.delivery import Delivery
from contracts.loading import load_tree
from contracts.words import Words
from dags.landing import Land
from dags.notifying import alerts
from dags.running import (
    TASK_DEFAULTS,
    announce_lineage_parent,
    business_date,
    ingest_timetable,
    is_clock_driven,
    is_wanted,
    logged,
    silver_asset,
)
from dags.wording import feed_doc, feed_title

if TYPE_CHECKING:
    from airflow.sdk.definitions.xcom_arg import PlainXComArg

    from contracts.model import Provider
    from contracts.tree import Feed

#: A date that waits for its delivery must not keep others from theirs: a person's run, a backfill,
#: the next morning. What is made visible is still made so one date after the other (`publish`).
_DATES_AT_ONCE = 16


def ingest_dag(feed: Feed, provider: Provider) -> DAG:
    """Return the DAG ``ingest__<provider>__<dataset>`` of one feed.

    A held, missing or refused delivery completes its date like any other, so that no product waits
    for a provider that is absent. ``complete`` does so where a task gave up, and else is skipped:
    a task that runs costs more than a small batch does. It is a teardown, which Airflow leaves out
    of a run's state: a run whose task gave up fails, although its date completes.
    """
    contract = feed.contract
    with DAG(
        dag_id=f"ingest__{feed.table}",
        dag_display_name=feed_title(contract, provider),
        description=contract.title,
        doc_md=feed_doc(contract, provider),
        schedule=ingest_timetable(contract.schedule),
        catchup=False,
        max_active_runs=_DATES_AT_ONCE,
        tags={"ingest", provider.id, contract.domain, contract.level, contract.schedule.cycle},
        default_args={**TASK_DEFAULTS, "owner": contract.owner or provider.id},
        **alerts(
            feed.table,
            timedelta(hours=contract.schedule.latency_h),
            provider.id,
            is_by_clock=is_clock_driven(),
        ),
    ) as dag:
        land = Land(task_id="land", feed=feed, doc_md=Land.__doc__)

        @task(outlets=[silver_asset(contract, feed.provider)], max_active_tis_per_dag=1)
        def publish(landed: str) -> str:
            """Refine the batch in one Spark plan, audit what was staged, make it visible."""
            from jobs import entry

            announce_lineage_parent()
            return logged(entry.publish(entry.refine(landed)))

        @task(outlets=[silver_asset(contract, feed.provider)])
        def complete() -> str:
            """Complete the date of a delivery that could not be processed, with that state."""
            from jobs import entry

            announce_lineage_parent()
            return logged(entry.publish(_failed(feed)))

        published = publish(land.output)  # type: ignore[arg-type]  # Airflow resolves it to the string
        last = cast("PlainXComArg", complete()).operator.as_teardown()
        last.trigger_rule = TriggerRule.ONE_FAILED  # a teardown's own rule would run it every time
        [land, published] >> last
    return dag


def _failed(feed: Feed) -> str:
    """Return the end of a delivery whose earlier task gave up after its retries."""
    from jobs.stages import Ended

    run = get_current_context()["dag_run"]
    delivery = Delivery(feed.contract, feed.provider, date.fromisoformat(business_date()))
    where = f"{run.dag_id}, {run.run_id}"
    reason = Words(
        f"任务重试后仍未成功；其日志在 Airflow 中：{where}",
        f"a task gave up after its retries; its log in Airflow: {where}",
    )
    return Ended.of(delivery, "failed", reason.stored()).to_json()


_tree = load_tree()
for _feed in _tree.feeds():
    if is_wanted(dag_id := f"ingest__{_feed.table}"):
        globals()[dag_id] = ingest_dag(_feed, _tree.provider(_feed.provider))
