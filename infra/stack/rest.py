"""Airflow's REST API, as little of it as a run needs: what stands where, and what to give up.

Runs are started by ``infra.stack.starting``.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import httpx
from pydantic import BaseModel, ConfigDict

from contracts.words import Words
from infra.stack.processes import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_TIMEOUT_S = 30.0
_TRIES = 6
_PAGE = 500
_SERVER_ERROR = 500

#: The task of an ingest run that completes the date of a delivery whose other tasks gave up.
TEARDOWN: Final = "complete"
_ENDED: Final = ("success", "failed", "skipped", "upstream_failed", "removed")

RunState = Literal["queued", "running", "success", "failed"]
UNFINISHED: tuple[RunState, ...] = ("queued", "running")


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class DagRun(_Answer):
    """One run of a DAG; ``partition_key`` is its business date."""

    dag_id: str
    dag_run_id: str
    partition_key: str | None
    state: RunState
    queued_at: datetime | None
    end_date: datetime | None

    @property
    def is_finished(self) -> bool:
        """Tell whether nothing of this run is still to come."""
        return self.state not in UNFINISHED


class TaskRun(_Answer):
    """One task of a run, at its newest try."""

    dag_id: str
    dag_run_id: str
    task_id: str
    state: str | None
    try_number: int
    start_date: datetime | None
    end_date: datetime | None


class AirflowApi:
    """A signed-in client; every call repeats what a busy or restarting server refused.

    ``between_tries`` is called before each repetition: it may start a dead server again.
    """

    def __init__(
        self, url: str, user: str, password: str, between_tries: Callable[[], None] | None = None
    ) -> None:
        self._login = {"username": user, "password": password}
        self._between_tries = between_tries
        self._client = httpx.Client(base_url=url, timeout=_TIMEOUT_S, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def is_ready(self) -> bool:
        """Tell whether the server answers and has heard from a scheduler."""
        try:
            health = self._client.get("/api/v2/monitor/health").json()
        except (httpx.TransportError, ValueError):
            return False
        return bool(health["scheduler"]["status"] == "healthy")

    def warm(self) -> None:
        """Let the server set up what tasks talk to: it does so on its first request."""
        self._send("GET", "/execution/health")

    def parsed_dags(self) -> dict[str, datetime]:
        """Return every active DAG's id and when it was parsed last."""
        return {
            row["dag_id"]: datetime.fromisoformat(row["last_parsed_time"])
            for row in self._pages("/api/v2/dags", "dags", {})
            if row["last_parsed_time"] and not row["is_stale"]
        }

    def import_errors(self) -> list[str]:
        """Return what went wrong while DAG files were parsed, one line a file."""
        rows = self._pages("/api/v2/importErrors", "import_errors", {})
        return [f"{row['filename']}: {row['stack_trace'].strip().splitlines()[-1]}" for row in rows]

    def fail(self, run: DagRun, note: str) -> None:
        """Mark an abandoned run, and what is left of its tasks, as failed.

        Airflow leaves a teardown to run, and its run open until then: it is skipped first, or the
        date would complete as failed while another run takes it up.
        """
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.dag_run_id}"
        for task in self._send("GET", f"{path}/taskInstances").json()["task_instances"]:
            if task["task_id"] == TEARDOWN and task["state"] not in _ENDED:
                skip = {"new_state": "skipped"}
                self._send("PATCH", f"{path}/taskInstances/{TEARDOWN}", json=skip)
        self._send("PATCH", path, json={"state": "failed", "note": note})

    def backfill(self, dag_id: str, first: str, last: str) -> None:
        """Start a clock-driven DAG for every business date from ``first`` to ``last``."""
        body = {
            "dag_id": dag_id,
            "from_date": f"{first}T00:00:00+08:00",
            "to_date": f"{last}T23:59:59+08:00",
            "run_backwards": False,
            "dag_run_conf": {},
            "max_active_runs": 1,
            "reprocess_behavior": "completed",
        }
        self._send("POST", "/api/v2/backfills", json=body)

    def all_runs(self) -> list[DagRun]:
        """Return every run there is."""
        return self._runs({})

    def unfinished_runs(self) -> list[DagRun]:
        """Return every run of every date that is queued or running."""
        return self._runs({"state": list(UNFINISHED)})

    def runs(self, business_date: str, since: datetime) -> list[DagRun]:
        """Return the runs of one business date that were queued at ``since`` or later."""
        params = {"partition_key_pattern": business_date, "run_after_gte": since.isoformat()}
        return self._runs(params)

    def tasks(self, since: datetime) -> list[TaskRun]:
        """Return the tasks of all runs that were queued at ``since`` or later."""
        path = "/api/v2/dags/~/dagRuns/~/taskInstances"
        rows = self._pages(path, "task_instances", {"run_after_gte": since.isoformat()})
        return [TaskRun.model_validate(row) for row in rows]

    def _runs(self, params: Mapping[str, Any]) -> list[DagRun]:
        rows = self._pages("/api/v2/dags/~/dagRuns", "dag_runs", params)
        return [DagRun.model_validate(row) for row in rows]

    def _pages(self, path: str, name: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            page = {**params, "limit": _PAGE, "offset": offset}
            answer = self._send("GET", path, params=page).json()
            yield from answer[name]
            offset += _PAGE
            if offset >= answer["total_entries"]:
                return

    def _send(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """Send one request, up to `_TRIES` times while the server fails; sign in when it asks."""
        last = ""
        for attempt in range(_TRIES):
            try:
                answer = self._client.request(method, path, **kwargs)
            except httpx.TransportError as error:
                last = f"{type(error).__name__}: {error}"
            else:
                if answer.is_success:
                    return answer
                last = f"{answer.status_code} {answer.text[:200]}"
                if answer.status_code == httpx.codes.UNAUTHORIZED:
                    self._sign_in()
                    continue
                if answer.status_code < _SERVER_ERROR:
                    break
            time.sleep(0.5 * 2**attempt)
            if self._between_tries is not None:
                self._between_tries()
        raise StackError(
            Words(
                f"Airflow 的 API 拒绝了 {method} {path}：{last}。",
                f"Airflow's API refused {method} {path}: {last}.",
            ),
            Words(
                "请查看 JINGSHU_HOME 下的 run/logs/api-server.log。",
                "Read run/logs/api-server.log in JINGSHU_HOME.",
            ),
        )

    def _sign_in(self) -> None:
        answer = self._client.post("/auth/token", json=self._login)
        if not answer.is_success:
            status = answer.status_code
            raise StackError(
                Words(
                    f"Airflow 的 API 拒绝登录：{status}。",
                    f"Airflow's API refused the sign-in: {status}.",
                ),
                Words("请运行 ./jingshu down，再试一次。", "Run ./jingshu down, then try again."),
            )
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
