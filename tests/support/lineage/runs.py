"""One run of every stage and of every way it can end, and what is told of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from contracts.delivery import Delivery
from lineage import stages
from lineage.events import ndjson
from lineage.runs import Parent, Run
from tests.support.lineage.made import CASE, CHECKS, DAY, ENDED, POLICY, PRODUCT, SQL, STARTED

if TYPE_CHECKING:
    from contracts.tree import Tree

PARENT = Parent(
    run_id="0191e2c0-0000-7000-8000-000000000001",
    job_namespace="airflow",
    job_name="ingest.health__visit.land",
    root_run_id="0191e2c0-0000-7000-8000-000000000000",
    root_job_namespace="airflow",
    root_job_name="ingest.health__visit",
)


def runs(tree: Tree, visit: Delivery) -> dict[str, Run]:
    """One run of every stage and of every way it can end."""
    times: Any = {"origin": "simulated", "started_at": STARTED, "ended_at": ENDED}
    batch = "20260715-0123456789ab"
    counts: Any = {"rows_published": 98, "rows_quarantined": 2, "results": CHECKS}
    west = Delivery(CASE, "west", DAY)
    return {
        "land": stages.land_run(
            visit,
            batch_id=batch,
            file_name="就诊.csv",
            rows=100,
            bronze_version=3,
            parent=PARENT,
            **times,
        ),
        "land_first": stages.land_run(
            west, batch_id=batch, file_name="a.csv", rows=5, bronze_version=0, **times
        ),
        "land_refused": stages.land_run(
            visit,
            batch_id=batch,
            file_name="就诊.csv",
            rows=None,
            bronze_version=None,
            status="refused",
            reason="a column is missing: 证件号码",
            **times,
        ),
        "publish": stages.publish_run(
            visit,
            batch_id=batch,
            silver_version=7,
            bronze_version=3,
            status="published",
            parent=PARENT,
            **counts,
            **times,
        ),
        "publish_held": stages.publish_run(
            visit,
            batch_id=batch,
            silver_version=None,
            status="held",
            reason="5.1 % of rows are bad, 2 % are allowed",
            **counts,
            **times,
        ),
        "withdraw": stages.withdraw_run(visit, batch_id=batch, silver_version=8, **times),
        "build": stages.build_run(
            tree,
            PRODUCT,
            business_date=DAY,
            version=4,
            input_versions={"health__visit": 7, "silver/east__case": 2},
            rows=12,
            sql=SQL,
            **times,
        ),
        "share": stages.share_run(
            PRODUCT, POLICY, business_date=DAY, version=4, input_version=4, rows=12, **times
        ),
    }


NAMES = (
    "land",
    "land_first",
    "land_refused",
    "publish",
    "publish_held",
    "withdraw",
    "build",
    "share",
)


def told(run: Run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ndjson(run, "jingshu://beijing").decode().splitlines()]
