"""Two DAGs a product: build when all inputs have completed a date, share when it is built."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from airflow.sdk import DAG, task

from contracts.layout import Home
from contracts.requested import city_tree
from contracts.words import Words
from dags.notifying import alerts
from dags.running import (
    PRODUCT_DEFAULTS,
    announce_lineage_parent,
    business_date,
    gold_asset,
    is_clock_driven,
    is_wanted,
    silver_asset,
    when_all_complete,
)
from dags.wording import product_doc, product_title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Asset

    from contracts.model import Contract
    from contracts.tree import Tree

#: What is built takes minutes; with every retry it takes an hour.
_LIMIT: Final = timedelta(hours=2)


def product_dag(product: Contract, tree: Tree) -> DAG:
    """Return the DAG ``product__<dataset>``: one build a business date."""
    with DAG(
        dag_id=f"product__{product.dataset}",
        dag_display_name=product_title(product, Words("产品", "product")),
        description=product.title,
        doc_md=product_doc(product),
        schedule=when_all_complete(list(_inputs(product, tree))),
        catchup=False,
        max_active_runs=1,
        tags={"product", product.domain, product.level},
        default_args={**PRODUCT_DEFAULTS, "owner": product.owner or "jingshu"},
        **alerts(product.product_table, _LIMIT, is_by_clock=is_clock_driven()),
    ) as dag:

        @task(outlets=[gold_asset(product)])
        def build() -> str:
            """Build the product for one date from its inputs' published versions."""
            from jobs import entry

            announce_lineage_parent()
            return entry.build(product.id, business_date())

        build()
    return dag


def share_dag(product: Contract) -> DAG:
    """Return the DAG ``share__<dataset>``: every policy's projection of a built date."""
    with DAG(
        dag_id=f"share__{product.dataset}",
        dag_display_name=product_title(product, Words("共享", "share")),
        description=product.title,
        doc_md=product_doc(product),
        schedule=when_all_complete([gold_asset(product)]),
        catchup=False,
        max_active_runs=1,
        tags={"share", product.domain, product.level},
        default_args={**PRODUCT_DEFAULTS, "owner": product.owner or "jingshu"},
        **alerts(f"share/{product.dataset}", _LIMIT, is_by_clock=is_clock_driven()),
    ) as dag:

        @task
        def share() -> str:
            """Write one masked, filtered table a policy."""
            from jobs import entry

            announce_lineage_parent()
            return entry.share(product.id, business_date())

        share()
    return dag


def _inputs(product: Contract, tree: Tree) -> Iterator[Asset]:
    """Yield the asset of every table the product reads and some DAG completes."""
    inputs = product.product_plan.inputs
    yield from (gold_asset(tree.products[name]) for name in inputs if name in tree.products)
    for feed in tree.feeds():
        if feed.contract.id in inputs:
            yield silver_asset(feed.contract, feed.provider)


_tree = city_tree(Home.from_env())
for _product in _tree.active_products():
    if is_wanted(dag_id := f"product__{_product.dataset}"):
        globals()[dag_id] = product_dag(_product, _tree)
    if _product.product_plan.policies and is_wanted(dag_id := f"share__{_product.dataset}"):
        globals()[dag_id] = share_dag(_product)
