"""How long Airflow's DAG processor takes over each DAG file, in a process that has read none yet.

The processor forks one process a file, with Airflow imported: so imports are told apart. What it
calls there (``airflow.dag_processing.processor._parse_file``: DagBag, then serialization) is called
here; ``cpu_s`` is what other work on the machine does not lengthen.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from contracts.layout import ROOT, Home
from infra.stack.airflow import Airflow, Schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILES: Final = ("ingest.py", "products.py")
_NO_SPARK: Final = "sc://127.0.0.1:1"


@dataclass(frozen=True)
class Parse:
    """One file under one schedule: wall and CPU seconds, without Airflow's own imports."""

    file: str
    schedule: Schedule
    dags: int
    imports_s: float
    parse_s: float
    cpu_s: float


def parse_times(home: Home) -> Iterator[Parse]:
    """Yield the figures of every DAG file under every schedule; ``home`` is left empty."""
    for schedule in get_args(Schedule):
        environment = Airflow(home, 1, _NO_SPARK, schedule).environment()
        for file in _FILES:
            argv = [sys.executable, "-m", "bench.parse", str(ROOT / "dags" / file)]
            told = subprocess.run(
                argv, env=environment, cwd=ROOT, capture_output=True, text=True, check=True
            )
            yield Parse(file, schedule, **json.loads(told.stdout.splitlines()[-1]))


def main() -> None:
    """Parse the file that the command line names; print its figures as JSON."""
    began = time.perf_counter()
    import structlog
    from airflow.dag_processing.processor import DagFileParseRequest, _parse_file

    imported, busy = time.perf_counter(), time.process_time()
    file = Path(sys.argv[1])
    request = DagFileParseRequest(file=str(file), bundle_path=file.parent, bundle_name="bench")
    result = _parse_file(request, structlog.get_logger())
    if result is None or result.import_errors:
        raise SystemExit(f"{file} is not read: {result.import_errors if result else ''}")
    figures = {
        "dags": len(result.serialized_dags),
        "imports_s": round(imported - began, 2),
        "parse_s": round(time.perf_counter() - imported, 2),
        "cpu_s": round(time.process_time() - busy, 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
