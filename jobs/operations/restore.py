"""restore: brings a batch in from its kept bytes, if anything of it is lacking.

What is already right is left alone. Where a lake table was lost, the same steps run again under the
same names: what governance and evidence state already is not stated twice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from contracts.errors import JingshuError
from contracts.words import Words
from jobs import steps
from jobs.audit.digest import digest_of
from jobs.land.run import land
from jobs.names import Step
from jobs.operations import decisions
from jobs.operations.decisions import Outcome
from jobs.publish import quarantine
from jobs.record import batches, deliveries, governance, intents, meter
from jobs.record import decisions as recorded
from jobs.tables import staged
from jobs.tables.delta import has_transaction, open_table
from jobs.tables.quarantine import mark

if TYPE_CHECKING:
    from contracts.delivery import Delivery
    from contracts.layout import Home, Layer
    from contracts.tree import Tree
    from jobs.record.governance import BatchRow
    from jobs.stages import LandedBatch, RawBatch, Verdict

#: Statuses of a batch that was visible once: its rows are in the lake for good.
_SHOWN: Final = ("published", "superseded", "withdrawn")


class FilesLostError(JingshuError, FileNotFoundError):
    """A table whose log names files that are gone: it cannot show them again as it is."""


class QuarantineLostError(JingshuError, LookupError):
    """Bad rows that are gone from quarantine, and whose contract is no longer in force."""


def bring_in(home: Home, tree: Tree, delivery: Delivery, raw: RawBatch) -> Outcome:
    """Run a kept batch again under the contract in force, as far as something of it is lacking.

    A batch that was held, or rejected after it landed, is judged anew only by another contract
    version: the same one would say the same. Raises FilesLostError where files went and the log of
    their table stayed.
    """
    row = governance.batch(home, raw.batch_id)
    if row is None:  # its bytes were kept and no more, or the governance tables were lost
        deliveries.logged(home, deliveries.received(home, delivery, raw.batch))
        has_landed = batches.has_landed(home, raw)
        return decisions.judged_anew(home, tree, delivery, raw, has_landed=has_landed)
    if row.status in _SHOWN:
        return _shown_again(home, tree, delivery, raw, row)
    if _is_worth_judging(row, delivery):
        has_landed = row.rows_landed > 0
        return decisions.judged_anew(home, tree, delivery, raw, has_landed=has_landed)
    return Outcome(row.batch_id, row.status, is_new=False, note=row.reason)


def _is_worth_judging(row: BatchRow, delivery: Delivery) -> bool:
    if row.status in ("landed", "failed") or (row.status == "rejected" and not row.rows_landed):
        return True
    is_judged = row.status in ("held", "rejected")
    return is_judged and row.contract_version != delivery.contract.version


def lacking(home: Home, row: BatchRow) -> frozenset[Layer]:
    """Return the layers whose tables no longer know a batch that was visible once.

    Raises FilesLostError where silver's log knows it and its files are gone.
    """
    wanted: dict[Layer, str] = {"bronze": Step.LAND.of(row.batch_id)}
    if row.status == "published":
        wanted["silver"] = Step.PUBLISH.of(row.batch_id)
    if row.rows_quarantined:
        wanted["quarantine"] = Step.QUARANTINE.of(row.batch_id)
    gone = frozenset(
        layer
        for layer, name in wanted.items()
        if not has_transaction(open_table(home.table(layer, row.table)), name)
    )
    if "silver" not in gone:
        _require_files(home, row)
    return gone


def _require_files(home: Home, row: BatchRow) -> None:
    path = home.table("silver", row.table)
    table = open_table(path)
    names = [str(f["path"]) for f in staged.files(table)] if table else []
    lost = [
        n for n in names if staged.stage_of_file(n) == row.batch_id and not (path / n).is_file()
    ]
    if lost:
        raise FilesLostError(
            Words(
                f"silver/{row.table}：批次 {row.batch_id} 的 {len(lost)} 个文件已不在，"
                "而表的日志仍记有这些文件。",
                f"silver/{row.table}: {len(lost)} files of batch {row.batch_id} are gone, and the"
                " table's log still names them.",
            ),
            Words(
                f"请删除目录 lake/silver/{row.table}，再用 backfill --from-raw 补回其全部日期。",
                f"Remove the folder lake/silver/{row.table}, then backfill all its dates"
                " --from-raw.",
            ),
        )


def _shown_again(
    home: Home, tree: Tree, delivery: Delivery, raw: RawBatch, row: BatchRow
) -> Outcome:
    """Put back what the lake lost of a batch that was visible once."""
    gone = lacking(home, row)
    if not gone:
        return Outcome(row.batch_id, row.status, False, row.reason, row.silver_version)
    is_same_contract = row.contract_version == delivery.contract.version
    if "silver" in gone and not is_same_contract:
        return decisions.judged_anew(home, tree, delivery, raw, has_landed=True)
    if "quarantine" in gone and not is_same_contract:
        raise _quarantine_lost(row)
    landed = _landed_back(home, delivery, raw, row)
    layers = ", ".join(sorted(gone))
    note = Words(f"湖中缺失，已补回：{layers}", f"was lost and is back: {layers}").stored()
    if row.status == "published" and gone != {"bronze"}:
        batches.put_back(home, delivery, landed)
        intents.finish(home, Step.RETRY.of(row.batch_id))
        verdict = steps.audited(home, tree, landed, as_before=True)
        outcome = decisions.published(home, tree, _as_released(home, verdict))
        return outcome if outcome.status != "published" else replace(outcome, note=note)
    if "quarantine" in gone:
        from jobs.refine.run import refine

        refine(home, delivery, landed)
        quarantine.append(home, delivery, landed.batch_id)
        mark(home, row.table, row.batch_id, row.status)
    batches.put_back(home, delivery, landed)
    intents.finish(home, Step.RETRY.of(row.batch_id))
    return Outcome(row.batch_id, row.status, True, note, row.silver_version)


def _quarantine_lost(row: BatchRow) -> QuarantineLostError:
    by = f"{row.contract_id} {row.contract_version}"
    return QuarantineLostError(
        Words(
            f"批次 {row.batch_id} 的坏行已不在 quarantine/{row.table} 中，"
            f"只有 {by} 能说明为何不合格。",
            f"The bad rows of batch {row.batch_id} are gone from quarantine/{row.table}, and only"
            f" {by} can say why they were bad.",
        ),
        Words(
            f"请从备份放回目录 lake/quarantine/{row.table}。",
            f"Put the folder lake/quarantine/{row.table} back from a backup.",
        ),
    )


def _landed_back(home: Home, delivery: Delivery, raw: RawBatch, row: BatchRow) -> LandedBatch:
    """Land a batch under the version that judged it; the intent stays open for what follows."""
    name = Step.RETRY.of(row.batch_id)
    intents.begin(home, name, row.table)
    meter.begin("land", row.table, business_date=row.business_date, is_on_spark=False)
    try:
        return land(home, delivery, raw.taken_up(row.contract_version))
    except JingshuError:
        intents.finish(home, name)  # bronze is untouched
        raise


def _as_released(home: Home, verdict: Verdict) -> Verdict:
    """Return a held verdict as the release that a person made of it, if evidence has one."""
    if verdict.decision != "hold":
        return verdict
    digest = digest_of(verdict.results, "publish")
    leaf = recorded.verdict_leaf(home, verdict, digest)
    if leaf is None or "released_by" not in leaf.facts:
        return verdict
    by, held = leaf.facts["released_by"], Words.read(verdict.reason)
    reason = Words(f"{by} 放行（{held.zh}）", f"{by} released it ({held.en})").stored()
    return verdict.model_copy(update={"decision": "publish", "digest": digest, "reason": reason})
