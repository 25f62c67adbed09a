"""A batch audited again by a newer Jingshu: in other words the same is said once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from contracts.words import Words
from jobs.audit.digest import digest_of
from jobs.audit.reworded import as_stated
from jobs.record import governance
from jobs.record.governance import CheckRow
from jobs.stages import Batch, CheckResult, Verdict

if TYPE_CHECKING:
    from contracts.layout import Home

NOW = datetime(2026, 7, 16, tzinfo=UTC)
DAY = date(2026, 7, 15)
BEFORE = "等级：超出范围 outside [0, 5]"
RANGE = Words("等级：超出范围 [0, 5]", "等级: outside [0, 5]")


def result(message: str, **more: Any) -> CheckResult:
    said: dict[str, Any] = {
        "rule_id": "grade.range",
        "column": "grade",
        "dimension": "accuracy",
        "severity": "error",
        "status": "failed",
        "checked": 10,
        "failed": 2,
        "threshold": 0.0,
        "message": message,
        "engine": "row",
    }
    return CheckResult.model_validate(said | more)


def verdict(*results: CheckResult) -> Verdict:
    batch = Batch(
        contract_id="town.visit",
        contract_version="1.0.0",
        provider="museum",
        dataset="visit",
        business_date=DAY,
        batch_id="20260715-0123456789ab",
        revision=1,
        origin="simulated",
        file_name="visit.csv",
        size_bytes=1,
        sha256="0" * 64,
        sm3="0" * 64,
        received_at=NOW,
        started_at=NOW,
    )
    return Verdict(
        batch=batch,
        decision="hold",
        reason="",
        rows_landed=10,
        rows_good=8,
        rows_bad=2,
        rows_duplicate=0,
        silver_version_seen=None,
        results=results,
        digest=digest_of(results, "hold"),
    )


def stated(home: Home, *results: CheckResult) -> str:
    """State an audit's results as an older version did; return the verdict's digest."""
    made = verdict(*results)
    rows = [
        CheckRow(
            recorded_at=NOW,
            batch_id=made.batch_id,
            provider="museum",
            dataset="visit",
            business_date=DAY,
            **r.model_dump(),
        )
        for r in results
    ]
    governance.append(home, "before", rows)
    return made.digest


def test_the_same_results_in_newer_words_stay_as_they_were_told(home: Home) -> None:
    count = result("visits: 4, mustBe 0", rule_id="q", engine="spark")
    before = stated(home, result(BEFORE), count)
    again = as_stated(home, verdict(result(RANGE.stored()), count))
    assert again.digest == before
    assert [r.message for r in again.results] == [BEFORE, count.message]


@pytest.mark.parametrize(
    "now",
    [
        result(RANGE.stored(), failed=3),
        result(Words("等级：超出范围 [0, 6]", "等级: outside [0, 6]").stored()),
        result(RANGE.stored(), rule_id="grade.type"),
        result("等级：超出范围 another wording [0, 5]"),
    ],
    ids=["other counts", "another bound", "another rule", "another text of one string"],
)
def test_other_results_are_told_anew(home: Home, now: CheckResult) -> None:
    before = stated(home, result(BEFORE))
    made = verdict(now)
    assert as_stated(home, made) == made
    assert made.digest != before


def test_a_first_audit_is_as_it_is(home: Home) -> None:
    made = verdict(result(RANGE.stored()))
    assert as_stated(home, made) == made
