"""The rates of sharing, with their numerators and denominators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.web.pages import render
from sharing.kpis.rates import WORDS, kpis, totals

if TYPE_CHECKING:
    from starlette.responses import Response

    from portal.web.site import Visit


def rates(visit: Visit) -> Response:
    """Show the rates of the bodies that the visitor answers for, and their sums."""
    web = visit.web
    every = kpis(web.home, visit.tree, web.control, visit.at)
    rows = [row for row in every if visit.may("read_reports", row.provider)]
    return render(visit, "kpis.html", rows=rows, totals=totals(rows), names=WORDS)
