"""The states of a catalogue entry and every way from one to another, as data.

Source: State Council Decree 809, Art. 13 (assessed and signed before it is catalogued), Art. 16–17
(reviewed and published, kept up to date); the names of the states are this project's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

State = Literal[
    "unregistered", "assessed", "withheld", "submitted", "returned", "catalogued", "changed"
]
STATES: Final[tuple[State, ...]] = get_args(State)
Action = Literal["clear", "withhold", "submit", "approve", "return", "change", "extend"]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)


@dataclass(frozen=True)
class Transition:
    """One action: from which states to which, by whose right, and what must be stated with it.

    ``to`` None stays where it is. ``is_of_same`` means that the entry must read as it did at the
    step before: what was assessed is what is submitted, and that is what is approved.
    """

    action: Action
    sources: tuple[State, ...]
    to: State | None
    permission: str
    needs: tuple[str, ...] = ()
    is_of_same: bool = False


_TO_ASSESS: Final[tuple[State, ...]] = (
    "unregistered",
    "assessed",
    "withheld",
    "returned",
    "changed",
)
_BEING_CHANGED: Final[tuple[State, ...]] = (
    "changed",
    "assessed",
    "withheld",
    "submitted",
    "returned",
)

TRANSITIONS: Final[dict[Action, Transition]] = {
    t.action: t
    for t in (
        # Art. 13: secrecy risk and impact on personal information, signed by the department's head.
        Transition("clear", _TO_ASSESS, "assessed", "edit_catalogue", ("signed_by",)),
        Transition("withhold", _TO_ASSESS, "withheld", "edit_catalogue", ("signed_by", "reason")),
        Transition("submit", ("assessed",), "submitted", "edit_catalogue", is_of_same=True),
        Transition("approve", ("submitted",), "catalogued", "review_catalogue", is_of_same=True),
        Transition("return", ("submitted",), "returned", "review_catalogue", ("reason",)),
        # Art. 17: a change of law or duties; the update is due from here on.
        Transition("change", ("catalogued",), "changed", "edit_catalogue", ("reason",)),
        Transition("extend", _BEING_CHANGED, None, "review_catalogue", ("reason",)),
    )
}
