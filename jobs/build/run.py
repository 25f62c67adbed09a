"""build: makes one date of a product from published versions, audits it and shows it.

Inputs are read at the versions seen when the build began, named in the product's commit, leaf and
lineage. A build whose inputs are the same as last time changes nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from contracts.digest import sha256
from contracts.moment import utc_now
from contracts.reference import PACKAGED
from jobs.checks import declared, disclosure, expectations
from jobs.record import batches, footprint, governance, intents, leaves, meter
from jobs.record.products import publication
from jobs.seal import on_spark
from jobs.spark.session import session
from jobs.spark.sql import identifier
from jobs.stages import ProductVersion
from jobs.tables import products, silver
from jobs.tables.delta import open_table
from jobs.tables.staged import ensure, schema
from lineage import outbox, stages
from lineage.evidence.machine import this_machine
from lineage.levels import check_levels, origin_of
from lineage.plan import product_sql
from lineage.stages import Made

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from pyspark.sql import DataFrame

    from contracts.delivery import Origin
    from contracts.layout import Home
    from contracts.model import Contract
    from contracts.tree import Feed, Tree
    from jobs.stages import CheckResult
    from lineage.evidence.leaf import Leaf

_REFERENCE: Final = "reference__"


def build_product(home: Home, tree: Tree, product: Contract, business_date: date) -> ProductVersion:
    """Build a product for one date; with an input that was never published it waits.

    Inputs are read as of the date: the newest version published for it or before. An input that is
    absent or held on the date is used as it was last published, and the product says so in its
    reason. Raises TagLossError before Spark starts when a level would be lost.
    """
    graded = check_levels(tree, product)
    feeds = [feed for feed in tree.feeds() if feed.contract.id in product.product_plan.inputs]
    inputs = _inputs(home, feeds, business_date)
    absent = [feed.table for feed in feeds if feed.table not in inputs]
    if absent:
        reason = f"等待首次发布 waiting for the first publication of {', '.join(absent)}"
        return _said(home, product, business_date, "waiting", reason, inputs)
    began = utc_now()
    meter.begin("build", product.product_table, business_date, is_on_spark=True)
    sql = _sql(tree, product, business_date)
    staged = products.Staged(
        home.table("gold", product.product_table),
        _name(business_date, sql, inputs, product),
        business_date,
    )
    if not products.is_shown(staged):
        stopped = _staged_and_audited(home, tree, product, staged, sql, inputs)
        if stopped:
            said = "; ".join(f"{r.rule_id}: {r.message}" for r in stopped)
            return _said(home, product, business_date, "held", f"检查未通过 {said}"[:500], inputs)
    ensure(staged.table, product, schema(product.columns))
    intent = f"build:{staged.table.name}:{staged.name}"
    intents.begin(home, intent, product.product_table)
    version = products.show(
        staged, product, {"jingshu.kind": "build", "jingshu.inputs": json.dumps(inputs)}
    )
    built = _said(
        home,
        product,
        business_date,
        "published",
        _stale(home, feeds, business_date),
        inputs,
        version=version,
        counts=_counts(session().read.parquet(str(staged.rows)), product),
    )
    _recorded(home, tree, product, staged, built, began, leaves.level_leaves(product, graded))
    intents.finish(home, intent)
    return built


def _inputs(home: Home, feeds: Sequence[Feed], business_date: date) -> dict[str, int]:
    """Return the silver version of each input as of the date; what never was is left out."""
    tables = ((feed.table, open_table(home.table("silver", feed.table))) for feed in feeds)
    found = ((name, silver.version_as_of(table, business_date)) for name, table in tables)
    return {name: version for name, version in found if version is not None}


def _staged_and_audited(
    home: Home,
    tree: Tree,
    product: Contract,
    staged: products.Staged,
    sql: str,
    inputs: dict[str, int],
) -> list[CheckResult]:
    """Run the SQL into the stage and check what is staged; return what must stop it."""
    spark = session()
    _views(home, tree, inputs)
    on_spark.register(home)
    names = [identifier(c.name) for c in product.columns]
    made, table = spark.sql(sql).selectExpr(*names), product.product_table
    products.stage(staged, on_spark.sealed(home, product, table, made), product.columns)
    accepted = on_spark.opened(home, product, table, spark.read.parquet(str(staged.rows)))
    results = _audit(home, product, accepted, staged)
    return [r for r in results if r.severity == "error" and r.status in ("failed", "error")]


def _recorded(
    home: Home,
    tree: Tree,
    product: Contract,
    staged: products.Staged,
    built: ProductVersion,
    began: datetime,
    lowered: list[Leaf],
) -> None:
    """Write the build's lineage event and its leaf, and those of what it relied on."""
    of = ("build", product.product_table, built.business_date)
    run = stages.build_run(
        tree,
        product,
        batches.occasion(of, "published", built.origin, began),
        business_date=built.business_date,
        made=None if built.version is None else Made(built.version, built.rows),
        input_versions=built.inputs,
        sql=product_sql(tree, product),
    )
    event = outbox.write(home, run)
    facts = {
        "contract_id": product.id,
        "contract_version": product.version,
        "business_date": built.business_date.isoformat(),
        "version": built.version,
        "rows": built.rows,
        "rows_suppressed": built.rows_suppressed,
        "inputs": json.dumps(built.inputs, sort_keys=True),
        "origin": built.origin,
        **footprint.of_stage(staged.table, built.version or 0, staged.name),
        **leaves.event_facts(event),
        **this_machine().facts(),
    }
    made = leaves.leaf("build", f"{built.table}@{staged.name}", facts)
    leaves.state(home, leaves.contract_leaf(product), *lowered, made)


def _sql(tree: Tree, product: Contract, business_date: date) -> str:
    text = product_sql(tree, product)
    return text.replace("{business_date}", business_date.isoformat()).replace(
        "{k}", str(product.product_plan.k)
    )


def _name(business_date: date, sql: str, inputs: dict[str, int], product: Contract) -> str:
    made_of = json.dumps([sql, inputs, product.model_dump_json()], sort_keys=True)
    return f"{business_date:%Y%m%d}-{sha256(made_of)[:12]}"


def _views(home: Home, tree: Tree, inputs: dict[str, int]) -> None:
    """Show the SQL only what it may read: published versions and reference tables."""
    spark = session()
    for table, version in inputs.items():
        path = home.table("silver", table)
        rows = spark.sql(f"SELECT * FROM delta.`{path}` VERSION AS OF {version}")  # noqa: S608
        contract = next(f.contract for f in tree.feeds() if f.table == table)
        on_spark.opened(home, contract, table, rows).createOrReplaceTempView(table)
    folders = {PACKAGED, tree.root / "reference"}
    for file in sorted(f for folder in folders for f in folder.glob("*.csv")):
        frame = spark.read.csv(str(file), header=True, encoding="UTF-8")
        frame.createOrReplaceTempView(f"{_REFERENCE}{file.stem}")


def _audit(
    home: Home,
    product: Contract,
    accepted: DataFrame,
    staged: products.Staged,
) -> Sequence[CheckResult]:
    view = f"{product.dataset}__{staged.name.replace('-', '_')}"
    accepted.createOrReplaceTempView(view)
    audited = declared.Audited(product, accepted, view, accepted.count(), staged.business_date)
    return [
        *declared.run(session(), audited),
        *expectations.run(audited, staged.name, home.quality),
        *disclosure.margins(product, accepted),
    ]


def _counts(accepted: DataFrame, product: Contract) -> tuple[int, int]:
    has_flag = any(c.name == "suppressed" for c in product.columns)
    suppressed = "count_if(suppressed)" if has_flag else "CAST(0 AS BIGINT)"
    row = accepted.selectExpr("count(*) AS n", f"{suppressed} AS hidden").collect()[0]
    return int(row.n), int(row.hidden)


def _stale(home: Home, feeds: Sequence[Feed], business_date: date) -> str:
    """Say which inputs did not deliver on the date, and are used as last published."""
    tables = {feed.table for feed in feeds}
    absent = [
        f"{d.provider}__{d.dataset} ({d.state})"
        for d in governance.latest_deliveries(home, business_date)
        if f"{d.provider}__{d.dataset}" in tables and d.state in ("missing", "refused")
    ]
    held = [
        f"{b.table} ({b.status})"
        for b in governance.latest_batches(home, business_date)
        if b.table in tables and b.status in ("held", "rejected", "failed")
    ]
    late = [*absent, *held]
    return f"沿用上次发布 as last published: {', '.join(late)}" if late else ""


def _origin(home: Home, inputs: dict[str, int]) -> Origin:
    rows = governance.latest_batches(home)
    return origin_of(b.origin for b in rows if b.table in inputs)


def _said(  # noqa: PLR0913  (a row has these columns)
    home: Home,
    product: Contract,
    business_date: date,
    status: str,
    reason: str,
    inputs: dict[str, int],
    *,
    version: int | None = None,
    counts: tuple[int, int] = (0, 0),
) -> ProductVersion:
    """State the product's state on the date and return it."""
    built = ProductVersion.model_validate(
        {
            "product_id": product.id,
            "table": product.product_table,
            "business_date": business_date,
            "status": status,
            "version": version,
            "rows": counts[0],
            "rows_suppressed": counts[1],
            "inputs": inputs,
            "origin": _origin(home, inputs),
            "reason": reason,
        }
    )
    publication(home, "product", built.table, built, json.dumps(inputs, sort_keys=True))
    return built
