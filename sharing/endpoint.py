"""Where the gateway is: the one address that profiles, signed URLs and the server agree on."""

from __future__ import annotations

import os

from contracts.errors import UsageError

HOST = "127.0.0.1"
DEFAULT_PORT = 8791
PREFIX = "/delta-sharing"

_LAST_PORT = 65_535


def gateway_port() -> int:
    """Return the port: ``JINGSHU_GATEWAY_PORT``, or 8791; see ``port_from``."""
    return port_from("JINGSHU_GATEWAY_PORT", DEFAULT_PORT)


def port_from(variable: str, default: int) -> int:
    """Return the port that an environment variable names.

    Raises:
        UsageError: The variable holds no port.
    """
    given = os.environ.get(variable) or str(default)
    if not (given.isascii() and given.isdigit() and 0 < int(given) <= _LAST_PORT):
        raise UsageError(f"{variable} is {given!r}.", "Set it to a number up to 65535.")
    return int(given)


def base_url(port: int) -> str:
    """Return the server's address without a path."""
    return f"http://{HOST}:{port}"


def endpoint() -> str:
    """Return the sharing endpoint that goes into profile files."""
    return base_url(gateway_port()) + PREFIX
