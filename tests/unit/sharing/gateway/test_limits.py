"""Slow clients are hung up on, and those that take others' room; patient ones are not."""

from __future__ import annotations

import http.client
import secrets
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from sqlalchemy import select

from sharing.control import AccessRecord
from sharing.gateway import limits, rights
from sharing.gateway.limits import MOST_CONNECTIONS_OF_ONE, PatientProtocol
from sharing.grants import grants
from sharing.tables.snapshot import read_snapshot
from tests.support.sharing.served import TABLE, TABLE_URL, Answer, column, write_shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.sharing.served import Served

#: How long a test waits for the server to hang up before it fails.
LONG_S = 30


@pytest.fixture
def raw(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A bare connection to a gateway whose patience is short."""
    monkeypatch.setattr(PatientProtocol, "request_s", 0.3)
    with closing(socket.create_connection(("127.0.0.1", served.port), timeout=LONG_S)) as made:
        yield made


def is_hung_up(connection: socket.socket) -> bool:
    """Read until the server closes; a server that does not close runs into the time limit."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"G",
        b"GET /delta-sharing/shares HTTP/1.1\r\nHost: x\r\n",
    ],
    ids=["nothing", "one byte", "half a head"],
)
def test_who_does_not_finish_a_head_is_hung_up_on(raw: socket.socket, sent: bytes) -> None:
    raw.sendall(sent)
    assert is_hung_up(raw)


def test_who_does_not_finish_a_body_is_hung_up_on(served: Served, raw: socket.socket) -> None:
    head = f"POST {TABLE_URL}/query HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
    raw.sendall(f"{head}Authorization: Bearer {served.token}\r\n\r\n{{".encode())
    assert is_hung_up(raw)


def test_who_drips_a_head_is_hung_up_on(raw: socket.socket) -> None:
    raw.sendall(b"GET /healthz HTTP/1.1\r\n")
    with pytest.raises((BrokenPipeError, ConnectionResetError)):  # noqa: PT012 - the drip is one
        for n in range(LONG_S * 10):
            raw.sendall(b"X-%d: a\r\n" % n)
            time.sleep(0.1)


def test_who_does_not_read_is_hung_up_on(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = pa.table(
        {"v": [secrets.token_bytes(1_000_000) for _ in range(24)]},
        pa.schema([column("v", pa.binary(), "L1")]),
    )
    write_shared(served.home, "big__x", noise)
    grants.grant(served.control, "demo", "big__x", "演示", actor="test")
    line = served.query(table=TABLE_URL.replace(TABLE, "big__x")).lines[-1]["file"]
    path = line["url"].split(str(served.port), 1)[1]
    monkeypatch.setattr(PatientProtocol, "reading_s", 0.3)
    with closing(socket.create_connection(("127.0.0.1", served.port), timeout=LONG_S)) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        started = raw.recv(1000)
        assert started.startswith(b"HTTP/1.1 200 OK")
        time.sleep(1.5)
        received = len(started)
        with suppress(ConnectionResetError):
            while part := raw.recv(65_536):
                received += len(part)
    assert received < line["size"]


def test_a_pause_between_two_requests_is_no_slowness(served: Served, raw: socket.socket) -> None:
    for _ in range(3):
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while b'"status":"ok"' not in answer:
            part = raw.recv(65_536)
            assert part
            answer += part
        time.sleep(0.5)
    raw.sendall(b"GET /he")
    assert is_hung_up(raw)


def connect(served: Served, come_from: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(
        ("127.0.0.1", served.port), timeout=LONG_S, source_address=(come_from, 0)
    )


def begin_query(served: Served, stack: ExitStack, come_from: str) -> None:
    """Leave a request running: the server waits for its body, and has said so."""
    head = f"POST {TABLE_URL}/query HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
    head += f"Authorization: Bearer {served.token}\r\nExpect: 100-continue\r\n\r\n"
    running = stack.enter_context(closing(connect(served, come_from)))
    running.sendall(head.encode())
    assert running.recv(100).startswith(b"HTTP/1.1 100 ")


def ask(served: Served, path: str, come_from: str) -> Answer:
    """Ask once from an address; the answer ends with the connection."""
    with closing(connect(served, come_from)) as made:
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        made.sendall(f"{head}Authorization: Bearer {served.token}\r\n\r\n".encode())
        answer = http.client.HTTPResponse(made)
        answer.begin()
        headers = {k.lower(): v for k, v in answer.getheaders()}
        return Answer(answer.status, headers, answer.read())


def test_idle_connections_of_one_address_take_nobody_else_s_room(served: Served) -> None:
    with ExitStack() as stack:
        idle = [
            stack.enter_context(closing(connect(served, "127.0.0.2")))
            for _ in range(MOST_CONNECTIONS_OF_ONE + 105)
        ]
        for oldest in idle[:105]:
            assert is_hung_up(oldest)
        for come_from in ("127.0.0.1", "127.0.0.2"):
            assert ask(served, "/healthz", come_from).status == 200
            assert ask(served, f"{TABLE_URL}/version", come_from).status == 200


def test_connections_of_many_addresses_make_room_for_the_next(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_CONNECTIONS", 20)
    with ExitStack() as stack:
        idle = [stack.enter_context(closing(connect(served, f"127.0.1.{n}"))) for n in range(1, 41)]
        assert is_hung_up(idle[0])
        begin_query(served, stack, "127.0.0.3")
        assert ask(served, f"{TABLE_URL}/version", "127.0.0.4").status == 200


def test_one_address_runs_so_many_requests_and_others_go_on(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_RUNNING_OF_ONE", 5)
    with ExitStack() as stack:
        for _ in range(5):
            begin_query(served, stack, "127.0.0.2")
        refused = ask(served, f"{TABLE_URL}/version", "127.0.0.2")
        assert (refused.status, refused.json()["errorCode"]) == (429, "REQUEST_LIMIT_EXCEEDED")
        assert (refused.headers["retry-after"], refused.headers["connection"]) == ("1", "close")
        assert ask(served, "/healthz", "127.0.0.2").status == 200
        assert ask(served, f"{TABLE_URL}/version", "127.0.0.3").status == 200


def test_too_many_requests_in_all_are_refused_and_health_is_told(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_RUNNING", 3)
    with ExitStack() as stack:
        for n in range(3):
            begin_query(served, stack, f"127.0.1.{n + 1}")
        refused = ask(served, f"{TABLE_URL}/version", "127.0.0.4")
        assert (refused.status, refused.json()["errorCode"]) == (503, "TEMPORARILY_UNAVAILABLE")
        assert set(refused.json()) == {"errorCode", "message"}
        assert ask(served, "/healthz", "127.0.0.4").json()["status"] == "ok"
    with served.control.read() as session:
        assert 503 not in set(session.scalars(select(AccessRecord.status)))


def test_health_answers_while_every_thread_and_connection_is_at_work(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is silent holds the threads that read from it, and nothing else."""
    silent, reached = threading.Event(), threading.Semaphore(0)

    def slow(*place: Any, **more: Any) -> Any:
        reached.release()
        with served.control.read() as session:
            session.execute(select(AccessRecord.id))
            silent.wait(LONG_S)
        return read_snapshot(*place, **more)

    monkeypatch.setattr(rights, "read_snapshot", slow)
    with ThreadPoolExecutor(45) as pool:
        try:
            asked = [
                pool.submit(ask, served, f"{TABLE_URL}/version", "127.0.0.2") for _ in range(45)
            ]
            for _ in range(15):  # as many as the pool has connections
                assert reached.acquire(timeout=LONG_S)
            assert ask(served, "/healthz", "127.0.0.3").status == 200
        finally:
            silent.set()
        assert {one.result().status for one in asked} == {200}


def test_health_says_when_the_database_does_not_answer(served: Served) -> None:
    database = served.home.control_db
    gone = database.rename(database.with_name("elsewhere"))
    database.mkdir()
    try:
        answer = served.get("/healthz", token=None)
        assert (answer.status, answer.json()["errorCode"]) == (503, "TEMPORARILY_UNAVAILABLE")
    finally:
        database.rmdir()
        gone.rename(database)


def test_requests_of_one_connection_run_one_after_the_other(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_RUNNING_OF_ONE", 1)
    head = (
        f"GET {TABLE_URL}/version HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.token}\r\n"
    )
    with closing(connect(served)) as made:
        made.sendall(f"{head}\r\n".encode() * 29 + f"{head}Connection: close\r\n\r\n".encode())
        received = b""
        while part := made.recv(65_536):
            received += part
    assert received.count(b"HTTP/1.1 200 OK") == received.count(b"HTTP/1.1 ") == 30


@pytest.mark.parametrize("pieces", [1, 40])
def test_a_huge_head_is_refused_however_it_comes(served: Served, pieces: int) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Huge: " + b"a" * (1 << 20)
    size = len(head) // pieces
    with closing(connect(served)) as made, suppress(BrokenPipeError, ConnectionResetError):
        for n in range(pieces + 1):
            made.sendall(head[n * size : (n + 1) * size])
        assert made.recv(100).startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))
    assert served.get("/healthz", token=None).status == 200
