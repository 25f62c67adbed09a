"""Deadlines of requests and corrections that are near or over, for notices (Art. 21, 22, 26)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from contracts.errors import UsageError
from sharing.notices.facts import Timer
from sharing.requests.corrections import list_corrections
from sharing.requests.flow import signed
from sharing.requests.parties import parties_of
from sharing.requests.tables import read_asks
from sharing.requests.timers import deadlines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.requests.tables import Ask

#: A deadline is near when this much is left of it.
NEAR: Final = timedelta(days=2)
_ROLES: Final = ("steward", "cdo")


def timers(control: Control, tree: Tree, at: datetime) -> Iterator[Timer]:
    """Yield what is owed and near or over: of every request, then of every correction."""
    with control.read() as session:
        asks = read_asks(session)
    for ask in asks:
        yield from _of_request(ask, tree, at)
    for issue in list_corrections(control):
        state = _state(issue.due_at, at)
        if issue.state == "open" and issue.due_at is not None and state is not None:
            yield Timer(issue.ask, "correction", issue.provider, _ROLES, issue.due_at, state)


def _of_request(ask: Ask, tree: Tree, at: datetime) -> Iterator[Timer]:
    try:
        parties = parties_of(ask.asked, tree)
    except UsageError:
        return  # its contract is gone: verify says so, and nobody can answer
    for owed in deadlines(ask, parties):
        state = _state(owed.due_at, at)
        if owed.done_at is not None or owed.due_at is None or state is None:
            continue
        done = signed(ask) if owed.what == "answer" else frozenset[str]()
        for provider in parties.providers:
            if provider not in done:
                yield Timer(ask.id, owed.what, provider, _ROLES, owed.due_at, state)


def _state(due_at: datetime | None, at: datetime) -> Literal["near", "over"] | None:
    if due_at is None or at < due_at - NEAR:
        return None
    return "over" if at >= due_at else "near"
