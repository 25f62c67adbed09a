"""What each run of the pipeline took of the machine, as its lineage events say.

The lake records when a run began and ended, not its CPU time. So a run's part is of the clock, and
runs at the same time share it (``clock``): the parts are the whole. Every stage counts, of whoever
started it, and so does a run that made nothing visible.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lineage import outbox
from lineage.columns import NAMESPACE
from lineage.naming import PRODUCER, Own
from sharing.rights.clock import Span, shared_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contracts.layout import Home
    from contracts.tree import Tree

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

    @property
    def span(self) -> Span:
        """From when to when it ran; nothing where the clock was set back meanwhile."""
        end = in_ms(self.ended_at)
        return Span(self.run_id, min(in_ms(self.started_at), end), end)


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
            yield Measured(run_id, stage, table, _version(event), began[run_id], at)


def parts_of(runs: Sequence[Measured], rounds: Sequence[datetime]) -> Mapping[str, int]:
    """Return each run's part of the clock in milliseconds, of those that a round measured."""
    return shared_out((run.span for run in runs), [in_ms(until) for until in rounds])


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


def _version(event: dict[str, Any]) -> int | None:
    own = Own().in_event(event, "")
    for output in event.get("outputs") or ():
        namespace, name = own.inside(output["namespace"], output["name"])
        version = (output.get("facets") or {}).get("version")
        if namespace == NAMESPACE and name.startswith(_VERSIONED) and version:
            return int(version["datasetVersion"])
    return None
