"""Counts and results become publish, hold or reject, with the reason in words."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.model import Contract, Thresholds
from contracts.words import Words
from jobs.audit.digest import digest_of
from jobs.audit.run import decide
from jobs.checks.landing import announced
from jobs.stages import Batch, CheckResult, RefinedBatch
from tests.conftest import TREE

NOW = datetime(2026, 7, 16, tzinfo=UTC)


def contract(limit: float = 5, on_fail: str = "hold") -> Contract:
    thresholds = Thresholds.model_validate({"bad_rows_percent": limit, "on_fail": on_fail})
    return TREE.contract("transport.link_speed").model_copy(update={"thresholds": thresholds})


def refined(
    good: int, bad: int, duplicate: int = 0, *, announced: int | None = None
) -> RefinedBatch:
    batch = Batch(
        contract_id="transport.link_speed",
        contract_version="1.0.0",
        provider="transport",
        dataset="link_speed",
        business_date=date(2026, 7, 15),
        batch_id="20260715-0123456789ab",
        revision=1,
        origin="simulated",
        file_name="speed.csv",
        size_bytes=1,
        sha256="0" * 64,
        sm3="0" * 64,
        received_at=NOW,
        started_at=NOW,
        rows_announced=announced,
    )
    return RefinedBatch(
        batch=batch,
        rows_landed=good + bad + duplicate,
        rows_good=good,
        rows_bad=bad,
        rows_duplicate=duplicate,
        silver_version_seen=None,
    )


def check(**more: Any) -> CheckResult:
    said: dict[str, Any] = {
        "rule_id": "c.required",
        "column": "c",
        "dimension": "completeness",
        "severity": "error",
        "status": "passed",
        "checked": 10,
        "failed": 0,
        "threshold": 0.0,
        "message": "m",
        "engine": "row",
    }
    return CheckResult.model_validate(said | more)


def test_all_passed() -> None:
    assert decide(contract(), refined(10, 0), [check()]) == (
        "publish",
        Words("全部通过", "all checks passed"),
    )


@pytest.mark.parametrize(
    ("bad", "results", "reason"),
    [
        (
            5,
            [
                {"rule_id": "a.type", "status": "failed", "failed": 3},
                {"rule_id": "b.range", "status": "passed", "failed": 2},
                {"rule_id": "c.required"},
            ],
            Words(
                "容许之内：2 条规则隔离了 5 行", "within tolerance: 5 rows quarantined by 2 rules"
            ),
        ),
        (
            1,
            [
                {"rule_id": "a.type", "status": "failed", "failed": 1},
                {"rule_id": "w", "engine": "spark", "severity": "warning", "status": "failed"},
            ],
            Words(
                "容许之内：1 条规则隔离了 1 行；1 项提示性检查不合格",
                "within tolerance: 1 row quarantined by 1 rule; 1 warning",
            ),
        ),
        (
            0,
            [{"rule_id": "g", "engine": "spark", "severity": "info", "status": "error"}],
            Words("容许之内：1 项检查出错", "within tolerance: 1 check broke"),
        ),
        (
            0,
            [{}, {"rule_id": "q", "engine": "none", "status": "not_executable"}],
            Words(
                "执行了的全部通过：1 项不可执行",
                "every check that ran passed: 1 check not executable",
            ),
        ),
    ],
    ids=["quarantined", "with a warning", "a check that broke", "for people to check"],
)
def test_what_is_published_with_failures_never_says_that_all_passed(
    bad: int, results: list[dict[str, Any]], reason: Words
) -> None:
    decided = decide(contract(50), refined(10, bad), [check(**r) for r in results])
    assert decided == ("publish", reason)


@pytest.mark.parametrize(("bad", "decision"), [(5, "publish"), (6, "hold")])
def test_share_of_bad_rows_may_reach_its_limit(bad: int, decision: str) -> None:
    assert decide(contract(5), refined(100 - bad, bad), [])[0] == decision


def test_duplicates_do_not_thin_the_bad_rows_out() -> None:
    assert decide(contract(5), refined(94, 6, duplicate=900), [])[0] == "hold"
    assert decide(contract(50), refined(1, 1, duplicate=1), [])[0] == "publish"


def test_reason_names_the_share_and_the_worst_rule() -> None:
    results = [
        check(rule_id="a.type", failed=2, status="failed"),
        check(rule_id="b.uscc", failed=7, status="failed"),
        check(rule_id="w.reference", failed=99, severity="warning"),
        check(rule_id="sql", failed=50, engine="spark"),
    ]
    decision, reason = decide(contract(5), refined(91, 9), results)
    assert decision == "hold"
    assert reason == Words(
        "坏行 9.00% 超过 5%（9/100 行），最多：b.uscc（7）",
        "9 of 100 rows are bad (9.00%), over 5%; mostly: b.uscc (7)",
    )
    assert decide(contract(5), refined(91, 9), [])[1] == Words(
        "坏行 9.00% 超过 5%（9/100 行）", "9 of 100 rows are bad (9.00%), over 5%"
    )


def test_contract_says_what_a_failure_does() -> None:
    assert decide(contract(5, "reject"), refined(1, 1), [])[0] == "reject"
    failed = check(engine="spark", status="failed")
    assert decide(contract(5, "reject"), refined(10, 0), [failed])[0] == "reject"
    assert decide(contract(100, "reject"), refined(0, 2), [])[0] == "reject"


def test_no_good_row_is_not_published() -> None:
    assert decide(contract(100), refined(0, 3), []) == (
        "hold",
        Words("没有一行合格", "no row is good"),
    )
    assert decide(contract(100), refined(0, 0, duplicate=3), [])[0] == "hold"
    assert decide(contract(100), refined(0, 0), [])[0] == "hold"
    assert decide(contract(5), refined(0, 0), [])[1].zh.startswith("坏行 100.00% 超过 5%")


@pytest.mark.parametrize("status", ["failed", "error"])
@pytest.mark.parametrize("engine", ["spark", "great_expectations", "land"])
def test_failed_check_stops_the_batch(status: str, engine: str) -> None:
    stopping = check(rule_id="q", status=status, engine=engine, message="too few")
    decision, reason = decide(contract(), refined(10, 0), [check(), stopping])
    assert decision == "hold"
    assert reason == Words("检查未通过：q：too few", "checks failed: q: too few")


@pytest.mark.parametrize(
    "harmless",
    [
        {"engine": "spark", "status": "failed", "severity": "warning"},
        {"engine": "spark", "status": "failed", "severity": "info"},
        {"engine": "spark", "status": "passed"},
        {"engine": "row", "status": "failed"},
        {"engine": "none", "status": "not_executable"},
        {"engine": "none", "status": "error"},
    ],
    ids=["warning", "info", "passed", "row", "people", "nobody"],
)
def test_what_stops_no_batch(harmless: dict[str, str]) -> None:
    assert decide(contract(), refined(10, 0), [check(**harmless)])[0] == "publish"


def test_reason_names_every_failure_and_stays_short() -> None:
    results = [
        check(rule_id=f"q{i}", status="failed", engine="spark", message="x" * 90) for i in range(9)
    ]
    _, reason = decide(contract(), refined(10, 0), results)
    assert "q0: xxx" in reason.en
    assert "; q1: xxx" in reason.en
    assert "q0：xxx" in reason.zh
    assert (len(reason.zh), len(reason.en)) == (500, 500)


def test_digest_is_of_results_and_decision() -> None:
    one, other = check(rule_id="a"), check(rule_id="b")
    digest = digest_of([one, other], "publish")
    assert digest == digest_of([other, one], "publish"), "in any order"
    assert len(digest) == 64
    assert digest != digest_of([one, other], "hold")
    assert digest != digest_of([one], "publish")
    for name, value in (
        ("status", "failed"),
        ("failed", 1),
        ("checked", 11),
        ("message", "n"),
        ("severity", "warning"),
        ("threshold", 1.0),
        ("engine", "spark"),
        ("column", "d"),
        ("dimension", "accuracy"),
    ):
        assert digest_of([check(rule_id="a", **{name: value}), other], "publish") != digest, name


def test_digest_is_of_the_canonical_json() -> None:
    """RFC 8785 by hand: keys in order, no spaces, numbers as ECMAScript writes them."""
    text = (
        '{"decision":"hold","results":[{"checked":10,"column":"c","dimension":"completeness",'
        '"engine":"row","failed":0,"message":"m","rule_id":"c.required","severity":"error",'
        '"status":"passed","threshold":0}]}'
    )
    assert digest_of([check()], "hold") == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("on_fail", ["hold", "reject"])
def test_other_rows_than_announced_stop_the_batch_with_both_numbers(on_fail: str) -> None:
    batch = refined(3, 0, announced=6)
    [found] = announced(batch)
    assert (found.rule_id, found.status, found.checked, found.failed) == (
        "manifest.rows",
        "failed",
        6,
        3,
    )
    decision, reason = decide(contract(on_fail=on_fail), batch, [found])
    assert decision == on_fail
    assert "6 rows announced, 3 in the file" in reason.en


def test_rows_as_announced_pass_and_rows_unannounced_have_no_result() -> None:
    [found] = announced(refined(3, 2, 1, announced=6))
    assert (found.status, found.failed) == ("passed", 0)
    assert announced(refined(3, 0)) == []
