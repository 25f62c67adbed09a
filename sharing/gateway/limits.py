"""Limits that uvicorn lacks: for slow clients, for many connections, and for long heads.

A reverse proxy sets most of them too (docs/how-to/behind-a-proxy.md); these hold without one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from sharing.gateway.errors import malformed
from sharing.gateway.rates import client_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from sharing.endpoint import Serving

#: A request's head and body must be here this long after its first byte or the connection (s).
REQUEST_S = 20.0
#: A client that reads must take what is buffered within this time (s).
READING_S = 30.0
#: The largest request head (bytes).
HEAD_BYTES = 16_384
#: Open connections, in all and of one address. Beyond it, one that waits is hung up on.
MOST_CONNECTIONS: Final = 600
MOST_CONNECTIONS_OF_ONE: Final = 100
#: Requests that run at the same time, in all (then 503) and of one address (then 429).
MOST_RUNNING: Final = 200
MOST_RUNNING_OF_ONE: Final = 64


class HeadLimit:
    """ASGI middleware that refuses a long request head (431).

    h11 counts only what is still incomplete after a read, so a long head that comes at once passes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Measure the target and the header fields, then run the application."""
        size = len(scope["raw_path"]) + len(scope["query_string"])
        size += sum(len(name) + len(value) + len(b": \r\n") for name, value in scope["headers"])
        app = self._app
        if size > HEAD_BYTES:
            app = malformed(f"The request head is over {HEAD_BYTES} bytes.", 431).response()
        await app(scope, receive, send)


class RunningLimit:
    """ASGI middleware that bounds the requests that run at the same time.

    ``refusal`` makes the answer to one too many, by its status: 429 where the address has too many,
    503 where there are too many in all. Requests for ``free`` are never refused: the health check.
    """

    def __init__(self, app: ASGIApp, refusal: Callable[[int], ASGIApp], *, free: str = "") -> None:
        self._app = app
        self._refusal = refusal
        self._free = free
        self._running: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, or refuse before anything is done."""
        if scope["path"] == self._free:
            await self._app(scope, receive, send)
            return
        who = client_of(scope)
        if self._running[who] >= MOST_RUNNING_OF_ONE:
            await self._refusal(429)(scope, receive, send)
            return
        if self._running.total() >= MOST_RUNNING:
            await self._refusal(503)(scope, receive, send)
            return
        self._running[who] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running[who] -= 1
            self._running += Counter()  # forgets who has none


class Connection(Protocol):
    """What is known of an open connection."""

    @property
    def peer(self) -> str:
        """The address at its other end."""

    @property
    def is_waiting(self) -> bool:
        """Whether none of its requests runs."""

    def hang_up(self) -> None:
        """Close it at once."""


@dataclass
class Connections:
    """The open connections of a server: one address cannot take the room of all others.

    Where there are too many, the oldest that waits for its client goes. A trusted proxy's
    connections are other people's, so they count in all only.
    """

    serving: Serving
    _open: dict[Connection, None] = field(default_factory=dict)

    def enter(self, made: Connection) -> None:
        """Take in a connection, and hang up on one that waits where there are too many."""
        self._open[made] = None
        ours = [c for c in self._open if c.peer == made.peer]
        if len(ours) > MOST_CONNECTIONS_OF_ONE and not self.serving.is_proxy(made.peer):
            self._shed(ours)
        elif len(self._open) > MOST_CONNECTIONS:
            self._shed(list(self._open))

    def leave(self, gone: Connection) -> None:
        """Forget a connection that was closed."""
        self._open.pop(gone, None)

    def _shed(self, crowd: list[Connection]) -> None:
        shed = next((c for c in crowd if c.is_waiting), crowd[-1])
        self.leave(shed)
        shed.hang_up()


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that hangs up on whoever sends or reads too slowly, or keeps others out."""

    request_s = REQUEST_S
    reading_s = READING_S
    connections_of_all: Connections
    _request_timer: asyncio.TimerHandle | None = None
    _reading_timer: asyncio.TimerHandle | None = None

    @property
    def peer(self) -> str:
        """The address at the connection's other end; a proxy's, where there is one."""
        return self.client[0] if self.client else ""

    @property
    def is_waiting(self) -> bool:
        """Whether no request runs."""
        return self.cycle is None or self.cycle.response_complete

    def hang_up(self) -> None:
        """Close the connection at once."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the first request."""
        super().connection_made(transport)
        self._request_timer = self.loop.call_later(self.request_s, transport.abort)
        self.connections_of_all.enter(self)

    def data_received(self, data: bytes) -> None:
        """Wait on while a request is incomplete; the clock runs from its first byte."""
        super().data_received(data)
        is_incomplete = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if not is_incomplete:
            self._stop_request_timer()
        elif self._request_timer is None:
            self._request_timer = self.loop.call_later(self.request_s, self.transport.abort)

    def on_response_complete(self) -> None:
        """Leave the pause between two requests to uvicorn's keep-alive limit."""
        super().on_response_complete()
        if self.conn.their_state is not h11.SEND_BODY:
            self._stop_request_timer()

    def pause_writing(self) -> None:
        """Wait for a reader that has stopped reading."""
        super().pause_writing()
        if self._reading_timer is None:
            self._reading_timer = self.loop.call_later(self.reading_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client reads again."""
        super().resume_writing()
        self._stop_reading_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        self.connections_of_all.leave(self)
        self._stop_request_timer()
        self._stop_reading_timer()
        super().connection_lost(exc)

    def _stop_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _stop_reading_timer(self) -> None:
        if self._reading_timer is not None:
            self._reading_timer.cancel()
            self._reading_timer = None


def protocol_for(serving: Serving) -> type[PatientProtocol]:
    """Return the protocol of one server, which knows that server's connections."""

    class OwnProtocol(PatientProtocol):
        connections_of_all = Connections(serving)

    return OwnProtocol
