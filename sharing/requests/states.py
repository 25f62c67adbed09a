"""The states of a request and every way from one to another, as data; nothing else changes one.

Source: State Council Decree 809, Art. 20–27 (domain reference §4).
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
    "close",
    "destroy",
]
#: States in which the recipient holds a grant.
HOLDING: Final[frozenset[State]] = frozenset(("delivered", "in_use"))


@dataclass(frozen=True)
class Transition:
    """One action: from which states to which, by whose right, with what said, and its leaf.

    ``to`` None stays where it is; ``agree`` moves on once the last signature is there, and
    ``resume`` goes back to where ``suspend`` came from.
    """

    action: Action
    sources: tuple[State, ...]
    to: State | None
    permission: str
    side: Side
    leaf: LeafType
    needs: tuple[str, ...] = ()
    is_once: bool = False


_OPEN: Final[tuple[State, ...]] = tuple(s for s in STATES if s not in ("refused", "closed"))

TRANSITIONS: Final[dict[Action, Transition]] = {
    t.action: t
    for t in (
        Transition("draft", (), "draft", "draft_request", "asker", "request"),
        Transition("submit", ("draft",), "submitted", "submit_request", "asker", "request"),
        # Art. 21: what is missing is said once, in full.
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
        Transition("close", _OPEN, "closed", "close_request", "either", "request", ("reason",)),
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
    )
}
