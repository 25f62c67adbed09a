"""Slow clients are hung up on; patient ones are not."""

from __future__ import annotations

import secrets
import socket
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from sharing import grants
from sharing.gateway.limits import PatientProtocol
from tests.unit.sharing.conftest import TABLE, TABLE_URL, column, write_shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.sharing.conftest import Served

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
