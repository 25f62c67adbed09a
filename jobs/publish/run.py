"""publish: makes an audited batch visible with one metadata-only commit.

Order: intent → quarantine → silver commit → governance → lineage → leaf → intent closed. Each step
is idempotent by its name, so running publish again after any crash finishes it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from contracts.errors import JingshuError
from contracts.words import Words
from jobs.names import Step
from jobs.publish import quarantine
from jobs.record import batches, intents
from jobs.stages import PublishedVersion
from jobs.tables import silver, staged
from jobs.tables.delta import has_transaction, open_table
from jobs.tables.silver import CARRIED, GOOD

if TYPE_CHECKING:
    from datetime import date

    from deltalake import DeltaTable

    from contracts.delivery import Delivery
    from contracts.layout import Home
    from contracts.model import Contract
    from jobs.stages import Batch, Verdict
    from jobs.tables.silver import Publication


class PublishError(JingshuError, RuntimeError):
    """A verdict that cannot be published as it is."""


class TableMovedError(PublishError):
    """A ``merge_key`` stage was built on a version that is no longer the newest."""


def publish(home: Home, delivery: Delivery, verdict: Verdict) -> PublishedVersion:
    """Publish a batch whose verdict says so; doing it again changes nothing.

    A batch that newer data of its period already replaced becomes ``superseded`` and touches no
    table. Raises TableMovedError when a merge must be staged anew, PublishError for other verdicts.
    """
    if verdict.decision != "publish":
        why, look = Words.read(verdict.reason), f"./jingshu batch show {verdict.batch_id}"
        raise PublishError(
            Words(
                f"批次 {verdict.batch_id} 未通过：{why.zh}。",
                f"Batch {verdict.batch_id} was not passed: {why.en}.",
            ),
            Words(
                f"请用 {look} 查看，再放行或退回。",
                f"Look at it with {look}, then release or reject it.",
            ),
        )
    contract = delivery.contract
    path = home.table("silver", verdict.table)
    name = Step.PUBLISH.of(verdict.batch_id)
    newer = _newer(contract, silver.in_force(open_table(path)), verdict.batch)
    if newer is not None and not has_transaction(open_table(path), name):
        return _superseded_before(home, verdict, newer)
    intents.begin(home, name, verdict.table)
    quarantined = quarantine.append(home, delivery, verdict.batch_id)
    try:
        version = _commit(home, contract, verdict)
    except TableMovedError:
        intents.finish(home, name)  # nothing was shown; the new audit may well hold the batch
        raise
    published = PublishedVersion(
        batch=verdict.batch,
        status="published",
        silver_version=version,
        rows_published=verdict.rows_good,
        rows_quarantined=quarantined,
        rows_duplicate=verdict.rows_duplicate,
    )
    batches.published(home, delivery, verdict, published)
    intents.finish(home, name)
    return published


class Dated(Protocol):
    """What has a business date: a batch, its row or its publication."""

    @property
    def business_date(self) -> date:
        """The date that the data is of."""


def is_same_period(contract: Contract, publication: Dated, batch: Dated) -> bool:
    """Tell whether one of the two takes the other's place, by the contract's load."""
    match contract.load.mode:
        case "full_snapshot":
            return True
        case "merge_key":
            return publication.business_date == batch.business_date
        case _:
            period = contract.load.period_of
            return period(publication.business_date) == period(batch.business_date)


def _newer(contract: Contract, publications: list[Publication], batch: Batch) -> Publication | None:
    """Return a publication of the same period that is newer than the batch."""
    order = (batch.business_date, batch.revision)
    rivals = (p for p in publications if p.batch_id != batch.batch_id)
    return next((p for p in rivals if p.order > order and is_same_period(contract, p, batch)), None)


def _commit(home: Home, contract: Contract, verdict: Verdict) -> int:
    """Make the staged files visible in one commit and return the version that shows them."""
    stage = silver.stage_path(home, verdict.table, verdict.batch_id)
    is_merge = contract.load.mode == "merge_key"

    def shown(table: DeltaTable) -> staged.Change:
        publications = silver.publications(table)
        newest = publications[-1].version if publications else None
        if is_merge and newest != verdict.silver_version_seen:
            raise TableMovedError(
                Words(
                    f"{verdict.table} 已到第 {newest} 版，而批次 {verdict.batch_id} 是在第"
                    f" {verdict.silver_version_seen} 版上暂存的。",
                    f"{verdict.table} moved to version {newest} since batch {verdict.batch_id} was"
                    f" staged on {verdict.silver_version_seen}.",
                ),
                Words(
                    "请重新暂存并审计：./jingshu batch retry 会这样做。",
                    "Stage and audit it again: ./jingshu batch retry does.",
                ),
            )
        states = (GOOD, CARRIED) if is_merge else (GOOD,)
        adds = staged.staged_actions(stage, contract, states)
        gone = _replaced_files(contract, table, verdict.batch)
        removes = staged.removals(gone, int(time.time() * 1000))
        return staged.Change([*adds, *removes], _metadata(verdict, silver.tombstones_of(stage)))

    silver.ensure(home, contract, verdict.table)
    name = Step.PUBLISH.of(verdict.batch_id)
    table = staged.commit_once(home.table("silver", verdict.table), name, shown)
    return next(
        p.version
        for p in silver.publications(table)
        if p.kind == "publish" and p.batch_id == verdict.batch_id
    )


def _replaced_files(contract: Contract, table: DeltaTable, batch: Batch) -> list[dict[str, object]]:
    """Return the visible files that the batch takes the place of."""
    if contract.load.mode in ("merge_key", "full_snapshot"):
        return staged.files(table)
    publications = silver.in_force(table)
    replaced = {p.batch_id for p in publications if is_same_period(contract, p, batch)}
    return [f for f in staged.files(table) if staged.stage_of_file(f["path"]) in replaced]


def _metadata(verdict: Verdict, tombstones: str | None) -> dict[str, str]:
    return {
        "jingshu.kind": "publish",
        "jingshu.batch_id": verdict.batch_id,
        "jingshu.business_date": verdict.business_date.isoformat(),
        "jingshu.revision": str(verdict.batch.revision),
        "jingshu.digest": verdict.digest,
        "jingshu.tombstones": tombstones or "",
    }


def _superseded_before(home: Home, verdict: Verdict, newer: Publication) -> PublishedVersion:
    """Close a batch that came after newer data of its period: it is kept and never shown."""
    reason = Words(
        f"已被 {newer.business_date} 第 {newer.revision} 版取代（批次 {newer.batch_id}）",
        f"superseded by {newer.business_date} revision {newer.revision}: newer data of its period"
        f" is published (batch {newer.batch_id})",
    )
    batches.superseded_before(home, verdict, reason.stored())
    return PublishedVersion(
        batch=verdict.batch,
        status="superseded",
        silver_version=newer.version,
        rows_published=0,
        rows_quarantined=0,
        rows_duplicate=verdict.rows_duplicate,
    )
