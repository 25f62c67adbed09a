"""Whose a recipient is: given once by a draft, and moved by the security administrator alone.

Whoever holds a recipient's token reads what is delivered to it, so one that moves to another body
begins without tokens and links.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from contracts.errors import JingshuError
from contracts.words import Words
from sharing.accounts.accounts import note
from sharing.control import Activation, Grant, Recipient
from sharing.grants.recipients import create_recipient, end_tokens, require_body
from sharing.people import require

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from sharing.control import Control
    from sharing.people import Actor


class RecipientHeldError(JingshuError, RuntimeError):
    """A recipient that cannot change its body while it may read."""


@dataclass(frozen=True)
class RecipientView:
    """A recipient as people see it; ``body`` None: nobody may ask for it yet."""

    name: str
    body: str | None


def give_body(control: Control, name: str, body: str, actor: Actor, at: datetime) -> None:
    """Give a recipient its body, making it where it is new.

    One of another body is moved only while it may read nothing; its tokens and links end.

    Raises:
        ForbiddenError: The actor is no security administrator.
        UsageError: The name or the body is none.
        RecipientHeldError: It is another body's, and holds active grants.
    """
    require(actor, "manage_recipients", actor.body)
    require_body(body)
    create_recipient(control, name, actor.name)
    with control.write() as session:
        row = session.get_one(Recipient, name)
        before = row.body
        if before == body:
            return
        if before is not None:
            _require_idle(session, row, at)
            end_tokens(session, name, at)
            _end_links(session, name, at)
        row.body = body
        change = f"{name}: {before or 'none'} -> {body}"
        note(session, actor.name, actor.name, "recipient_body", change, at)


def adopt(control: Control, name: str, body: str, maker: str) -> None:
    """Give a recipient that ``maker`` made before bodies were kept its body; leave any other."""
    with control.write() as session:
        row = session.get(Recipient, name)
        if row is not None and row.created_by == maker and row.body is None:
            row.body = body


def list_recipients(control: Control) -> list[RecipientView]:
    """Return every recipient, by name."""
    with control.read() as session:
        rows = session.scalars(select(Recipient).order_by(Recipient.name))
        return [RecipientView(row.name, row.body) for row in rows]


def _require_idle(session: Session, row: Recipient, at: datetime) -> None:
    held = session.scalar(
        select(func.count())
        .where(Grant.recipient == row.name, Grant.revoked_at.is_(None))
        .where(or_(Grant.until_at.is_(None), Grant.until_at > at))
    )
    if held:
        raise RecipientHeldError(
            Words(
                f"接收方 {row.name} 属于 {row.body}，仍有 {held} 项有效授权。",
                f"The recipient {row.name} is {row.body}'s and holds {held} active grants.",
            ),
            Words("请先撤销授权，或办结其申请。", "Revoke them, or close their requests, first."),
        )


def _end_links(session: Session, name: str, at: datetime) -> None:
    for row in session.scalars(
        select(Activation)
        .where(Activation.recipient == name, Activation.used_at.is_(None))
        .where(Activation.expires_at > at)
    ):
        row.expires_at = at
