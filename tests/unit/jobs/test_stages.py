"""What a stage hands on as JSON: one flat object, which callers of ``jobs.entry`` take apart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jobs.stages import from_json

BATCH: dict[str, Any] = {
    "contract_id": "town.visit",
    "contract_version": "1.0.0",
    "provider": "museum",
    "dataset": "visit",
    "business_date": "2026-07-15",
    "batch_id": "20260715-0123456789ab",
    "revision": 2,
    "origin": "real",
    "file_name": "参观.csv",
    "size_bytes": 93,
    "sha256": "ab" * 32,
    "sm3": "cd" * 32,
    "received_at": "2026-07-16T01:02:03.000004Z",
    "started_at": "2026-07-16T01:02:04Z",
    "rows_announced": None,
}
CHECK: dict[str, Any] = {
    "rule_id": "name.required",
    "column": "name",
    "dimension": "completeness",
    "severity": "error",
    "status": "failed",
    "checked": 9,
    "failed": 1,
    "threshold": 0.0,
    "message": "name is empty",
    "engine": "row",
}
COUNTS = {"rows_landed": 9, "rows_good": 8, "rows_bad": 1, "rows_duplicate": 0}
#: What each stage wrote before its type held a ``Batch``: the interface of ``jobs.entry``.
WRITTEN: dict[str, dict[str, Any]] = {
    "raw": {**BATCH, "kind": "raw", "is_sealed": True},
    "landed": {
        **BATCH,
        "kind": "landed",
        "rows_landed": 9,
        "bronze_version": 3,
        "findings": ["declared utf-8, found gb18030"],
        "notes": [],
    },
    "refined": {
        **BATCH,
        "kind": "refined",
        **COUNTS,
        "silver_version_seen": None,
        "findings": [],
        "notes": ["略过 1 个空行"],
    },
    "verdict": {
        **BATCH,
        "kind": "verdict",
        "decision": "hold",
        "reason": "坏行",
        **COUNTS,
        "silver_version_seen": 4,
        "results": [CHECK],
        "digest": "ef" * 32,
    },
    "published": {
        **BATCH,
        "kind": "published",
        "status": "superseded",
        "silver_version": 5,
        "rows_published": 8,
        "rows_quarantined": 1,
        "rows_duplicate": 0,
    },
    "ended": {
        "contract_id": "town.visit",
        "contract_version": "1.0.0",
        "provider": "museum",
        "dataset": "visit",
        "business_date": "2026-07-15",
        "kind": "ended",
        "state": "missing",
        "reason": "no file came",
        "batch_id": None,
    },
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_json_keeps_its_keys(kind: str) -> None:
    said = json.loads(from_json(json.dumps(WRITTEN[kind])).to_json())
    assert {name: said[name] for name in WRITTEN[kind]} == WRITTEN[kind]
    assert [name for name in said if name in WRITTEN[kind]] == list(WRITTEN[kind])


@pytest.mark.parametrize("kind", WRITTEN)
def test_json_reads_back(kind: str) -> None:
    stage = from_json(json.dumps(WRITTEN[kind]))
    assert from_json(stage.to_json()) == stage


@pytest.mark.parametrize("kind", WRITTEN)
def test_json_holds_nothing_unknown(kind: str) -> None:
    with pytest.raises(ValueError, match="rows_eaten"):
        from_json(json.dumps({**WRITTEN[kind], "rows_eaten": 1}))
    lacking = {name: value for name, value in WRITTEN[kind].items() if name != "business_date"}
    with pytest.raises(ValueError, match="business_date"):
        from_json(json.dumps(lacking))
