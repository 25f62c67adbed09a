"""A process that has Airflow imported once and plays one scenario after another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from contracts.layout import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


@contextmanager
def player(
    program: Path, folder: Path, environment: Mapping[str, str]
) -> Iterator[Callable[[Any], dict[str, Any]]]:
    """Start a program that answers each scenario, a line of JSON, with one of its own.

    Its Airflow lives in ``folder``, as does the log of what it writes to standard error.
    """
    log = folder / "log"
    with (
        log.open("w") as said,
        subprocess.Popen(
            [sys.executable, str(program)],
            env={
                **os.environ,
                "AIRFLOW_HOME": str(folder / "airflow"),
                "PYTHONPATH": str(ROOT),
                **environment,
            },
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        ) as process,
    ):
        questions, answers = process.stdin, process.stdout
        assert questions is not None
        assert answers is not None

        def play(scenario: Any) -> dict[str, Any]:
            questions.write(json.dumps(scenario) + "\n")
            questions.flush()
            own = (line for line in answers if line.startswith("{"))  # the others are a log's
            told = dict(json.loads(next(own, '{"failed": "before it played"}')))
            assert "failed" not in told, log.read_text("utf-8")[-3000:]
            return told

        yield play
        questions.close()
