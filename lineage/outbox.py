"""The lineage outbox: one NDJSON file a run, so that no endpoint can fail the data.

At-least-once: whoever forwards events may send a file again; run ids make repeats harmless.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lineage.errors import no_event
from lineage.evidence.durable import write_once
from lineage.naming import city_namespace, is_imported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.layout import Home
    from lineage.runs import Run


def write(home: Home, run: Run) -> Path:
    """Write a run's events once and return their file; what is there already stays as it is.

    The run id names the facts (batch, status, version), so a stage that runs again finds its file.
    """
    from lineage.events import ndjson

    path = home.lineage_events / f"{run.run_id}.ndjson"
    if not path.exists():
        line = ndjson(run, city_namespace())
        write_once(path, line, scratch=home.lineage_events / ".drafts")
    return path


def read(home: Home) -> Iterator[dict[str, Any]]:
    """Yield every event of ours on disk, file by file; a line still being appended waits.

    Raises LineageError naming file and line of what is no JSON object.
    """
    for path in sorted(home.lineage_events.glob("*.ndjson")):
        if is_imported(path.name):
            continue
        for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
            if not line.strip():
                continue
            try:
                event = json.loads(line)
            except ValueError:
                event = None
            if not isinstance(event, dict):
                raise no_event(path.name, number)
            yield event
