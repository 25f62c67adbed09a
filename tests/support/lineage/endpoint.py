"""A real OpenLineage endpoint on loopback that takes what is of the official shape, and misbehaves.

``python -m tests.support.lineage.endpoint PORT FILE`` runs a well-behaved one in a process of its
own.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.support.lineage.openlineage_shape import ShapeError, read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.requests import Request


PATIENCE_S = 60


@dataclass(frozen=True)
class Behaviour:
    """What to do with one request, instead of taking its event."""

    status: int = 201
    retry_after: str | None = None
    cut: bool = False
    """Close the connection inside the answer's body."""
    hang: bool = False
    """Say nothing until the endpoint is stopped."""


@dataclass(frozen=True)
class Got:
    """One request as it came: ``taken`` says whether the endpoint kept the event."""

    run_id: str
    kind: str
    body: bytes
    path: str
    authorization: str | None
    taken: bool

    @property
    def name(self) -> tuple[str, str]:
        return self.run_id, self.kind


@dataclass
class LineageEndpoint:
    """The endpoint; ``script`` says for each request in turn what is done, by default well."""

    script: list[Behaviour] = field(default_factory=list)
    choose: Callable[[dict[str, Any]], Behaviour | None] = lambda _: None
    before_answer: Callable[[dict[str, Any]], None] = lambda _: None
    got: list[Got] = field(default_factory=list)
    port: int = 0
    log: Path | None = None

    def __enter__(self) -> Self:
        app = Starlette(routes=[Route("/{path:path}", self._take, methods=["POST"])])
        config = uvicorn.Config(
            app, host="127.0.0.1", port=self.port, lifespan="off", ws="none", log_config=None,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        deadline = time.monotonic() + PATIENCE_S
        while not self._server.started:
            assert self._thread.is_alive(), "the endpoint did not start"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.should_exit = True
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def taken(self) -> list[Got]:
        return [got for got in self.got if got.taken]

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        event = json.loads(body)
        try:
            read(event)
        except (ShapeError, ValueError) as wrong:
            return Response(str(wrong), 400)
        does = self.choose(event) or (self.script.pop(0) if self.script else Behaviour())
        is_taken = does.status < 300 and not does.hang
        got = Got(
            event["run"]["runId"], event["eventType"], body, request.url.path,
            request.headers.get("authorization"), is_taken,
        )  # fmt: skip
        self.got.append(got)
        if self.log is not None and is_taken:
            with self.log.open("ab") as file:
                file.write(body + b"\n")
        self.before_answer(event)
        if does.hang:
            await asyncio.to_thread(self._over.wait)
        headers = {} if does.retry_after is None else {"retry-after": does.retry_after}
        if does.cut:
            return StreamingResponse(_half(), does.status, {"content-length": "100"})
        return Response("told why" if does.status >= 400 else None, does.status, headers)


async def _half() -> AsyncIterator[bytes]:
    yield b"half of an"
    raise ConnectionAbortedError("cut on purpose")


@contextmanager
def nobody() -> Iterator[str]:
    """An address where nobody listens while this is open: the port is held, and not listened on."""
    import socket

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def main() -> None:
    with LineageEndpoint(port=int(sys.argv[1]), log=Path(sys.argv[2])):
        while True:
            time.sleep(1)


if __name__ == "__main__":
    main()


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)
