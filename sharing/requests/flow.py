"""The one way in: every step of a request is taken here, checked, kept, and owed to the evidence.

What a step does to grants is in the same transaction; ``owed.settle`` writes the leaves, and heals
a crash between the two by writing them again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from contracts.digest import sha256
from contracts.model import CITY_TZ
from contracts.moment import iso
from contracts.words import Words
from lineage.evidence.leaf import Leaf
from sharing import owed
from sharing.control import AccessRecord, Grant
from sharing.grants import grants
from sharing.grants.recipients import NotItsRecipientError, create_recipient, require_own
from sharing.people import DATA_AUTHORITY, SYSTEM, may, require
from sharing.requests.allowing import ASKING, NAMING, OPENING, Taken, check_end, check_step, signed
from sharing.requests.disputes import may_follow
from sharing.requests.parties import parties_of, table_of
from sharing.requests.registered import UNREGISTERED, check_registered
from sharing.requests.states import HOLDING, TRANSITIONS
from sharing.requests.tables import (
    AskRow,
    Step,
    StepRow,
    clean_words,
    next_number,
    read_ask,
    read_asks,
    step_row,
)
from sharing.tables.names import Catalog
from sharing.tables.snapshot import read_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.people import Actor
    from sharing.requests.asked import Asked
    from sharing.requests.parties import Parties
    from sharing.requests.states import Action, State, Transition
    from sharing.requests.tables import Ask
    from sharing.tables.names import SharedTable

_EXPIRED: Final = Words("使用期限已满。", "Its time is over.")


def draft(control: Control, tree: Tree, asked: Asked, actor: Actor, at: datetime) -> str:
    """Keep a new request as a draft; return its id, such as ``R2026-0001``.

    Raises:
        UsageError: It names what there is not, or is over already.
        ForbiddenError: The actor may not ask for this body.
        NotItsRecipientError: It names a recipient that is not the asking body's.
    """
    require(actor, TRANSITIONS["draft"].permission, asked.body)
    parties_of(asked, tree)
    check_end(asked, at)
    _own_recipient(control, tree, asked, actor)
    with control.write() as session:
        ask_id = next_number(session, AskRow.id, "R", at)
        session.add(AskRow(id=ask_id, body=asked.body, recipient=asked.recipient, created_at=at))
        session.flush()
        first = Step(0, "draft", "draft", actor.name, asked.body, at, {})
        session.add(step_row(ask_id, first, asked))
    owed.settle(control, StepRow, Grant)
    return ask_id


@dataclass(frozen=True)
class Statement:
    """What is stated with a step: its words (``reason`` …), and a resubmission's new wording."""

    words: Mapping[str, str] = field(default_factory=dict)
    asked: Asked | None = None


NOTHING: Final = Statement()


def act(
    control: Control,
    tree: Tree,
    ask_id: str,
    action: Action,
    actor: Actor,
    at: datetime,
    statement: Statement = NOTHING,
) -> State:
    """Take one step of a request; return the state it is in then.

    Raises:
        RequestStateError: The state, or an earlier step, does not allow it.
        ForbiddenError: None of the actor's roles may.
        UsageError: Something it needs was not stated.
        NotSharedError: What is asked for is not shared, by law.
        NotItsRecipientError: The recipient is not the asking body's (any more).
        NotCataloguedError: The register knows an entry that is asked for, and it is not published.
    """
    transition, words = TRANSITIONS[action], clean_words(statement.words)
    opens = _table(control, tree, ask_id) if action in OPENING else None
    with control.write() as session:
        ask = read_ask(session, ask_id)
        wording = statement.asked or ask.asked
        parties = parties_of(wording, tree)
        of = _concerned(transition, actor, ask, parties)
        step = Taken(ask, transition, parties, actor, of, words, at)
        check_step(step, wording, is_reworded=statement.asked is not None)
        if action in NAMING:
            require_own(session, ask.asked.recipient, ask.asked.body)
        if action in ASKING and (unknown := check_registered(session, wording, tree)):
            words |= {UNREGISTERED: ", ".join(unknown)}
        to = _next_state(step)
        taken = Step(len(ask.steps), action, to, actor.name, step.body, at, words)
        session.add(step_row(ask_id, taken, statement.asked))
        session.flush()
        _grants_follow(session, step, to, opens)
    owed.settle(control, StepRow, Grant)
    return to


def allowed(ask: Ask, tree: Tree, actor: Actor) -> tuple[Action, ...]:
    """Return the steps that this actor may take of a request as it stands; a body signs once."""
    parties = parties_of(ask.asked, tree)
    return tuple(
        t.action
        for t in TRANSITIONS.values()
        if ask.state in t.sources
        and may_follow(ask, t.action)
        and not (t.is_once and ask.last(t.action))
        and not (t.action == "agree" and actor.body in signed(ask))
        and may(actor, t.permission, _concerned(t, actor, ask, parties))
    )


def turn(ask: Ask, tree: Tree, action: Action) -> str:
    """Return the body whose turn a step is: of providers, the first that has not signed yet."""
    side = TRANSITIONS[action].side
    if side == "authority":
        return DATA_AUTHORITY
    if side in ("asker", "either"):
        return ask.asked.body
    providers = parties_of(ask.asked, tree).providers
    left = [p for p in providers if action == "agree" and p not in signed(ask)]
    return (*left, *providers)[0]


def sweep(control: Control, tree: Tree, at: datetime) -> list[tuple[str, Action]]:
    """Take the steps that time and use bring: ends that have come, and first reads."""
    with control.read() as session:
        asks = read_asks(session)
        firsts = {a.id: _first_read(session, a, tree) for a in asks if a.state == "delivered"}
    taken: list[tuple[str, Action]] = []
    for ask in asks:
        if (read_at := firsts.get(ask.id)) is not None:
            act(control, tree, ask.id, "note_first_read", SYSTEM, read_at)
            taken.append((ask.id, "note_first_read"))
        is_over = ask.asked.ends_on < at.astimezone(CITY_TZ).date()
        closing = TRANSITIONS["close"]
        if is_over and ask.state in (*closing.sources, *closing.by_time):
            why = Statement({"reason": _EXPIRED.stored()})
            act(control, tree, ask.id, "close", SYSTEM, at, why)
            taken.append((ask.id, "close"))
    return taken


@owed.owes(StepRow)
def step_leaf(row: StepRow) -> Leaf:
    """Return the leaf of one step: who, for which body, to which state; texts by their digests."""
    return Leaf(
        type=TRANSITIONS[row.action].leaf,  # type: ignore[index]  # the database holds actions only
        subject=f"{row.ask}#{row.seq}",
        facts={
            "action": row.action,
            "state": row.state,
            "actor": row.actor,
            "body": row.body,
            "said_sha256": sha256(row.said),
            "asked_sha256": sha256(row.asked),
        },
        at=iso(row.at),
    )


def _own_recipient(control: Control, tree: Tree, asked: Asked, actor: Actor) -> None:
    """Make the recipient the asking body's, or find it so.

    The id of another body names none but that body's own: what the law returns to a district goes
    to the recipient of its id.
    """
    name, body = asked.recipient, asked.body
    if name in tree.providers and name != body:
        raise NotItsRecipientError(
            Words(
                f"接收方名称 {name} 是另一部门的标识，不是 {body} 的。",
                f"{name} is another body's id, not {body}'s.",
            ),
            Words(f"请换一个名称，如 {body}。", f"Name another, such as {body}."),
        )
    create_recipient(control, name, actor.name, body)


def _next_state(step: Taken) -> State:
    ask, transition = step.ask, step.transition
    match transition.action:
        case "accept" if step.parties.is_unconditional:
            return "agreed"
        case "agree" | "agree_as_authority":
            return "agreed" if _is_agreed(step) else "accepted"
        case "resume":
            return "in_use" if ask.last("note_first_read") else "delivered"
        case _:
            return transition.to or ask.state


def _is_agreed(step: Taken) -> bool:
    """Tell whether, with this step, everyone has signed who has to (Art. 20: on both sides)."""
    is_authority = step.transition.action == "agree_as_authority"
    bodies = signed(step.ask) | (frozenset() if is_authority else {step.body})
    has_authority = is_authority or signed(step.ask, "agree_as_authority")
    return bodies >= set(step.parties.providers) and bool(
        has_authority or not step.parties.needs_authority
    )


def _concerned(transition: Transition, actor: Actor, ask: Ask, parties: Parties) -> str:
    """Return the body for which the step is taken: the actor's own, where it is concerned."""
    bodies = {
        "asker": (ask.asked.body,),
        "provider": parties.providers,
        "either": (ask.asked.body, *parties.providers),
        "authority": (actor.body,),
    }[transition.side]
    return actor.body if actor.body in bodies else bodies[0]


def _table(control: Control, tree: Tree, ask_id: str) -> SharedTable:
    """Return the shared table that a step opens, proved to be one that may be served."""
    with control.read() as session:
        asked = read_ask(session, ask_id).asked
    table = Catalog(control).find(table_of(ask_id, asked, tree))
    read_snapshot(table.root)
    return table


def _grants_follow(session: Session, step: Taken, to: State, opens: SharedTable | None) -> None:
    ask, actor = step.ask, step.actor.name
    if opens is not None:
        wanted = grants.Wanted(
            ask.asked.recipient,
            opens,
            ask.asked.purpose,
            until_at=grants.end_of(ask.asked.ends_on),
            request=ask.id,
        )
        grants.open_grant(session, wanted, actor, step.at)
    elif ask.state in HOLDING and to not in HOLDING:
        grants.close_grants(session, ask.id, actor, step.at)


def _first_read(session: Session, ask: Ask, tree: Tree) -> datetime | None:
    """Return when files of the table were first handed out after delivery; None if never."""
    delivered = ask.last(*OPENING)
    if delivered is None:
        return None
    table = table_of(ask.id, ask.asked, tree)
    return session.scalar(
        select(func.min(AccessRecord.at)).where(
            AccessRecord.recipient == ask.asked.recipient,
            AccessRecord.at >= delivered.at,
            AccessRecord.files > 0,
            AccessRecord.path.contains(f"/tables/{table}/", autoescape=True),
        )
    )
