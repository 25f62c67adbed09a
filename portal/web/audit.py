"""The auditor's page: what was done to accounts, who logged in or failed to, gateway requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from sqlalchemy import select

from portal.web.pages import render
from sharing.accounts.failures import newest_failures
from sharing.accounts.tables import AccountEvent
from sharing.control import AccessRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from portal.web.site import Visit

_Row = TypeVar("_Row", AccountEvent, AccessRecord)
_ON_A_PAGE: Final = 100


def records(visit: Visit) -> Response:
    """Show account events, failed logins, requests to the gateway, newest first; all read-only."""
    events, older_events = _newest(visit, AccountEvent, visit.number("events_before"))
    with visit.web.control.read() as session:
        failures = newest_failures(session, _ON_A_PAGE)
    asked, older_asked = _newest(visit, AccessRecord, visit.number("requests_before"))
    return render(
        visit,
        "audit.html",
        events=events,
        older_events=older_events,
        failures=failures,
        requests=asked,
        older_requests=older_asked,
    )


def _newest(
    visit: Visit, kind: type[_Row], before: int | None
) -> tuple[Sequence[_Row], int | None]:
    """Return the rows of a page, and the id that the next older page begins before, if any."""
    wanted = select(kind).order_by(kind.id.desc()).limit(_ON_A_PAGE + 1)
    if before is not None:
        wanted = wanted.where(kind.id < before)
    with visit.web.control.read() as session:
        rows = session.scalars(wanted).all()
    has_more = len(rows) > _ON_A_PAGE
    shown = rows[:_ON_A_PAGE]
    return shown, shown[-1].id if has_more else None
