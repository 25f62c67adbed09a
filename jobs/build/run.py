"""build: makes one date of a product from published versions, audits it and shows it.

Inputs are read at the versions seen when the build began, named in the product's commit, leaf and
lineage. A build whose inputs are the same as last time changes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from contracts.digest import sha256
from contracts.moment import utc_now
from contracts.reference import PACKAGED
from contracts.words import Words
from jobs.checks import declared, disclosure, expectations
from jobs.checks.grounds import failed_checks
from jobs.names import Step
from jobs.record import governance, intents, meter
from jobs.record import products as record
from jobs.record.products import Build
from jobs.seal import on_spark
from jobs.spark.session import session
from jobs.spark.sql import identifier
from jobs.stages import ProductVersion
from jobs.tables import products, silver
from jobs.tables.delta import open_table
from jobs.tables.staged import ensure, schema
from lineage.levels import check_levels, origin_of
from lineage.plan import product_sql

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from pyspark.sql import DataFrame

    from contracts.delivery import Origin
    from contracts.layout import Home
    from contracts.model import Contract
    from contracts.tree import Feed, Tree
    from jobs.stages import CheckResult

_REFERENCE: Final = "reference__"


@dataclass(frozen=True)
class _Day:
    """One date of a product: the silver versions that it is made from, and whose data they are."""

    tree: Tree
    product: Contract
    business_date: date
    inputs: dict[str, int]
    origin: Origin

    @property
    def sql(self) -> str:
        """The product's SQL for this date."""
        text = product_sql(self.tree, self.product)
        text = text.replace("{business_date}", self.business_date.isoformat())
        return text.replace("{k}", str(self.product.product_plan.k))

    def stage(self, home: Home) -> products.Staged:
        """Return where the date's rows are staged, under a name of all that they are made of."""
        made_of = [self.sql, self.inputs, self.product.model_dump_json()]
        digest = sha256(json.dumps(made_of, sort_keys=True))[:12]
        table = home.table("gold", self.product.product_table)
        return products.Staged(table, f"{self.business_date:%Y%m%d}-{digest}", self.business_date)

    def not_shown(self, status: Literal["waiting", "held"], reason: Words) -> ProductVersion:
        """Return the date of a product that shows nothing new, and why."""
        return self._version(status, reason.stored(), None, (0, 0))

    def shown(self, version: int, rows: tuple[int, int], reason: str) -> ProductVersion:
        """Return the date as a version shows it; ``rows`` are its rows, and those suppressed."""
        return self._version("published", reason, version, rows)

    def _version(
        self,
        status: Literal["published", "waiting", "held"],
        reason: str,
        version: int | None,
        rows: tuple[int, int],
    ) -> ProductVersion:
        return ProductVersion(
            product_id=self.product.id,
            table=self.product.product_table,
            business_date=self.business_date,
            status=status,
            version=version,
            rows=rows[0],
            rows_suppressed=rows[1],
            inputs=self.inputs,
            origin=self.origin,
            reason=reason,
        )


def build_product(home: Home, tree: Tree, product: Contract, business_date: date) -> ProductVersion:
    """Build a product for one date; with an input that was never published it waits.

    Inputs are read as of the date: the newest version published for it or before. An input that is
    absent or held on the date is used as it was last published, and the product says so in its
    reason. Raises TagLossError before Spark starts when a level would be lost.
    """
    graded = check_levels(tree, product)
    feeds = [feed for feed in tree.feeds() if feed.contract.id in product.product_plan.inputs]
    inputs = _inputs(home, feeds, business_date)
    day = _Day(tree, product, business_date, inputs, _origin(home, inputs))
    absent = [feed.table for feed in feeds if feed.table not in inputs]
    if absent:
        reason = Words(
            f"等待 {'、'.join(absent)} 首次发布",
            f"waiting for the first publication of {', '.join(absent)}",
        )
        return _not_shown(home, day.not_shown("waiting", reason))
    build = Build(tree, product, graded, day.stage(home), utc_now())
    meter.begin("build", product.product_table, business_date=business_date, is_on_spark=True)
    if not products.is_shown(build.staged):
        stopped = _staged_and_audited(home, day, build.staged)
        if stopped:
            return _not_shown(home, day.not_shown("held", failed_checks(stopped)))
    return _shown(home, day, build, _stale(home, feeds, business_date))


def _not_shown(home: Home, made: ProductVersion) -> ProductVersion:
    record.stated(home, made, made.inputs)
    return made


def _shown(home: Home, day: _Day, build: Build, reason: str) -> ProductVersion:
    """Show what is staged and passed; state it, its lineage and its leaf."""
    product, staged = day.product, build.staged
    ensure(staged.table, product, schema(product.columns))
    name = Step.BUILD.of(staged.table.name, staged.name)
    with intents.under_way(home, name, product.product_table):
        metadata = {"jingshu.kind": "build", "jingshu.inputs": json.dumps(day.inputs)}
        version = products.show(staged, product, metadata)
        counts = _counts(session().read.parquet(str(staged.rows)), product)
        made = day.shown(version, counts, reason)
        record.built(home, build, made, version)
    return made


def _inputs(home: Home, feeds: Sequence[Feed], business_date: date) -> dict[str, int]:
    """Return the silver version of each input as of the date; what never was is left out."""
    tables = ((feed.table, open_table(home.table("silver", feed.table))) for feed in feeds)
    found = ((name, silver.version_as_of(table, business_date)) for name, table in tables)
    return {name: version for name, version in found if version is not None}


def _staged_and_audited(home: Home, day: _Day, staged: products.Staged) -> list[CheckResult]:
    """Run the SQL into the stage and check what is staged; return what must stop it."""
    spark, product = session(), day.product
    _views(home, day.tree, day.inputs)
    on_spark.register(home)
    names = [identifier(c.name) for c in product.columns]
    made, table = spark.sql(day.sql).selectExpr(*names), product.product_table
    products.stage(staged, on_spark.sealed(home, product, table, made), product.columns)
    accepted = on_spark.opened(home, product, table, spark.read.parquet(str(staged.rows)))
    results = _audit(home, product, accepted, staged)
    return [r for r in results if r.severity == "error" and r.status in ("failed", "error")]


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
    if not late:
        return ""
    return Words(
        f"沿用上次发布：{'、'.join(late)}", f"as last published: {', '.join(late)}"
    ).stored()


def _origin(home: Home, inputs: dict[str, int]) -> Origin:
    rows = governance.latest_batches(home)
    return origin_of(b.origin for b in rows if b.table in inputs)
