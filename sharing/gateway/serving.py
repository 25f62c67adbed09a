"""The gateway as a server on the loopback address."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import uvicorn

from contracts.errors import JingshuError
from sharing.endpoint import HOST, base_url
from sharing.foreign import settle_tables
from sharing.gateway.app import build_app
from sharing.gateway.limits import HEAD_BYTES, PatientProtocol
from sharing.grants import settle
from sharing.reads import settle_reads

if TYPE_CHECKING:
    from sharing.control import Control

_LOG = logging.getLogger("jingshu.gateway")
#: How long running answers may take after SIGTERM (s).
_GRACE_S = 2
#: Connections and running requests; more are turned away with 503.
_MOST_AT_ONCE = 200


def build_server(control: Control, port: int) -> uvicorn.Server:
    """Return the server for 127.0.0.1:``port``, after writing the evidence that is still owed."""
    try:
        settle(control)
        settle_tables(control)
        settle_reads(control)
    except JingshuError as error:
        # Grants without evidence stay shut; everything else must still be served.
        _LOG.warning("evidence is still owed: %s", error)
    config = uvicorn.Config(
        build_app(control, base_url(port)),
        host=HOST,
        port=port,
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # it would write signatures; sharing.gateway.record logs each request
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=HEAD_BYTES,
        limit_concurrency=_MOST_AT_ONCE,
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
