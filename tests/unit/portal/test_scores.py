from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portal.words import DIMENSION

if TYPE_CHECKING:
    from portal.scores import Score, ScoreRow

    from .conftest import City


def rows(city: City) -> list[ScoreRow]:
    return list(city.report().scores)


def score_of(row: ScoreRow, dimension: str = "accuracy") -> Score:
    return next(s for s in row.scores if s.dimension == dimension)


def test_every_row_has_the_six_dimensions_of_the_standard(city: City) -> None:
    city.check(city.deliver("received", "published"))
    for row in rows(city):
        assert [s.dimension for s in row.scores] == list(DIMENSION)
    assert len(DIMENSION) == 6


def test_a_score_is_satisfied_over_judged_elements_of_all_its_checks(city: City) -> None:
    batch = city.deliver("received", "published")
    city.check(batch, "passed", checked=200)
    city.check(batch, "failed", checked=100, failed=10)
    score = score_of(rows(city)[-1])
    assert (score.satisfied, score.judged, score.percent) == (290, 300, 96.66)


@pytest.mark.parametrize(
    ("checks", "state", "tone"),
    [
        ([], "not_checked", "idle"),
        ([("not_executable", {})], "not_executable", "idle"),
        ([("error", {})], "error", "bad"),
        ([("passed", {"checked": 0})], "not_checked", "idle"),
        ([("passed", {"checked": None})], "not_checked", "idle"),
        ([("passed", {})], "scored", "good"),
        ([("passed", {}), ("not_executable", {})], "scored", "good"),
        ([("passed", {}), ("error", {})], "scored", "bad"),
        ([("passed", {"failed": 1})], "scored", "warn"),
        ([("failed", {"severity": "warning"})], "scored", "warn"),
        ([("failed", {"severity": "warning", "failed": 0})], "scored", "warn"),
        ([("failed", {"engine": "row"})], "scored", "warn"),
        ([("failed", {"engine": "spark"})], "scored", "bad"),
    ],
    ids=str,
)
def test_the_state_and_tone_of_a_dimension(
    city: City, checks: list[tuple[str, dict[str, Any]]], state: str, tone: str
) -> None:
    batch = city.deliver("received", "published")
    for status, changes in checks:
        city.check(batch, status, **changes)
    for row in rows(city):
        score = score_of(row)
        assert (score.state, score.tone) == (state, tone)
        assert (score.percent is None) == (state != "scored")
        assert score_of(row, "timeliness").state == "not_checked"


@pytest.mark.parametrize("status", ["held", "rejected"])
def test_bad_rows_are_grave_where_they_stopped_the_batch(city: City, status: str) -> None:
    city.check(city.deliver("received", status), "failed", engine="row")
    assert all(score_of(row).tone == "bad" for row in rows(city))


def test_a_score_is_never_rounded_up_to_all(city: City) -> None:
    batch = city.deliver("received", "published")
    city.check(batch, "failed", checked=1_000_000, failed=1)
    assert score_of(rows(city)[-1]).percent == 99.99


def test_more_failures_than_elements_never_make_a_score_negative(city: City) -> None:
    city.check(city.deliver("received", "published"), "failed", checked=10, failed=25)
    assert score_of(rows(city)[-1]).percent == 0.0


def test_a_provider_with_several_datasets_has_its_sum_and_the_city_all(city: City) -> None:
    feeds = ("alpha/alpha.stock", "alpha/alpha.visits", "east/shared.cases")
    for feed, failed in zip(feeds, (10, 20, 30), strict=True):
        city.check(city.deliver("received", "published", feed=feed), "failed", failed=failed)
    found = [
        (
            row.provider.id if row.provider else None,
            row.line.delivery.dataset if row.line else None,
            score_of(row).satisfied,
            score_of(row).judged,
        )
        for row in rows(city)
    ]
    assert found == [
        (None, None, 240, 300),
        ("alpha", None, 170, 200),
        ("alpha", "stock", 90, 100),
        ("alpha", "visits", 80, 100),
        ("east", "cases", 70, 100),
    ]


def test_what_no_engine_ran_is_counted_on_its_own(city: City) -> None:
    batch = city.deliver("received", "published")
    city.check(batch, "not_executable", dimension="completeness")
    city.check(batch, "error", dimension="consistency")
    for row in rows(city):
        assert (row.not_executable, row.errors) == (1, 1)


def test_only_the_newest_revision_is_scored(city: City) -> None:
    old = city.deliver("received", "superseded", batch_id="old")
    new = city.deliver("received", "published", batch_id="new", revision=2)
    city.check(old, "failed", failed=100)
    city.check(new, "passed")
    assert score_of(rows(city)[0]).percent == 100.0


def test_without_a_batch_there_is_nothing_to_score(city: City) -> None:
    city.deliver("missing")
    assert rows(city) == []
