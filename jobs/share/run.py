"""share: one physically projected Delta table a policy; columns dropped or masked, rows filtered.

Sharing hands out whole Parquet files, so what a recipient must not see must not be in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pyarrow.parquet as pq

from contracts.digest import sha256
from contracts.model import SHARE_CEILING
from contracts.moment import utc_now
from contracts.words import Words
from jobs.checks import disclosure
from jobs.names import Step
from jobs.record import governance, intents, meter
from jobs.record import products as record
from jobs.record.products import Share
from jobs.scan import findings
from jobs.seal import on_spark
from jobs.share.masking import masked
from jobs.spark.session import session
from jobs.stages import SharedVersion
from jobs.tables import products
from jobs.tables.delta import open_table
from jobs.tables.products import Staged
from jobs.tables.staged import ensure, schema
from lineage.levels import check_policy, origin_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from pyspark.sql import Column

    from contracts.delivery import Origin
    from contracts.layout import Home
    from contracts.model import Contract
    from contracts.product import Policy
    from jobs.checks.disclosure import Measured


@dataclass(frozen=True)
class _Source:
    """One date of a product as gold shows it, and what its shares say of it."""

    product: Contract
    business_date: date
    stage: str | None
    version: int | None
    origin: Origin
    began: datetime

    def shared(
        self,
        policy: Policy,
        status: Literal["published", "waiting", "held"],
        reason: str,
        made: tuple[int, int] | None = None,
    ) -> SharedVersion:
        """Return a policy's state on the date; ``made`` is the version shown and its rows."""
        version, rows = made or (None, 0)
        return SharedVersion(
            product_id=self.product.id,
            policy=policy.name,
            table=f"{self.product.product_table}__{policy.name}",
            business_date=self.business_date,
            status=status,
            version=version,
            rows=rows,
            origin=self.origin,
            reason=reason,
        )


@dataclass(frozen=True)
class _Projection:
    """One policy's rows-to-be: the SQL of each column it shows, and where they are staged."""

    policy: Policy
    columns: Mapping[str, str]
    staged: Staged

    @property
    def name(self) -> str:
        """The shared table's name."""
        return self.staged.table.name

    @property
    def shape(self) -> tuple[object, ...]:
        """What policies have in common that can be written and measured together."""
        return (
            tuple(self.columns.items()),
            self.policy.quasi_identifiers,
            self.policy.sensitive,
        )


def share_product(home: Home, product: Contract, business_date: date) -> list[SharedVersion]:
    """Project one date of a product for every policy it declares, each into its own table.

    The product is read once: policies of one shape are written by one plan and measured by one
    query, then shown one by one. Whatever is there already stays, so a call goes on where another
    stopped. Raises TagLossError for what is above the ceiling.
    """
    policies = product.product_plan.policies
    for policy in policies:
        check_policy(product, policy)
    source = _source(home, product, business_date)
    if source.stage is None:
        reason = Words(
            f"等待产品 {product.id} {business_date}", f"waiting for {product.id} of {business_date}"
        )
        return [_not_shown(home, source, policy, "waiting", reason) for policy in policies]
    made = [_planned(home, source, policy) for policy in policies]
    meter.begin("share", *(one.name for one in made), business_date=business_date, is_on_spark=True)
    measured = _staged(home, source, made)
    return [_shown(home, source, one, measured[one.staged.name]) for one in made]


def _source(home: Home, product: Contract, business_date: date) -> _Source:
    table = open_table(home.table("gold", product.product_table))
    stage = products.visible_stage(table, business_date)
    version = products.version_of(table, stage) if table is not None and stage else None
    origin = _origin(home, product, business_date)
    return _Source(product, business_date, stage, version, origin, utc_now())


def _planned(home: Home, source: _Source, policy: Policy) -> _Projection:
    columns = {
        c.name: text
        for c in source.product.columns
        if c.name in policy.columns and (text := masked(c.name, policy.columns[c.name])) is not None
    }
    made_of = sha256(f"{source.stage}:{policy.model_dump_json()}")[:12]
    name = f"{source.business_date:%Y%m%d}-{made_of}"
    table = home.table("shared", f"{source.product.product_table}__{policy.name}")
    return _Projection(policy, columns, Staged(table, name, source.business_date))


def _staged(home: Home, source: _Source, made: Sequence[_Projection]) -> dict[str, Measured]:
    """Write what is not staged yet; return the measure of every stage by its name."""
    shapes: dict[tuple[object, ...], list[_Projection]] = {}
    for one in made:
        shapes.setdefault(one.shape, []).append(one)
    measured: dict[str, Measured] = {}
    for alike in shapes.values():
        _write(home, source, [one for one in alike if not products.is_staged(one.staged)])
        measured |= disclosure.measure_each(
            source.product,
            {one.staged.name: one.policy for one in alike},
            session().read.parquet(*(str(one.staged.rows) for one in alike)),
            products.STAGE_OF,
        )
    return measured


def _write(home: Home, source: _Source, new: Sequence[_Projection]) -> None:
    """Write the rows of policies of one shape, several by one plan."""
    if not new:
        return
    product, gold = source.product, home.table("gold", source.product.product_table)
    on_spark.register(home)
    stored = Staged(gold, source.stage or "", source.business_date)
    rows = session().read.parquet(str(stored.rows))
    rows = on_spark.opened(home, product, product.product_table, rows)
    columns = new[0].columns.values()
    if len(new) > 1:
        whose = rows.withColumn(products.OF, _places([one.policy for one in new]))
        # What lies there before it is a district's own lies with the product, which has all rows.
        stages = [one.staged for one in new]
        products.stage_each(stages, whose.selectExpr(*columns, products.OF), gold)
    for one in new:  # the only one, or one without rows
        own = rows if one.policy.rows is None else rows.where(one.policy.rows)
        products.stage(one.staged, own.selectExpr(*columns))


def _places(policies: Sequence[Policy]) -> Column:
    """Return a row once for each policy that it is of, as the policy's place in the list."""
    from pyspark.sql import functions as f

    places = [f.when(f.expr(p.rows or "true"), f.lit(n)) for n, p in enumerate(policies)]
    return f.explode(f.array_compact(f.array(*places)))


def _shown(
    home: Home, source: _Source, projection: _Projection, measured: Measured
) -> SharedVersion:
    """Show what is staged, unless it must not be seen; state it, its lineage and its leaf."""
    product, policy, staged = source.product, projection.policy, projection.staged
    name, business_date = projection.name, source.business_date
    refused = measured.problem or findings.of_share(
        home, product, name, business_date, SHARE_CEILING, pq.read_table(staged.rows)
    )
    if refused is not None:
        return _not_shown(home, source, policy, "held", refused)
    kept = [c for c in product.columns if c.name in projection.columns]
    ensure(staged.table, product, schema(kept), feeds_changes=True)
    of = source.stage or ""
    with intents.under_way(home, Step.SHARE.of(name, staged.name), name):
        metadata = {"jingshu.kind": "share", "jingshu.source": of}
        version = products.show(staged, product, metadata)
        made = source.shared(policy, "published", measured.words, (version, measured.rows))
        share = Share(product, policy, of, source.version, staged, source.began)
        record.shared(home, share, made, version, measured.facts)
    return made


def _not_shown(
    home: Home, source: _Source, policy: Policy, status: Literal["waiting", "held"], reason: Words
) -> SharedVersion:
    """State that a share shows nothing new, and why."""
    made = source.shared(policy, status, reason.stored())
    record.stated(home, made, {"source": None})
    return made


def _origin(home: Home, product: Contract, business_date: date) -> Origin:
    rows = governance.latest_publications(home, business_date)
    built = (r for r in rows if r.kind == "product" and r.table_name == product.product_table)
    return origin_of(r.origin for r in built)
