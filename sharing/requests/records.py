"""What a recipient records of its use: scenario, process, effect, storage; kept three years.

Source: State Council Decree 809, Art. 29.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime  # noqa: TC003  (SQLAlchemy reads it)
from typing import TYPE_CHECKING, Final

from sqlalchemy import ForeignKey, Integer, Text, delete, func, select
from sqlalchemy import String as Characters
from sqlalchemy.orm import Mapped, mapped_column

from contracts.errors import JingshuError, UsageError
from contracts.model import CITY_TZ
from contracts.words import Words
from sharing.control import Base
from sharing.people import require
from sharing.requests.tables import AskRow, read_ask

if TYPE_CHECKING:
    from sharing.control import Control
    from sharing.people import Actor

KEPT_YEARS: Final = 3
_LEAP_DAY: Final = (2, 29)


class RecordsKeptError(JingshuError, PermissionError):
    """Use records that must still be kept."""


class UseRow(Base):
    """One use; rows are added, and removed only when their time is over."""

    __tablename__ = "share_uses"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    ask: Mapped[str] = mapped_column(ForeignKey(AskRow.id), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(Characters(255))
    scenario: Mapped[str] = mapped_column(Text)
    process: Mapped[str] = mapped_column(Text)
    effect: Mapped[str] = mapped_column(Text)
    storage: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True)
class Use:
    """What was done with the data, in the user's words."""

    scenario: str
    process: str
    effect: str
    storage: str


def record_use(control: Control, ask_id: str, use: Use, actor: Actor, at: datetime) -> None:
    """Keep the record of one use of a delivered request's data.

    Raises:
        UsageError: The request was never delivered, or a part of the record is empty.
    """
    with control.write() as session:
        ask = read_ask(session, ask_id)
        require(actor, "record_use", ask.asked.body)
        if ask.last("deliver") is None:
            raise UsageError(
                Words(f"{ask_id} 尚未交付。", f"{ask_id} was never delivered."),
                Words(
                    "交付后才有使用可记。", "Wait for the delivery: there is no use to record yet."
                ),
            )
        empty = ", ".join(name for name, text in vars(use).items() if not text.strip())
        if empty:
            raise UsageError(
                Words(f"使用记录缺少 {empty}。", f"The record lacks {empty}."),
                Words("四项都要填写（第二十九条）。", "State all four, as Art. 29 asks."),
            )
        session.add(UseRow(ask=ask_id, at=at, by=actor.name, **vars(use)))


def uses(control: Control, ask_id: str) -> list[tuple[datetime, Use]]:
    """Return a request's records, the oldest first."""
    with control.read() as session:
        rows = session.scalars(select(UseRow).where(UseRow.ask == ask_id).order_by(UseRow.id))
        return [(r.at, Use(r.scenario, r.process, r.effect, r.storage)) for r in rows]


def forget_uses(control: Control, ask_id: str, actor: Actor, today: date) -> int:
    """Remove a request's records whose three years are over; return how many.

    Raises:
        RecordsKeptError: The newest of them must still be kept.
    """
    with control.write() as session:
        ask = read_ask(session, ask_id)
        require(actor, "record_use", ask.asked.body)
        newest = session.scalar(select(func.max(UseRow.at)).where(UseRow.ask == ask_id))
        if newest is None:
            return 0
        kept_until = _years_later(newest.astimezone(CITY_TZ).date(), KEPT_YEARS)
        if today <= kept_until:
            raise RecordsKeptError(
                Words(
                    f"{ask_id} 的使用记录须保存至 {kept_until}。",
                    f"The use records of {ask_id} are kept until {kept_until}.",
                ),
                Words(
                    "未满三年不能删除（国务院令第 809 号第二十九条）。",
                    "Wait: the law asks for three years (Decree 809, Art. 29).",
                ),
            )
        count = session.scalar(select(func.count()).where(UseRow.ask == ask_id)) or 0
        session.execute(delete(UseRow).where(UseRow.ask == ask_id))
        return count


def _years_later(day: date, years: int) -> date:
    if (day.month, day.day) == _LEAP_DAY:
        return day.replace(year=day.year + years, month=3, day=1)
    return day.replace(year=day.year + years)
