"""Airflow's pages in the city's time, whatever the time zone of who looks.

Airflow 3.3 has no setting for it: the pages take the browser's zone until somebody chooses another,
and keep that in the browser. So each page first chooses the city's where nothing is chosen yet.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from contracts.model import CITY_TZ

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEAD: Final = b"<head>"
#: The page reads its zone from the browser's storage, as JSON under this name.
_CHOOSE: Final = (
    '<script>if(!localStorage.getItem("timezone"))'
    f'localStorage.setItem("timezone",{json.dumps(json.dumps(str(CITY_TZ)))})</script>'
).encode()


class CityTime:
    """Middleware that puts the choice into each HTML page; all else goes by untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None  # of a page, whose length is not known yet

        async def put(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
                return
            if start is not None:
                message = {
                    **message,
                    "body": message.get("body", b"").replace(_HEAD, _HEAD + _CHOOSE),
                }
                await send(start)
                start = None
            await send(message)

        await self._app(scope, receive, put)


def _is_page(start: Message) -> bool:
    """Tell whether an answer is a page in the clear; take its length away if so, for it grows."""
    headers = {name.lower(): value for name, value in start["headers"]}
    if not headers.get(b"content-type", b"").startswith(b"text/html"):
        return False
    if b"content-encoding" in headers:
        return False
    start["headers"] = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
    return True
