"""The web application as a server."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from contracts.errors import JingshuError
from portal.web.app import build_web
from sharing.endpoint import web_serving
from sharing.gateway.serving import server_of
from sharing.requests import corrections, flow

if TYPE_CHECKING:
    import uvicorn

    from sharing.control import Control

_LOG = logging.getLogger("jingshu.web")


def build_server(control: Control, port: int | None = None) -> uvicorn.Server:
    """Return the pages' server, after writing the evidence that is still owed.

    ``port`` takes the place of ``JINGSHU_WEB_PORT``. Behind a proxy that speaks TLS,
    ``JINGSHU_WEB_URL`` is the proxy's address, and cookies go by TLS only.

    Raises:
        UsageError: A setting is wrong.
    """
    serving = web_serving(port)
    try:
        flow.settle(control)
        corrections.settle(control)
    except JingshuError as error:
        _LOG.warning("evidence is still owed: %s", error)
    return server_of(build_web(control, serving.url), serving)
