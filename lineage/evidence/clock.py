"""When this machine logged a leaf: its own clock, which never goes back in one log.

It is no time authority: whoever sets the clock sets these times. That a leaf is no younger than it
says is proved by who else holds a checkpoint over it (witnesses, chains).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_TICK: Final = timedelta(microseconds=1)


def next_time(previous: str | None) -> str:
    """Return now, or the next microsecond after ``previous`` where the clock is not past it.

    RFC 3339 in UTC, always with six digits, so that later times are greater as text too.
    """
    now = datetime.now(UTC)
    if previous is not None:
        now = max(now, datetime.fromisoformat(previous) + _TICK)
    return now.isoformat(timespec="microseconds").replace("+00:00", "Z")
