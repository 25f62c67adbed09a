"""A run for each stage: what jobs call when a batch landed, was published, built or shared.

Every function is pure but for the versions of the installed engines, and gives the same run id for
the same facts. A status that made nothing visible (held, rejected, …) is a FAIL with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Final

from lineage import columns, datasets
from lineage.plan import product_graph, share_graph
from lineage.runs import Audit, Read, Run, Source, Written, run_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from contracts.delivery import Delivery, Origin
    from contracts.model import Contract
    from contracts.product import Policy
    from contracts.tree import Tree
    from lineage.runs import Change, CheckFact, CpuTime, Parent


@dataclass(frozen=True)
class Occasion:
    """When a run was, what became of it, and who started it.

    ``reason`` says why nothing was made visible; ``cpu`` what it took of its processes.
    """

    status: str
    started_at: datetime
    ended_at: datetime
    origin: Origin
    reason: str = ""
    parent: Parent | None = None
    cpu: tuple[CpuTime, ...] = ()


@dataclass(frozen=True)
class Made:
    """What a run made visible: a version of its table, with rows in it or in quarantine."""

    version: int
    rows: int
    rows_quarantined: int = 0


_DONE: Final = frozenset({"landed", "published", "superseded", "withdrawn"})


def land_run(
    delivery: Delivery, occasion: Occasion, *, batch_id: str, file_name: str, made: Made | None
) -> Run:
    """Return the run that read an export into bronze, or refused it (``made`` None)."""
    version = made.version if made else None
    contract, provider, origin = delivery.contract, delivery.provider, occasion.origin
    return Run(
        run_id=run_id("land", batch_id, occasion.status, _text(version)),
        stage="land",
        table=delivery.table,
        status=occasion.status,
        business_date=delivery.business_date,
        started_at=occasion.started_at,
        ended_at=occasion.ended_at,
        engine=("pyarrow", installed("pyarrow")),
        source=_source(contract),
        tags=(("jingshu.file", file_name), *_tags(delivery, batch_id, occasion)),
        inputs=(Read(datasets.export(contract, provider, origin), batch_id),),
        outputs=(
            Written(
                datasets.source_table("bronze", contract, provider, origin),
                columns.bronze_graph(contract, provider),
                version=_text(version),
                rows=made.rows if made else None,
                change="CREATE" if version == 0 else None,
            ),
        ),
        error=_error(occasion),
        parent=occasion.parent,
        cpu=occasion.cpu,
    )


def publish_run(
    delivery: Delivery,
    occasion: Occasion,
    *,
    batch_id: str,
    made: Made | None,
    results: Sequence[CheckFact],
    bronze_version: int | None,
) -> Run:
    """Return the run that refined, audited and published a batch, or held or rejected it.

    ``bronze_version`` is the version it was read from, None where nobody wrote it down.
    ``results`` may be the verdict's own check results: only their counts are told.
    """
    contract, provider, origin = delivery.contract, delivery.provider, occasion.origin
    version = made.version if made else None
    change: Change | None = "CREATE" if version == 0 else None
    if version and contract.load.mode in ("replace_period", "full_snapshot"):
        change = "OVERWRITE"
    silver = datasets.source_table("silver", contract, provider, origin)
    outputs = [
        Written(
            silver,
            columns.silver_graph(contract, provider),
            version=_text(version),
            rows=made.rows if made else None,
            change=change,
        )
    ]
    if made and made.rows_quarantined:
        outputs.append(
            Written(
                datasets.source_table("quarantine", contract, provider, origin),
                columns.quarantine_graph(contract, provider),
                rows=made.rows_quarantined,
            )
        )
    bronze = datasets.source_table("bronze", contract, provider, origin)
    return Run(
        run_id=run_id("publish", batch_id, occasion.status, _text(version)),
        stage="publish",
        table=delivery.table,
        status=occasion.status,
        business_date=delivery.business_date,
        started_at=occasion.started_at,
        ended_at=occasion.ended_at,
        engine=("spark", installed("pyspark")),
        source=_source(contract),
        tags=_tags(delivery, batch_id, occasion),
        inputs=(Read(bronze, _text(bronze_version)),),
        outputs=tuple(outputs),
        error=_error(occasion),
        parent=occasion.parent,
        cpu=occasion.cpu,
        audit=Audit(silver, _text(version), tuple(results)) if results else None,
    )


def withdraw_run(
    delivery: Delivery, occasion: Occasion, *, batch_id: str, silver_version: int
) -> Run:
    """Return the run that took a published batch back: silver was overwritten without it."""
    contract, provider, origin = delivery.contract, delivery.provider, occasion.origin
    silver = datasets.source_table("silver", contract, provider, origin)
    return Run(
        run_id=run_id("withdraw", batch_id, occasion.status, _text(silver_version)),
        stage="withdraw",
        table=delivery.table,
        status=occasion.status,
        business_date=delivery.business_date,
        started_at=occasion.started_at,
        ended_at=occasion.ended_at,
        engine=("delta-rs", installed("deltalake")),
        source=_source(contract),
        tags=_tags(delivery, batch_id, occasion),
        inputs=(Read(silver),),
        outputs=(
            Written(
                silver,
                columns.silver_graph(contract, provider),
                version=_text(silver_version),
                change="OVERWRITE",
            ),
        ),
        parent=occasion.parent,
        cpu=occasion.cpu,
    )


def build_run(
    tree: Tree,
    product: Contract,
    occasion: Occasion,
    *,
    business_date: date,
    made: Made | None,
    input_versions: Mapping[str, int],
    sql: str,
) -> Run:
    """Return the run that built a product's day from the versions that were visible.

    ``input_versions`` is keyed by table, with or without its layer; ``sql`` is the file's text.
    Raises LineageError where a column cannot be traced.
    """
    version = made.version if made else None
    graph = product_graph(tree, product, sql)
    read = [name for namespace, name in graph.tables if namespace == columns.NAMESPACE]
    versions = {name: input_versions.get(name) for name in read}
    for name in read:
        if versions[name] is None:
            versions[name] = input_versions.get(name.partition("/")[2])
    return Run(
        run_id=run_id(
            "build", product.id, business_date.isoformat(), occasion.status, _text(version)
        ),
        stage="build",
        table=product.product_table,
        status=occasion.status,
        business_date=business_date,
        started_at=occasion.started_at,
        ended_at=occasion.ended_at,
        engine=("spark", installed("pyspark")),
        source=_source(product),
        tags=_product_tags(product, business_date, occasion),
        inputs=tuple(Read(datasets.read_table(tree, n), _text(versions[n])) for n in read),
        outputs=(
            Written(
                datasets.gold_table(product, occasion.origin),
                graph,
                version=_text(version),
                rows=made.rows if made else None,
                change=_replaced(version),
            ),
        ),
        error=_error(occasion),
        sql=sql,
        parent=occasion.parent,
        cpu=occasion.cpu,
    )


def share_run(
    product: Contract,
    policy: Policy,
    occasion: Occasion,
    *,
    business_date: date,
    made: Made | None,
    input_version: int | None,
) -> Run:
    """Return the run that projected and masked a product's day for one policy."""
    version = made.version if made else None
    table = f"{product.product_table}__{policy.name}"
    return Run(
        run_id=run_id("share", table, business_date.isoformat(), occasion.status, _text(version)),
        stage="share",
        table=table,
        status=occasion.status,
        business_date=business_date,
        started_at=occasion.started_at,
        ended_at=occasion.ended_at,
        engine=("spark", installed("pyspark")),
        source=_source(product),
        tags=_product_tags(product, business_date, occasion),
        inputs=(Read(datasets.gold_table(product, occasion.origin), _text(input_version)),),
        outputs=(
            Written(
                datasets.shared_table(product, policy, occasion.origin),
                share_graph(product, policy),
                version=_text(version),
                rows=made.rows if made else None,
                change=_replaced(version),
            ),
        ),
        error=_error(occasion),
        parent=occasion.parent,
        cpu=occasion.cpu,
    )


def _source(contract: Contract) -> Source:
    return Source(contract.id, contract.version, contract.source, datasets.owners(contract))


def _error(occasion: Occasion) -> str | None:
    if occasion.status in _DONE:
        return None
    return occasion.reason or "nothing was made visible"


def _tags(delivery: Delivery, batch_id: str, occasion: Occasion) -> tuple[tuple[str, str], ...]:
    return (
        ("jingshu.batch_id", batch_id),
        *_product_tags(delivery.contract, delivery.business_date, occasion),
    )


def _product_tags(
    contract: Contract, business_date: date, occasion: Occasion
) -> tuple[tuple[str, str], ...]:
    return (
        ("jingshu.contract", f"{contract.id}@{contract.version}"),
        ("jingshu.business_date", business_date.isoformat()),
        ("jingshu.status", occasion.status),
        ("jingshu.origin", occasion.origin),
    )


def _replaced(version: int | None) -> Change | None:
    if version is None:
        return None
    return "OVERWRITE" if version else "CREATE"


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
