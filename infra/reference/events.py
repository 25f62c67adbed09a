"""The page of events: what each stage tells OpenLineage, and the leaves of the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from contracts.delivery import Delivery
from contracts.layout import ROOT
from contracts.loading import load_tree
from infra.reference.markdown import code, codes, docstring, page, table
from infra.reference.meanings import FACETS, LEAVES, TAGS, meaning
from lineage import stages
from lineage.events import events
from lineage.evidence.leaf import LEAF_TYPES, Leaf
from lineage.facets import plain
from lineage.runs import CpuTime, Parent, Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contracts.tree import Tree

_SUMMARY: Final = (
    "What Jingshu tells others of a run: OpenLineage events (2-0-2), one NDJSON file a run below"
    " `lineage/events/`; and what it proves: leaves of the evidence log below `evidence/`."
)
_RUNS: Final = """\
## Runs

Every run writes two events: `START`, then `COMPLETE`, or `FAIL` with an `errorMessage` where
nothing became visible. The last event repeats everything. A run with checks is preceded by a
run of its own, `audit.<table>`, that reads the audited table and carries the assertions. Jobs
are called `<stage>.<table>`; their namespace is the city's (`JINGSHU_NAMESPACE`). The same run
has the same id every time it is told."""
_LEAVES: Final = """\
## Leaves

One leaf a fact: its type, its subject, and facts that are digests, counts, versions and actors,
never a value of a column above L1. `jingshu evidence log` lists them, `jingshu evidence prove`
proves one."""
_NOW: Final = datetime(2026, 7, 16, tzinfo=UTC)
_DAY: Final = date(2026, 7, 15)
_PARENT: Final = Parent("0191e2c0-0000-7000-8000-000000000001", "airflow", "task")


@dataclass(frozen=True)
class _Check:
    """One check, as lineage is told of it."""

    rule_id: str = "x.required"
    column: str | None = "x"
    dimension: Any = "completeness"
    severity: Any = "error"
    status: str = "passed"
    checked: int | None = 1
    failed: int | None = 0
    threshold: float | None = 1.0


@dataclass
class _Found:
    """The facets and tag keys of a stage's runs, by where they stand."""

    facets: dict[str, set[str]] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)

    def take(self, where: str, facets: Mapping[str, Any] | None, *, tags: bool = True) -> None:
        for name, body in (facets or {}).items():
            self.facets.setdefault(where, set()).add(name)
            if name == "tags" and tags:
                self.tags |= {_key(tag["key"], tag["value"]) for tag in body["tags"]}


def events_page() -> str:
    """Return the page."""
    tree = load_tree(ROOT / "contracts")
    whole = _Found()
    parts = [table(("where", "facets"), _by_stage(run, whole)) for run in _runs(tree)]
    heads = [f"### {run.stage}" for run in _runs(tree)]
    staged = [part for pair in zip(heads, parts, strict=True) for part in pair]
    names = sorted(set().union(*whole.facets.values()))
    facets = table(("facet", "says"), [(code(n), meaning(FACETS, n, "facet")) for n in names])
    tags = table(("key", "says"), [(code(n), meaning(TAGS, n, "tag")) for n in sorted(whole.tags)])
    about = (
        "Tags of a run are `key` and `value`. Tags of a data set and its columns have keys that end"
        " with their value, since some catalogues show keys only."
    )
    leaves = table(("type", "states"), [(code(n), meaning(LEAVES, n, "leaf")) for n in LEAF_TYPES])
    return page(
        "Events",
        _SUMMARY,
        _RUNS,
        *staged,
        "## Facets",
        facets,
        "## Tags",
        about,
        tags,
        _LEAVES,
        docstring(Leaf).partition("\n\nRaises")[0],
        leaves,
    )


def _by_stage(run: Run, whole: _Found) -> list[tuple[str, str]]:
    found = _Found()
    for event in map(plain, events(run)):
        for each in (found, whole):
            each.take("run", event["run"].get("facets"))
            each.take("job", event["job"].get("facets"))
            for side in ("inputs", "outputs"):
                for one in event.get(side, ()):
                    each.take(f"{side}: data set", one.get("facets"))
                    each.take(f"{side}: this run", one.get(f"{side[:-1]}Facets"))
    return [(where, codes(sorted(names))) for where, names in sorted(found.facets.items())]


def _key(key: str, value: str) -> str:
    """Return a tag's key without the value that it may end with."""
    return f"{key.removesuffix(value)}<value>" if key.endswith(f".{value}") else key


def _occasion(status: str) -> stages.Occasion:
    cpu = (CpuTime("spark", 0, 1),)
    return stages.Occasion(status, _NOW, _NOW, "simulated", parent=_PARENT, cpu=cpu)


def _runs(tree: Tree) -> Iterator[Run]:
    """Yield one run of every stage, with everything that such a run may tell."""
    contract = tree.contract("health.disease_case")
    delivery = Delivery(contract, contract.servers[0].provider, _DAY)
    batch, made = "20260715-0123456789ab", stages.Made(0, 1, 1)
    failed, done = _occasion("failed"), _occasion("published")
    yield stages.land_run(delivery, failed, batch_id=batch, file_name="x.csv", made=made)
    yield stages.publish_run(
        delivery, done, batch_id=batch, made=made, results=(_Check(),), bronze_version=0
    )
    withdrawn = _occasion("withdrawn")
    yield stages.withdraw_run(delivery, withdrawn, batch_id=batch, silver_version=1)
    product = tree.contract("emergency.heat_readiness")
    plan = product.product_plan
    sql = (tree.file(product).parent / plan.sql).read_text("utf-8")
    day: dict[str, Any] = {"business_date": _DAY, "made": made}
    yield stages.build_run(tree, product, done, input_versions={}, sql=sql, **day)
    yield stages.share_run(product, plan.policies[0], done, input_version=0, **day)
