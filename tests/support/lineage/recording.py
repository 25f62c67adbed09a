"""Runs of batches and products as the stages record them, and events of other producers."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from contracts.delivery import Delivery
from contracts.layout import Home
from lineage import outbox, stages
from lineage.stages import Made, Occasion
from tests.support.lineage.made import CHECKS, DAY, ENDED, POLICY, PRODUCT, SQL, STARTED, VISIT

if TYPE_CHECKING:
    from contracts.layout import Home
    from contracts.tree import Tree


def times(hour: int, origin: str = "real") -> Any:
    later = timedelta(hours=hour)
    return {"origin": origin, "started_at": STARTED + later, "ended_at": ENDED + later}


def batch(
    home: Home, delivery: Delivery, number: int, hour: int, origin: str = "real"
) -> dict[str, str]:
    """Land and publish a batch as bronze ``number + 10`` and silver ``number``; name the runs."""
    batch_id = f"20260715-{delivery.provider}-{number}"
    land = stages.land_run(
        delivery,
        Occasion("landed", **times(hour, origin)),
        batch_id=batch_id,
        file_name=f"{delivery.provider}-{number}.csv",
        made=Made(number + 10, 9),
    )
    publish = stages.publish_run(
        delivery,
        Occasion("published", **times(hour + 1, origin)),
        batch_id=batch_id,
        results=CHECKS,
        made=Made(number, 8, 1),
        bronze_version=None,
    )
    outbox.write(home, land)
    outbox.write(home, publish)
    return {"batch": batch_id, "land": land.run_id, "publish": publish.run_id}


def build(home: Home, tree: Tree, version: int, hour: int, origin: str, **inputs: int) -> str:
    run = stages.build_run(
        tree,
        PRODUCT,
        Occasion("published", **times(hour, origin)),
        business_date=DAY,
        input_versions=inputs,
        sql=SQL,
        made=Made(version, 3),
    )
    share = stages.share_run(
        PRODUCT,
        POLICY,
        Occasion("published", **times(hour + 1, origin)),
        business_date=DAY,
        input_version=version,
        made=Made(version, 3),
    )
    outbox.write(home, run)
    outbox.write(home, share)
    return run.run_id


def foreign(name: str, *sources: str, at: str = "2026-07-17T00:00:00Z", **more: Any) -> str:
    """A COMPLETE event of another producer: column ``x`` of a data set from ``x`` of others."""
    fields = [{"namespace": "bi", "name": s, "field": "x"} for s in sources]
    output = {
        "namespace": "bi",
        "name": name,
        "facets": {"columnLineage": {"fields": {"x": {"inputFields": fields}}}},
    }
    event = {
        "eventType": "COMPLETE",
        "eventTime": at,
        "run": {"runId": "0191e2c0-0000-7000-8000-000000000009"},
        "job": {"namespace": "bi", "name": "dashboard"},
        "outputs": [output | more],
    }
    return json.dumps(event) + "\n"


def record(home: Home, count: int, day: date = DAY) -> list[tuple[str, str]]:
    """Write runs that began a minute apart; return their events, oldest first."""
    found: list[tuple[str, str]] = []
    for n in range(count):
        began = STARTED + timedelta(days=(day - DAY).days, minutes=n)
        run = stages.land_run(
            Delivery(VISIT, "health", day),
            Occasion(
                "landed",
                started_at=began,
                ended_at=began + timedelta(seconds=1),
                origin="simulated",
            ),
            batch_id=f"{day:%Y%m%d}-{n}",
            file_name="f.csv",
            made=Made(n, n),
        )
        outbox.write(home, run)
        found += [(run.run_id, "START"), (run.run_id, "COMPLETE")]
    return found
