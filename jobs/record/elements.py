"""How many elements satisfy their checks: X of Y, as GB/T 36344-2018 measures every dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.record.governance import CheckRow


def satisfying(checks: Iterable[CheckRow]) -> tuple[int, int]:
    """Return X and Y: elements that satisfy, and elements that an executed check judged."""
    executed = [c for c in checks if c.status in ("passed", "failed") and c.checked]
    judged = sum(c.checked or 0 for c in executed)
    return judged - sum(min(c.failed or 0, c.checked or 0) for c in executed), judged
