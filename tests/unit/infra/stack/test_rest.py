"""The client against a server that misbehaves the way a busy Airflow does."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from infra.stack.day import abandon_leftovers
from infra.stack.processes import StackError
from infra.stack.rest import AirflowApi, DagRun

if TYPE_CHECKING:
    from collections.abc import Iterator


class Busy(ThreadingHTTPServer):
    """Answers from a script of (status, body); writes down what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[tuple[int, dict[str, Any]]] = []
        self.asked: list[tuple[str, str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    server: Busy

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, json.loads(body) if body else None))
        if self.path == "/auth/token":
            status, told = 201, {"access_token": "t"}
        elif self.headers.get("Authorization") != "Bearer t":
            status, told = 401, {}
        else:
            status, told = self.server.script.pop(0)
        text = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = answer  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[Busy]:
    with Busy() as busy:
        thread = threading.Thread(target=busy.serve_forever)
        thread.start()
        yield busy
        busy.shutdown()
        thread.join()


@pytest.fixture
def api(server: Busy, monkeypatch: pytest.MonkeyPatch) -> Iterator[AirflowApi]:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with AirflowApi(f"http://127.0.0.1:{server.server_port}", "admin", "secret") as client:
        yield client


def test_it_signs_in_when_asked_to(server: Busy, api: AirflowApi) -> None:
    server.script = [(200, {})]
    api.backfill("ingest__a", "2026-07-15", "2026-07-15")
    paths = [path for _, path, _ in server.asked]
    assert paths == ["/api/v2/backfills", "/auth/token", "/api/v2/backfills"]


def test_a_refusal_is_told_at_once(server: Busy, api: AirflowApi) -> None:
    server.script = [(404, {"detail": "no such DAG"}), (200, {})]
    with pytest.raises(StackError, match=r"404.*no such DAG"):
        api.backfill("ingest__a", "2026-07-15", "2026-07-15")
    assert len(server.script) == 1


def test_a_server_that_stays_broken_is_given_up(server: Busy, api: AirflowApi) -> None:
    server.script = [(500, {})] * 20
    with pytest.raises(StackError, match="500"):
        api.unfinished_runs()


def test_a_run_is_given_up_without_its_teardown(server: Busy, api: AirflowApi) -> None:
    run = DagRun(
        dag_id="ingest__a",
        dag_run_id="r",
        partition_key="2026-07-15",
        state="running",
        queued_at=None,
        end_date=None,
    )
    tasks = [{"task_id": "land", "state": "running"}, {"task_id": "complete", "state": None}]
    server.script = [(200, {"task_instances": tasks}), (200, {}), (200, {})]
    api.fail(run, "it is over")
    path = "/api/v2/dags/ingest__a/dagRuns/r"
    assert server.asked[-2:] == [
        ("PATCH", f"{path}/taskInstances/complete", {"new_state": "skipped"}),
        ("PATCH", path, {"state": "failed", "note": "it is over"}),
    ]


def test_what_the_scheduler_calls_a_success_meanwhile_is_given_up_again(
    server: Busy, api: AirflowApi
) -> None:
    """It read the run before it was failed, found its last tasks skipped, and wrote that last."""

    def runs(state: str) -> tuple[int, dict[str, Any]]:
        row = {"dag_id": "ingest__a", "dag_run_id": "r", "partition_key": "2026-07-15"}
        other = {"dag_id": "ingest__b", "dag_run_id": "r", "partition_key": "2026-07-15"}
        ends = {"queued_at": None, "end_date": None}
        found = [row | ends | {"state": state}, other | ends | {"state": "success"}]
        return 200, {"dag_runs": found[: 1 if state == "running" else 2], "total_entries": 1}

    tasks: tuple[int, dict[str, Any]] = (200, {"task_instances": []})
    done: tuple[int, dict[str, Any]] = (200, {})
    server.script = [runs("running"), tasks, done, runs("success"), tasks, done, runs("failed")]
    assert abandon_leftovers(api) == 1
    assert server.script == []
    failed = [asked for asked in server.asked if asked[0] == "PATCH"]
    assert [path for _, path, _ in failed] == ["/api/v2/dags/ingest__a/dagRuns/r"] * 2


def test_every_page_is_read(server: Busy, api: AirflowApi) -> None:
    def page(first: int, last: int) -> dict[str, Any]:
        rows = [
            {
                "dag_id": f"d{n}",
                "dag_run_id": "r",
                "partition_key": None,
                "state": "queued",
                "queued_at": None,
                "end_date": None,
            }
            for n in range(first, last)
        ]
        return {"dag_runs": rows, "total_entries": 650}

    server.script = [(200, page(0, 500)), (200, page(500, 650))]
    assert [run.dag_id for run in api.unfinished_runs()] == [f"d{n}" for n in range(650)]
    assert "offset=500" in server.asked[-1][1]
