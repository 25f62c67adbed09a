"""Where the servers listen, how others reach them, and whose word on a client's address counts.

Environment variables, read in this module alone:

- ``JINGSHU_GATEWAY_PORT``, ``JINGSHU_WEB_PORT``: the ports, by default 8791 and 8792.
- ``JINGSHU_GATEWAY_URL``, ``JINGSHU_WEB_URL``: the public addresses, as a proxy offers them.
- ``JINGSHU_BIND``: the IP address that both listen on, by default 127.0.0.1.
- ``JINGSHU_TRUSTED_PROXIES``: addresses and networks, with commas between, whose
  ``X-Forwarded-For`` is believed; by default nobody's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from contracts.errors import UsageError
from contracts.words import Words

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8791
DEFAULT_WEB_PORT: Final = 8792
PREFIX: Final = "/delta-sharing"

_BIND: Final = "JINGSHU_BIND"
_PROXIES: Final = "JINGSHU_TRUSTED_PROXIES"
_PORT_DIGITS: Final = 5
_LAST_PORT: Final = 65_535


@dataclass(frozen=True)
class Serving:
    """One server's settings: where it listens, and its public address without a path."""

    host: str
    port: int
    url: str
    trusted: tuple[IPv4Network | IPv6Network, ...]

    @property
    def is_in_clear(self) -> bool:
        """Whether others can reach it without TLS, so that tokens and passwords can be read."""
        return not ip_address(self.host).is_loopback and not self.url.startswith("https:")

    @property
    def own_host(self) -> str:
        """The address under which this machine itself reaches the server."""
        address = ip_address(self.host)
        if not address.is_unspecified:
            return self.host
        return HOST if address.version == 4 else "::1"  # noqa: PLR2004 - IPv4

    def is_proxy(self, address: str) -> bool:
        """Tell whether a peer is a trusted proxy, whose many connections are other people's."""
        try:
            peer = ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self.trusted)


def gateway_serving(port: int | None = None) -> Serving:
    """Return the gateway's settings; ``port`` takes the place of ``JINGSHU_GATEWAY_PORT``.

    Raises:
        UsageError: A variable is wrong; the error says which, and what to write.
    """
    return _serving(gateway_port() if port is None else port, "JINGSHU_GATEWAY_URL")


def web_serving(port: int | None = None) -> Serving:
    """Return the web pages' settings; ``port`` takes the place of ``JINGSHU_WEB_PORT``.

    Raises:
        UsageError: A variable is wrong; the error says which, and what to write.
    """
    return _serving(web_port() if port is None else port, "JINGSHU_WEB_URL")


def gateway_port() -> int:
    """Return the port: ``JINGSHU_GATEWAY_PORT``, or 8791; UsageError where it is none."""
    return _port("JINGSHU_GATEWAY_PORT", DEFAULT_PORT)


def web_port() -> int:
    """Return the port: ``JINGSHU_WEB_PORT``, or 8792; UsageError where it is none."""
    return _port("JINGSHU_WEB_PORT", DEFAULT_WEB_PORT)


def endpoint() -> str:
    """Return the sharing endpoint that goes into profile files."""
    return gateway_serving().url + PREFIX


def _serving(port: int, url_variable: str) -> Serving:
    host = _bind()
    own = Serving(host, port, "", ()).own_host
    authority = f"[{own}]" if ":" in own else own
    return Serving(host, port, _url(url_variable) or f"http://{authority}:{port}", _proxies())


def _port(variable: str, default: int) -> int:
    given = os.environ.get(variable) or str(default)
    is_number = given.isascii() and given.isdigit() and len(given) <= _PORT_DIGITS
    if not is_number or not 0 < int(given) <= _LAST_PORT:
        raise UsageError(
            Words(f"{variable} 现为 {given!r}，不是端口。", f"{variable} is {given!r}."),
            Words("请设为 1 到 65535 的数。", "Set it to a number up to 65535."),
        )
    return int(given)


def _bind() -> str:
    given = os.environ.get(_BIND) or HOST
    try:
        return str(ip_address(given))
    except ValueError:
        raise UsageError(
            Words(f"{_BIND} 现为 {given!r}，不是 IP 地址。", f"{_BIND} is {given!r}."),
            Words(
                "请设为本机的 IP 地址；要监听全部地址则写 0.0.0.0。",
                "Set it to an IP address of this machine, or to 0.0.0.0 for all of them.",
            ),
        ) from None


def _proxies() -> tuple[IPv4Network | IPv6Network, ...]:
    given = os.environ.get(_PROXIES, "")
    try:
        return tuple(ip_network(part.strip()) for part in given.split(",") if part.strip())
    except ValueError as wrong:
        raise UsageError(
            Words(f"{_PROXIES} 有误：{wrong}。", f"{_PROXIES} is wrong: {wrong}."),
            Words(
                "请写地址或网段：10.0.0.5,10.1.0.0/16。",
                "Write addresses and networks: 10.0.0.5,10.1.0.0/16.",
            ),
        ) from None


def _url(variable: str) -> str:
    given = os.environ.get(variable, "")
    try:
        parts = urlsplit(given)
        is_address = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not given:
        return ""
    is_formed = is_address and given == f"{parts.scheme}://{parts.netloc}" and "@" not in given
    if not is_formed or parts.scheme not in ("http", "https"):
        raise UsageError(
            Words(f"{variable} 现为 {given!r}，不是对外地址。", f"{variable} is {given!r}."),
            Words(
                "请写协议和主机名：https://share.city。",
                "Set it to scheme and host: https://share.city.",
            ),
        )
    return given
