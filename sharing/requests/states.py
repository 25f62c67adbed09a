"""The states of a request and every way from one to another, as data; nothing else changes one.

Source: State Council Decree 809, Art. 20–28 (domain reference §4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from lineage.evidence.leaf import LeafType

State = Literal[
    "draft",
    "submitted",
    "supplement",
    "accepted",
    "agreed",
    "refused",
    "delivered",
    "in_use",
    "suspended",
    "closed",
]
STATES: Final[tuple[State, ...]] = get_args(State)
#: Whose body an action is done for: the one that asks, one that provides, or the data authority.
Side = Literal["asker", "provider", "either", "authority"]
Action = Literal[
    "draft",
    "submit",
    "ask_supplement",
    "resubmit",
    "accept",
    "agree",
    "agree_as_authority",
    "refuse",
    "extend",
    "deliver",
    "note_first_read",
    "suspend",
    "resume",
    "withdraw",
    "close",
    "end_service",
    "stop_service",
    "destroy",
    "dispute",
    "settle_dispute",
    "bring_to_authority",
    "rule_on_dispute",
    "refer_to_government",
    "note_government_ruling",
]
#: States in which the recipient holds a grant.
HOLDING: Final[frozenset[State]] = frozenset(("delivered", "in_use"))


@dataclass(frozen=True)
class Transition:
    """One action: from which states to which, by whose right, with what statements, and its leaf.

    ``to`` None stays where it is; ``agree`` moves on once the last signature is there, and
    ``resume`` goes back to where ``suspend`` came from. ``by_time`` are states from which the
    machine alone takes it, when a request's time is over.
    """

    action: Action
    sources: tuple[State, ...]
    to: State | None
    permission: str
    side: Side
    leaf: LeafType
    needs: tuple[str, ...] = ()
    is_once: bool = False
    by_time: tuple[State, ...] = ()


#: Before delivery: what was asked can be taken back by whoever asked, and by nobody else.
_ASKED: Final[tuple[State, ...]] = ("draft", "submitted", "supplement", "accepted", "agreed")
#: A service is given, or was and is suspended.
_SERVED: Final[tuple[State, ...]] = ("delivered", "in_use", "suspended")
_DISPUTED: Final[tuple[State, ...]] = tuple(s for s in STATES if s != "draft")

TRANSITIONS: Final[dict[Action, Transition]] = {
    t.action: t
    for t in (
        Transition("draft", (), "draft", "draft_request", "asker", "request"),
        Transition("submit", ("draft",), "submitted", "submit_request", "asker", "request"),
        # Art. 21: what is missing is told once, in full.
        Transition(
            "ask_supplement",
            ("submitted",),
            "supplement",
            "supplement_request",
            "provider",
            "answer",
            ("missing",),
            is_once=True,
        ),
        Transition(
            "resubmit", ("supplement",), "submitted", "resubmit_request", "asker", "request"
        ),
        Transition("accept", ("submitted",), "accepted", "accept_request", "provider", "answer"),
        Transition("agree", ("accepted",), None, "agree_request", "provider", "answer"),
        Transition(
            "agree_as_authority",
            ("accepted",),
            None,
            "agree_request_as_authority",
            "authority",
            "answer",
        ),
        # Art. 21: incomplete papers are no ground; a refusal says why, and by which law.
        Transition(
            "refuse",
            ("accepted",),
            "refused",
            "refuse_request",
            "provider",
            "answer",
            ("reason", "legal_basis"),
        ),
        Transition(
            "extend",
            ("submitted", "accepted"),
            None,
            "extend_answer",
            "authority",
            "answer",
            ("reason",),
            is_once=True,
        ),
        Transition("deliver", ("agreed",), "delivered", "deliver_request", "provider", "answer"),
        Transition(
            "note_first_read", ("delivered",), "in_use", "note_first_read", "either", "request"
        ),
        # Art. 27: a service is not stopped without cause.
        Transition(
            "suspend",
            ("delivered", "in_use"),
            "suspended",
            "suspend_request",
            "provider",
            "answer",
            ("reason",),
        ),
        Transition(
            "resume", ("suspended",), None, "resume_request", "provider", "answer", ("reason",)
        ),
        Transition(
            "withdraw", _ASKED, "closed", "withdraw_request", "asker", "request", ("reason",)
        ),
        # Art. 27: the purpose is served; whoever asked ends it, or the last day does.
        Transition(
            "close",
            _SERVED,
            "closed",
            "close_request",
            "asker",
            "request",
            ("reason",),
            by_time=_ASKED,
        ),
        # Art. 27: a provider ends a service after talks with who has it, on file at the authority.
        Transition(
            "end_service",
            _SERVED,
            "closed",
            "end_service",
            "provider",
            "answer",
            ("reason", "consultation", "filing"),
        ),
        Transition(
            "stop_service",
            _SERVED,
            "closed",
            "stop_service",
            "authority",
            "answer",
            ("reason", "legal_basis"),
        ),
        Transition(
            "destroy",
            ("closed",),
            None,
            "prove_destruction",
            "asker",
            "destruction",
            ("method", "proof"),
            is_once=True,
        ),
        # Art. 28: talks, then the authority, then the government.
        Transition("dispute", _DISPUTED, None, "dispute_request", "either", "request", ("reason",)),
        Transition(
            "settle_dispute", _DISPUTED, None, "dispute_request", "either", "request", ("outcome",)
        ),
        Transition(
            "bring_to_authority",
            _DISPUTED,
            None,
            "dispute_request",
            "either",
            "request",
            ("reason",),
        ),
        Transition(
            "rule_on_dispute",
            _DISPUTED,
            None,
            "rule_on_dispute",
            "authority",
            "answer",
            ("outcome", "reason"),
        ),
        Transition(
            "refer_to_government",
            _DISPUTED,
            None,
            "rule_on_dispute",
            "authority",
            "answer",
            ("reason",),
        ),
        Transition(
            "note_government_ruling",
            _DISPUTED,
            None,
            "rule_on_dispute",
            "authority",
            "answer",
            ("outcome", "document"),
        ),
    )
}
