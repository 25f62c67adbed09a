"""The one way in: every step of a request is taken here, checked, kept, and owed to the evidence.

What a step does to grants is in the same transaction; ``settle`` writes the leaves, and heals a
crash between the two by writing them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from contracts.errors import JingshuError, UsageError
from contracts.model import CITY_TZ
from jobs.leaves import iso
from lineage.evidence.leaf import Leaf
from sharing import grants, owed
from sharing.catalog import Catalog
from sharing.control import Grant, Request
from sharing.people import DATA_AUTHORITY, SYSTEM, may, require
from sharing.recipients import NotItsRecipientError, create_recipient, require_own
from sharing.requests.basis import check_basis
from sharing.requests.disputes import STEPS, may_follow, stage_of
from sharing.requests.parties import check_shared, parties_of, table_of
from sharing.requests.registered import UNREGISTERED, check_registered
from sharing.requests.states import HOLDING, TRANSITIONS
from sharing.requests.tables import (
    AskRow,
    StepRow,
    clean_words,
    next_number,
    read_ask,
    read_asks,
    sha256,
    step_row,
)
from sharing.requests.timers import deadlines
from sharing.snapshot import read_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from contracts.tree import Tree
    from sharing.catalog import SharedTable
    from sharing.control import Control
    from sharing.people import Actor
    from sharing.requests.asked import Asked
    from sharing.requests.parties import Parties
    from sharing.requests.states import Action, State, Transition
    from sharing.requests.tables import Ask

#: Steps after which the recipient holds a grant.
_OPENING: Final[tuple[Action, ...]] = ("deliver", "resume")
#: Steps that hold what is asked for against the catalogue's register.
_ASKING: Final[tuple[Action, ...]] = ("submit", "resubmit")
#: Steps that hold the recipient against the asking body: it may have moved since the draft.
_NAMING: Final[tuple[Action, ...]] = (*_ASKING, *_OPENING)
_EXPIRED: Final = "期满 its time is over"


class RequestStateError(JingshuError, RuntimeError):
    """A step that a request's state, or what was done before, does not allow."""


@dataclass(frozen=True)
class _Taken:
    """A step about to be taken: everything it is judged by."""

    ask: Ask
    transition: Transition
    parties: Parties
    actor: Actor
    of: str
    """The body whose step it is: whose right is asked for."""
    said: Mapping[str, str]
    at: datetime

    @property
    def body(self) -> str:
        """The body that is on record for it: the actor's own; the machine acts for others."""
        return self.of if "system" in self.actor.roles else self.actor.body


def draft(control: Control, tree: Tree, asked: Asked, actor: Actor, at: datetime) -> str:
    """Keep a new request as a draft; return its id, such as ``R2026-0001``.

    Raises:
        UsageError: It names what there is not, or is over already.
        ForbiddenError: The actor may not ask for this body.
        NotItsRecipientError: It names a recipient that is not the asking body's.
    """
    require(actor, TRANSITIONS["draft"].permission, asked.body)
    parties_of(asked, tree)
    _check_end(asked, at)
    _own_recipient(control, tree, asked, actor)
    with control.write() as session:
        ask_id = next_number(session, AskRow.id, "R", at)
        session.add(AskRow(id=ask_id, body=asked.body, recipient=asked.recipient, created_at=at))
        session.flush()
        session.add(step_row(ask_id, 0, "draft", "draft", actor, asked.body, at, {}, asked))
    settle(control)
    return ask_id


def act(  # noqa: PLR0913, PLR0917 - who does what to which request, when, and says what
    control: Control,
    tree: Tree,
    ask_id: str,
    action: Action,
    actor: Actor,
    at: datetime,
    said: Mapping[str, str] | None = None,
    asked: Asked | None = None,
) -> State:
    """Take one step of a request; return the state it is in then.

    ``said`` are the step's own words (``reason``, ``legal_basis`` …); ``asked`` is the new wording
    of a resubmission.

    Raises:
        RequestStateError: The state, or an earlier step, does not allow it.
        ForbiddenError: None of the actor's roles may.
        UsageError: Something it needs was not said.
        NotSharedError: What is asked for is not shared, by law.
        NotItsRecipientError: The recipient is not the asking body's (any more).
        NotCataloguedError: The register knows an entry that is asked for, and it is not published.
    """
    transition, words = TRANSITIONS[action], clean_words(said or {})
    opens = _table(control, tree, ask_id) if action in _OPENING else None
    with control.write() as session:
        ask = read_ask(session, ask_id)
        wording = asked or ask.asked
        parties = parties_of(wording, tree)
        of = _concerned(transition, actor, ask, parties)
        step = _Taken(ask, transition, parties, actor, of, words, at)
        _check(step, wording, is_reworded=asked is not None)
        if action in _NAMING:
            require_own(session, ask.asked.recipient, ask.asked.body)
        if action in _ASKING and (unknown := check_registered(session, wording, tree)):
            words |= {UNREGISTERED: ", ".join(unknown)}
        to = _next_state(step)
        session.add(
            step_row(ask_id, len(ask.steps), action, to, actor, step.body, at, words, asked)
        )
        session.flush()
        _grants_follow(session, step, to, opens)
    settle(control)
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
            act(control, tree, ask.id, "close", SYSTEM, at, {"reason": _EXPIRED})
            taken.append((ask.id, "close"))
    return taken


def settle(control: Control) -> None:
    """Write the leaves that steps and grants still owe."""
    owed.settle(control, StepRow, Grant)


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
            f"接收方名称 {name} 是另一部门的标识 {name} is another body's id, not {body}'s.",
            f"换一个名称，如 {body} Name another, such as {body}.",
        )
    create_recipient(control, name, actor.name, body)


def _check(step: _Taken, wording: Asked, *, is_reworded: bool) -> None:
    ask, transition, action = step.ask, step.transition, step.transition.action
    by_time = transition.by_time if step.actor == SYSTEM else ()
    if ask.state not in (*transition.sources, *by_time) or not may_follow(ask, action):
        raise RequestStateError(
            f"现在的状态不能办这一步 {ask.id} is {ask.state}: {action} does not follow from there.",
            _follows_from(ask, action),
        )
    require(step.actor, transition.permission, step.of)
    if transition.is_once and ask.last(action):
        raise RequestStateError(
            f"这一步只能办一次 {ask.id} had its one {action} already.",
            "请答复：同意，或依法不予提供 Answer it: agree, or refuse by law.",
        )
    _check_words(step)
    if action == "extend":
        _check_extension(step)
    _check_wording(step, wording, is_reworded=is_reworded)
    if action == "agree" and step.body in signed(ask):
        raise RequestStateError(
            f"该部门已经同意 {step.body} has agreed to {ask.id} already.",
            "无需再办 Nothing is left.",
        )


def _check_words(step: _Taken) -> None:
    ask, transition, action = step.ask, step.transition, step.transition.action
    if lacking := [n for n in transition.needs if n not in step.said]:
        raise UsageError(
            f"缺少必填说明 {action} of {ask.id} lacks {', '.join(lacking)}.", "请填写 Say it."
        )
    if "legal_basis" in transition.needs:
        check_basis(step.said["legal_basis"])
    if (
        action == "agree_as_authority"
        and step.parties.needs_assessment
        and not step.said.get("pia_id")
    ):
        raise UsageError(
            f"含 {step.parties.level} 数据，须有影响评估"
            f" {ask.id} reads {step.parties.level} columns, and no assessment is named.",
            "请填写影响评估编号 Give the id of the impact assessment: --pia-id.",
        )


def _check_wording(step: _Taken, wording: Asked, *, is_reworded: bool) -> None:
    ask, action = step.ask, step.transition.action
    if is_reworded and action != "resubmit":
        raise UsageError(
            f"这一步不能改申请内容 {action} changes no wording.",
            "请先要求补正，或另行起草 Ask for a supplement, or draft anew.",
        )
    if (wording.body, wording.recipient) != (ask.asked.body, ask.asked.recipient):
        raise UsageError(
            "申请部门和接收方不能改 Body and recipient stay:"
            f" {ask.id} is {ask.asked.body}'s, for {ask.asked.recipient}.",
            "请另行起草 Draft a new request.",
        )
    if action in _ASKING:
        check_shared(step.parties)
    if action in _NAMING:
        _check_end(wording, step.at)


def _follows_from(ask: Ask, action: Action) -> str:
    """Say from which states a step follows, and what else there is to do before delivery."""
    if action in STEPS and ask.state in TRANSITIONS[action].sources:
        stages = ", ".join(STEPS[action][0])
        return f"争议处于 The dispute is at: {stage_of(ask)}; 须处于 it has to be at: {stages}."
    if action in ("close", "end_service", "stop_service"):
        return (
            "尚未交付的，由申请方撤回，或由提供方依法不予提供 Before delivery whoever asked may"
            " withdraw it, and a provider refuses it by law."
        )
    return f"可办的状态 It follows from: {', '.join(TRANSITIONS[action].sources)}."


def _check_extension(step: _Taken) -> None:
    """Refuse an extension of an answer that is late already: it would cure nothing (Art. 21)."""
    owed = next((d for d in deadlines(step.ask, step.parties) if d.what == "answer"), None)
    if owed is not None and owed.is_overdue(step.at):
        raise RequestStateError(
            f"答复期限已过，不能再延期 The answer to {step.ask.id} was due before: it is late.",
            "请尽快答复；逾期仍记录在案 Answer it now; that it was late stays on record.",
        )


def _check_end(asked: Asked, at: datetime) -> None:
    if asked.ends_on < at.astimezone(CITY_TZ).date():
        raise UsageError(
            f"使用期限已过 {asked.ends_on} is over.",
            "请填今后的日期 Give a last day that is still to come.",
        )


def _next_state(step: _Taken) -> State:
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


def _is_agreed(step: _Taken) -> bool:
    """Tell whether, with this step, everyone has signed who has to (Art. 20: on both sides)."""
    is_authority = step.transition.action == "agree_as_authority"
    bodies = signed(step.ask) | (frozenset() if is_authority else {step.body})
    has_authority = is_authority or signed(step.ask, "agree_as_authority")
    return bodies >= set(step.parties.providers) and bool(
        has_authority or not step.parties.needs_authority
    )


def signed(ask: Ask, action: Action = "agree") -> frozenset[str]:
    """Return the bodies that took a step since what is asked for was last put to them."""
    put = ask.last("submit", "resubmit")
    return frozenset(s.body for s in ask.steps if put and s.seq > put.seq and s.action == action)


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


def _grants_follow(session: Session, step: _Taken, to: State, opens: SharedTable | None) -> None:
    ask, actor = step.ask, step.actor.name
    if opens is not None:
        grants.open_grant(
            session,
            ask.asked.recipient,
            opens,
            ask.asked.purpose,
            until_at=grants.end_of(ask.asked.ends_on),
            actor=actor,
            at=step.at,
            request=ask.id,
        )
    elif ask.state in HOLDING and to not in HOLDING:
        grants.close_grants(session, ask.id, actor, step.at)


def _first_read(session: Session, ask: Ask, tree: Tree) -> datetime | None:
    """Return when files of the table were first handed out after delivery; None if never."""
    delivered = ask.last(*_OPENING)
    if delivered is None:
        return None
    table = table_of(ask.id, ask.asked, tree)
    return session.scalar(
        select(func.min(Request.at)).where(
            Request.recipient == ask.asked.recipient,
            Request.at >= delivered.at,
            Request.files > 0,
            Request.path.contains(f"/tables/{table}/", autoescape=True),
        )
    )
