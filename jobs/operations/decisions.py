"""What people decide about a batch: release, reject, withdraw, retry. Each leaves evidence.

Deciding the same again changes nothing; a decision that a crash cut short is finished by it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError, UsageError
from contracts.moment import utc_now
from contracts.words import Words
from jobs import steps
from jobs.audit.digest import digest_of
from jobs.files.decode import DecodeError
from jobs.files.raw import kept_batch
from jobs.land.run import land, land_again
from jobs.names import Step
from jobs.operations import withdrawal
from jobs.operations.rebuild import rebuild
from jobs.pull.drop import ManifestError, PullStopped, check_manifest, find
from jobs.record import batches, governance, intents, meter
from jobs.record import decisions as recorded
from jobs.record.conservation import was_shown
from jobs.stages import CheckResult, PublishedVersion, Verdict
from jobs.tables import bronze, silver

if TYPE_CHECKING:
    from contracts.delivery import BatchStatus, Delivery
    from contracts.layout import Home
    from contracts.tree import Tree
    from jobs.record.decisions import Withdrawn
    from jobs.record.governance import BatchRow
    from jobs.stages import RawBatch
    from lineage.evidence.leaf import Leaf

#: Statuses from which a retry may bring a batch further.
_RETRIABLE: Final = ("landed", "held", "rejected", "failed")
HELD: Final = Words("暂扣（held）", "held")
PUBLISHED: Final = Words("已发布（published）", "published")


class DecisionError(JingshuError, RuntimeError):
    """A decision that the batch's state does not allow."""


@dataclass(frozen=True)
class Outcome:
    """What a decision came to: the batch's status now, and what else it touched.

    ``note`` says it in words, as ``Words.stored`` writes them.
    """

    batch_id: str
    status: BatchStatus
    is_new: bool
    note: str
    silver_version: int | None = None
    returned: tuple[str, ...] = ()
    """Batches that are visible again."""
    rebuilt: tuple[str, ...] = ()
    """Products that were made anew, as ``product date: status``."""


def known_batch(home: Home, batch_id: str) -> BatchRow:
    """Return a batch's newest row by its id or the only id that begins so; else UsageError."""
    found = [r for r in governance.latest_batches(home) if r.batch_id.startswith(batch_id)]
    exact = [r for r in found if r.batch_id == batch_id]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if found:
        names = [r.batch_id for r in found[:8]]
        raise UsageError(
            Words(
                f"有 {len(found)} 个批次以 {batch_id!r} 开头。",
                f"{len(found)} batches begin with {batch_id!r}.",
            ),
            Words(f"请指明其一：{'、'.join(names)}。", f"Name one of: {', '.join(names)}."),
        )
    raise UsageError(
        Words(f"没有批次 {batch_id!r}。", f"There is no batch {batch_id!r}."),
        Words("请看 ./jingshu batch list。", "See ./jingshu batch list."),
    )


def release(home: Home, tree: Tree, batch_id: str, actor: str, reason: str) -> Outcome:
    """Publish a held batch although its thresholds failed; actor and reason go into evidence.

    A ``merge_key`` batch is staged and audited anew first. Raises DecisionError for a batch that
    is not held, or that another contract version judged.
    """
    row = known_batch(home, batch_id)
    reason = _reason(reason)
    if row.status in ("published", "superseded") and not _is_open(home, Step.PUBLISH, row):
        return _unchanged(row)
    if row.status not in ("held", "published", "superseded"):
        raise _not_allowed(row, Words("放行", "released"), HELD)
    delivery = _delivery(tree, row)
    if delivery.contract.version != row.contract_version:
        judged, now = f"{row.contract_id} {row.contract_version}", delivery.contract.version
        raise DecisionError(
            Words(
                f"批次 {row.batch_id} 是按 {judged} 判定的，而现行版本是 {now}。",
                f"Batch {row.batch_id} was judged by {judged}, and {now} is in force.",
            ),
            Words(
                f"请重新判定：./jingshu batch retry {row.batch_id}。",
                f"Judge it anew: ./jingshu batch retry {row.batch_id}.",
            ),
        )
    verdict = _verdict(home, tree, delivery, row)
    if verdict.decision == "hold":
        verdict = _released(home, verdict, actor, reason)
    return published(home, tree, verdict)


def reject(home: Home, batch_id: str, actor: str, reason: str) -> Outcome:
    """Turn a held batch down for good; its stage goes, its raw bytes stay.

    Raises DecisionError for a batch that is not held.
    """
    row = known_batch(home, batch_id)
    reason = _reason(reason)
    stage = silver.stage_path(home, row.table, row.batch_id)
    name = Step.REJECT.of(row.batch_id)
    if row.status == "rejected":
        shutil.rmtree(stage, ignore_errors=True)
        intents.finish(home, name)
        return _unchanged(row)
    if row.status != "held":
        raise _not_allowed(row, Words("退回", "rejected"), HELD)
    with intents.under_way(home, name, row.table):
        full_reason = recorded.rejected(home, row, actor, reason)
        shutil.rmtree(stage, ignore_errors=True)
    return Outcome(row.batch_id, "rejected", is_new=True, note=full_reason)


def withdraw(home: Home, tree: Tree, batch_id: str, actor: str, reason: str) -> Outcome:
    """Take a published batch back in one commit; what it replaced returns, products are rebuilt.

    Raises WithdrawError where rows that must return are gone, DecisionError for a batch that was
    never visible.
    """
    row = known_batch(home, batch_id)
    reason = _reason(reason)
    if row.status == "withdrawn" and not _is_open(home, Step.WITHDRAW, row):
        return _unchanged(row)
    if not was_shown(row) or row.silver_version is None:
        raise _not_allowed(row, Words("撤回", "withdrawn"), PUBLISHED)
    delivery = _delivery(tree, row)
    why = f"batch {row.batch_id} of {row.table} withdrawn"
    with intents.under_way(home, Step.WITHDRAW.of(row.batch_id), row.table):
        made = withdrawal.commit(home, delivery, row, actor, reason)
        recorded.withdrawn(home, delivery, row, made)
        rebuilt = rebuild(home, tree, row.table, row.silver_version, why)
    return Outcome(
        row.batch_id,
        "withdrawn",
        is_new=True,
        note=_withdrawn_note(made).stored(),
        silver_version=made.version,
        returned=made.returned,
        rebuilt=rebuilt,
    )


def _withdrawn_note(made: Withdrawn) -> Words:
    if made.lost is not None:
        return Words(
            f"已撤回；批次 {made.lost} 本应恢复，但其暂存文件已不在",
            f"withdrawn; batch {made.lost} should have come back, but its staged files are gone",
        )
    if made.returned:
        back = ", ".join(made.returned)
        return Words(f"已撤回，批次 {back} 重新可见", f"withdrawn; visible again: {back}")
    return Words("已撤回，无前版可恢复", "withdrawn; nothing earlier came back")


def retry(home: Home, tree: Tree, batch_id: str) -> Outcome:
    """Land, audit and publish a batch again from its kept bytes, under the contract now in force.

    A batch that is published, superseded or withdrawn is left as it is.
    """
    row = known_batch(home, batch_id)
    if row.status not in _RETRIABLE:
        return _unchanged(row)
    raw = kept_batch(home, row.table, row.batch_id)
    return judged_anew(home, tree, _delivery(tree, row), raw, has_landed=row.rows_landed > 0)


def judged_anew(
    home: Home, tree: Tree, delivery: Delivery, kept: RawBatch, *, has_landed: bool
) -> Outcome:
    """Land, audit and publish kept bytes under the contract in force, as a new attempt.

    ``has_landed`` says that these bytes passed the check against their manifest before.
    """
    raw = kept.taken_up(delivery.contract.version, utc_now())
    name = Step.RETRY.of(raw.batch_id)
    try:
        if not has_landed:
            _check_announced(home, delivery, raw)
        intents.begin(home, name, raw.table)
        meter.begin("land", raw.table, business_date=raw.business_date, is_on_spark=False)
        landed = land_again(home, delivery, raw)
    except (ManifestError, DecodeError) as bad:
        why = bad.words.stored()
        batches.stopped(home, raw.batch, why)
        intents.finish(home, name)
        return Outcome(raw.batch_id, "rejected", is_new=True, note=why)
    batches.landed_again(home, delivery, landed)
    intents.finish(home, name)
    return published(home, tree, steps.audited(home, tree, landed, again=True))


def _check_announced(home: Home, delivery: Delivery, raw: RawBatch) -> None:
    """Hold the kept bytes against their manifest again."""
    try:
        found = find(delivery, home.drop)
    except PullStopped:
        found = None
    if found is not None and found.name == raw.batch.file_name:
        check_manifest(delivery, raw.batch, found)
    elif delivery.contract.server(raw.batch.provider).export.manifest == "required":
        raise DecisionError(
            Words(
                f"批次 {raw.batch_id} 的清单已不在投递目录中，无从得知其内容是否完整。",
                f"The manifest of batch {raw.batch_id} is no longer in the drop folder, so nobody"
                " can tell whether its bytes are whole.",
            ),
            Words("请要求重新交付。", "Ask for the delivery again."),
        )


def published(home: Home, tree: Tree, verdict: Verdict) -> Outcome:
    """Publish what a verdict passed; return the batch's status then, with its grounds."""
    result = steps.publish_verdict(home, tree, verdict)
    row = known_batch(home, verdict.batch_id)
    version = result.silver_version if isinstance(result, PublishedVersion) else None
    note = row.reason if version is None else verdict.reason
    return Outcome(row.batch_id, row.status, is_new=True, note=note, silver_version=version)


def _verdict(home: Home, tree: Tree, delivery: Delivery, row: BatchRow) -> Verdict:
    """Return the held batch's verdict, as governance and evidence state it.

    Audited anew where the stage is gone, or where a merge has to be laid over the table of today.
    """
    stage = silver.stage_path(home, row.table, row.batch_id)
    is_staged = (stage / "_SUCCESS").exists()
    kept = kept_batch(home, row.table, row.batch_id).taken_up(row.contract_version, utc_now())
    if delivery.contract.load.mode == "merge_key" or not is_staged:
        landed = land(home, delivery, kept)
        return steps.audited(home, tree, landed, again=True, as_before=True)
    results = tuple(
        CheckResult(**{n: getattr(r, n) for n in CheckResult.model_fields})
        for r in governance.check_results(home, [row.batch_id])
    )
    digest = digest_of(results, "hold")
    leaf = recorded.verdict_leaf(home, row, digest)
    if leaf is None:
        raise DecisionError(
            Words(
                f"批次 {row.batch_id} 的检查结果不是其结论所依据的结果。",
                f"The check results of batch {row.batch_id} are not those its verdict was given"
                " on.",
            ),
            Words(
                "请运行 ./jingshu verify，再用 ./jingshu batch retry 重新判定该批次。",
                "Run ./jingshu verify; then judge the batch anew with ./jingshu batch retry.",
            ),
        )
    return Verdict(
        batch=kept.batch,
        decision="hold",
        reason=row.reason,
        rows_landed=row.rows_landed,
        rows_good=_count(leaf, "rows_good"),
        rows_bad=_count(leaf, "rows_bad"),
        rows_duplicate=_count(leaf, "rows_duplicate"),
        silver_version_seen=None,
        results=results,
        digest=digest,
        bronze_version=bronze.version_of(home, row.table, row.batch_id),
    )


def _count(leaf: Leaf, name: str) -> int:
    return int(leaf.facts[name] or 0)


def _released(home: Home, verdict: Verdict, actor: str, reason: str) -> Verdict:
    """Return the verdict that a person's release makes of a held one, with its leaf in the log.

    The results stay what they were; only the decision, its digest and its reason are new.
    """
    held = Words.read(verdict.reason)
    full_reason = Words(
        f"{actor} 放行：{reason}（{held.zh}）", f"{actor} released it: {reason} ({held.en})"
    ).stored()
    released = verdict.model_copy(
        update={
            "decision": "publish",
            "digest": digest_of(verdict.results, "publish"),
            "reason": full_reason,
        }
    )
    recorded.released(home, released, verdict.digest, actor, reason)
    return released


def _delivery(tree: Tree, row: BatchRow) -> Delivery:
    return steps.delivery_of(tree, row.contract_id, row.provider, row.business_date.isoformat())


def _is_open(home: Home, step: Step, row: BatchRow) -> bool:
    return any(i.name == step.of(row.batch_id) for i in intents.open_intents(home))


def _unchanged(row: BatchRow) -> Outcome:
    note = row.reason or steps.already(row.status).stored()
    return Outcome(row.batch_id, row.status, is_new=False, note=note)


def _not_allowed(row: BatchRow, done: Words, wanted: Words) -> DecisionError:
    return DecisionError(
        Words(
            f"批次 {row.batch_id} 的状态是 {row.status}：只有{wanted.zh}的批次才能{done.zh}。",
            f"Batch {row.batch_id} is {row.status}: only a {wanted.en} one can be {done.en}.",
        ),
        Words(
            f"请看 ./jingshu batch show {row.batch_id}。",
            f"See ./jingshu batch show {row.batch_id}.",
        ),
    )


def _reason(reason: str) -> str:
    reason = " ".join(reason.split())
    if not reason:
        raise UsageError(
            Words("决定须有理由。", "A decision needs a reason."),
            Words("请用一句话说明：--reason …", "Say why in a sentence: --reason …"),
        )
    return reason
