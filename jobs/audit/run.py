"""audit: decides about the staged batch: publish, hold or reject, with a result for every element.

Row rule (quarantine), rule threshold (share of bad rows) and batch verdict are three things
(design §3); "no check ran" is a state of its own, never green.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from contracts.rules import level_id, row_rules
from contracts.words import Words
from jobs.audit.digest import digest_of
from jobs.checks import declared, expectations
from jobs.checks.grounds import failed_checks
from jobs.checks.landing import announced, landing_results
from jobs.rules.count import count_stage
from jobs.rules.plan import make_plan
from jobs.seal import on_spark
from jobs.seal.plan import typed_seals
from jobs.spark.session import session
from jobs.spark.sql import identifier, quoted
from jobs.spark.types import spark_type
from jobs.stages import CheckResult, Verdict
from jobs.tables.silver import BAD, stage_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from contracts.model import Contract
    from jobs.rules.count import StageCount
    from jobs.rules.plan import RefinePlan
    from jobs.stages import RefinedBatch


def audit(home: Home, delivery: Delivery, refined: RefinedBatch) -> Verdict:
    """Run every check of the contract on the exact staged rows and return the verdict."""
    contract = delivery.contract
    spark = session()
    stage = stage_path(home, refined.table, refined.batch_id)
    accepted = _accepted(spark, contract, stage, refined)
    accepted = on_spark.opened(home, contract, refined.table, accepted)
    view = f"{contract.dataset}__{refined.batch_id.replace('-', '_')}"
    accepted.createOrReplaceTempView(view)
    plan = make_plan(delivery)
    count = count_stage(stage, refined.batch_id, plan)
    audited = declared.Audited(contract, accepted, view, refined.rows_good, refined.business_date)
    try:
        results = (
            *landing_results(refined.findings, refined.notes),
            *announced(refined),
            *_row_results(count, plan, contract, refined),
            *declared.run(spark, audited),
            *expectations.run(audited, refined.batch_id, home.quality),
            *_texts(contract),
            *_levels(contract),
        )
    finally:
        spark.catalog.dropTempView(view)
    decision, reason = decide(contract, refined, results)
    return Verdict(
        batch=refined.batch,
        decision=decision,
        reason=reason.stored(),
        rows_landed=refined.rows_landed,
        rows_good=refined.rows_good,
        rows_bad=refined.rows_bad,
        rows_duplicate=refined.rows_duplicate,
        silver_version_seen=refined.silver_version_seen,
        results=tuple(sorted(results, key=lambda r: r.rule_id)),
        digest=digest_of(results, decision),
        bronze_version=refined.bronze_version,
    )


def _accepted(
    spark: SparkSession, contract: Contract, stage: Path, refined: RefinedBatch
) -> DataFrame:
    """Return the batch's accepted rows as they are staged, whose columns the contract names."""
    sealed = typed_seals(contract, refined.table)
    typed = ", ".join(
        f"{identifier(c.name)} {'STRING' if c.name in sealed else spark_type(c)}"
        for c in contract.columns
    )
    staged = spark.read.schema(f"{typed}, _batch_id STRING, _ok STRING").parquet(str(stage))
    own = staged.where(f"_batch_id = {quoted(refined.batch_id)} AND _ok <> '{BAD}'")
    return own.select(*[c.name for c in contract.columns])


def decide(
    contract: Contract, refined: RefinedBatch, results: Sequence[CheckResult]
) -> tuple[Literal["publish", "hold", "reject"], Words]:
    """Turn counts and results into a decision and its reason in words. Pure."""
    on_fail = contract.thresholds.on_fail
    judged = refined.rows_landed - refined.rows_duplicate
    bad_percent = 100.0 * refined.rows_bad / judged if judged else 100.0
    limit = contract.thresholds.bad_rows_percent
    if bad_percent > limit:
        row_rules_hit = (r for r in results if r.engine == "row" and r.severity == "error")
        worst = max(row_rules_hit, key=lambda r: r.failed or 0, default=None)
        most_zh = f"，最多：{worst.rule_id}（{worst.failed}）" if worst else ""
        most_en = f"; mostly: {worst.rule_id} ({worst.failed})" if worst else ""
        return on_fail, Words(
            f"坏行 {bad_percent:.2f}% 超过 {limit:g}%（{refined.rows_bad}/{judged} 行）{most_zh}",
            f"{refined.rows_bad} of {judged} rows are bad ({bad_percent:.2f}%), over"
            f" {limit:g}%{most_en}",
        )
    if not refined.rows_good:
        return on_fail, Words("没有一行合格", "no row is good")
    stopped = [
        r
        for r in results
        if r.severity == "error"
        and r.engine not in ("row", "none")
        and r.status in ("failed", "error")
    ]
    if stopped:
        return on_fail, failed_checks(stopped)
    return "publish", _why_published(refined, results)


def _why_published(refined: RefinedBatch, results: Sequence[CheckResult]) -> Words:
    """Say in words what a batch is published with.

    "All passed" is written where every element's check ran and passed, and nowhere else.
    """
    rules = sum(r.engine == "row" and r.severity == "error" and bool(r.failed) for r in results)
    states = Counter(r.status for r in results if r.engine != "row" or r.severity != "error")
    zh, en = [], []
    if refined.rows_bad:
        zh.append(f"{rules} 条规则隔离了 {refined.rows_bad} 行")
        en.append(f"{_counted(refined.rows_bad, 'row')} quarantined by {_counted(rules, 'rule')}")
    if warned := states["failed"]:
        zh.append(f"{warned} 项提示性检查不合格")
        en.append(f"{_counted(warned, 'warning')}")
    if broken := states["error"]:
        zh.append(f"{broken} 项检查出错")
        en.append(f"{_counted(broken, 'check')} broke")
    is_flawless = not zh
    if skipped := states["not_executable"]:
        zh.append(f"{skipped} 项不可执行")
        en.append(f"{_counted(skipped, 'check')} not executable")
    if not zh:
        return Words("全部通过", "all checks passed")
    head_zh, head_en = (
        ("执行了的全部通过", "every check that ran passed")
        if is_flawless
        else ("容许之内", "within tolerance")
    )
    return Words(f"{head_zh}：{'；'.join(zh)}", f"{head_en}: {'; '.join(en)}")


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _row_results(
    count: StageCount, plan: RefinePlan, contract: Contract, refined: RefinedBatch
) -> list[CheckResult]:
    """Return every row rule's result from the masks' counts."""
    judged = refined.rows_landed - refined.rows_duplicate
    results = []
    for rule in row_rules(contract):
        failed = count.failed[plan.bit(rule)]
        limit = rule.threshold_percent or 0.0
        percent = 100.0 * failed / judged if judged else 0.0
        results.append(
            CheckResult(
                rule_id=rule.id,
                column=rule.column,
                dimension=rule.dimension,
                severity=rule.severity,
                status="failed" if percent > limit else "passed",
                checked=judged,
                failed=failed,
                threshold=limit,
                message=rule.message.stored(),
                engine="row",
            )
        )
    return results


def _levels(contract: Contract) -> list[CheckResult]:
    """Say of each service level that nothing here measures that it was not checked."""
    return [
        CheckResult(
            rule_id=level_id(name),
            column=None,
            dimension="timeliness",
            severity="info",
            status="not_executable",
            checked=None,
            failed=None,
            threshold=None,
            message=Words(
                f"人工核查：此处没有对 {name} 的度量",
                f"for people to check: nothing here measures {name}",
            ).stored(),
            engine="none",
        )
        for name in contract.unchecked
    ]


def _texts(contract: Contract) -> list[CheckResult]:
    return [
        declared.result(
            q,
            "not_executable",
            Words(
                f"人工核查：{q.description or q.id}",
                f"for people to check: {q.description or q.id}",
            ),
            engine="none",
        )
        for q in contract.quality
        if q.type == "text"
    ]
