"""One run of every stage and of every way it can end, and what is told of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from contracts.delivery import Delivery
from lineage import stages
from lineage.events import ndjson
from lineage.runs import Parent, Run
from lineage.stages import Made, Occasion
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
    west = Delivery(CASE, "west", DAY)
    return {
        "land": stages.land_run(
            visit,
            Occasion("landed", parent=PARENT, **times),
            batch_id=batch,
            file_name="就诊.csv",
            made=Made(3, 100),
        ),
        "land_first": stages.land_run(
            west, Occasion("landed", **times), batch_id=batch, file_name="a.csv", made=Made(0, 5)
        ),
        "land_refused": stages.land_run(
            visit,
            Occasion("refused", reason="a column is missing: 证件号码", **times),
            batch_id=batch,
            file_name="就诊.csv",
            made=None,
        ),
        "publish": stages.publish_run(
            visit,
            Occasion("published", parent=PARENT, **times),
            batch_id=batch,
            bronze_version=3,
            results=CHECKS,
            made=Made(7, 98, 2),
        ),
        "publish_held": stages.publish_run(
            visit,
            Occasion("held", reason="5.1 % of rows are bad, 2 % are allowed", **times),
            batch_id=batch,
            results=CHECKS,
            made=None,
            bronze_version=None,
        ),
        "withdraw": stages.withdraw_run(
            visit, Occasion("withdrawn", **times), batch_id=batch, silver_version=8
        ),
        "build": stages.build_run(
            tree,
            PRODUCT,
            Occasion("published", **times),
            business_date=DAY,
            input_versions={"health__visit": 7, "silver/east__case": 2},
            sql=SQL,
            made=Made(4, 12),
        ),
        "share": stages.share_run(
            PRODUCT,
            POLICY,
            Occasion("published", **times),
            business_date=DAY,
            input_version=4,
            made=Made(4, 12),
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
