"""The gateway as a server, and what the web pages' server shares with it."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import uvicorn

from contracts.errors import JingshuError
from sharing.endpoint import gateway_serving
from sharing.gateway.app import build_app
from sharing.gateway.limits import HEAD_BYTES, protocol_for
from sharing.gateway.reads import settle_reads
from sharing.gateway.retention import remove_old, retention
from sharing.grants.grants import settle
from sharing.tables.foreign import settle_tables

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from sharing.control import Control
    from sharing.endpoint import Serving

_LOG = logging.getLogger("jingshu.gateway")
#: How long running answers may take after SIGTERM (s).
_GRACE_S = 2


def build_server(control: Control, port: int | None = None) -> uvicorn.Server:
    """Return the gateway's server, after writing the evidence that is still owed.

    ``port`` takes the place of ``JINGSHU_GATEWAY_PORT``.

    Raises:
        UsageError: A setting is wrong.
    """
    serving, keep = gateway_serving(port), retention()
    try:
        settle(control)
        settle_tables(control)
        settle_reads(control)
        remove_old(control, keep)
    except JingshuError as error:
        # Grants without evidence stay shut; everything else must still be served.
        _LOG.warning("evidence is still owed: %s", error)
    return server_of(build_app(control, serving.url), serving)


def server_of(app: ASGIApp, serving: Serving) -> uvicorn.Server:
    """Return the server of an application.

    The client of a request is the right-most address of ``X-Forwarded-For`` that is no trusted
    proxy's, if the peer is a trusted proxy; else the peer.
    """
    if serving.is_in_clear:
        _LOG.warning(
            "%s listens on %s without TLS: put a proxy before it (docs/how-to/behind-a-proxy.md)",
            serving.url,
            serving.host,
        )
    config = uvicorn.Config(
        app,
        host=serving.host,
        port=serving.port,
        http=protocol_for(serving),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # it would write signatures; sharing.gateway.record logs each request
        proxy_headers=True,
        forwarded_allow_ips=[str(network) for network in serving.trusted],
        server_header=False,
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return uvicorn.Server(config)


def log_to_stdout() -> None:
    """Send our log and uvicorn's to standard output, where the supervisor collects it."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    for name in ("jingshu", "uvicorn"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
