"""Turns for what is costly: a password's hash takes 64 MiB and a core for a tenth of a second.

Who waits for a turn waits in the event loop and takes no thread of the other pages. Guessing is
slowed before anything is hashed, by address and by account name, whether or not there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from contracts.words import Words
from portal.web.errors import TooOftenError
from sharing.gateway.rates import Rate, Rates, client_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

#: Passwords that are hashed at the same time, and requests that may wait for it.
AT_ONCE: Final = 2
MOST_WAITING: Final = 32
#: Attempts to log in: a whole office behind one address begins its day; nobody types so often.
OF_ADDRESS: Final = Rate(per_s=1, burst=200)
OF_ACCOUNT: Final = Rate(per_s=0.1, burst=20)
_Answer = TypeVar("_Answer")


class Turns:
    """Who may hash a password now; one for the whole application."""

    def __init__(self, rates: Rates | None = None) -> None:
        self._limiter = CapacityLimiter(AT_ONCE)
        self._taken = 0
        self._rates = rates or Rates()

    def count_login(self, request: Request, name: str) -> None:
        """Count an attempt to log in; raise TooOftenError where there were too many."""
        whose = (f"address {client_of(request.scope)}", OF_ADDRESS), (f"account {name}", OF_ACCOUNT)
        for who, rate in whose:
            wait_s = self._rates.wait_s(who, rate)
            if wait_s:
                raise TooOftenError(
                    Words("登录尝试过于频繁。", "There were too many attempts to log in."),
                    Words(f"请在 {wait_s} 秒后再试。", f"Try again in {wait_s} seconds."),
                    wait_s,
                )

    async def take(self, work: Callable[[], _Answer]) -> _Answer:
        """Run what hashes a password when its turn comes; TooOftenError where too many wait."""
        if self._taken >= AT_ONCE + MOST_WAITING:
            raise TooOftenError(
                Words("同时登录的人太多。", "Too many people log in at the same time."),
                Words("请稍后再试。", "Try again in some seconds."),
                wait_s=5,
            )
        self._taken += 1
        try:
            return await run_sync(work, limiter=self._limiter)
        finally:
            self._taken -= 1
