"""What each run of the pipeline took of the machine, as its lineage events say.

Events say where the CPU counters of a run's processes stood before and after it (measured by
``jobs.record.meter``); runs at the same time share a process's time (``clock``): the parts are the
whole. Every stage counts, of whoever started it, and so does a run that made nothing visible.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from contracts.words import Words
from lineage import facets, outbox
from lineage.columns import NAMESPACE
from lineage.errors import LineageError
from lineage.naming import PRODUCER, Own
from lineage.runs import CpuTime
from sharing.rights.clock import Span, shared_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contracts.layout import Home
    from contracts.tree import Tree

#: The counter of runs that name no process: the clock.
_CLOCK: Final = "clock"
_VERSIONED: Final = ("silver/", "gold/")
#: A publication's audit is told as a run of its own; its time is the publication's.
_TOLD_TWICE: Final = "audit"
_MS: Final = timedelta(milliseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Measured:
    """One run: its stage, its table (a shared one by its product's), and from when to when.

    ``version`` is of the silver or gold table that it made; None where it made none.
    """

    run_id: str
    stage: str
    table: str
    version: int | None
    started_at: datetime
    ended_at: datetime
    cpu: tuple[CpuTime, ...] = ()

    @property
    def spans(self) -> Sequence[tuple[str, Span]]:
        """Which counters counted for it, from where to where; nothing where one was set back."""
        read = self.cpu or (CpuTime(_CLOCK, in_ms(self.started_at), in_ms(self.ended_at)),)
        return [(t.process, Span(self.run_id, min(t.start_ms, t.end_ms), t.end_ms)) for t in read]


def measured_runs(home: Home) -> Iterator[Measured]:
    """Yield every run that ended, whichever stage, whether it made something visible or not."""
    began: dict[str, datetime] = {}
    for event in outbox.read(home):
        if event.get("producer") != PRODUCER:
            continue
        run_id, at = str(event["run"]["runId"]), datetime.fromisoformat(event["eventTime"])
        stage, _, table = str(event["job"]["name"]).partition(".")
        if stage == _TOLD_TWICE:
            continue
        if event["eventType"] == "START":
            began[run_id] = at
        elif run_id in began:
            version, cpu = _version(event), _cpu(event)
            yield Measured(run_id, stage, table, version, began[run_id], at, cpu)


def parts_of(runs: Sequence[Measured], rounds: Sequence[datetime]) -> Mapping[str, int]:
    """Return each run's part of machine time in milliseconds, of those that a round measured.

    That is its part of the CPU time of each process that worked for it. A run whose event names no
    process (of a version before, or with Spark on another machine) has its part of the clock. The
    parts add up to what all counters counted while any of these runs was under way.
    """
    bounds = sorted(rounds)
    counters: dict[str, list[list[Span]]] = {}
    for run in runs:
        place = bisect_left(bounds, run.ended_at)
        if place < len(bounds):
            for counter, span in run.spans:
                counters.setdefault(counter, [[] for _ in bounds])[place].append(span)
    shares = [shared_out(by_round) for by_round in counters.values()]
    parts: Counter[str] = Counter()
    for share in shares:
        parts.update(share)
    return parts


def dataset_of(tree: Tree, run: Measured) -> str:
    """Return which table's cost a run is: a policy's projection is its product's."""
    if run.stage != "share":
        return run.table
    made = [p.product_table for p in tree.active_products()]
    of = [name for name in made if run.table.startswith(f"{name}__")]
    return max(of, key=len, default=run.table)


def in_ms(at: datetime) -> int:
    """Return a moment as milliseconds, as events have it."""
    return (at - _EPOCH) // _MS


def _cpu(event: dict[str, Any]) -> tuple[CpuTime, ...]:
    told = (event["run"].get("facets") or {}).get(facets.CPU)
    try:
        return tuple(CpuTime(**times) for times in told["processes"]) if told else ()
    except (TypeError, KeyError) as error:
        run_id = event["run"]["runId"]
        raise LineageError(
            Words(
                f"运行 {run_id} 的 {facets.CPU} 分面无法读取：{error}。",
                f"The facet {facets.CPU} of run {run_id} cannot be read: {error}.",
            ),
            Words("请从备份恢复 lineage/events。", "Restore lineage/events from a backup."),
        ) from error


def _version(event: dict[str, Any]) -> int | None:
    own = Own().in_event(event, "")
    for output in event.get("outputs") or ():
        namespace, name = own.inside(output["namespace"], output["name"])
        version = (output.get("facets") or {}).get("version")
        if namespace == NAMESPACE and name.startswith(_VERSIONED) and version:
            return int(version["datasetVersion"])
    return None
