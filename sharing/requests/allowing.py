"""Whether a step of a request may be taken: by its state, by whom, with what words. Pure.

Source: State Council Decree 809, Art. 20–28 (domain reference §4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError, UsageError
from contracts.model import CITY_TZ
from sharing.people import SYSTEM, require
from sharing.requests.basis import check_basis
from sharing.requests.disputes import STEPS, may_follow, stage_of
from sharing.requests.parties import check_shared
from sharing.requests.states import TRANSITIONS
from sharing.requests.timers import deadlines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sharing.people import Actor
    from sharing.requests.asked import Asked
    from sharing.requests.parties import Parties
    from sharing.requests.states import Action, Transition
    from sharing.requests.tables import Ask

#: Steps after which the recipient holds a grant.
OPENING: Final[tuple[Action, ...]] = ("deliver", "resume")
#: Steps that hold what is asked for against the catalogue's register.
ASKING: Final[tuple[Action, ...]] = ("submit", "resubmit")
#: Steps that hold the recipient against the asking body: it may have moved since the draft.
NAMING: Final[tuple[Action, ...]] = (*ASKING, *OPENING)


class RequestStateError(JingshuError, RuntimeError):
    """A step that a request's state, or what was done before, does not allow."""


@dataclass(frozen=True)
class Taken:
    """A step about to be taken: everything it is judged by."""

    ask: Ask
    transition: Transition
    parties: Parties
    actor: Actor
    of: str
    """The body whose step it is: whose right is asked for."""
    statements: Mapping[str, str]
    at: datetime

    @property
    def body(self) -> str:
        """The body that is on record for it: the actor's own; the machine acts for others."""
        return self.of if "system" in self.actor.roles else self.actor.body


def check_step(step: Taken, wording: Asked, *, is_reworded: bool) -> None:
    """Raise what is against a step: its state, its actor, its words, or a new wording."""
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


def _check_words(step: Taken) -> None:
    ask, transition, action = step.ask, step.transition, step.transition.action
    if lacking := [n for n in transition.needs if n not in step.statements]:
        raise UsageError(
            f"缺少必填说明 {action} of {ask.id} lacks {', '.join(lacking)}.", "请填写 Say it."
        )
    if "legal_basis" in transition.needs:
        check_basis(step.statements["legal_basis"])
    if (
        action == "agree_as_authority"
        and step.parties.needs_assessment
        and not step.statements.get("pia_id")
    ):
        raise UsageError(
            f"含 {step.parties.level} 数据，须有影响评估"
            f" {ask.id} reads {step.parties.level} columns, and no assessment is named.",
            "请填写影响评估编号 Give the id of the impact assessment: --pia-id.",
        )


def _check_wording(step: Taken, wording: Asked, *, is_reworded: bool) -> None:
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
    if action in ASKING:
        check_shared(step.parties)
    if action in NAMING:
        check_end(wording, step.at)


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


def _check_extension(step: Taken) -> None:
    """Refuse an extension of an answer that is late already: it would cure nothing (Art. 21)."""
    owed = next((d for d in deadlines(step.ask, step.parties) if d.what == "answer"), None)
    if owed is not None and owed.is_overdue(step.at):
        raise RequestStateError(
            f"答复期限已过，不能再延期 The answer to {step.ask.id} was due before: it is late.",
            "请尽快答复；逾期仍记录在案 Answer it now; that it was late stays on record.",
        )


def check_end(asked: Asked, at: datetime) -> None:
    """Raise UsageError where the last day of what is asked for is over."""
    if asked.ends_on < at.astimezone(CITY_TZ).date():
        raise UsageError(
            f"使用期限已过 {asked.ends_on} is over.",
            "请填今后的日期 Give a last day that is still to come.",
        )


def signed(ask: Ask, action: Action = "agree") -> frozenset[str]:
    """Return the bodies that took a step since what is asked for was last put to them."""
    put = ask.last("submit", "resubmit")
    return frozenset(s.body for s in ask.steps if put and s.seq > put.seq and s.action == action)
