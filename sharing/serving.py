"""One way to run a server of this city: its settings, what it writes at its start, its exit codes.

The gateway (``sharing.gateway.serving``) and the web pages (``portal.web.serving``) are each a
``Service``.
"""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from contracts.errors import JingshuError, UsageError
from contracts.layout import Home
from contracts.private import keep_private, private_process
from contracts.words import Words, reader
from sharing.attest.journal import settle_all
from sharing.control import Control
from sharing.gateway.limits import HEAD_BYTES, protocol_for
from sharing.readable import still_owed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp

    from sharing.endpoint import Serving

_LOG = logging.getLogger("jingshu.serving")
#: How long running answers may take after SIGTERM (s).
_GRACE_S = 2


@dataclass(frozen=True)
class Service:
    """What is served: by which program, where, which application, and what its start tidies up.

    ``settings`` takes the port that stands in for its variable's; ``build`` takes the public
    address; ``tidy`` runs before the first request, and what fails of it is owed.
    """

    program: str
    description: str
    port_help: str
    settings: Callable[[int | None], Serving]
    build: Callable[[Control, str], ASGIApp]
    tidy: Callable[[Control], None] | None = None


def serve(service: Service, arguments: Sequence[str] | None = None) -> int:
    """Serve ``JINGSHU_HOME`` until SIGTERM or SIGINT; return the exit code."""
    parser = argparse.ArgumentParser(prog=service.program, description=service.description)
    parser.add_argument("--port", type=int, help=service.port_help)
    port: int | None = parser.parse_args(arguments).port
    _log_to_stdout()
    private_process()
    home = Home.from_env()
    keep_private(home.root)
    try:
        with Control(home) as control:
            server = build_server(service, control, port)
            server.run()
            return 0 if server.started else 1
    except KeyboardInterrupt:
        return 130
    except JingshuError as error:
        sys.stderr.write(f"{error.words.to(reader())}\n")
        return 2 if isinstance(error, UsageError) else 1


def build_server(service: Service, control: Control, port: int | None = None) -> uvicorn.Server:
    """Return a service's server, after writing the evidence that is still owed.

    ``port`` takes the place of its variable's.

    Raises:
        UsageError: A setting is wrong.
    """
    serving = service.settings(port)
    app = service.build(control, serving.url)
    try:
        settle_all(control)
        if service.tidy is not None:
            service.tidy(control)
    except JingshuError as error:
        # What has no evidence stays shut; everything else must still be served.
        _LOG.warning("%s", still_owed(error))
    return server_of(app, serving)


def server_of(app: ASGIApp, serving: Serving) -> uvicorn.Server:
    """Return the server of an application.

    The client of a request is the right-most address of ``X-Forwarded-For`` that is no trusted
    proxy's, if the peer is a trusted proxy; else the peer.
    """
    if serving.is_in_clear:
        _LOG.warning(
            "%s",
            Words(
                f"{serving.url} 在 {serving.host} 上未用 TLS 监听："
                "请在其前设代理（docs/how-to/behind-a-proxy.md）",
                f"{serving.url} listens on {serving.host} without TLS: "
                "put a proxy before it (docs/how-to/behind-a-proxy.md)",
            ),
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


def _log_to_stdout() -> None:
    """Send our log and uvicorn's to standard output, where the supervisor collects it."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    for name in ("jingshu", "uvicorn"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
