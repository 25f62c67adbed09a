"""Serves the built pages on loopback, to people on this machine only."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from contracts.errors import JingshuError
from contracts.words import Words

if TYPE_CHECKING:
    from pathlib import Path

HOST: Final = "127.0.0.1"
#: Not Airflow's (8790), the gateway's (8791) or the web pages' (8792).
PORT: Final = 8795
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PortInUseError(JingshuError, OSError):
    """The portal's port is taken."""


class _Handler(SimpleHTTPRequestHandler):
    """Files below the site folder: no listings, no hidden files, no other name than loopback's."""

    def send_head(self) -> Any:
        """Refuse what is no page of ours, else serve the file."""
        # A page elsewhere could rebind its own host name to 127.0.0.1 and read ours by a browser.
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
        if host not in (HOST, "localhost"):
            self.send_error(HTTPStatus.FORBIDDEN, "Not this host")
            return None
        if any(part.startswith(".") for part in unquote(self.path).split("/")):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def list_directory(self, path: Any) -> None:  # noqa: ARG002 - the base class's signature
        """Show no listing."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        """Add the headers that keep the page to itself."""
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's signature
        """Keep the terminal quiet."""


def make_server(site: Path, port: int = PORT) -> ThreadingHTTPServer:
    """Bind the server for ``site`` (0 picks a free port); the caller runs and closes it.

    Raises PortInUseError where something else listens.
    """
    try:
        return ThreadingHTTPServer((HOST, port), partial(_Handler, directory=str(site)))
    except OSError as taken:
        raise PortInUseError(
            Words(f"{HOST} 的端口 {port} 已被占用。", f"Port {port} on {HOST} is in use."),
            Words(
                "请停止占用该端口的程序，或用 --port 指定其他端口。",
                "Stop what uses it, or name another with --port.",
            ),
        ) from taken
