"""Until when a review or an update of the catalogue is owed: computed from the steps, never stored.

Source: State Council Decree 809, Art. 17: updated in 10 working days (5 more by consent), reviewed
and published in 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sharing.workdays import CalendarMissingError, end_of_workday, latest_end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from contracts.words import Words
    from sharing.catalogue.register import History, Step

REVIEW_DAYS: Final = 2
UPDATE_DAYS: Final = 10
EXTENSION_DAYS: Final = 5


@dataclass(frozen=True)
class Due:
    """What is owed: an update by the provider, or a review by the authority.

    ``due_at`` (UTC) is None where the calendar of that year is missing, which ``problem`` says; it
    is over in any case after ``latest_at``.
    ``done_at`` is None while it is owed.
    """

    what: Literal["update", "review"]
    since: datetime
    due_at: datetime | None
    done_at: datetime | None
    problem: Words | None = None
    latest_at: datetime | None = None

    def is_overdue(self, at: datetime) -> bool:
        """Tell whether it was done, or is still owed, after its time."""
        ends_at = self.due_at or self.latest_at
        return ends_at is not None and (self.done_at or at) > ends_at


def dues(history: History) -> tuple[Due, ...]:
    """Return the newest update and the newest review that an entry owes or owed."""
    return tuple(_dues(history))


def _dues(history: History) -> Iterator[Due]:
    change, submitted = history.last("change"), history.last("submit")
    if change is not None:
        after = history.steps[change.seq :]
        done, plain = _updated(after), _due("update", change.at, UPDATE_DAYS, None)
        # An extension of what is late already cures nothing.
        is_longer = any(s.action == "extend" and not plain.is_overdue(s.at) for s in after)
        days = UPDATE_DAYS + (EXTENSION_DAYS if is_longer else 0)
        yield _due("update", change.at, days, done)
    if submitted is not None:
        answers = (s for s in history.steps[submitted.seq :] if s.action in ("approve", "return"))
        yield _due("review", submitted.at, REVIEW_DAYS, next(answers, None))


def _updated(after: tuple[Step, ...]) -> Step | None:
    """Return the submission that brought a change into the catalogue; one returned did not."""
    found = None
    for step in after:
        if step.action == "submit":
            found = step
        elif step.action == "return":
            found = None
    return found


def _due(what: Literal["update", "review"], since: datetime, days: int, done: Step | None) -> Due:
    done_at = None if done is None else done.at
    try:
        return Due(what, since, end_of_workday(since, days), done_at)
    except CalendarMissingError as missing:
        return Due(what, since, None, done_at, missing.words, latest_end(since, days))
