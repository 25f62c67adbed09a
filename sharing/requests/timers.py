"""Until when an answer or a delivery is owed: computed from the steps, never stored.

Lateness stays: neither an extension nor a supplement that was asked for after the limit, nor the
end of the request, takes it back. What was withdrawn in time is owed no more.

Source: State Council Decree 809, Art. 21 (1, or 10 and once 10 more working days), Art. 22 (20).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, Literal

from contracts.model import CITY_TZ
from sharing.workdays import CalendarMissingError, end_of_workday, is_workday, latest_end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.words import Words
    from sharing.requests.parties import Parties
    from sharing.requests.tables import Ask, Step

UNCONDITIONAL_DAYS: Final = 1
CONDITIONAL_DAYS: Final = 10
EXTENSION_DAYS: Final = 10
DELIVERY_DAYS: Final = 20
CORRECTION_DAYS: Final = 10


@dataclass(frozen=True)
class Deadline:
    """Something that is owed.

    ``due_at`` (UTC) is None where the calendar of that year is missing, which ``problem`` says;
    it is over in any case after ``latest_at``. ``done_at`` is when it was done, None while owed.
    A ``calendar`` is owed by the data authority, before the first day that it is needed for.
    """

    what: Literal["answer", "delivery", "calendar"]
    since: datetime
    due_at: datetime | None
    done_at: datetime | None
    problem: Words | None = None
    latest_at: datetime | None = None

    @property
    def ends_at(self) -> datetime | None:
        """When its time is over: by the calendar, or in any case where that is missing."""
        return self.due_at or self.latest_at

    def is_overdue(self, at: datetime) -> bool:
        """Tell whether it was done, or is still owed, after its time."""
        return self.ends_at is not None and (self.done_at or at) > self.ends_at


def deadlines(ask: Ask, parties: Parties) -> tuple[Deadline, ...]:
    """Return what is or was owed: answers, a delivery, and calendars that these lack."""
    owed = tuple(_owed(ask, parties))
    return (*owed, *(_calendar(d) for d in owed if d.due_at is None and d.done_at is None))


def _owed(ask: Ask, parties: Parties) -> Iterator[Deadline]:
    for began in (s for s in ask.steps if s.action in ("submit", "resubmit")):
        end = next((s for s in ask.steps[began.seq + 1 :] if _ends_answer(ask, s)), None)
        answer = _answer(ask, parties, began, end)
        is_answered = end is not None and end.state in ("agreed", "refused")
        if end is None or is_answered or answer.is_overdue(end.at):
            yield answer
    agreed = next((s for s in ask.steps if s.state == "agreed"), None)
    if agreed is None:
        return
    done = ask.last("deliver")
    end = done or next((s for s in ask.steps if _gives_up(ask, s)), None)
    delivery = _deadline("delivery", agreed.at, end.at if end else None, DELIVERY_DAYS)
    if end is None or done or delivery.is_overdue(end.at):
        yield delivery


def _answer(ask: Ask, parties: Parties, began: Step, end: Step | None) -> Deadline:
    """Return the answer owed to one submission; an extension counts if it came in time."""
    done_at = end.at if end else None
    if ask.asked.urgent:
        hours = ask.asked.urgent.answer_within_hours
        return Deadline("answer", began.at, began.at + timedelta(hours=hours), done_at)
    days = UNCONDITIONAL_DAYS if parties.is_unconditional else CONDITIONAL_DAYS
    plain = _deadline("answer", began.at, done_at, days)
    extension = ask.last("extend")
    if extension is None or extension.seq < began.seq:
        return plain
    if replace(plain, done_at=None).is_overdue(extension.at):
        return plain
    return _deadline("answer", began.at, done_at, days + EXTENSION_DAYS)


def _ends_answer(ask: Ask, step: Step) -> bool:
    """Tell whether a step ends what is owed to a submission: an answer, or papers that lack."""
    return (
        step.state in ("agreed", "refused")
        or step.action == "ask_supplement"
        or _gives_up(ask, step)
    )


def _gives_up(ask: Ask, step: Step) -> bool:
    """Tell whether a request ended by whoever asked, or by its own last day.

    Before providers could close what they owed an answer to; that is none.
    """
    is_own = step.body == ask.asked.body
    return step.action == "withdraw" or (step.action == "close" and is_own)


def _deadline(
    what: Literal["answer", "delivery"], since: datetime, done_at: datetime | None, days: int
) -> Deadline:
    try:
        return Deadline(what, since, end_of_workday(since, days), done_at)
    except CalendarMissingError as missing:
        return Deadline(what, since, None, done_at, missing.words, latest_end(since, days))


def _calendar(owed: Deadline) -> Deadline:
    """Return the calendar that a deadline lacks: it is due with the last day that is known."""
    day = owed.since.astimezone(CITY_TZ).date()
    while True:
        try:
            is_workday(day)
        except CalendarMissingError:
            break
        day += timedelta(days=1)
    end = datetime.combine(day, time(), CITY_TZ).astimezone(UTC)
    return Deadline("calendar", owed.since, end, None, owed.problem)
