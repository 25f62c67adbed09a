"""share: one physically projected Delta table a policy; columns dropped or masked, rows filtered.

Sharing hands out whole Parquet files, so what a recipient must not see must not be in them.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Literal

import pyarrow.parquet as pq
from deltalake import DeltaTable

from contracts.model import SHARE_CEILING
from jobs import (
    disclosure,
    findings,
    footprint,
    governance,
    intents,
    leaves,
    record,
    tables,
    versions,
)
from jobs.build import publication
from jobs.delta import open_table
from jobs.governance import utc_now
from jobs.masking import masked
from jobs.seal import on_spark
from jobs.spark import session
from jobs.stages import SharedVersion
from lineage import outbox, stages
from lineage.levels import check_policy, origin_of

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from contracts.delivery import Origin
    from contracts.layout import Home
    from contracts.model import Contract, Policy


def share_product(home: Home, product: Contract, business_date: date) -> list[SharedVersion]:
    """Project one date of a product for every policy it declares."""
    return [
        _share(home, product, policy, business_date) for policy in product.product_plan.policies
    ]


def _share(home: Home, product: Contract, policy: Policy, business_date: date) -> SharedVersion:
    """Project for one policy; raises TagLossError for what is above the ceiling."""
    check_policy(product, policy)
    name = f"{product.product_table}__{policy.name}"
    gold = home.table("gold", product.product_table)
    source = versions.visible_stage(open_table(gold), business_date)
    if source is None:
        reason = f"等待产品 waiting for {product.id} of {business_date}"
        return _said(home, product, policy, business_date, None, reason)
    began = utc_now()
    on_spark.register(home)
    columns = {
        c.name: text
        for c in product.columns
        if c.name in policy.columns and (text := masked(c.name, policy.columns[c.name])) is not None
    }
    rows = session().read.parquet(str(versions.Staged(gold, source, business_date).rows))
    rows = on_spark.opened(home, product, product.product_table, rows)
    if policy.rows is not None:
        rows = rows.where(policy.rows)
    made_of = hashlib.sha256(f"{source}:{policy.model_dump_json()}".encode()).hexdigest()[:12]
    staged = versions.Staged(
        home.table("shared", name), f"{business_date:%Y%m%d}-{made_of}", business_date
    )
    versions.stage(staged, rows.selectExpr(*columns.values()))
    measured = disclosure.measure(product, policy, session().read.parquet(str(staged.rows)))
    reason = measured.problem or findings.of_share(
        home, product, name, business_date, SHARE_CEILING, pq.read_table(staged.rows)
    )
    if reason:
        return _said(home, product, policy, business_date, None, reason, status="held")
    kept = [c for c in product.columns if c.name in columns]
    tables.ensure(staged.table, product, tables.schema(kept), feeds_changes=True)
    intent = f"share:{name}:{staged.name}"
    intents.begin(home, intent, name)
    version = versions.show(staged, product, {"jingshu.kind": "share", "jingshu.source": source})
    count = measured.rows
    made = (version, count, source)
    shared = _said(home, product, policy, business_date, made, measured.words)
    event = outbox.write(
        home,
        stages.share_run(
            product,
            policy,
            business_date=business_date,
            version=version,
            input_version=versions.version_of(_table(gold), source),
            rows=count,
            origin=shared.origin,
            started_at=began,
            ended_at=utc_now(),
            parent=record.parent_run(),
        ),
    )
    facts = {
        "contract_id": product.id,
        "contract_version": product.version,
        "policy": policy.name,
        "business_date": business_date.isoformat(),
        "version": version,
        "source": source,
        "rows": count,
        "origin": shared.origin,
        **measured.facts,
        **footprint.of_stage(staged.table, version, staged.name),
        **leaves.event_facts(event),
    }
    leaves.state(home, leaves.leaf("share", f"{name}@{staged.name}", facts))
    intents.finish(home, intent)
    return shared


def _table(path: Path) -> DeltaTable:
    return DeltaTable(str(path))


def _said(  # noqa: PLR0913, PLR0917  (a row has these columns)
    home: Home,
    product: Contract,
    policy: Policy,
    business_date: date,
    made: tuple[int, int, str] | None,
    reason: str,
    *,
    status: Literal["waiting", "held"] = "waiting",
) -> SharedVersion:
    shared = SharedVersion(
        product_id=product.id,
        policy=policy.name,
        table=f"{product.product_table}__{policy.name}",
        business_date=business_date,
        status="published" if made else status,
        version=made[0] if made else None,
        rows=made[1] if made else 0,
        origin=_origin(home, product, business_date),
        reason=reason,
    )
    publication(
        home, "share", shared.table, shared, json.dumps({"source": made[2] if made else None})
    )
    return shared


def _origin(home: Home, product: Contract, business_date: date) -> Origin:
    rows = governance.latest_publications(home, business_date)
    built = (r for r in rows if r.kind == "product" and r.table_name == product.product_table)
    return origin_of(r.origin for r in built)
