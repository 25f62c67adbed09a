"""Rows of batches and checks that issues are made of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from jobs.record.governance import BatchRow, CheckRow

#: A Monday; its 10th working day ends on Monday the 27th, Beijing time.
MONDAY = datetime(2026, 7, 13, 2, 0, tzinfo=UTC)
DAY = date(2026, 7, 12)


def batch(batch_id: str, status: str, days: float = 0, **changes: Any) -> BatchRow:
    at = MONDAY + timedelta(days=days)
    row: dict[str, Any] = {
        "recorded_at": at, "provider": "health", "dataset": "disease_case", "batch_id": batch_id,
        "business_date": DAY, "contract_id": "health.disease_case", "contract_version": "1.0.0",
        "revision": 1, "origin": "real", "status": status, "reason": "", "file_name": "f.csv",
        "rows_landed": 10, "rows_published": 0, "rows_quarantined": 0, "rows_duplicate": 0,
        "silver_version": None, "started_at": at, "finished_at": at,
    }  # fmt: skip
    return BatchRow.model_validate(row | changes)


def check(batch_id: str, rule_id: str = "icd10", **changes: Any) -> CheckRow:
    row: dict[str, Any] = {
        "recorded_at": MONDAY, "batch_id": batch_id, "provider": "health",
        "dataset": "disease_case", "business_date": DAY, "rule_id": rule_id, "column": "icd10",
        "dimension": "conformity", "severity": "error", "status": "failed", "checked": 10,
        "failed": 3, "threshold": 0.0, "message": "", "engine": "row",
    }  # fmt: skip
    return CheckRow.model_validate(row | changes)
