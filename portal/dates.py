"""The dates that have a page: what each came to in a line, and where its page is. No I/O."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.deliveries import due

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from jobs.record.governance import BatchRow, DeliveryRow


@dataclass(frozen=True)
class DateLine:
    """One business date: its deliveries by state, as its own page counts them."""

    business_date: date
    states: Mapping[str, int]
    is_simulated: bool

    @property
    def due(self) -> int:
        """How many deliveries were due."""
        return due(self.states)


def date_lines(
    deliveries: Iterable[DeliveryRow], batches: Iterable[BatchRow]
) -> tuple[DateLine, ...]:
    """Return a line for every date with deliveries, the newest first."""
    states: dict[date, Counter[str]] = defaultdict(Counter)
    for delivery in deliveries:
        states[delivery.business_date][delivery.state] += 1
    simulated = {b.business_date for b in batches if b.origin == "simulated"}
    return tuple(
        DateLine(day, dict(states[day]), day in simulated) for day in sorted(states, reverse=True)
    )
