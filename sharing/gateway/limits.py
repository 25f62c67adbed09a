"""Limits that uvicorn lacks: for slow clients within a request, and for long heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from sharing.gateway.errors import malformed

if TYPE_CHECKING:
    import asyncio

    from starlette.types import ASGIApp, Receive, Scope, Send

#: A request's head and body must be here this long after its first byte or the connection (s).
REQUEST_S = 20.0
#: A client that reads must take what is buffered within this time (s).
READING_S = 30.0
#: The largest request head (bytes).
HEAD_BYTES = 16_384


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


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that hangs up on whoever sends or reads too slowly."""

    request_s = REQUEST_S
    reading_s = READING_S
    _request_timer: asyncio.TimerHandle | None = None
    _reading_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the first request."""
        super().connection_made(transport)
        self._request_timer = self.loop.call_later(self.request_s, transport.abort)

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
