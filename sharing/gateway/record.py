"""Every request leaves one row before its answer starts: no record, no data."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from contracts.errors import JingshuError
from sharing.control import PATH_CHARACTERS, Request, utc_now
from sharing.reads import over_until, settle_reads

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sharing.control import Control

HEALTH = "/healthz"
_LOG = logging.getLogger("jingshu.gateway")


@dataclass
class Trace:
    """What a handler learns about its request; the record is written from it."""

    recipient: str | None = None
    version: int | None = None
    files: int = 0


class Recorded:
    """ASGI middleware around the whole application, its error answers included.

    The health check is no access to data and leaves no row. Queries are not recorded: they carry
    signatures.
    """

    def __init__(self, app: ASGIApp, control: Control) -> None:
        self._app = app
        self._control = control
        self._settled = over_until(utc_now())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; write the record when the answer's status is known."""
        if scope["type"] != "http" or scope["path"] == HEALTH:
            await self._app(scope, receive, send)
            return
        trace = Trace()
        scope.setdefault("state", {})["trace"] = trace

        async def record_first(message: Message) -> None:
            if message["type"] == "http.response.start":
                await run_in_threadpool(self._record, scope, trace, message["status"])
            await send(message)

        await self._app(scope, receive, record_first)

    def _record(self, scope: Scope, trace: Trace, status: int) -> None:
        # The raw path is still percent-encoded: no line breaks get into the log.
        path = scope["raw_path"].decode("ascii", "replace")[:PATH_CHARACTERS]
        with self._control.write() as session:
            session.add(
                Request(
                    at=utc_now(),
                    recipient=trace.recipient,
                    method=scope["method"][:16],
                    path=path,
                    status=status,
                    version=trace.version,
                    files=trace.files,
                )
            )
        self._settle_hours()
        _LOG.info("%s %s %s %d", trace.recipient or "-", scope["method"], path, status)

    def _settle_hours(self) -> None:
        """Put an hour that is over into the evidence log, by the first request that sees its end.

        What fails is owed: the next hour, or the next start, writes it.
        """
        until = over_until(utc_now())
        if until == self._settled:
            return
        self._settled = until
        try:
            settle_reads(self._control)
        except JingshuError as error:
            _LOG.warning("evidence is still owed: %s", error)
