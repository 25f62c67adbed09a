"""The same Airflow with nothing to do: what scheduling alone costs a city's day."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from bench.resources import Sampler
from contracts.words import Words
from infra.stack import processes
from infra.stack.airflow import COMPONENTS, USER, Airflow, migrate, password
from infra.stack.processes import StackError
from infra.stack.rest import AirflowApi
from infra.stack.starting import Start, start_runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.layout import Home
    from infra.stack.airflow import Component
    from infra.stack.processes import Part

_DAGS: Final = Path(__file__).parent / "empty_dags"
_NO_SPARK: Final = "sc://127.0.0.1:1"
_TIMEOUT_S: Final = 1800.0
_POLL_S: Final = 1.0
_DATE: Final = "2026-01-01"


@dataclass(frozen=True)
class EmptyDay:
    """How long ``dags`` DAGs of two empty tasks took, and what CPU they used, by part."""

    dags: int
    seconds: float
    cpu_s: dict[str, float]


def empty_day(home: Home, dags: int) -> EmptyDay:
    """Run ``dags`` DAGs of two empty tasks through an Airflow of their own and stop it again.

    Raises StackError when it does not start, or does not end within half an hour.
    """
    os.environ["JINGSHU_BENCH_DAGS"] = str(dags)
    airflow = Airflow(home, processes.free_port(), _NO_SPARK, "manual", _DAGS)
    with (
        _Parts(airflow) as parts,
        Sampler(home) as used,
        AirflowApi(airflow.url, USER, password(home), parts.mend) as api,
    ):
        api.warm()
        _until(lambda: len(api.parsed_dags()) >= dags)
        since = datetime.now(UTC)
        began = time.monotonic()
        start_runs(airflow, [Start(f"empty__{n:03d}", _DATE, "empty") for n in range(dags)])
        _until(lambda: sum(r.is_finished for r in api.runs(_DATE, since)) >= dags)
        seconds = time.monotonic() - began
    return EmptyDay(dags, round(seconds, 1), used.cpu_s)


class _Parts:
    """Airflow's components, started again when they die, stopped at the end."""

    def __init__(self, airflow: Airflow) -> None:
        self._airflow = airflow
        self._parts: dict[Component, Part] = {}

    def __enter__(self) -> Self:
        migrate(self._airflow)
        try:
            self.mend()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        processes.stop(self._airflow.home, list(self._parts.values()), grace_s=5.0)

    def mend(self) -> None:
        """Start what does not run."""
        for name in COMPONENTS:
            known = self._parts.get(name)
            if name == "triggerer" or (known is not None and known.is_alive()):
                continue
            if known is not None:
                processes.stop(self._airflow.home, [known], grace_s=2.0)
            self._parts[name] = self._airflow.begin(name)
        processes.wait_listening(self._parts["api-server"], _TIMEOUT_S)


def _until(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while not is_done():
        if time.monotonic() > deadline:
            raise StackError(
                Words("空跑的 Airflow 没有完成。", "The empty Airflow did not get done."),
                Words("请看它的 run/logs。", "Read its run/logs."),
            )
        time.sleep(_POLL_S)
