"""Who is told when a run fails or is late: a notice in the outbox of the home in force."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from airflow.sdk import BaseNotifier
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from contracts.layout import Home
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

#: A date that was late before it began is given this long all the same.
_SHORTEST = timedelta(minutes=30)


class Alerts(TypedDict):
    """The keyword arguments of a DAG that say what happens when a run fails or is late."""

    on_failure_callback: OutboxNotifier
    deadline: DeadlineAlert | None


class OutboxNotifier(BaseNotifier):
    """Puts a notice of a run into the outbox; the DAG ``upkeep`` and ``run`` send what it holds.

    Airflow calls it in the DAG processor when a run failed, in the triggerer when one is late.
    """

    def __init__(
        self,
        *,
        state: Literal["failed", "overdue"],
        subject: str,
        provider: str = "",
        context: Context | None = None,
    ) -> None:
        super().__init__(context)
        self.state = state
        self.subject = subject
        self.provider = provider

    def notify(self, context: Context) -> None:
        """Put the notice; the same run's is put once."""
        from contracts.moment import utc_now
        from sharing.control import Control
        from sharing.notices import facts, outbox

        date, run_id = _date_and_run(context)
        row = facts.RunOfDate(self.subject, self.provider, date, run_id, self.state)
        with Control(Home.from_env()) as control:
            outbox.put(control, facts.of_run(row), utc_now())

    async def async_notify(self, context: Context) -> None:
        """Put the notice without holding the triggerer's loop."""
        await asyncio.to_thread(self.notify, context)


def alerts(subject: str, limit: timedelta, provider: str = "", *, is_by_clock: bool) -> Alerts:
    """Return what tells of a DAG's runs that fail, and under the clock of those not done in time.

    ``limit`` counts from when the clock started the run.
    """
    told = {"subject": subject, "provider": provider}
    late = DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=max(limit, _SHORTEST),
        callback=AsyncCallback(OutboxNotifier, kwargs={**told, "state": "overdue"}),
        name=str(Words("逾期", "not complete in time")),
    )
    return {
        "on_failure_callback": OutboxNotifier(state="failed", subject=subject, provider=provider),
        "deadline": late if is_by_clock else None,
    }


def _date_and_run(context: Context | Mapping[str, Any]) -> tuple[str, str]:
    """Return a run's business date and id: an alert is told of it as plain data, a callback not."""
    run: Any = context.get("dag_run")
    if isinstance(run, dict):
        return run.get("partition_key") or "", run.get("dag_run_id") or ""
    run_id = str(context.get("run_id") or "")
    return getattr(run, "partition_key", None) or "", run_id
