"""Writes the pages for chief data officers: one a date, the newest as ``index.html`` too.

The pages in English have the same names, in ``en/``. A date's page keeps its address for good. What
is open on other dates stands on each page, as of when it was written; ``index.html`` is written
every time.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from contracts.requested import city_tree
from jobs.record import governance
from lineage.evidence.durable import write_durably
from portal.catalogue import read_catalogue
from portal.dates import date_lines
from portal.page import FOLDERS, page_of, render, render_catalogue, render_dates
from portal.report import make_report, of_date, read_history

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from contracts.layout import Home
    from contracts.words import Language
    from portal.report import Tables

#: The newest date's page, where people begin.
INDEX: Final = "index.html"


def build_site(home: Home, business_date: date | None = None) -> Path:
    """Write the page of a date (default: the newest that has deliveries); return it.

    The newest date's page is ``index.html``, and is written whatever date was asked for, with the
    pages of dates that changed since theirs was; ``dates.html`` lists all, ``catalogue.html`` is of
    now. Each file is replaced whole or not at all. Raises ContractError where the contracts do not
    read.
    """
    tree, history = city_tree(home), read_history(home)
    changed = _changes(home, history)
    newest = max(changed, default=None)
    for day in _to_write(home, changed, business_date):
        report = make_report(tree, of_date(home, history, day), day)
        pages = _in_each(partial(render, report))
        if day is not None:
            _write(home, page_of(day), pages, changed.get(day))
        if day == newest:
            _write(home, INDEX, pages)
    dates = date_lines(history.deliveries, history.batches)
    _write(home, "dates.html", _in_each(partial(render_dates, dates)))
    _write(home, "catalogue.html", _in_each(partial(render_catalogue, read_catalogue(home))))
    if business_date is None or business_date == newest:
        return home.site / INDEX
    return home.site / page_of(business_date)


def _to_write(
    home: Home, changed: Mapping[date, datetime], wanted: date | None
) -> Sequence[date | None]:
    """Return the dates whose page has to be written: its rows, or its neighbours, are new.

    ``changed`` says of each date with deliveries when its newest row was recorded.
    """
    if not changed:
        return [None] if wanted is None else [None, wanted]
    dates = sorted(changed)
    pages = [[home.site / folder / page_of(day) for folder in FOLDERS.values()] for day in dates]
    added = [i for i, page in enumerate(pages) if not all(twin.exists() for twin in page)]
    beside = {j for i in added for j in (i - 1, i, i + 1) if 0 <= j < len(dates)}
    stale = {i for i in range(len(dates)) if i in beside or _is_stale(pages[i], changed[dates[i]])}
    return sorted({dates[-1], wanted or dates[-1], *(dates[i] for i in stale)})


def _changes(home: Home, history: Tables) -> dict[date, datetime]:
    """Return when the newest row of each date with deliveries was recorded (UTC)."""
    found: dict[date, datetime] = {}
    rows = (
        *((r.business_date, r.recorded_at) for r in history.deliveries),
        *((r.business_date, r.recorded_at) for r in history.batches),
        *((r.business_date, r.recorded_at) for r in governance.latest_publications(home)),
    )
    for day, at in rows:
        found[day] = max(at, found.get(day, at))
    return {d.business_date: found[d.business_date] for d in history.deliveries}


def _is_stale(page: Sequence[Path], changed: datetime) -> bool:
    return any(twin.stat().st_mtime_ns != _ns(changed) for twin in page)


def _ns(at: datetime) -> int:
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 1000


def _in_each(render_in: Callable[[Language], str]) -> Mapping[Language, str]:
    """Render a page in each language, from facts that were read once."""
    return {language: render_in(language) for language in FOLDERS}


def _write(
    home: Home, name: str, pages: Mapping[Language, str], of: datetime | None = None
) -> None:
    """Write a page in each language; its files' time is that of the newest row it was made of."""
    for language, page in pages.items():
        path = home.site / FOLDERS[language] / name
        write_durably(path, page.encode("utf-8"), home.run / "drafts")
        if of is not None:
            os.utime(path, ns=(_ns(of), _ns(of)))
