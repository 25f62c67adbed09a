"""A run for each stage: what jobs call when a batch landed, was published, built or shared.

Every function is pure but for the versions of the installed engines, and gives the same run id for
the same facts. A status that made nothing visible (held, rejected, …) is a FAIL with its reason.
"""

from __future__ import annotations

from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Final

from lineage import columns, datasets
from lineage.plan import product_graph, share_graph
from lineage.runs import Audit, Read, Run, Source, Written, run_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from contracts.delivery import BatchStatus, Delivery, Origin
    from contracts.model import Contract, Policy
    from contracts.tree import Tree
    from lineage.runs import Change, CheckFact, Parent

_DONE: Final = frozenset({"landed", "published", "superseded", "withdrawn"})


def land_run(  # noqa: PLR0913  (the facts of a stage, all by name)
    delivery: Delivery,
    *,
    batch_id: str,
    file_name: str,
    rows: int | None,
    bronze_version: int | None,
    origin: Origin,
    started_at: datetime,
    ended_at: datetime,
    status: BatchStatus = "landed",
    reason: str = "",
    parent: Parent | None = None,
) -> Run:
    """Return the run that read an export into bronze, or refused it (``bronze_version`` None)."""
    contract, provider = delivery.contract, delivery.provider
    return Run(
        run_id=run_id("land", batch_id, status, _text(bronze_version)),
        stage="land",
        table=delivery.table,
        status=status,
        business_date=delivery.business_date,
        started_at=started_at,
        ended_at=ended_at,
        engine=("pyarrow", installed("pyarrow")),
        source=_source(contract),
        tags=(("jingshu.file", file_name), *_tags(delivery, batch_id, status, origin)),
        inputs=(Read(datasets.export(contract, provider, origin), batch_id),),
        outputs=(
            Written(
                datasets.source_table("bronze", contract, provider, origin),
                columns.bronze_graph(contract, provider),
                version=_text(bronze_version),
                rows=rows if bronze_version is not None else None,
                change="CREATE" if bronze_version == 0 else None,
            ),
        ),
        error=_error(status, reason),
        parent=parent,
    )


def publish_run(  # noqa: PLR0913
    delivery: Delivery,
    *,
    batch_id: str,
    silver_version: int | None,
    rows_published: int,
    rows_quarantined: int,
    results: Sequence[CheckFact],
    status: BatchStatus,
    origin: Origin,
    started_at: datetime,
    ended_at: datetime,
    reason: str = "",
    bronze_version: int | None = None,
    parent: Parent | None = None,
) -> Run:
    """Return the run that refined, audited and published a batch, or held or rejected it.

    ``results`` may be the verdict's own check results: only their counts are told.
    """
    contract, provider = delivery.contract, delivery.provider
    published = silver_version is not None
    change: Change | None = "CREATE" if silver_version == 0 else None
    if silver_version and contract.load.mode in ("replace_period", "full_snapshot"):
        change = "OVERWRITE"
    silver = datasets.source_table("silver", contract, provider, origin)
    outputs = [
        Written(
            silver,
            columns.silver_graph(contract, provider),
            version=_text(silver_version),
            rows=rows_published if published else None,
            change=change,
        )
    ]
    if published and rows_quarantined:
        outputs.append(
            Written(
                datasets.source_table("quarantine", contract, provider, origin),
                columns.quarantine_graph(contract, provider),
                rows=rows_quarantined,
            )
        )
    bronze = datasets.source_table("bronze", contract, provider, origin)
    return Run(
        run_id=run_id("publish", batch_id, status, _text(silver_version)),
        stage="publish",
        table=delivery.table,
        status=status,
        business_date=delivery.business_date,
        started_at=started_at,
        ended_at=ended_at,
        engine=("spark", installed("pyspark")),
        source=_source(contract),
        tags=_tags(delivery, batch_id, status, origin),
        inputs=(Read(bronze, _text(bronze_version)),),
        outputs=tuple(outputs),
        error=_error(status, reason),
        parent=parent,
        audit=Audit(silver, _text(silver_version), tuple(results)) if results else None,
    )


def withdraw_run(  # noqa: PLR0913
    delivery: Delivery,
    *,
    batch_id: str,
    silver_version: int,
    origin: Origin,
    started_at: datetime,
    ended_at: datetime,
    parent: Parent | None = None,
) -> Run:
    """Return the run that took a published batch back: silver was overwritten without it."""
    contract, provider = delivery.contract, delivery.provider
    silver = datasets.source_table("silver", contract, provider, origin)
    return Run(
        run_id=run_id("withdraw", batch_id, "withdrawn", _text(silver_version)),
        stage="withdraw",
        table=delivery.table,
        status="withdrawn",
        business_date=delivery.business_date,
        started_at=started_at,
        ended_at=ended_at,
        engine=("delta-rs", installed("deltalake")),
        source=_source(contract),
        tags=_tags(delivery, batch_id, "withdrawn", origin),
        inputs=(Read(silver),),
        outputs=(
            Written(
                silver,
                columns.silver_graph(contract, provider),
                version=_text(silver_version),
                change="OVERWRITE",
            ),
        ),
        parent=parent,
    )


def build_run(  # noqa: PLR0913
    tree: Tree,
    product: Contract,
    *,
    business_date: date,
    version: int | None,
    input_versions: Mapping[str, int],
    rows: int | None,
    origin: Origin,
    sql: str,
    started_at: datetime,
    ended_at: datetime,
    status: str = "published",
    reason: str = "",
    parent: Parent | None = None,
) -> Run:
    """Return the run that built a product's day from the versions that were visible.

    ``input_versions`` is keyed by table, with or without its layer; ``sql`` is the file's text.
    Raises LineageError where a column cannot be traced.
    """
    graph = product_graph(tree, product, sql)
    read = [name for namespace, name in graph.tables if namespace == columns.NAMESPACE]
    versions = {name: input_versions.get(name) for name in read}
    for name in read:
        if versions[name] is None:
            versions[name] = input_versions.get(name.partition("/")[2])
    return Run(
        run_id=run_id("build", product.id, business_date.isoformat(), status, _text(version)),
        stage="build",
        table=product.product_table,
        status=status,
        business_date=business_date,
        started_at=started_at,
        ended_at=ended_at,
        engine=("spark", installed("pyspark")),
        source=_source(product),
        tags=_product_tags(product, business_date, status, origin),
        inputs=tuple(Read(datasets.read_table(tree, n), _text(versions[n])) for n in read),
        outputs=(
            Written(
                datasets.gold_table(product, origin),
                graph,
                version=_text(version),
                rows=rows if version is not None else None,
                change=_replaced(version),
            ),
        ),
        error=_error(status, reason),
        sql=sql,
        parent=parent,
    )


def share_run(  # noqa: PLR0913
    product: Contract,
    policy: Policy,
    *,
    business_date: date,
    version: int | None,
    input_version: int | None,
    rows: int | None,
    origin: Origin,
    started_at: datetime,
    ended_at: datetime,
    status: str = "published",
    reason: str = "",
    parent: Parent | None = None,
) -> Run:
    """Return the run that projected and masked a product's day for one policy."""
    table = f"{product.product_table}__{policy.name}"
    return Run(
        run_id=run_id("share", table, business_date.isoformat(), status, _text(version)),
        stage="share",
        table=table,
        status=status,
        business_date=business_date,
        started_at=started_at,
        ended_at=ended_at,
        engine=("spark", installed("pyspark")),
        source=_source(product),
        tags=_product_tags(product, business_date, status, origin),
        inputs=(Read(datasets.gold_table(product, origin), _text(input_version)),),
        outputs=(
            Written(
                datasets.shared_table(product, policy, origin),
                share_graph(product, policy),
                version=_text(version),
                rows=rows if version is not None else None,
                change=_replaced(version),
            ),
        ),
        error=_error(status, reason),
        parent=parent,
    )


def _source(contract: Contract) -> Source:
    return Source(contract.id, contract.version, contract.source, datasets.owners(contract))


def _error(status: str, reason: str) -> str | None:
    if status in _DONE:
        return None
    return reason or "nothing was made visible"


def _tags(
    delivery: Delivery, batch_id: str, status: str, origin: Origin
) -> tuple[tuple[str, str], ...]:
    return (
        ("jingshu.batch_id", batch_id),
        *_product_tags(delivery.contract, delivery.business_date, status, origin),
    )


def _product_tags(
    contract: Contract, business_date: date, status: str, origin: Origin
) -> tuple[tuple[str, str], ...]:
    return (
        ("jingshu.contract", f"{contract.id}@{contract.version}"),
        ("jingshu.business_date", business_date.isoformat()),
        ("jingshu.status", status),
        ("jingshu.origin", origin),
    )


def _replaced(version: int | None) -> Change | None:
    if version is None:
        return None
    return "OVERWRITE" if version else "CREATE"


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
