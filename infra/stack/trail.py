"""Which Airflow run took a batch its way: the logs of its tasks name the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from infra.stack.airflow import folder
from infra.stack.processes import LOOPBACK, Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.layout import Home


@dataclass(frozen=True)
class Trail:
    """The newest run that knew a batch: ``logs`` holds each task's last attempt, oldest first.

    ``url`` is the run's page while the web server of this home's stack is up.
    """

    dag_id: str
    run_id: str
    logs: tuple[Path, ...]
    url: str | None


def trail(home: Home, table: str, batch_id: str) -> Trail | None:
    """Return the newest run of a table's ingest whose logs name the batch; None if none does.

    Batches that a command brought in (``land``, ``batch retry``, ``backfill``) have no run.
    """
    dag_id = f"ingest__{table}"
    runs = folder(home) / "logs" / f"dag_id={dag_id}"
    newest_first = sorted(runs.glob("run_id=*"), key=_written_at, reverse=True)
    for run in newest_first:
        if any(batch_id.encode() in log.read_bytes() for log in run.glob("task_id=*/*.log")):
            run_id = run.name.removeprefix("run_id=")
            logs = tuple(sorted(_last_attempts(run), key=lambda log: log.stat().st_mtime_ns))
            return Trail(dag_id, run_id, logs, _url(home, dag_id, run_id))
    return None


def _written_at(run: Path) -> int:
    return max((log.stat().st_mtime_ns for log in run.glob("task_id=*/*.log")), default=0)


def _last_attempts(run: Path) -> Iterator[Path]:
    for task in run.glob("task_id=*"):
        if logs := list(task.glob("*.log")):
            yield max(logs, key=lambda log: log.stat().st_mtime_ns)


def _url(home: Home, dag_id: str, run_id: str) -> str | None:
    server = Ledger(home).find("api-server")
    if server is None:
        return None
    return f"http://{LOOPBACK}:{server.port}/dags/{dag_id}/runs/{quote(run_id, safe='')}"
