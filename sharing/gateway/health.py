"""The health check: an answer of its own, however busy the rest is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import anyio
from anyio import CapacityLimiter, Lock
from anyio.to_thread import run_sync
from sqlalchemy.exc import SQLAlchemyError

from sharing.gateway.answers import json_answer
from sharing.gateway.errors import ApiError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sharing.control import Control

HEALTH: Final = "/healthz"
#: An answer is given again for this long (s), so that asking often costs nothing.
_KEPT_S: Final = 1.0
#: A database that is silent for longer (s) is not well.
_PATIENCE_S: Final = 5.0


class Health:
    """Asks the database in one thread and by one connection that nothing else may take."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._thread = CapacityLimiter(1)
        self._turn = Lock()
        self._asked_at = float("-inf")
        self._schema: str | None = None

    async def answer(self, _request: Request) -> Response:
        """Say that the server and its database answer (200), or that the database does not."""
        async with self._turn:
            if time.monotonic() - self._asked_at >= _KEPT_S:
                self._schema = await self._ask()
                self._asked_at = time.monotonic()
        if self._schema is None:
            silent = "The database does not answer."
            return ApiError(503, "TEMPORARILY_UNAVAILABLE", silent).response()
        return json_answer({"status": "ok", "schema": self._schema})

    async def _ask(self) -> str | None:
        try:
            with anyio.fail_after(_PATIENCE_S):
                return await run_sync(
                    self._control.revision, limiter=self._thread, abandon_on_cancel=True
                )
        except (SQLAlchemyError, TimeoutError):
            return None
