"""Until when an answer or a delivery is owed: computed from the steps, never stored.

Source: State Council Decree 809, Art. 21 (1, or 10 and once 10 more working days), Art. 22 (20).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from sharing.workdays import CalendarMissingError, end_of_workday

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sharing.requests.parties import Parties
    from sharing.requests.tables import Ask

UNCONDITIONAL_DAYS: Final = 1
CONDITIONAL_DAYS: Final = 10
EXTENSION_DAYS: Final = 10
DELIVERY_DAYS: Final = 20
CORRECTION_DAYS: Final = 10


@dataclass(frozen=True)
class Deadline:
    """Something that is owed.

    ``due_at`` (UTC) is None where the calendar of that year is missing, which ``problem`` says;
    ``done_at`` is when it was done, None while it is owed.
    """

    what: Literal["answer", "delivery"]
    since: datetime
    due_at: datetime | None
    done_at: datetime | None
    problem: str | None = None

    def is_overdue(self, at: datetime) -> bool:
        """Tell whether it was done, or is still owed, after its time."""
        return self.due_at is not None and (self.done_at or at) > self.due_at


def deadlines(ask: Ask, parties: Parties) -> tuple[Deadline, ...]:
    """Return what the provider's side owes or owed: an answer, then a delivery."""
    return tuple(_deadlines(ask, parties))


def _deadlines(ask: Ask, parties: Parties) -> Iterator[Deadline]:
    since = ask.last("submit", "resubmit")
    if since is None or ask.state == "supplement":
        return  # while the asker owes papers, nobody owes an answer
    answered = next((s for s in ask.steps if s.state in ("agreed", "refused")), None)
    withdrawn = ask.last("close")
    ended = answered or withdrawn
    days = UNCONDITIONAL_DAYS if parties.is_unconditional else CONDITIONAL_DAYS
    if ask.last("extend"):
        days += EXTENSION_DAYS
    hours = ask.asked.urgent.answer_within_hours if ask.asked.urgent else None
    yield _deadline("answer", since.at, ended.at if ended else None, days, hours)
    if answered is None or answered.state == "refused":
        return
    delivered = ask.last("deliver") or withdrawn
    yield _deadline("delivery", answered.at, delivered.at if delivered else None, DELIVERY_DAYS)


def _deadline(
    what: Literal["answer", "delivery"],
    since: datetime,
    done_at: datetime | None,
    days: int,
    hours: int | None = None,
) -> Deadline:
    if hours is not None:
        return Deadline(what, since, since + timedelta(hours=hours), done_at)
    try:
        return Deadline(what, since, end_of_workday(since, days), done_at)
    except CalendarMissingError as missing:
        return Deadline(what, since, None, done_at, str(missing))
