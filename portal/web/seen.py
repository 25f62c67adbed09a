"""Requests as somebody sees them: which there are for them, whose turn it is, what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError, UsageError
from portal.web.errors import REQUEST, not_there
from sharing.people import DATA_AUTHORITY, may
from sharing.requests import flow
from sharing.requests.allowing import signed
from sharing.requests.corrections import list_corrections
from sharing.requests.parties import parties_of
from sharing.requests.states import TRANSITIONS
from sharing.requests.tables import read_ask, read_asks
from sharing.requests.timers import deadlines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from contracts.tree import Tree
    from contracts.words import Words
    from portal.web.site import Visit
    from sharing.people import Actor
    from sharing.requests.corrections import Correction
    from sharing.requests.parties import Parties
    from sharing.requests.states import Action, State
    from sharing.requests.tables import Ask
    from sharing.requests.timers import Deadline

#: The steps by which a request goes on; others hinder it, or end it.
_ONWARD: Final[Mapping[State, tuple[Action, ...]]] = {
    "draft": ("submit",),
    "submitted": ("accept",),
    "supplement": ("resubmit",),
    "accepted": ("agree", "agree_as_authority"),
    "agreed": ("deliver",),
    "suspended": ("resume",),
    "closed": ("destroy",),
}


@dataclass(frozen=True)
class Turn:
    """A step that a body is waited for to take."""

    body: str
    action: Action


@dataclass(frozen=True)
class Seen:
    """A request with whom it concerns; ``problem`` says why nobody can tell any more."""

    ask: Ask
    parties: Parties | None
    deadlines: tuple[Deadline, ...]
    problem: Words | None = None

    @property
    def owed(self) -> tuple[Deadline, ...]:
        """What is still to be done by a certain time."""
        return tuple(d for d in self.deadlines if d.done_at is None)

    def is_overdue(self, at: datetime) -> bool:
        """Tell whether something is owed after its time."""
        return any(d.is_overdue(at) for d in self.owed)

    @property
    def bodies(self) -> tuple[str, ...]:
        """Whose it is: its asker's, and once it was submitted its providers' too."""
        is_put = self.parties is not None and self.ask.last("submit") is not None
        return (self.ask.asked.body, *(self.parties.providers if is_put and self.parties else ()))

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Who is waited for; empty where the request has arrived."""
        return tuple(_turns(self))


@dataclass(frozen=True)
class Task:
    """A request that waits for the visitor."""

    seen: Seen
    actions: tuple[Action, ...]


def see(ask: Ask, tree: Tree) -> Seen:
    """Return a request with its parties, as far as the tree still knows what it asks for."""
    try:
        parties = parties_of(ask.asked, tree)
    except JingshuError as lost:
        return Seen(ask, None, (), lost.words)
    return Seen(ask, parties, deadlines(ask, parties))


def is_shown(seen: Seen, actor: Actor) -> bool:
    """Tell whether somebody may know of a request."""
    return any(may(actor, "read_requests", body) for body in seen.bodies)


def shown_asks(visit: Visit) -> list[Seen]:
    """Return the requests that the visitor may know of, the newest first."""
    tree = visit.tree
    with visit.web.control.read() as session:
        asks = read_asks(session)
    every = (see(ask, tree) for ask in reversed(asks))
    return [seen for seen in every if is_shown(seen, visit.actor)]


def shown_ask(visit: Visit, ask_id: str) -> Seen:
    """Return a request; NotThereError where there is none for the visitor."""
    try:
        with visit.web.control.read() as session:
            ask = read_ask(session, ask_id)
    except UsageError:
        raise not_there(REQUEST) from None
    seen = see(ask, visit.tree)
    if not is_shown(seen, visit.actor):
        raise not_there(REQUEST)
    return seen


def offered(seen: Seen, visit: Visit) -> tuple[Action, ...]:
    """Return the steps that the visitor may take now."""
    return () if seen.parties is None else flow.allowed(seen.ask, visit.tree, visit.actor)


def tasks(visit: Visit, shown: list[Seen]) -> list[Task]:
    """Return the requests that wait for the visitor, what is due first at the top."""
    found = []
    for seen in shown:
        awaited = {turn.action for turn in seen.turns}
        actions = tuple(a for a in offered(seen, visit) if a in awaited) if awaited else ()
        if actions:
            found.append(Task(seen, actions))
    return sorted(
        found,
        key=lambda task: min((d.due_at or visit.at for d in task.seen.owed), default=visit.at),
    )


def corrections_of(visit: Visit, ask_id: str) -> list[Correction]:
    """Return the corrections of a request."""
    return [c for c in list_corrections(visit.web.control) if c.ask == ask_id]


def corrections_owed(visit: Visit) -> list[Correction]:
    """Return the corrections that wait for the visitor's answer, the oldest first."""
    return [
        c
        for c in list_corrections(visit.web.control)
        if c.state == "open" and visit.may("answer_correction", c.provider)
    ]


def _turns(seen: Seen) -> Iterator[Turn]:
    ask, parties = seen.ask, seen.parties
    if parties is None or (ask.state == "closed" and ask.last("deliver") is None):
        return  # what was never delivered leaves nothing to be destroyed
    for action in _ONWARD.get(ask.state, ()):
        if TRANSITIONS[action].is_once and ask.last(action):
            continue
        match TRANSITIONS[action].side:
            case "provider":
                done = signed(ask, action)
                yield from (Turn(p, action) for p in parties.providers if p not in done)
            case "authority":
                if parties.needs_authority and not signed(ask, action):
                    yield Turn(DATA_AUTHORITY, action)
            case _:
                yield Turn(ask.asked.body, action)
