"""verify: what the control database says of requests is what the law allows and the log says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from contracts.words import Words
from jobs.verify.report import checked
from sharing.control import Grant, Recipient
from sharing.requests.corrections import CorrectionRow, answered_leaf, asked_leaf
from sharing.requests.flow import step_leaf
from sharing.requests.states import HOLDING, TRANSITIONS
from sharing.requests.tables import StepRow, ask_of, read_steps
from sharing.verify.catalogue import no_step
from sharing.verify.grants import logged, without_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.verify.report import Checked
    from sharing.requests.tables import Ask
    from sharing.verify.lake import CityLake

_UNWORDED = Words("没有步骤写明它", "no step words it")
_LEAVES = ("request", "answer", "correction", "destruction")


def requests(lake: CityLake) -> Iterator[Checked]:
    """Invariant 6: each step and correction has its leaf; each step follows from the one before.

    And a grant that names a request is open only while that request is in a state that holds one,
    to a recipient of the body that asked.
    """
    if not lake.records.are_kept:
        yield from without_rows(lake, _LEAVES, frozenset())
        return
    with lake.records.read() as session:
        steps = session.scalars(select(StepRow).order_by(StepRow.ask, StepRow.seq)).all()
        issues = session.scalars(select(CorrectionRow).order_by(CorrectionRow.id)).all()
        taken = read_steps(session)
        grants = session.scalars(
            select(Grant).where(Grant.request.is_not(None), Grant.revoked_at.is_(None))
        ).all()
        bodies = {r.name: r.body for r in session.scalars(select(Recipient))}
    wanted = [(step_leaf(row), row.leaf_at) for row in steps]
    wanted += [(asked_leaf(row), row.asked_leaf_at) for row in issues]
    wanted += [
        (answered_leaf(row), row.answered_leaf_at) for row in issues if row.answered_at is not None
    ]
    for leaf, leaf_at in wanted:
        yield logged(lake, leaf, "share_ask_steps", is_owed=leaf_at is None)
    yield from without_rows(lake, _LEAVES, frozenset(leaf.key for leaf, _ in wanted))
    asks = {of: ask_of(of, rows) for of, rows in taken.items() if any(r.asked for r in rows)}
    for ask_id in taken:
        problem = _out_of_turn(asks[ask_id]) if ask_id in asks else _UNWORDED
        yield checked(6, f"control.db share_asks {ask_id}", problem)
    for grant in grants:
        problem = _ungranted(grant, asks.get(grant.request or ""), bodies.get(grant.recipient))
        yield checked(6, f"control.db share_grants {grant.id}", problem)
    for error in lake.tree.left_out:
        why = error.words
        yield checked(
            4,
            f"{error.file}",
            Words(
                f"申请所成的产品与契约树不合：{why.zh}",
                f"a requested product does not fit its tree: {why.en}",
            ),
        )


def _ungranted(grant: Grant, named: Ask | None, body: str | None) -> Words | None:
    """Say why a request's grant must not be open; a recipient without a body is an old one."""
    if named is None or named.state not in HOLDING:
        zh, en = ("不存在", "gone") if named is None else (named.state, named.state)
        return Words(
            f"它有效，而其申请 {grant.request} 的状态是 {zh}",
            f"it is open, and its request {grant.request} is {en}",
        )
    if body not in (None, named.asked.body):
        return Words(
            f"{grant.recipient} 属于 {body}，其申请 {named.id} 属于 {named.asked.body}",
            f"{grant.recipient} is {body}'s, and its request {named.id} {named.asked.body}'s",
        )
    return None


def _out_of_turn(ask: Ask) -> Words | None:
    """Say which step does not follow from the one before it; None where each does."""
    for before, step in zip((None, *ask.steps), ask.steps, strict=False):
        transition = TRANSITIONS.get(step.action)
        if transition is None:
            return no_step(step.seq, step.action)
        is_first = before is None
        if is_first != (transition.action == "draft"):
            return Words(
                f"第 {step.seq} 步是 {step.action}，次序不对",
                f"step {step.seq} is {step.action}, out of turn",
            )
        sources = (*transition.sources, *transition.by_time)
        if before is not None and before.state not in sources:
            return Words(
                f"第 {step.seq} 步是 {step.action}，却自 {before.state}",
                f"step {step.seq} is {step.action}, from {before.state}",
            )
    return None
