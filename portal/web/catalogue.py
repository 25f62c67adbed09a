"""The catalogue of government data: search it, and read an entry before asking for its data."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from contracts.model import LEVELS
from contracts.words import Words
from portal.web import words
from portal.web.errors import DATASET, not_there
from portal.web.pages import render
from sharing.catalogue.entries import search as look

if TYPE_CHECKING:
    from starlette.responses import Response

    from portal.web.site import Visit
    from sharing.catalogue.entries import Entry


def search(visit: Visit) -> Response:
    """List the entries that match: words, provider, level, sharing attribute."""
    every = visit.web.shelf.entries(visit.at)
    asked = {name: visit.query(name) for name in ("q", "provider", "level", "attribute")}
    found = [
        e
        for e in look(every, asked["q"])
        if asked["provider"] in ("", e.provider)
        and asked["level"] in ("", e.dept_level)
        and asked["attribute"] in ("", e.attribute)
    ]
    return render(
        visit,
        "catalogue.html",
        asked=asked,
        entries=found,
        count=len(every),
        providers=sorted({e.provider: provider_of(e) for e in every}.items(), key=itemgetter(0)),
        levels=LEVELS,
        attributes=words.ATTRIBUTE,
    )


def provider_of(entry: Entry) -> Words:
    """Return what a provider is called."""
    return Words(entry.provider_name, entry.provider_name_en or entry.provider_name)


def entry(visit: Visit) -> Response:
    """Show what the catalogue says of a dataset, once for each body that provides it."""
    contract = visit.path("contract")
    found = [e for e in visit.web.shelf.entries(visit.at) if e.contract == contract]
    if not found:
        raise not_there(DATASET)
    may_draft = visit.may("draft_request", visit.actor.body)
    return render(visit, "entry.html", entry=found[0], entries=found, may_draft=may_draft)
