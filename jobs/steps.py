"""The steps of a batch with types: what entry points and people's operations call."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from contracts.delivery import Delivery
from contracts.errors import JingshuError, UsageError
from contracts.moment import utc_now
from contracts.words import Words
from jobs.files.decode import DecodeError
from jobs.land.run import land as land_batch
from jobs.names import Step
from jobs.pull import incidents
from jobs.pull.drop import ManifestError, PullStopped, SecretStopped, check_manifest, find
from jobs.pull.run import pull
from jobs.record import batches, deliveries, governance, intents, meter
from jobs.stages import Ended

if TYPE_CHECKING:
    from contracts.delivery import BatchStatus
    from contracts.layout import Home
    from contracts.tree import Tree
    from jobs.pull.drop import Found
    from jobs.record.governance import BatchRow
    from jobs.stages import LandedBatch, OfDelivery, PublishedVersion, RawBatch, Verdict

#: How often a merge is laid over a table that other publications keep moving.
_TRIES: Final = 5
NOTHING_DUE: Final = Words("本日不应交", "nothing is due on this date")
#: Statuses in which a batch needs nothing more from the day's run; a held one waits for a person.
_DONE = ("published", "superseded", "withdrawn", "held", "rejected", "refused")


class TableBusyError(JingshuError, RuntimeError):
    """A table that moved each time a merge was about to be shown in it."""


def delivery_of(tree: Tree, contract_id: str, provider: str, business_date: str) -> Delivery:
    """Return the delivery that three names mean.

    Raises UsageError for an unknown contract or provider, or a date that is none.
    """
    contract = tree.contract(contract_id)
    try:
        when = date.fromisoformat(business_date)
    except ValueError:
        raise UsageError(
            Words(f"{business_date!r} 不是日期。", f"{business_date!r} is no date."),
            Words("请写作 YYYY-MM-DD。", "Write it as YYYY-MM-DD."),
        ) from None
    providers = [s.provider for s in contract.servers]
    if provider not in providers:
        raise UsageError(
            Words(
                f"{contract_id} 没有提供方 {provider!r} 的服务器。",
                f"{contract_id} has no server of provider {provider!r}.",
            ),
            Words(f"现有：{'、'.join(providers)}。", f"It has: {', '.join(providers)}."),
        )
    return Delivery(contract, provider, when, tree.root)


def land_delivery(home: Home, delivery: Delivery) -> LandedBatch | Ended:
    """Pull and land one delivery from the drop folder in force."""
    meter.begin("land", delivery.table, business_date=delivery.business_date, is_on_spark=False)
    try:
        found = find(delivery, home.drop)
        raw = pull(home, delivery, home.drop, found)
    except PullStopped as stop:
        return _not_pulled(home, delivery, stop)
    with intents.under_way(home, Step.LAND.of(raw.batch_id), raw.table):
        return _landed(home, delivery, raw, found)


def _landed(home: Home, delivery: Delivery, raw: RawBatch, found: Found) -> LandedBatch | Ended:
    """Land what was pulled, unless it is done with; its delivery's leaf is written either way."""
    arrived = deliveries.received(home, delivery, raw.batch)
    known = governance.batch(home, raw.batch_id)
    if known is not None and known.status in _DONE and not _was_turned_away(known):
        deliveries.logged(home, arrived)
        return _again(delivery, known)
    try:
        check_manifest(delivery, raw.batch, found)
        landed = land_batch(home, delivery, raw)
    except (ManifestError, DecodeError) as bad:
        reason = bad.words.stored()
        batches.stopped(home, raw.batch, reason)
        deliveries.logged(home, arrived)
        return Ended.of(delivery, "rejected", reason, raw.batch_id)
    batches.landed(home, delivery, landed, arrived)
    return landed


def _not_pulled(home: Home, delivery: Delivery, stop: PullStopped) -> Ended:
    """State why there is no batch; until the grace after its limit ends, it is expected."""
    state, reason = stop.state, stop.words.stored()
    if state == "missing":
        if not _is_owed(home, delivery):
            return Ended.of(delivery, "not_due", NOTHING_DUE.stored())
        now = utc_now()
        if now < delivery.missing_at:
            state = "expected"
            if now > delivery.due_at:
                told = stop.words
                reason = Words(f"逾期：{told.zh}", f"overdue: {told.en}").stored()
    if isinstance(stop, SecretStopped):
        incidents.keep(home, delivery, stop.mark, stop.file, utc_now())
    if state == "expected":
        deliveries.stated(home, delivery, state, reason, batch_id=stop.batch_id)
    else:
        deliveries.ended(home, delivery, state, reason, stop.batch_id)
    return Ended.of(delivery, state, reason, stop.batch_id)


def _is_owed(home: Home, delivery: Delivery) -> bool:
    """Tell whether the cycle owes a delivery, or its initial load is still to come."""
    if delivery.contract.schedule.is_due(delivery.business_date):
        return True
    return not governance.batches_of(home, delivery.provider, delivery.contract.dataset)


def _was_turned_away(known: BatchRow) -> bool:
    """Tell whether the bytes were rejected before they landed.

    Then a mended manifest, or a contract that knows the layout now, may land the same bytes.
    """
    return known.status == "rejected" and not known.rows_landed


def already(status: str) -> Words:
    """Say that a batch is left in the status that it has."""
    return Words(f"已是 {status} 状态", f"already {status}")


def _again(delivery: Delivery, known: BatchRow) -> Ended:
    return Ended.of(
        delivery, known.status, known.reason or already(known.status).stored(), known.batch_id
    )


def audited(
    home: Home, tree: Tree, landed: LandedBatch, *, again: bool = False, as_before: bool = False
) -> Verdict:
    """Refine, audit and record one landed batch.

    ``as_before`` says the same as its earlier audit in that one's words, an older Jingshu's too.
    """
    from jobs.audit.reworded import as_stated
    from jobs.audit.run import audit
    from jobs.refine.run import refine as refine_batch

    delivery = _delivery(tree, landed.batch)
    meter.begin("publish", landed.table, business_date=landed.business_date, is_on_spark=True)
    refined = refine_batch(home, delivery, landed, again=again)
    verdict = audit(home, delivery, refined)
    if as_before:
        verdict = as_stated(home, verdict)
    batches.audited(home, delivery, verdict)
    return verdict


def publish_verdict(home: Home, tree: Tree, verdict: Verdict) -> PublishedVersion | Ended:
    """Publish, or hand on that the batch is held or rejected.

    A merge whose table moved since the audit is laid over what is there now, and audited again.
    Raises TableBusyError where the table moved every time.
    """
    from jobs.publish.run import TableMovedError
    from jobs.publish.run import publish as publish_batch

    delivery = _delivery(tree, verdict.batch)
    for tried in range(1, _TRIES + 1):
        if verdict.decision != "publish":
            state: BatchStatus = "held" if verdict.decision == "hold" else "rejected"
            return Ended.of(delivery, state, verdict.reason, verdict.batch_id)
        if not meter.is_begun("publish", verdict.table, verdict.business_date):
            meter.begin(
                "publish", verdict.table, business_date=verdict.business_date, is_on_spark=False
            )
        try:
            return publish_batch(home, delivery, verdict)
        except TableMovedError:
            if tried < _TRIES:
                verdict = audited(home, tree, _landed_again(home, delivery, verdict), again=True)
    raise TableBusyError(
        Words(
            f"发布批次 {verdict.batch_id} 时，{verdict.table} 变动了 {_TRIES} 次。",
            f"{verdict.table} moved {_TRIES} times while batch {verdict.batch_id} was published.",
        ),
        Words(
            "请待其他发布结束后再做一次，或届时重试该批次："
            f"./jingshu batch retry {verdict.batch_id}。",
            "Do it again when its other publications have ended, or retry the batch then:"
            f" ./jingshu batch retry {verdict.batch_id}.",
        ),
    )


def _landed_again(home: Home, delivery: Delivery, verdict: Verdict) -> LandedBatch:
    """Return the landed batch behind a verdict, from the raw bytes that are kept."""
    from jobs.files.raw import kept_batch

    batch = verdict.batch
    kept = kept_batch(home, batch.table, batch.batch_id)
    return land_batch(home, delivery, kept.taken_up(batch.contract_version, batch.started_at))


def record_failure(home: Home, delivery: Delivery, reason: str) -> None:
    """State that a date failed: on its newest batch if one landed, else on the delivery.

    ``reason`` is as ``Words.stored`` writes it.
    """
    landed = [
        row
        for row in governance.batches_of(home, delivery.provider, delivery.contract.dataset)
        if row.business_date == delivery.business_date and row.status == "landed"
    ]
    if not landed:
        why = Words.read(reason)
        told = Words(f"处理失败：{why.zh}", f"failed: {why.en}")
        deliveries.stated(home, delivery, "expected", told.stored())
        return
    newest = max(landed, key=lambda row: row.revision)
    batches.restated(home, newest, "failed", reason)


def failed(home: Home, tree: Tree, end: Ended) -> None:
    """State that a delivery failed, in the words of the task that gave up."""
    record_failure(home, _delivery(tree, end), end.reason)


def _delivery(tree: Tree, of: OfDelivery) -> Delivery:
    return delivery_of(tree, of.contract_id, of.provider, of.business_date.isoformat())
