"""verify: the catalogue's register is what the evidence log says of it, each step in its turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from contracts.words import Words
from jobs.verify.report import checked
from sharing.catalogue.register import (
    EntryStepRow,
    RulingRow,
    read_histories,
    ruling_leaf,
    step_leaf,
)
from sharing.catalogue.steps import TRANSITIONS
from sharing.verify.grants import logged, without_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from jobs.verify.report import Checked
    from lineage.evidence.leaf import Leaf
    from sharing.catalogue.register import History
    from sharing.verify.lake import CityLake

_LEAVES: Final = ("catalogue",)


def catalogue(lake: CityLake) -> Iterator[Checked]:
    """Invariant 6: each step and ruling has its leaf, which says the same, and each leaf its row.

    A row that still owes its leaf is recovering.
    """
    if not lake.records.are_kept:
        yield from without_rows(lake, _LEAVES, frozenset())
        return
    with lake.records.read() as session:
        wanted = list(_wanted(session))
        found = read_histories(session)
    for leaf, table, is_owed in wanted:
        yield logged(lake, leaf, table, is_owed=is_owed)
    yield from without_rows(lake, _LEAVES, frozenset(leaf.key for leaf, _, _ in wanted))
    for code, history in found.items():
        yield checked(6, f"control.db share_catalogue_steps {code}", _out_of_turn(history))


def _wanted(session: Session) -> Iterator[tuple[Leaf, str, bool]]:
    """Yield the leaf that each row should have left, the row's table, and whether it is owed."""
    steps = select(EntryStepRow).order_by(EntryStepRow.code, EntryStepRow.seq)
    for step in session.scalars(steps):
        yield step_leaf(step), "share_catalogue_steps", step.leaf_at is None
    for ruling in session.scalars(select(RulingRow).order_by(RulingRow.item, RulingRow.seq)):
        yield ruling_leaf(ruling), "share_catalogue_rulings", ruling.leaf_at is None


def no_step(number: int, action: str) -> Words:
    """Say that what was taken is no step."""
    return Words(
        f"第 {number} 步是 {action!r}，没有这样的步骤",
        f"step {number} is {action!r}, which is no step",
    )


def _out_of_turn(history: History) -> Words | None:
    """Say which step does not follow from the one before it; None where each does."""
    state = "unregistered"
    for place, step in enumerate(history.steps):
        transition = TRANSITIONS.get(step.action)
        if transition is None:
            return no_step(step.seq, step.action)
        if step.seq != place or state not in transition.sources:
            return Words(
                f"第 {step.seq} 步是 {step.action}，却自 {state}",
                f"step {step.seq} is {step.action}, from {state}",
            )
        if step.state != (transition.to or state):
            return Words(
                f"第 {step.seq} 步是 {step.action}，却到了 {step.state}",
                f"step {step.seq} is {step.action}, and came to {step.state}",
            )
        state = step.state
    return None
