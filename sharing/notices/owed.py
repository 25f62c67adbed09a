"""Deadlines that are near or over, for notices.

Of requests and corrections (Decree 809, Art. 21, 22, 26), and of asking for more years of a
security assessment (促进和规范数据跨境流动规定 Art. 9).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from contracts.errors import UsageError
from contracts.model import CITY_TZ
from sharing.crossborder.assessments import assessments, city_date
from sharing.grants.grants import end_of
from sharing.notices.facts import Timer
from sharing.people import DATA_AUTHORITY
from sharing.requests.allowing import signed
from sharing.requests.corrections import list_corrections
from sharing.requests.parties import parties_of
from sharing.requests.tables import read_asks
from sharing.requests.timers import deadlines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.requests.tables import Ask
    from sharing.requests.timers import Deadline

#: A deadline is near when this much is left of it.
NEAR: Final = timedelta(days=2)
#: The same of an extension, which takes a report to be written.
EXTENSION_NEAR: Final = timedelta(days=30)
#: The same of a calendar: the notice comes in November.
CALENDAR_NEAR: Final = timedelta(days=30)
_ROLES: Final = ("steward", "cdo")
_SIGNER: Final = ("cdo",)


def timers(control: Control, tree: Tree, at: datetime) -> Iterator[Timer]:
    """Yield what is owed and near or over: of requests, corrections and assessments in turn."""
    with control.read() as session:
        asks = read_asks(session)
    for ask in asks:
        yield from _of_request(ask, tree, at)
    for issue in list_corrections(control):
        state = _state(issue.ends_at, at)
        if issue.state == "open" and state is not None:
            yield Timer(issue.ask, "correction", issue.provider, _ROLES, issue.ends_at, state)
    for found in assessments(control).values():
        # What is over cannot be extended: an export that names it is denied, and says so.
        due_at = None if found.is_asked or found.is_over(city_date(at)) else end_of(found.ask_by)
        state = _state(due_at, at, EXTENSION_NEAR)
        if due_at is not None and state is not None:
            yield Timer(found.id, "extension", found.exporter, _SIGNER, due_at, state)


def _of_request(ask: Ask, tree: Tree, at: datetime) -> Iterator[Timer]:
    try:
        parties = parties_of(ask.asked, tree)
    except UsageError:
        return  # its contract is gone: verify says so, and nobody can answer
    if ask.state in ("refused", "closed"):
        return  # nobody can act any more; what was late stays in the rates
    for owed in deadlines(ask, parties):
        if owed.what == "calendar":
            yield from _calendar(owed, at)
            continue
        state = _state(owed.ends_at, at)
        if owed.done_at is not None or owed.ends_at is None or state is None:
            continue
        done = signed(ask) if owed.what == "answer" else frozenset[str]()
        for provider in parties.providers:
            if provider not in done:
                yield Timer(ask.id, owed.what, provider, _ROLES, owed.ends_at, state)


def _calendar(owed: Deadline, at: datetime) -> Iterator[Timer]:
    """Tell the authority of a calendar that deadlines lack; once, however many lack it."""
    state = _state(owed.due_at, at, CALENDAR_NEAR)
    if owed.due_at is not None and state is not None:
        year = str(owed.due_at.astimezone(CITY_TZ).year)
        yield Timer(year, "calendar", DATA_AUTHORITY, ("authority",), owed.due_at, state)


def _state(
    due_at: datetime | None, at: datetime, near: timedelta = NEAR
) -> Literal["near", "over"] | None:
    if due_at is None or at < due_at - near:
        return None
    return "over" if at >= due_at else "near"
