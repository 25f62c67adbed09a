"""What is kept of requests: what was asked, and every step, which rows are only ever added to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  (SQLAlchemy reads it)
from typing import TYPE_CHECKING, cast

from sqlalchemy import ForeignKey, Integer, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from contracts.errors import UsageError
from contracts.model import CITY_TZ
from contracts.words import Words
from sharing.control import Base, ControlError
from sharing.readable import read_by, words
from sharing.requests.asked import Asked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import InstrumentedAttribute, Session

    from sharing.requests.states import Action, State


class AskRow(Base):
    """A request. What it asks for changes by resubmission only, and each wording stays."""

    __tablename__ = "share_asks"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    body: Mapped[str] = mapped_column(String(63), index=True)
    recipient: Mapped[str] = mapped_column(String(63), index=True)
    created_at: Mapped[datetime]


class StepRow(Base):
    """One step of a request; ``asked`` where the step says what is asked for, else None."""

    __tablename__ = "share_ask_steps"
    ask: Mapped[str] = mapped_column(ForeignKey(AskRow.id), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    action: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(255))
    body: Mapped[str] = mapped_column(String(63))
    at: Mapped[datetime]
    said: Mapped[str] = read_by(words)
    asked: Mapped[str | None] = read_by(Asked.model_validate_json)
    leaf_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Step:
    """One step as it was taken: who did what for which body, when (UTC), and what was stated."""

    seq: int
    action: Action
    state: State
    actor: str
    body: str
    at: datetime
    statements: Mapping[str, str]


@dataclass(frozen=True)
class Ask:
    """A request with its whole history; ``asked`` is its newest wording."""

    id: str
    asked: Asked
    steps: tuple[Step, ...]

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.steps[-1].state

    def last(self, *actions: Action) -> Step | None:
        """Return the newest step that is one of these actions."""
        return next((s for s in reversed(self.steps) if s.action in actions), None)


def read_ask(session: Session, ask_id: str) -> Ask:
    """Return a request; UsageError names those that there are."""
    rows = session.scalars(select(StepRow).where(StepRow.ask == ask_id).order_by(StepRow.seq)).all()
    if not rows:
        known = session.scalars(select(AskRow.id).order_by(AskRow.id.desc()).limit(10)).all()
        raise UsageError(
            Words(f"没有申请 {ask_id!r}。", f"There is no request {ask_id!r}."),
            Words(
                f"最近的申请：{'、'.join(known) or '无'}。",
                f"The newest are: {', '.join(known) or 'none'}.",
            ),
        )
    return ask_of(ask_id, rows)


def read_asks(session: Session) -> list[Ask]:
    """Return every request, the oldest first."""
    return [ask_of(ask_id, steps) for ask_id, steps in read_steps(session).items()]


def read_steps(session: Session) -> Mapping[str, Sequence[StepRow]]:
    """Return the steps of every request by its id, the oldest first."""
    found: dict[str, list[StepRow]] = {}
    for row in session.scalars(select(StepRow).order_by(StepRow.ask, StepRow.seq)):
        found.setdefault(row.ask, []).append(row)
    return found


def ask_of(ask_id: str, steps: Sequence[StepRow]) -> Ask:
    """Return a request from all its steps; ControlError where none of them words it."""
    newest = next((row.asked for row in reversed(steps) if row.asked is not None), None)
    if newest is None:
        raise ControlError(
            Words(
                f"{ask_id} 没有一步写明所申请的内容。", f"No step of {ask_id} says what is asked."
            ),
            Words(
                "请用 ./jingshu verify 查看被改动的记录。",
                "Run ./jingshu verify, which names what was changed.",
            ),
        )
    taken = tuple(
        Step(
            row.seq,
            cast("Action", row.action),
            cast("State", row.state),
            row.actor,
            row.body,
            row.at,
            words(row.said),
        )
        for row in steps
    )
    return Ask(ask_id, Asked.model_validate_json(newest), taken)


def next_number(
    session: Session, column: InstrumentedAttribute[str], letter: str, at: datetime
) -> str:
    """Return the next id of the city's year, such as ``R2026-0001``, in a writer's transaction."""
    prefix = f"{letter}{at.astimezone(CITY_TZ):%Y}-"
    newest = session.scalar(
        select(column)
        .where(column.startswith(prefix))
        .order_by(func.length(column).desc(), column.desc())  # 10000 comes after 9999
        .limit(1)
    )
    return f"{prefix}{int(newest.removeprefix(prefix)) + 1 if newest else 1:04d}"


def step_row(ask_id: str, step: Step, asked: Asked | None) -> StepRow:
    """Return the row of one step, whose leaf is owed; ``asked`` where the step words it anew."""
    fields = dict(vars(step))
    return StepRow(
        ask=ask_id,
        said=statements_json(fields.pop("statements")),
        **fields,
        asked=None if asked is None else asked.model_dump_json(),
    )


def clean_words(statements: Mapping[str, str]) -> dict[str, str]:
    """Return what was stated without needless space, and without what says nothing."""
    cleaned = {name: " ".join(text.split()) for name, text in statements.items()}
    return {name: text for name, text in cleaned.items() if text}


def statements_json(statements: Mapping[str, str]) -> str:
    """Write what was stated with a step, the same way each time: its leaf has the digest."""
    return json.dumps(dict(statements), ensure_ascii=False, sort_keys=True)
