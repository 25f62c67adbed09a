"""The start page: whose turn it is, for who is looking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from contracts.words import Words
from portal.web.pages import render
from portal.web.seen import corrections_owed, shown_asks, tasks
from sharing.notices.outbox import NoticeRow

if TYPE_CHECKING:
    from starlette.responses import Response

    from portal.web.site import Visit

_NEWEST = 20


def start(visit: Visit) -> Response:
    """Show what waits for the visitor: requests, corrections, and the newest notices."""
    actor = visit.actor
    shown = shown_asks(visit) if visit.may("read_requests", actor.body) else []
    return render(
        visit,
        "start.html",
        at=visit.at,
        tasks=tasks(visit, shown),
        corrections=corrections_owed(visit),
        notices=_notices(visit),
    )


def _notices(visit: Visit) -> list[tuple[object, Words]]:
    """Return time and subject of what the visitor's body was told, in the visitor's roles."""
    actor = visit.actor
    told = (
        select(NoticeRow.made_at, NoticeRow.subject)
        .where(NoticeRow.body == actor.body, NoticeRow.role.in_(["", *actor.roles]))
        .order_by(NoticeRow.made_at.desc(), NoticeRow.key)
        .limit(_NEWEST)
    )
    with visit.web.control.read() as session:
        return [(at, Words.read(subject)) for at, subject in session.execute(told)]
