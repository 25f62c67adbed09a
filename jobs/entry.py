"""What Airflow tasks and the command line call: one function a stage, strings in, JSON out.

A stage that is handed an ``Ended`` hands it on, so a date always completes with its state.
"""

from __future__ import annotations

from datetime import date

from contracts.errors import JingshuError, UsageError
from contracts.layout import Home
from contracts.loading import load_tree
from contracts.requested import city_tree
from contracts.words import Words
from jobs import steps
from jobs.faults import wordless
from jobs.stages import Ended, LandedBatch, Verdict, from_json


@wordless
def land(contract_id: str, provider: str, business_date: str) -> str:
    """Pull and land one delivery; return a LandedBatch or an Ended as JSON."""
    home, tree = Home.from_env(), load_tree()
    delivery = steps.delivery_of(tree, contract_id, provider, business_date)
    return steps.land_delivery(home, delivery).to_json()


@wordless
def refine(landed_json: str) -> str:
    """Refine and audit a landed batch on Spark; return a Verdict or an Ended as JSON."""
    landed = from_json(landed_json)
    if isinstance(landed, Ended):
        return landed_json
    if not isinstance(landed, LandedBatch):
        raise _wrong(landed.kind, Words("已入湖的批次", "a landed batch"))
    return steps.audited(Home.from_env(), load_tree(), landed).to_json()


@wordless
def publish(verdict_json: str) -> str:
    """Publish what a verdict passed; return a PublishedVersion or an Ended as JSON."""
    verdict = from_json(verdict_json)
    if isinstance(verdict, Ended):
        if verdict.state == "failed":
            steps.failed(Home.from_env(), load_tree(), verdict)
        return verdict_json
    if not isinstance(verdict, Verdict):
        raise _wrong(verdict.kind, Words("审计结论", "a verdict"))
    return steps.publish_verdict(Home.from_env(), load_tree(), verdict).to_json()


def _wrong(kind: str, wanted: Words) -> JingshuError:
    return UsageError(
        Words(f"交来的是 {kind}。", f"A {kind} was handed over."),
        Words(f"请交来{wanted.zh}。", f"Hand over {wanted.en}."),
    )


@wordless
def build(product_id: str, business_date: str) -> str:
    """Build one date of a product on Spark; return a ProductVersion as JSON."""
    from jobs.build.run import build_product

    home = Home.from_env()
    tree = city_tree(home)
    when = date.fromisoformat(business_date)
    return build_product(home, tree, tree.contract(product_id), when).to_json()


@wordless
def share(product_id: str, business_date: str) -> str:
    """Project one date of a product for every policy; return SharedVersions, a JSON a line."""
    from jobs.share.run import share_product

    home = Home.from_env()
    tree = city_tree(home)
    when = date.fromisoformat(business_date)
    shared = share_product(home, tree.contract(product_id), when)
    return "\n".join(s.to_json() for s in shared)
