"""Whether a step of a request may be taken: by its state, by whom, with what words. Pure.

Source: State Council Decree 809, Art. 20–28 (domain reference §4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError, UsageError
from contracts.model import CITY_TZ
from contracts.words import Words
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
            Words(
                f"{ask.id} 现为 {ask.state}，不能办理 {action}。",
                f"{ask.id} is {ask.state}: {action} does not follow from there.",
            ),
            _follows_from(ask, action),
        )
    require(step.actor, transition.permission, step.of)
    if transition.is_once and ask.last(action):
        raise RequestStateError(
            Words(
                f"{ask.id} 的 {action} 只能办一次，已经办过。",
                f"{ask.id} had its one {action} already.",
            ),
            Words("请答复：同意，或依法不予提供。", "Answer it: agree, or refuse by law."),
        )
    _check_words(step)
    if action == "extend":
        _check_extension(step)
    _check_wording(step, wording, is_reworded=is_reworded)
    if action == "agree" and step.body in signed(ask):
        raise RequestStateError(
            Words(
                f"{step.body} 已经同意 {ask.id}。", f"{step.body} has agreed to {ask.id} already."
            ),
            Words("无需再办。", "Nothing is left to do."),
        )


def _check_words(step: Taken) -> None:
    ask, transition, action = step.ask, step.transition, step.transition.action
    if lacking := [n for n in transition.needs if n not in step.statements]:
        names = ", ".join(lacking)
        raise UsageError(
            Words(
                f"{ask.id} 的 {action} 缺少必填说明：{names}。",
                f"{action} of {ask.id} lacks {names}.",
            ),
            Words("请填写。", "Say it."),
        )
    if "legal_basis" in transition.needs:
        check_basis(step.statements["legal_basis"])
    if (
        action == "agree_as_authority"
        and step.parties.needs_assessment
        and not step.statements.get("pia_id")
    ):
        level = step.parties.level
        raise UsageError(
            Words(
                f"{ask.id} 含 {level} 数据，须有影响评估，而申请未写明。",
                f"{ask.id} reads {level} columns, and no assessment is named.",
            ),
            Words(
                "请填写影响评估编号：--pia-id。",
                "Give the id of the impact assessment: --pia-id.",
            ),
        )


def _check_wording(step: Taken, wording: Asked, *, is_reworded: bool) -> None:
    ask, action = step.ask, step.transition.action
    if is_reworded and action != "resubmit":
        raise UsageError(
            Words(f"{action} 不能改申请内容。", f"{action} changes no wording."),
            Words("请先要求补正，或另行起草。", "Ask for a supplement, or draft anew."),
        )
    if (wording.body, wording.recipient) != (ask.asked.body, ask.asked.recipient):
        raise UsageError(
            Words(
                f"申请部门和接收方不能改：{ask.id} 由 {ask.asked.body} 申请，"
                f"接收方为 {ask.asked.recipient}。",
                f"Body and recipient stay: {ask.id} is {ask.asked.body}'s, for"
                f" {ask.asked.recipient}.",
            ),
            Words("请另行起草。", "Draft a new request."),
        )
    if action in ASKING:
        check_shared(step.parties)
    if action in NAMING:
        check_end(wording, step.at)


def _follows_from(ask: Ask, action: Action) -> Words:
    """Say from which states a step follows, and what else there is to do before delivery."""
    if action in STEPS and ask.state in TRANSITIONS[action].sources:
        stage, stages = stage_of(ask), STEPS[action][0]
        return Words(
            f"争议现处于 {stage}，须处于 {'、'.join(stages)}。",
            f"The dispute is at: {stage}; it has to be at: {', '.join(stages)}.",
        )
    if action in ("close", "end_service", "stop_service"):
        return Words(
            "尚未交付的，由申请方撤回，或由提供方依法不予提供。",
            "Before delivery whoever asked may withdraw it, and a provider refuses it by law.",
        )
    sources = TRANSITIONS[action].sources
    return Words(
        f"可在这些状态办理：{'、'.join(sources)}。", f"It follows from: {', '.join(sources)}."
    )


def _check_extension(step: Taken) -> None:
    """Refuse an extension of an answer that is late already: it would cure nothing (Art. 21)."""
    owed = next((d for d in deadlines(step.ask, step.parties) if d.what == "answer"), None)
    if owed is not None and owed.is_overdue(step.at):
        raise RequestStateError(
            Words(
                f"{step.ask.id} 的答复期限已过，不能再延期。",
                f"The answer to {step.ask.id} was due before: it is late.",
            ),
            Words(
                "请尽快答复；逾期仍记录在案。", "Answer it now; that it was late stays on record."
            ),
        )


def check_end(asked: Asked, at: datetime) -> None:
    """Raise UsageError where the last day of what is asked for is over."""
    if asked.ends_on < at.astimezone(CITY_TZ).date():
        raise UsageError(
            Words(f"使用期限 {asked.ends_on} 已过。", f"{asked.ends_on} is over."),
            Words("请填今后的日期。", "Give a last day that is still to come."),
        )


def signed(ask: Ask, action: Action = "agree") -> frozenset[str]:
    """Return the bodies that took a step since what is asked for was last put to them."""
    put = ask.last("submit", "resubmit")
    return frozenset(s.body for s in ask.steps if put and s.seq > put.seq and s.action == action)
