"""The task ``land``: pulls and lands a delivery, and waits for it without a worker if it must."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from contracts.delivery import Delivery
from dags.running import announce_lineage_parent, business_date, is_clock_driven

if TYPE_CHECKING:
    from airflow.sdk import Context

    from contracts.tree import Feed
    from dags.waiting import DeliveryTrigger
    from jobs.stages import Ended

#: States of a delivery that may still arrive.
_NOT_THERE = ("expected", "missing")
#: The type of a run that somebody asked for, by hand or over the REST API.
_BY_HAND = "manual"


class Land(BaseOperator):
    """Pull the delivery's original bytes and land them in bronze (no Spark).

    While it is expected the task is deferred: to when its file is there, at the latest to when it
    is missing. Where a person started the run (``./jingshu run``, the web page) nobody waits: the
    date completes as it stands.
    """

    def __init__(self, *, feed: Feed, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.feed = feed

    def execute(self, context: Context) -> str:
        """Land, or defer until there is something to land."""
        return self._landed(context)

    def look_again(self, context: Context, event: dict[str, bool]) -> str:  # noqa: ARG002
        """Land after the wait; what came may be incomplete still, then the wait goes on."""
        return self._landed(context)

    def _landed(self, context: Context) -> str:
        from jobs import entry, stages

        announce_lineage_parent()
        landed = entry.land(self.feed.contract.id, self.feed.provider, business_date())
        self.log.info("Landed: %s", landed)  # what the batch's trail is found by
        stage = stages.from_json(landed)
        is_by_clock = is_clock_driven() and context["dag_run"].run_type != _BY_HAND
        if is_by_clock and isinstance(stage, stages.Ended) and stage.state in _NOT_THERE:
            self._wait(stage)
        return landed

    def _wait(self, ended: Ended) -> None:
        """Defer while the delivery may still come."""
        from contracts.moment import utc_now

        delivery = Delivery(self.feed.contract, self.feed.provider, ended.business_date)
        if utc_now() < delivery.missing_at:
            self.defer(trigger=trigger_for(delivery), method_name="look_again")


def trigger_for(delivery: Delivery) -> DeliveryTrigger:
    """Return the trigger that waits for a delivery's files in the drop folder."""
    from dags.waiting import DeliveryTrigger

    server = delivery.contract.server(delivery.provider)
    below = server.path.removeprefix("{drop}/")
    below = below.replace("{date}", delivery.business_date.isoformat())
    return DeliveryTrigger(
        below,
        delivery.missing_at.isoformat(),
        needs_manifest=server.export.manifest == "required",
    )
