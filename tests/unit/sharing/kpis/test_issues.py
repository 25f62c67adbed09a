"""Issues: which batches were stopped, when each was put right, and which faults came back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sharing.kpis.issues import Issue, issues_of, recurred
from tests.support.sharing.issues import DAY, MONDAY, batch, check

Said = tuple[str, str, int]


def after(issue: Issue) -> float | None:
    return None if issue.fixed_at is None else (issue.fixed_at - MONDAY) / timedelta(days=1)


@pytest.mark.parametrize(
    ("said", "fixed_after"),
    [
        ([("a", "landed", 0), ("a", "held", 0)], None),
        ([("a", "held", 0), ("b", "landed", 3), ("b", "published", 3)], 3),
        ([("a", "rejected", 0), ("b", "published", 3), ("c", "published", 5)], 3),
        # It was released by a person: its checks did not pass, until those of another did.
        ([("a", "landed", 0), ("a", "held", 0), ("a", "published", 1)], None),
        ([("a", "held", 0), ("a", "published", 1), ("b", "published", 4)], 4),
        # A retry is judged anew.
        ([("a", "held", 0), ("a", "landed", 2), ("a", "published", 2)], 2),
        ([("a", "held", 0), ("a", "landed", 2), ("a", "held", 2), ("a", "published", 3)], None),
        # A correction of the delivery closes what is held; that alone is no publication.
        ([("a", "held", 0), ("b", "superseded", 3), ("a", "superseded", 3)], None),
        ([("b", "published", -1), ("a", "held", 0)], None),
    ],
)
def test_an_issue_is_fixed_by_a_later_publication_that_passed(
    said: list[Said], fixed_after: float | None
) -> None:
    (found,) = issues_of([batch(*each) for each in said], [])
    assert (found.batch_id, after(found)) == ("a", fixed_after)


@pytest.mark.parametrize(
    "elsewhere",
    [{"provider": "civil"}, {"dataset": "other"}, {"business_date": DAY + timedelta(days=1)}],
)
def test_another_delivery_fixes_nothing(elsewhere: dict[str, Any]) -> None:
    (found,) = issues_of([batch("a", "held"), batch("b", "published", 1, **elsewhere)], [])
    assert found.fixed_at is None


@pytest.mark.parametrize("status", ["landed", "published", "refused", "failed", "withdrawn"])
def test_what_was_never_stopped_is_no_issue(status: str) -> None:
    assert issues_of([batch("a", status)], []) == []


@pytest.mark.parametrize(("days", "is_in_time"), [(14.5, True), (14.7, False)])
def test_the_tenth_working_day_counts_to_its_end(days: float, *, is_in_time: bool) -> None:
    # Monday the 27th ends at 16:00 UTC, which is 14 days and 14 hours after the Monday before.
    (found,) = issues_of([batch("a", "held"), batch("b", "published", days)], [])
    assert found.is_fixed_in_time is is_in_time


def test_a_year_without_a_calendar_has_no_due_time() -> None:
    (found,) = issues_of([batch("a", "held", 4000), batch("b", "published", 4001)], [])
    assert (found.due_at, found.is_fixed_in_time) == (None, False)
    assert found.fixed_at is not None


@pytest.mark.parametrize(
    ("again_after", "rule", "changes", "came_back"),
    [
        (10, "icd10", {}, True),
        (33, "icd10", {}, True),
        (33.1, "icd10", {}, False),
        (2, "icd10", {}, False),
        (10, "sex", {}, False),
        (10, "icd10", {"dataset": "other"}, False),
        (10, "icd10", {"business_date": DAY + timedelta(days=10)}, True),
    ],
)
def test_a_fault_comes_back_within_thirty_days_of_its_fix(
    again_after: float, rule: str, changes: dict[str, Any], *, came_back: bool
) -> None:
    rows = [
        batch("a", "held"),
        batch("b", "published", 3),
        batch("c", "rejected", again_after, **changes),
    ]
    rows.sort(key=lambda r: r.recorded_at)
    issues = issues_of(rows, [check("a"), check("a", "name"), check("c", rule)])
    first = next(i for i in issues if i.batch_id == "a")
    assert recurred(first, issues) is came_back


@pytest.mark.parametrize("changes", [{"severity": "warning"}, {"status": "passed"}])
def test_a_check_that_stops_nothing_is_no_rule_of_an_issue(changes: dict[str, Any]) -> None:
    (found,) = issues_of([batch("a", "held")], [check("a", **changes), check("a", "sex")])
    assert found.rules == {"sex"}
