"""What set-up tells a person who waits: short lines on standard error."""

from __future__ import annotations

import sys


def say(message: str) -> None:
    """Print one line of progress."""
    print(f"jingshu: {message}", file=sys.stderr, flush=True)
