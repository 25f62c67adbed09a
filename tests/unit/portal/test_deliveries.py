from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from portal.deliveries import DUE_STATES

if TYPE_CHECKING:
    from .conftest import City

DAY = date(2026, 7, 15)
FEEDS = ("alpha/alpha.stock", "alpha/alpha.visits", "east/shared.cases", "west/shared.cases")


@pytest.mark.parametrize("state", [*DUE_STATES, "not_due"])
def test_each_state_is_counted_once_and_due_is_their_sum(city: City, state: str) -> None:
    city.deliver(state)
    counts = city.report().counts
    assert counts.states == {state: 1}
    assert counts.due == (0 if state == "not_due" else 1)
    assert counts.providers == 1


def test_only_what_came_in_time_counts_as_on_time(city: City) -> None:
    for feed, state in zip(FEEDS, ("received", "late", "missing", "expected"), strict=True):
        city.deliver(state, feed=feed)
    assert city.report().counts.on_time == (1, 3)


def test_rows_landed_are_accounted_for_across_batches(city: City) -> None:
    city.deliver("received", "published", rows_published=90, rows_quarantined=7, rows_duplicate=3)
    city.deliver("received", "held", feed=FEEDS[1], rows_duplicate=10)
    rows = city.report().counts.rows
    assert (rows.landed, rows.published, rows.quarantined) == (200, 90, 7)
    assert (rows.duplicate, rows.withheld) == (13, 90)
    assert rows.landed == rows.published + rows.quarantined + rows.duplicate + rows.withheld
    assert city.report().counts.unbalanced == ()


@pytest.mark.parametrize("status", ["held", "rejected", "refused", "failed", "landed", "withdrawn"])
def test_rows_of_a_batch_that_readers_do_not_see_are_withheld(city: City, status: str) -> None:
    city.deliver("received", status)
    counts = city.report().counts
    assert (counts.rows.published, counts.rows.withheld, counts.rows.lost) == (0, 100, 0)
    assert counts.unbalanced == ()


def test_a_published_batch_that_loses_rows_is_named(city: City) -> None:
    batch = city.deliver("received", "published", rows_published=99)
    assert city.report().counts.unbalanced == (batch,)


def test_a_correction_counts_and_what_it_superseded_does_not(city: City) -> None:
    old = city.deliver("received", "superseded", batch_id="old", rows_published=100)
    new = city.deliver(
        "received", "published", batch_id="new", revision=2, rows_landed=80, rows_published=80
    )
    (line,) = city.report().lines
    assert line.own_batch == new
    assert line.earlier == (old,)
    counts = city.report().counts
    assert counts.rows.landed == 80
    assert counts.statuses == {"published": 1, "superseded": 1}


def test_a_date_that_a_later_snapshot_replaced_was_published_all_the_same(city: City) -> None:
    city.deliver("received", "superseded", rows_published=100)
    report = city.report()
    assert report.counts.rows.published == 100
    assert report.lines[0].published_to == DAY


def test_what_was_replaced_before_it_was_published_is_withheld_and_never_was_readable(
    city: City,
) -> None:
    city.deliver("received", "superseded", rows_published=0, silver_version=None)
    report = city.report()
    rows = report.counts.rows
    assert (rows.landed, rows.published, rows.withheld, rows.lost) == (100, 0, 100, 0)
    assert report.counts.unbalanced == ()
    assert report.lines[0].published_to is None
    assert report.lines[0].bad_percent is None
    assert report.decisions == ()


def test_a_duplicate_shows_the_batch_it_repeats_but_counts_no_rows_twice(city: City) -> None:
    first = city.deliver("received", "published", day=DAY - timedelta(days=1))
    assert first is not None
    city.deliver("duplicate", batch_id=first.batch_id)
    report = city.report()
    (line,) = report.lines
    assert (line.batch, line.own_batch) == (first, None)
    assert report.counts.rows.landed == 0
    assert line.days_behind == 1


@pytest.mark.parametrize(
    ("counts", "percent", "is_over"),
    [
        ({"rows_published": 100}, 0.0, False),
        ({"rows_published": 95, "rows_quarantined": 5}, 5.0, False),
        ({"rows_published": 94, "rows_quarantined": 6}, 6.0, True),
        ({"rows_published": 45, "rows_quarantined": 5, "rows_duplicate": 50}, 10.0, True),
        ({"rows_landed": 0, "rows_published": 0}, None, False),
        ({"rows_published": 0, "rows_duplicate": 100}, None, False),
    ],
    ids=["none", "at the limit", "over", "duplicates are not judged", "no row", "all duplicates"],
)
def test_bad_rows_are_a_share_of_the_judged_rows(
    city: City, counts: dict[str, Any], percent: float | None, *, is_over: bool
) -> None:
    city.deliver("received", "published", **counts)
    (line,) = city.report().lines
    assert line.bad_percent == percent
    assert line.is_over_threshold is is_over


def test_a_held_batch_has_no_bad_share_since_nothing_is_in_quarantine_yet(city: City) -> None:
    city.deliver("received", "held")
    assert city.report().lines[0].bad_percent is None


@pytest.mark.parametrize(
    ("days_ago", "behind"), [(0, 0), (3, 3), (None, None)], ids=["current", "stale", "never"]
)
def test_freshness_is_the_newest_published_date(
    city: City, days_ago: int | None, behind: int | None
) -> None:
    if days_ago is not None:
        city.deliver("received", "published", day=DAY - timedelta(days=days_ago))
    if days_ago != 0:
        city.deliver("missing")
    city.deliver("received", "published", day=DAY + timedelta(days=1))
    assert city.report().lines[0].days_behind == behind


def test_what_needs_a_look_comes_first(city: City) -> None:
    city.deliver("received", "published", feed=FEEDS[0])
    city.deliver("late", "published", feed=FEEDS[1])
    city.deliver("received", "held", feed=FEEDS[2])
    city.deliver("missing", feed=FEEDS[3])
    found = [(line.delivery.state, line.is_clean) for line in city.report().lines]
    assert found == [("missing", False), ("received", False), ("late", False), ("received", True)]


def test_a_feed_without_a_record_is_listed_not_forgotten(city: City) -> None:
    city.deliver("received", "published", feed=FEEDS[0])
    silent = [(f.provider, f.contract.dataset) for f in city.report().silent]
    assert silent == [("alpha", "visits"), ("east", "cases"), ("west", "cases")]


def test_a_delivery_whose_contract_left_the_tree_still_shows(city: City) -> None:
    city.deliver("received", "published", feed="gone/gone.thing")
    (line,) = city.report().lines
    assert (line.title, line.level, line.threshold_percent) == ("thing", None, None)
    assert line.provider.name == "gone"
