"""The web application as a server on the loopback address."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import uvicorn

from contracts.errors import JingshuError, UsageError
from portal.web.app import build_web
from sharing.endpoint import HOST, port_from
from sharing.endpoint import base_url as address
from sharing.gateway.limits import HEAD_BYTES, PatientProtocol
from sharing.requests import corrections, flow

if TYPE_CHECKING:
    from sharing.control import Control

DEFAULT_PORT: Final = 8792
_URL: Final = "JINGSHU_WEB_URL"
_LOG = logging.getLogger("jingshu.web")
#: How long running answers may take after SIGTERM (s).
_GRACE_S: Final = 2
#: Connections and running requests; more are turned away with 503.
_MOST_AT_ONCE: Final = 200


def web_port() -> int:
    """Return the port: ``JINGSHU_WEB_PORT``, or 8792; UsageError where it is none."""
    return port_from("JINGSHU_WEB_PORT", DEFAULT_PORT)


def base_url(port: int) -> str:
    """Return how browsers reach the pages: ``JINGSHU_WEB_URL``, or 127.0.0.1 by this port.

    Behind a proxy that speaks TLS it is the proxy's address, and cookies go by TLS only.

    Raises:
        UsageError: The variable holds no address of a host.
    """
    given = os.environ.get(_URL)
    if not given:
        return address(port)
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.netloc or given.count("/") != 2:  # noqa: PLR2004 - scheme://host
        raise UsageError(f"{_URL} is {given!r}.", "Set it to scheme and host: https://share.city.")
    return given


def build_server(control: Control, port: int) -> uvicorn.Server:
    """Return the server for 127.0.0.1:``port``, after writing the evidence that is still owed."""
    try:
        flow.settle(control)
        corrections.settle(control)
    except JingshuError as error:
        _LOG.warning("evidence is still owed: %s", error)
    config = uvicorn.Config(
        build_web(control, base_url(port)),
        host=HOST,
        port=port,
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=HEAD_BYTES,
        limit_concurrency=_MOST_AT_ONCE,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return uvicorn.Server(config)
