"""How often a recipient may ask, and a stranger fail: token buckets in this process's memory."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final

from sharing.gateway.errors import too_many

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope

#: Buckets that are kept; who has been away longest is forgotten, and starts with a full one.
_MOST: Final = 10_000
#: Somebody's own part of the IPv6 addresses (RFC 6177): one host may use any address in it.
_OWN_PREFIX: Final = 64


@dataclass(frozen=True)
class Rate:
    """So many requests a second in the long run, and so many at once."""

    per_s: float
    burst: int


#: A granted reader: a table of thousands of files is opened in one go.
ASKED: Final = Rate(per_s=50, burst=500)
#: Tokens that are no good, and URLs that are forged, from one address.
FAILED: Final = Rate(per_s=5, burst=200)


def client_of(scope: Scope) -> str:
    """Return by what a request's client is counted: its address, or its own IPv6 network.

    uvicorn has put the client's address in the place of a trusted proxy's.
    """
    client = scope.get("client")
    return counted(client[0] if client else "")


def counted(address: str) -> str:
    """Return an IPv4 address as it is, and the network of 2^64 of an IPv6 address."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if found.version == 4:  # noqa: PLR2004 - IPv4
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((int(found), _OWN_PREFIX), strict=False))


@dataclass
class Rates:
    """The buckets; ``clock`` counts seconds from anywhere."""

    clock: Callable[[], float] = time.monotonic
    _full: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, who: str, rate: Rate) -> None:
        """Count one request.

        Raises:
            ApiError: There were too many (429), with the seconds to wait; clients try again.
        """
        wait_s = self.wait_s(who, rate)
        if wait_s:
            raise too_many(wait_s)

    def wait_s(self, who: str, rate: Rate) -> int:
        """Count one request; return 0 where it may be, else the seconds to wait."""
        now = self.clock()
        with self._lock:
            left, since = self._full.pop(who, (float(rate.burst), now))
            left = min(rate.burst, left + (now - since) * rate.per_s)
            self._full[who] = (max(left - 1, 0) if left >= 1 else left, now)
            if len(self._full) > _MOST:
                self._full.pop(next(iter(self._full)))
        return 0 if left >= 1 else max(1, math.ceil((1 - left) / rate.per_s))
