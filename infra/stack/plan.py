"""What one business date asks of Airflow: which DAGs, each after which others. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from contracts.errors import UsageError
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contracts.tree import Tree
    from infra.stack.rest import DagRun, TaskRun

Kind = Literal["ingest", "product", "share"]
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Node:
    """One DAG of the day; ``after`` are the DAGs whose end it has to follow."""

    dag_id: str
    kind: Kind
    after: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Step:
    """Where one node stands: its run that counts, and that run's tasks."""

    node: Node
    run: DagRun | None
    tasks: tuple[TaskRun, ...]
    is_blocked: bool = False
    """What it follows failed, so that it will not run."""

    @property
    def is_finished(self) -> bool:
        """Tell whether nothing is to be waited for."""
        return self.is_blocked or (self.run is not None and self.run.is_finished)

    @property
    def has_failed(self) -> bool:
        """Tell whether something went wrong technically; a held delivery is no failure."""
        if self.is_blocked or (self.run is not None and self.run.state == "failed"):
            return True
        return self.is_finished and any(task.state == "failed" for task in self.tasks)

    @property
    def ended_at(self) -> datetime:
        """The end of its last task (UTC); what follows must be queued later than this.

        A task that was skipped did nothing, and Airflow may say so after what follows has begun.
        """
        ran = (task for task in self.tasks if task.state != "skipped")
        return max((task.end_date for task in ran if task.end_date), default=_EVER)

    @property
    def seconds(self) -> float:
        """From the start of its first task to the end of its last, s."""
        starts = [task.start_date for task in self.tasks if task.start_date]
        return (self.ended_at - min(starts)).total_seconds() if self.ended_at > _EVER else 0.0


def day_nodes(tree: Tree, providers: frozenset[str] | None) -> tuple[Node, ...]:
    """Return the DAGs of one date in an order in which each follows its inputs.

    Raises:
        UsageError: a named provider delivers nothing, or nobody does.
    """
    known = {feed.provider for feed in tree.feeds()}
    if unknown := sorted((providers or frozenset()) - known):
        raise UsageError(
            Words(
                f"没有生效的契约写明提供方 {'、'.join(unknown)}。",
                f"No active contract names the provider {', '.join(unknown)}.",
            ),
            Words(
                f"请从中选择：{'、'.join(sorted(known))}。",
                f"Choose from: {', '.join(sorted(known))}.",
            ),
        )
    feeds = list(tree.feeds(providers))
    if not feeds:
        raise UsageError(
            Words("契约树中没有生效的来源。", "The contracts tree has no active source."),
            Words("请将一份契约设为 active。", "Set a contract to active."),
        )
    ingest = {feed.table: Node(f"ingest__{feed.table}", "ingest") for feed in feeds}
    nodes = list(ingest.values())
    made_of: dict[str, set[str]] = {}
    for feed in feeds:
        made_of.setdefault(feed.contract.id, set()).add(ingest[feed.table].dag_id)
    for product_id in _inputs_first(tree):
        product = tree.products[product_id]
        plan = product.product_plan
        after = {dag_id for name in plan.inputs for dag_id in made_of.get(name, ())}
        if not after:
            continue
        build = Node(f"product__{product.dataset}", "product", frozenset(after))
        made_of[product_id] = {build.dag_id}
        nodes.append(build)
        if plan.policies:
            nodes.append(Node(f"share__{product.dataset}", "share", frozenset({build.dag_id})))
    return tuple(nodes)


def steps(nodes: Sequence[Node], runs: Sequence[DagRun], tasks: Sequence[TaskRun]) -> list[Step]:
    """Return where each node stands.

    The run of a product or share that counts is one that was queued after all its inputs ended:
    an earlier one may have been started by part of them.
    """
    done: dict[str, Step] = {}
    for node in nodes:
        inputs = [done[dag_id] for dag_id in node.after]
        is_blocked = node.kind == "share" and any(step.has_failed for step in inputs)
        ready_at = max((step.ended_at for step in inputs), default=_EVER)
        run = None
        if all(step.is_finished for step in inputs):
            run = _newest(node, runs, ready_at)
        mine = tuple(sorted(_tasks_of(run, tasks), key=lambda task: task.start_date or _LATE))
        done[node.dag_id] = Step(node, run, mine, is_blocked)
    return list(done.values())


def startable(known: Sequence[Step]) -> list[Node]:
    """Return the nodes that have no run yet and whose inputs have all ended."""
    finished = {step.node.dag_id for step in known if step.is_finished}
    return [
        step.node
        for step in known
        if step.run is None and not step.is_blocked and step.node.after <= finished
    ]


_LATE = datetime.max.replace(tzinfo=UTC)


def _newest(node: Node, runs: Sequence[DagRun], ready_at: datetime) -> DagRun | None:
    mine = [
        run
        for run in runs
        if run.dag_id == node.dag_id and run.queued_at is not None and run.queued_at >= ready_at
    ]
    return max(mine, key=lambda run: run.queued_at or _EVER, default=None)


def _tasks_of(run: DagRun | None, tasks: Sequence[TaskRun]) -> Iterator[TaskRun]:
    if run is not None:
        yield from (
            task for task in tasks if (task.dag_id, task.dag_run_id) == (run.dag_id, run.dag_run_id)
        )


def _inputs_first(tree: Tree) -> list[str]:
    """Return the product ids so that each comes after the products it reads."""
    ordered: list[str] = []

    def visit(product_id: str, path: tuple[str, ...]) -> None:
        if product_id in path:
            circle = " → ".join([*path, product_id])
            raise UsageError(
                Words(f"成品互为输入：{circle}。", f"Products feed each other: {circle}."),
                Words("请去掉其中一个输入。", "Remove one of the inputs."),
            )
        if product_id in ordered:
            return
        for name in tree.products[product_id].product_plan.inputs:
            if name in tree.products:
                visit(name, (*path, product_id))
        ordered.append(product_id)

    for product in tree.active_products():
        visit(product.id, ())
    return ordered
