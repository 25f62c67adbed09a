"""How often a recipient may ask, and a stranger fail: token buckets in this process's memory."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sharing.gateway.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

#: Buckets that are kept; who has been away longest is forgotten, and starts with a full one.
_MOST: Final = 10_000


@dataclass(frozen=True)
class Rate:
    """So many requests a second in the long run, and so many at once."""

    per_s: float
    burst: int


#: A granted reader: a table of thousands of files is opened in one go.
ASKED: Final = Rate(per_s=50, burst=500)
#: Tokens that are no good, from one address.
FAILED: Final = Rate(per_s=5, burst=200)


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
        now = self.clock()
        with self._lock:
            left, since = self._full.pop(who, (float(rate.burst), now))
            left = min(rate.burst, left + (now - since) * rate.per_s)
            self._full[who] = (max(left - 1, 0) if left >= 1 else left, now)
            if len(self._full) > _MOST:
                self._full.pop(next(iter(self._full)))
        if left < 1:
            wait = math.ceil((1 - left) / rate.per_s)
            raise ApiError(
                429, "REQUEST_LIMIT_EXCEEDED", "Too many requests.", {"Retry-After": str(wait)}
            )
