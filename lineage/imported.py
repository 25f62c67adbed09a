"""Events of other producers, taken in whole: their tables take part in our lineage.

They are kept as they came, one file an import, apart from our own by name: no evidence leaf names
them, they are not sent on, and what they say of tables of ours is not believed (``lineage.facts``).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from contracts.words import Words
from lineage.errors import LineageError
from lineage.evidence.durable import write_once
from lineage.facts import OURS, display, linked, ran
from lineage.naming import IMPORTED, Own

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home

_NAME_DIGITS: Final = 16
_NOT_EVENTS: Final = (KeyError, TypeError, ValueError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Imported:
    """What an import came to."""

    file: str
    events: int
    completed: int
    """Events that say what a finished run read or wrote: only those make lineage."""
    tables: tuple[str, ...]
    """The data sets that they wrote, as ``lineage up`` and ``down`` take them."""
    is_known: bool
    """Whether the same events had been imported before; nothing changed then."""

    def to_dict(self) -> dict[str, Any]:
        """Return the import as JSON's own types."""
        return {**vars(self), "tables": list(self.tables)}


def take(home: Home, content: bytes) -> Imported:
    """Keep events given as NDJSON, as one JSON event, or as a JSON list of them.

    Raises:
        LineageError: one is no OpenLineage event, or writes a table of this city; nothing is kept.
    """
    own = Own.of(home)
    events = list(_events(content))
    if not events:
        raise LineageError(
            Words("文件中没有事件。", "There is no event in the file."),
            Words("请以 NDJSON 给出 OpenLineage 事件。", "Give OpenLineage events as NDJSON."),
        )
    lines = [json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events]
    kept = "".join(f"{line}\n" for line in lines).encode(errors="replace")
    name = f"{IMPORTED}{hashlib.sha256(kept).hexdigest()[:_NAME_DIGITS]}.ndjson"
    tables: dict[str, None] = {}
    completed = 0
    for number, event in enumerate(events, 1):
        run = _checked(event, name, number, own)
        completed += run is not None
        tables |= dict.fromkeys(run or ())
    path = home.lineage_events / name
    is_known = path.exists()
    if not is_known:
        write_once(path, kept, scratch=home.lineage_events / ".drafts")
    return Imported(name, len(events), completed, tuple(tables), is_known)


def _events(content: bytes) -> Iterator[Any]:
    """Yield the events of a file, whichever of the three ways it is written."""
    text = content.decode("utf-8-sig", errors="replace")
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    if whole is not None:
        yield from whole if isinstance(whole, list) else [whole]
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                raise _no_event(number) from None


def _checked(event: Any, name: str, number: int, own: Own) -> list[str] | None:
    """Return what a finished run wrote; None for other events.

    A DatasetEvent or JobEvent (OpenLineage 2-0-2) describes and runs nothing, so it is kept and
    makes no lineage.
    """
    if not isinstance(event, dict):
        raise _no_event(number)
    is_described = "run" not in event and ("dataset" in event or "job" in event)
    try:
        if is_described:
            return None
        _run_of(event)
        for output in linked(event, own).get("outputs") or ():
            written = display(output["namespace"], output["name"], own)
            if written.startswith(OURS):
                raise _wrote_ours(number, written)
        made = ran(event, name, number, own)
    except _NOT_EVENTS as error:
        if isinstance(error, LineageError):
            raise
        raise _no_event(number) from None
    return None if made is None else [use.dataset for use in made.outputs]


def _run_of(event: dict[str, Any]) -> None:
    """Raise one of ``_NOT_EVENTS`` for what has not the fields that every run event has."""
    for value in (event["eventTime"], event["run"]["runId"], event["job"]["name"]):
        if not isinstance(value, str) or not value:
            raise TypeError(value)


def _wrote_ours(number: int, written: str) -> LineageError:
    return LineageError(
        Words(
            f"第 {number} 个事件称其作业写入了 {written}，而这是本城市的表。",
            f"Event {number} says that its job wrote {written}, a table of this city.",
        ),
        Words(
            "这些表只由京枢自己的运行写入：请为该作业的输出另取名称；如果事件属于另一城市，请在"
            " providers.yaml 中为每个城市写明各自的 `city`。",
            "Only Jingshu's own runs write those: name the job's output otherwise, or, where the"
            " event is another city's, give each its own `city` in providers.yaml.",
        ),
    )


def _no_event(number: int) -> LineageError:
    return LineageError(
        Words(
            f"第 {number} 个事件不是 OpenLineage 事件。",
            f"Event {number} is no OpenLineage event.",
        ),
        Words(
            "请给出 OpenLineage 的 RunEvent（含 eventType、eventTime、run.runId、job、inputs、"
            "outputs），每行一个，或写成 JSON 列表。",
            "Give RunEvents of OpenLineage (eventType, eventTime, run.runId, job, inputs, outputs),"
            " one a line or as a JSON list.",
        ),
    )
