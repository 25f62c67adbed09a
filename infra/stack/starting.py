"""Starts Airflow runs from a process of their own, as ``airflow dags trigger`` does.

Not over the REST API: Airflow 3.3's server writes its audit log inside its event loop. With SQLite
a post that meets a task's report waits there for a lock that only the event loop could release,
until the database gives up (docs/decisions/0002-airflow-by-partition.md).
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from contracts.words import Words
from infra.stack.processes import StackError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.stack.airflow import Airflow

_TIMEOUT_S = 300.0
_SHOWN_CHARS = 400


@dataclass(frozen=True)
class Start:
    """A run to start: of which DAG, for which business date, under which id."""

    dag_id: str
    partition_key: str
    run_id: str


def start_runs(airflow: Airflow, wanted: Sequence[Start]) -> None:
    """Start runs; one that exists already under its id is fine.

    Raises StackError where Airflow refuses one.
    """
    result = subprocess.run(
        [sys.executable, "-m", "infra.stack.starting"],
        input=json.dumps([asdict(start) for start in wanted]),
        env=airflow.environment(),
        cwd=airflow.folder,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if result.returncode != 0:
        said, logs = result.stderr.strip()[-_SHOWN_CHARS:], airflow.home.run / "logs"
        raise StackError(
            Words(f"Airflow 没有启动运行：{said}", f"Airflow started no run: {said}"),
            Words(f"请查看 {logs} 中的文件。", f"Read the files in {logs}."),
        )


def main() -> None:
    """Start what standard input lists; each in a transaction of its own.

    What waits for ever by a fault of Airflow's is mended first, and then starts by itself.
    """
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import DagRunAlreadyExists
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunTriggeredByType

    from infra.stack.partitions import heal

    with create_session() as session:
        healed = set(heal(session))
    for row in json.load(sys.stdin):
        start = Start(**row)
        if (start.dag_id, start.partition_key) in healed:
            continue  # Airflow starts it now; if inputs are lacking still, it is asked for again
        try:
            trigger_dag(
                start.dag_id,
                run_id=start.run_id,
                partition_key=start.partition_key,
                triggered_by=DagRunTriggeredByType.CLI,
            )
        except DagRunAlreadyExists:
            continue


if __name__ == "__main__":
    main()
