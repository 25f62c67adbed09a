"""What each run of the pipeline took, as its lineage events say: what makes cost measurable.

The lake records when a run began and ended, not its CPU time; so the time is the wall clock's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lineage import outbox
from lineage.columns import NAMESPACE
from lineage.naming import PRODUCER, Own

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home

_MADE: Final = ("silver/", "gold/")
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class Measured:
    """One run that made a version of a table, and how long it took."""

    run_id: str
    table: str
    version: int
    started_at: datetime
    ended_at: datetime

    @property
    def seconds(self) -> int:
        """The time it took, in whole seconds begun."""
        return -(-(self.ended_at - self.started_at) // _SECOND)


def measured_runs(home: Home) -> Iterator[Measured]:
    """Yield every completed run that made a version of a silver or gold table."""
    began: dict[str, datetime] = {}
    for event in outbox.read(home):
        if event.get("producer") != PRODUCER:
            continue
        run_id, at = str(event["run"]["runId"]), datetime.fromisoformat(event["eventTime"])
        if event["eventType"] == "START":
            began[run_id] = at
        elif event["eventType"] == "COMPLETE" and run_id in began:
            yield from _made(event, run_id, began[run_id], at)


def _made(
    event: dict[str, Any], run_id: str, began: datetime, ended: datetime
) -> Iterator[Measured]:
    own = Own().in_event(event, "")
    for output in event.get("outputs") or ():
        namespace, name = own.inside(output["namespace"], output["name"])
        layer = next((p for p in _MADE if name.startswith(p)), None)
        version = (output.get("facets") or {}).get("version")
        if namespace == NAMESPACE and layer and version:
            table = name.removeprefix(layer)
            number = int(version["datasetVersion"])
            yield Measured(run_id, table, number, began, ended)
