"""A dispute about a request: talks first, then the data authority, then the government.

The request stays where it is meanwhile. Source: State Council Decree 809, Art. 28.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sharing.requests.states import Action
    from sharing.requests.tables import Ask

#: Where a dispute stands: in talks, before the authority, before the government, or over.
Stage = Literal["none", "talks", "authority", "government", "settled"]
#: Each step of a dispute: from which stages, and to which.
STEPS: Final[Mapping[Action, tuple[tuple[Stage, ...], Stage]]] = {
    "dispute": (("none", "settled"), "talks"),
    "settle_dispute": (("talks", "authority"), "settled"),
    "bring_to_authority": (("talks",), "authority"),
    "rule_on_dispute": (("authority",), "settled"),
    "refer_to_government": (("authority",), "government"),
    "note_government_ruling": (("government",), "settled"),
}


def stage_of(ask: Ask) -> Stage:
    """Return where the dispute about a request stands."""
    stage: Stage = "none"
    for step in ask.steps:
        if step.action in STEPS:
            stage = STEPS[step.action][1]
    return stage


def may_follow(ask: Ask, action: Action) -> bool:
    """Tell whether a step of a dispute follows from where it stands; other steps always do."""
    return action not in STEPS or stage_of(ask) in STEPS[action][0]
