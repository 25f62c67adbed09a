"""Take one business date through the running Airflow: start its DAGs, watch, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contracts.words import Words
from infra.stack.plan import Node, Step, day_nodes, startable, steps
from infra.stack.processes import StackError
from infra.stack.starting import Start, start_runs

if TYPE_CHECKING:
    from contracts.tree import Tree
    from infra.stack.rest import AirflowApi, DagRun
    from infra.stack.stack import Stack

_POLL_S = 1.0
#: How often what was given up is looked at again, while the scheduler calls it otherwise.
_LOOKS = 10
#: Airflow starts a product itself when all its inputs have ended; after this long we do.
_PATIENCE_S = 5.0
#: No task changed its state for this long: something hangs.
_STALL_S = 900.0

#: What Airflow notes of a run that was left unfinished.
_TAKEN_OVER = Words(
    "服务先于本次运行结束；由之后的运行接手。",
    "Its stack ended before it did; a later run takes over.",
)

Watch = Callable[[Sequence[Step]], None]


class Day:
    """One business date on a running stack.

    ``run_id`` is fixed for this attempt, so that a repeated post starts nothing twice.
    """

    def __init__(self, stack: Stack, api: AirflowApi, business_date: str) -> None:
        self._stack = stack
        self._api = api
        self._date = business_date
        self._since = datetime.now(UTC)
        self.run_id = f"run__{business_date}__{self._since:%Y%m%dT%H%M%S}"
        self._waiting: dict[str, float] = {}

    def complete(self, tree: Tree, providers: frozenset[str] | None, watch: Watch) -> list[Step]:
        """Run the date to its end and return where every DAG of it stands.

        Raises:
            StackError: a part died for good, or nothing moved for a quarter of an hour.
        """
        nodes = day_nodes(tree, providers)
        self._start([node for node in nodes if node.kind == "ingest"])
        moved_at, seen = time.monotonic(), ""
        while True:
            self._stack.mend()
            known = self._look(nodes)
            watch(known)
            if all(step.is_finished for step in known):
                return known
            self._start_overdue(known)
            state = str([(step.run, step.tasks) for step in known])
            if state != seen:
                moved_at, seen = time.monotonic(), state
            if time.monotonic() - moved_at > _STALL_S:
                raise _stalled(known)
            time.sleep(_POLL_S)

    def _look(self, nodes: Sequence[Node]) -> list[Step]:
        # Tasks first: a task that ends in between is then read as running, never as not there.
        tasks = self._api.tasks(self._since)
        return steps(nodes, self._api.runs(self._date, self._since), tasks)

    def _start_overdue(self, known: Sequence[Step]) -> None:
        """Start products and shares that no asset event has started.

        That is so after a correction of one input, after a day that was cut short, and when only
        some providers were asked for: an asset condition waits for events of all inputs.
        """
        now = time.monotonic()
        overdue = [
            node
            for node in startable(known)
            if now - self._waiting.setdefault(node.dag_id, now) > _PATIENCE_S
        ]
        if overdue:
            self._start(overdue)

    def _start(self, nodes: Sequence[Node]) -> None:
        wanted = [Start(node.dag_id, self._date, self.run_id) for node in nodes]
        start_runs(self._stack.airflow, wanted)


def abandon_leftovers(api: AirflowApi) -> int:
    """Fail every run that an earlier stack left unfinished; return how many.

    A new run of its date takes over: each stage knows by name what was done already.
    """
    left = api.unfinished_runs()
    for run in left:
        api.fail(run, str(_TAKEN_OVER))
    if left:
        _keep_failed(api, left)
    return len(left)


def _keep_failed(api: AirflowApi, left: Sequence[DagRun]) -> None:
    """Mark again what the scheduler, which read the run before us, then wrote otherwise.

    Of a run whose last tasks are skipped it makes a success, though nothing of it was done.
    """
    given_up = {(run.dag_id, run.dag_run_id) for run in left}
    for _ in range(_LOOKS):
        time.sleep(_POLL_S)
        known = [run for run in api.all_runs() if (run.dag_id, run.dag_run_id) in given_up]
        if not (otherwise := [run for run in known if run.state != "failed"]):
            return
        for run in otherwise:
            api.fail(run, str(_TAKEN_OVER))


def _stalled(known: Sequence[Step]) -> StackError:
    open_tasks = [
        f"{task.dag_id}.{task.task_id} ({task.state or 'waiting'})"
        for step in known
        if not step.is_finished
        for task in step.tasks
        if task.state not in ("success", "failed", "skipped")
    ]
    minutes = f"{_STALL_S / 60:.0f}"
    return StackError(
        Words(
            f"{minutes} 分钟没有进展；尚未结束：{'、'.join(open_tasks) or '没有任务'}。",
            f"Nothing moved for {minutes} minutes; still open:"
            f" {', '.join(open_tasks) or 'no task'}.",
        ),
        Words(
            "请查看 JINGSHU_HOME 下 run/airflow/logs 中各任务的日志。",
            "Read the tasks' logs in run/airflow/logs in JINGSHU_HOME.",
        ),
    )
