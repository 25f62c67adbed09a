"""Which DAGs a date asks for, and when each of them counts as done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.errors import UsageError
from contracts.layout import ROOT
from contracts.loading import load_tree
from infra.stack.plan import Node, Step, day_nodes, startable, steps
from infra.stack.rest import DagRun, RunState, TaskRun

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 7, 15, 12, tzinfo=UTC)
INGEST = Node("ingest__a", "ingest")
BUILD = Node("product__p", "product", frozenset({"ingest__a"}))
SHARE = Node("share__p", "share", frozenset({"product__p"}))
NODES = (INGEST, BUILD, SHARE)


def run(node: Node, state: RunState, queued_min: float, run_id: str = "r") -> DagRun:
    return DagRun(
        dag_id=node.dag_id,
        dag_run_id=run_id,
        partition_key="2026-07-15",
        state=state,
        queued_at=NOON + timedelta(minutes=queued_min),
        end_date=None,
    )


def task(node: Node, state: str, end_min: float, run_id: str = "r", name: str = "t") -> TaskRun:
    return TaskRun(
        dag_id=node.dag_id,
        dag_run_id=run_id,
        task_id=name,
        state=state,
        try_number=3,
        start_date=NOON + timedelta(minutes=end_min - 1),
        end_date=NOON + timedelta(minutes=end_min),
    )


def look(runs: Sequence[DagRun], tasks: Sequence[TaskRun]) -> dict[str, Step]:
    return {step.node.dag_id: step for step in steps(NODES, runs, tasks)}


def test_the_packaged_tree_builds_its_product_after_its_own_inputs() -> None:
    tree = load_tree(ROOT / "contracts")
    nodes = {node.dag_id: node for node in day_nodes(tree, None)}
    inputs = next(
        p for p in tree.products.values() if p.dataset == "heat_readiness"
    ).product_plan.inputs
    expected = {f"ingest__{feed.table}" for feed in tree.feeds() if feed.contract.id in inputs}
    assert nodes["product__heat_readiness"].after == expected
    assert nodes["share__heat_readiness"].after == {"product__heat_readiness"}


def test_some_providers_bring_only_what_they_feed() -> None:
    tree = load_tree(ROOT / "contracts")
    nodes = day_nodes(tree, frozenset({"econ_it"}))
    assert {node.kind for node in nodes} == {"ingest"}


def test_an_unknown_provider_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"provider nobody.*health"):
        day_nodes(load_tree(ROOT / "contracts"), frozenset({"nobody", "health"}))


def test_a_date_is_done_when_each_dag_ran_after_its_inputs() -> None:
    runs = [run(INGEST, "success", 0), run(BUILD, "success", 5), run(SHARE, "success", 9)]
    known = look(runs, [task(INGEST, "success", 4), task(BUILD, "success", 8)])
    assert all(step.is_finished and not step.has_failed for step in known.values())


def test_a_product_run_that_began_before_its_input_ended_does_not_count() -> None:
    runs = [run(INGEST, "success", 0), run(BUILD, "success", 3)]
    known = look(runs, [task(INGEST, "success", 4), task(BUILD, "success", 3.5)])
    assert known["product__p"].run is None
    assert startable(list(known.values())) == [BUILD]


def test_nothing_starts_before_its_input_has_ended() -> None:
    known = look([run(INGEST, "running", 0)], [task(INGEST, "running", 4)])
    assert startable(list(known.values())) == []


def test_the_newest_run_counts() -> None:
    runs = [run(INGEST, "failed", 0, "old"), run(INGEST, "running", 1, "new")]
    step = look(runs, [task(INGEST, "failed", 1, "old")])["ingest__a"]
    assert step.run is not None
    assert (step.run.dag_run_id, step.is_finished, step.has_failed) == ("new", False, False)


def test_a_failed_task_is_a_failure_although_the_date_completed() -> None:
    tasks = [task(INGEST, "failed", 4, name="land"), task(INGEST, "success", 5, name="publish")]
    step = look([run(INGEST, "success", 0)], tasks)["ingest__a"]
    assert step.is_finished
    assert step.has_failed


def test_a_share_is_not_waited_for_when_its_product_failed() -> None:
    runs = [run(INGEST, "success", 0), run(BUILD, "failed", 5)]
    known = look(runs, [task(INGEST, "success", 4), task(BUILD, "failed", 8)])
    assert known["share__p"].is_blocked
    assert known["share__p"].is_finished
    assert startable(list(known.values())) == []


def test_a_product_runs_although_an_input_failed() -> None:
    known = look([run(INGEST, "failed", 0)], [task(INGEST, "failed", 4)])
    assert startable(list(known.values())) == [BUILD]


def test_seconds_run_from_the_first_start_to_the_last_end() -> None:
    tasks = [task(INGEST, "success", 2, name="land"), task(INGEST, "success", 4, name="publish")]
    assert look([run(INGEST, "success", 0)], tasks)["ingest__a"].seconds == 180


def test_a_task_that_was_skipped_later_delays_nothing() -> None:
    runs = [run(INGEST, "success", 0), run(BUILD, "success", 6)]
    tasks = [
        task(INGEST, "success", 5, name="publish"),
        task(INGEST, "skipped", 9, name="complete"),
        task(BUILD, "success", 8),
    ]
    assert look(runs, tasks)["product__p"].run is not None
