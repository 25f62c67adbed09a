"""Writes down what became of a product or a share: governance row, lineage event, leaf."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.digest import sha256
from contracts.moment import utc_now
from jobs.names import Step
from jobs.record import footprint, governance, leaves
from jobs.record.entries import logged, occasion
from jobs.record.governance import PublicationRow
from jobs.stages import ProductVersion
from lineage import stages
from lineage.evidence.machine import this_machine
from lineage.plan import product_sql
from lineage.stages import Made

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from contracts.layout import Home
    from contracts.model import Contract
    from contracts.product import Policy
    from contracts.tree import Tree
    from jobs.record.footprint import Facts
    from jobs.stages import SharedVersion
    from jobs.tables.products import Staged
    from lineage.levels import Graded


@dataclass(frozen=True)
class Build:
    """What a shown version of a product was made as: by which contract, staged where, from when."""

    tree: Tree
    product: Contract
    graded: Mapping[str, Graded]
    staged: Staged
    began: datetime


@dataclass(frozen=True)
class Share:
    """What a shown version of a share was made as; ``source`` is the product's stage it is of."""

    product: Contract
    policy: Policy
    source: str
    source_version: int | None
    staged: Staged
    began: datetime


def stated(
    home: Home, made: ProductVersion | SharedVersion, inputs: Mapping[str, int | str | None]
) -> None:
    """State a product's or a share's state on its date, and what it was made from."""
    kind, suppressed = Step.SHARE, 0
    if isinstance(made, ProductVersion):
        kind, suppressed = Step.PRODUCT, made.rows_suppressed
    row = PublicationRow(
        recorded_at=utc_now(),
        kind=kind.value,
        table_name=made.table,
        business_date=made.business_date,
        status=made.status,
        version=made.version,
        rows=made.rows,
        rows_suppressed=suppressed,
        inputs=json.dumps(inputs, sort_keys=True),
        origin=made.origin,
        reason=made.reason,
    )
    digest = sha256(f"{row.status}:{row.version}:{row.reason}:{row.inputs}")[:12]
    governance.append(home, kind.of(row.table_name, row.business_date, digest), [row])


def built(home: Home, build: Build, made: ProductVersion, version: int) -> None:
    """State a product's shown version, its run, and its leaf with those of what it relied on."""
    stated(home, made, made.inputs)
    product, staged = build.product, build.staged
    of = ("build", made.table, made.business_date)
    run = stages.build_run(
        build.tree,
        product,
        occasion(of, "published", made.origin, build.began),
        business_date=made.business_date,
        made=Made(version, made.rows),
        input_versions=made.inputs,
        sql=product_sql(build.tree, product),
    )
    facts: Facts = {
        "contract_id": product.id,
        "contract_version": product.version,
        "business_date": made.business_date.isoformat(),
        "version": version,
        "rows": made.rows,
        "rows_suppressed": made.rows_suppressed,
        "inputs": json.dumps(made.inputs, sort_keys=True),
        "origin": made.origin,
        **footprint.of_stage(staged.table, version, staged.name),
        **this_machine().facts(),
    }
    owed = (leaves.contract_leaf(product), *leaves.level_leaves(product, build.graded))
    logged(home, run, "build", f"{made.table}@{staged.name}", facts, *owed)


def shared(
    home: Home,
    share: Share,
    made: SharedVersion,
    version: int,
    measured: Mapping[str, int | None],
) -> None:
    """State a share's shown version, its run and its leaf; ``measured`` is what it discloses."""
    stated(home, made, {"source": share.source})
    product, staged = share.product, share.staged
    of = ("share", made.table, made.business_date)
    run = stages.share_run(
        product,
        share.policy,
        occasion(of, "published", made.origin, share.began),
        business_date=made.business_date,
        made=Made(version, made.rows),
        input_version=share.source_version,
    )
    facts: Facts = {
        "contract_id": product.id,
        "contract_version": product.version,
        "policy": made.policy,
        "business_date": made.business_date.isoformat(),
        "version": version,
        "source": share.source,
        "rows": made.rows,
        "origin": made.origin,
        **measured,
        **footprint.of_stage(staged.table, version, staged.name),
    }
    logged(home, run, "share", f"{made.table}@{staged.name}", facts)
