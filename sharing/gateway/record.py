"""Every request leaves one row before its answer starts: no record, no data."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import insert
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders

from contracts.errors import JingshuError
from contracts.moment import utc_now
from sharing.control import ADDRESS_CHARACTERS, PATH_CHARACTERS, AccessRecord
from sharing.gateway.health import HEALTH
from sharing.gateway.rates import client_of
from sharing.gateway.reads import over_until, settle_reads
from sharing.gateway.refusals import COUNTED_S, Refusals
from sharing.gateway.retention import remove_old, retention
from sharing.readable import still_owed

if TYPE_CHECKING:
    from sqlalchemy import Table
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sharing.control import Control

#: The answer's header that names the request, in its record and in the server's log.
REQUEST_ID: Final = "x-request-id"
_INSERT: Final = insert(cast("Table", AccessRecord.__table__))
#: A record's columns by name.
_Row = dict[str, Any]
_LOG = logging.getLogger("jingshu.gateway")


@dataclass
class Trace:
    """What a handler learns about its request; the record is written from it."""

    recipient: str | None = None
    version: int | None = None
    files: int = 0
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    began_s: float = field(default_factory=time.monotonic)


class Recorded:
    """ASGI middleware around the whole application, its error answers included.

    The health check is no access to data and leaves no row, and refusals that come too often share
    one. Queries are not recorded: they carry
    signatures. Requests that end at about the same time share one transaction, for each costs the
    disk a sync. A row is written once, before its answer starts: so it holds how long the answer
    took to make, and the bytes that it announces.
    """

    def __init__(self, app: ASGIApp, control: Control) -> None:
        self._app = app
        self._control = control
        self._settled = over_until(utc_now())
        self._retention = retention()
        self._waiting: list[tuple[_Row, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._refusals = Refusals()
        self._counting: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; write the record when the answer's status is known."""
        if scope["type"] != "http" or scope["path"] == HEALTH:
            await self._app(scope, receive, send)
            return
        trace = Trace()
        scope.setdefault("state", {})["trace"] = trace

        async def record_first(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = trace.request_id
                length = headers.get("content-length", "")
                announced = int(length) if length.isdecimal() else None
                row = _row(scope, trace, message["status"], announced)
                if self._refusals.is_counted(client_of(scope), row):
                    self._write_counted_soon()
                else:
                    await self._record(row)
            await send(message)

        await self._app(scope, receive, record_first)

    def _write_counted_soon(self) -> None:
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._write_counted())

    async def _write_counted(self) -> None:
        while self._refusals.has_counted:
            try:
                await asyncio.sleep(COUNTED_S)
            except asyncio.CancelledError:  # the server stops
                self._write(self._refusals.take())
                raise
            for row in self._refusals.take():
                await self._record(row)

    async def _record(self, row: _Row) -> None:
        """Wait until a row is in the database, with all that came meanwhile."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, written))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_waiting())
        await written

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await run_in_threadpool(self._write, [row for row, _ in batch])
            except Exception as error:  # noqa: BLE001 - each request that waits gets it
                for _, written in batch:
                    if not written.done():
                        written.set_exception(error)
            else:
                for _, written in batch:
                    if not written.done():
                        written.set_result(None)

    def _write(self, rows: list[_Row]) -> None:
        with self._control.write() as session:
            session.connection().execute(_INSERT, rows)
        self._settle_hours()
        for row in rows:
            _LOG.info(
                "%(who)s %(method)s %(path)s %(status)d %(bytes)s %(duration_ms)sms"
                " %(address)s %(request_id)s",
                {**row, "who": row["recipient"] or "-"},
            )

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
            remove_old(self._control, self._retention)
        except JingshuError as error:
            _LOG.warning("%s", still_owed(error))


def _row(scope: Scope, trace: Trace, status: int, length: int | None) -> _Row:
    client = scope.get("client")
    return {
        "request_id": trace.request_id,
        "address": client[0][:ADDRESS_CHARACTERS] if client else None,
        "duration_ms": round((time.monotonic() - trace.began_s) * 1000),
        # A HEAD's answer announces what a GET would bring, and sends nothing.
        "bytes": 0 if scope["method"] == "HEAD" else length,
        "at": utc_now(),
        "recipient": trace.recipient,
        "method": scope["method"][:16],
        # The raw path is still percent-encoded: no line breaks get into the log.
        "path": scope["raw_path"].decode("ascii", "replace")[:PATH_CHARACTERS],
        "status": status,
        "version": trace.version,
        "files": trace.files,
        "times": 1,
    }
