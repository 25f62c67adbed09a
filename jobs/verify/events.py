"""Invariant 6: each run's lineage events are the file its leaf names; there are no others."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from contracts.words import Words
from jobs.verify.report import checked
from lineage.naming import is_imported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked
    from lineage.evidence.leaf import Leaf


def as_logged(lake: Lake) -> Iterator[Checked]:
    """Hold every event file against the newest leaf of its run, and look for files of no run."""
    named = {str(leaf.facts["event"]): leaf for leaf in lake.log if "event" in leaf.facts}
    found = {
        path.stem: path
        for path in lake.home.lineage_events.glob("*.ndjson")
        if not is_imported(path.name)  # what others say of their own tables is not ours to prove
    }
    for run, leaf in named.items():
        yield checked(6, f"lineage/events/{run}.ndjson", _problem(found.get(run), leaf))
    for run in sorted(found.keys() - named.keys()):
        # Its leaf is still to come while its step is under way.
        is_recovering = _table(found[run]) in lake.moving
        problem = Words(
            "没有存证写明这些事件：它们不是由我方写出的",
            "no leaf names these events: nothing of ours wrote them",
        )
        yield checked(6, f"lineage/events/{run}.ndjson", problem, is_recovering=is_recovering)


def _problem(path: Path | None, leaf: Leaf) -> Words | None:
    """Say how a run's events differ from what its leaf names."""
    try:
        content = path.read_bytes() if path is not None else None
    except OSError:
        content = None
    if path is None or content is None:
        return Words(
            f"事件已不在；存证 {leaf.key} 写有它们",
            f"the events are gone; the leaf {leaf.key} names them",
        )
    if hashlib.sha256(content).hexdigest() == leaf.facts.get("event_sha256"):
        return None
    events = [event for event in _events(content) if _run_id(event) == path.stem]
    types = [event.get("eventType") for event in events]
    if types[:1] != ["START"] or types[1:] not in (["COMPLETE"], ["FAIL"]):
        order = ", ".join(map(str, types))
        return Words(
            f"事件为 {order or '无可读取者'}；而 {leaf.key} 存证的是 START，其后 COMPLETE 或 FAIL",
            f"the events are {order or 'nothing that can be read'};"
            f" START, then COMPLETE or FAIL, was logged as {leaf.key}",
        )
    return Words(
        f"事件被改动：不是存证 {leaf.key} 所写的那些",
        f"the events were changed: they are not those that the leaf {leaf.key} names",
    )


def _run_id(event: dict[str, object]) -> object:
    run = event.get("run")
    return run.get("runId") if isinstance(run, dict) else None


def _table(path: Path) -> str | None:
    """Return the table whose stage a run was, by its job's name ``<stage>.<table>``."""
    try:
        jobs = [event.get("job") for event in _events(path.read_bytes())]
    except OSError:
        return None
    names = [str(job.get("name")) for job in jobs if isinstance(job, dict)]
    return names[0].partition(".")[2] if names else None


def _events(content: bytes) -> list[dict[str, object]]:
    events = []
    for line in content.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events
