"""backfill: does the deliveries of some business dates again, in order, without Airflow.

From the drop folder through the same stages as the DAGs' tasks, or from the kept bytes alone.
Then the products that the contract feeds are built again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from contracts.delivery import Delivery
from contracts.errors import JingshuError, UsageError
from contracts.model import CITY_TZ
from contracts.moment import utc_now
from contracts.words import Words
from jobs import steps
from jobs.files.raw import kept_batches
from jobs.operations import restore
from jobs.operations.rebuild import rebuild_after
from jobs.record import batches, governance
from jobs.spark.session import SparkUnavailableError
from jobs.stages import LandedBatch, PublishedVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from contracts.delivery import BatchStatus, DeliveryState
    from contracts.layout import Home
    from contracts.model import Contract
    from contracts.tree import Tree
    from jobs.stages import ProductVersion, RawBatch

#: States that ask nobody for anything: data is where it should be, or nothing is owed yet.
_FINE: Final = ("published", "superseded", "withdrawn", "not_due", "expected")


@dataclass(frozen=True)
class Plan:
    """Which deliveries a backfill does, in which order."""

    contract: Contract
    deliveries: tuple[Delivery, ...]

    @property
    def dates(self) -> tuple[date, ...]:
        """The business dates, oldest first."""
        return tuple(sorted({d.business_date for d in self.deliveries}))


@dataclass(frozen=True)
class Done:
    """What one delivery, or one kept batch of it, came to; why, as ``Words.stored`` writes it."""

    delivery: Delivery
    state: DeliveryState | BatchStatus
    reason: str
    batch_id: str | None = None
    silver_version: int | None = None
    is_new: bool = False
    """Whether this call brought it further; False where it was left as it was."""

    @property
    def is_finding(self) -> bool:
        """Tell whether somebody has to look at it."""
        return self.state not in _FINE


def make_plan(
    tree: Tree, contract_id: str, first: date, last: date, provider: str | None = None
) -> Plan:
    """Return the deliveries of a contract from ``first`` to ``last``, by date, then provider.

    Raises UsageError for what does not exist, dates in the future, or an empty span.
    """
    contract = tree.contract(contract_id)
    if contract_id in tree.products:
        inputs = ", ".join(contract.product_plan.inputs)
        raise UsageError(
            Words(
                f"{contract_id} 是产品，没有人交付它。",
                f"{contract_id} is a product: nobody delivers it.",
            ),
            Words(f"请补做它的输入：{inputs}。", f"Backfill an input: {inputs}."),
        )
    providers = [f.provider for f in tree.feeds() if f.contract.id == contract_id]
    if not providers:
        raise UsageError(
            Words(
                f"{contract_id} 的状态是 {contract.status}，没有交付。",
                f"{contract_id} is {contract.status}: it has no deliveries.",
            ),
            Words(
                "请给出生效（active）的契约，或把它设为 active。",
                "Name an active contract, or set this one to active.",
            ),
        )
    if provider is not None and provider not in providers:
        raise UsageError(
            Words(
                f"{contract_id} 没有提供方 {provider!r}。",
                f"{contract_id} has no provider {provider!r}.",
            ),
            Words(f"现有：{'、'.join(providers)}。", f"It has: {', '.join(providers)}."),
        )
    _check_span(first, last)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    chosen = providers if provider is None else [provider]
    return Plan(
        contract, tuple(Delivery(contract, p, day, tree.root) for day in days for p in chosen)
    )


def _check_span(first: date, last: date) -> None:
    today = utc_now().astimezone(CITY_TZ).date()
    if first > last:
        raise UsageError(
            Words(f"{first} 在 {last} 之后。", f"{first} lies after {last}."),
            Words("请把较早的日期给 --from。", "Give --from the earlier date."),
        )
    if last > today:
        raise UsageError(
            Words(
                f"{last} 在未来（今天是 {today}）。",
                f"{last} lies in the future (today is {today}).",
            ),
            Words("请给出已过去的业务日期。", "Give business dates that have been."),
        )


def from_drop(home: Home, tree: Tree, plan: Plan) -> Iterator[Done]:
    """Do each delivery again from the drop folder, as the DAGs' tasks would."""
    for delivery in plan.deliveries:
        try:
            yield _dropped(home, tree, delivery)
        except SparkUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001  (one date's fault blocks no other)
            steps.record_failure(home, delivery, _told(error).stored())
            yield Done(delivery, "failed", _told(error).stored())


def _dropped(home: Home, tree: Tree, delivery: Delivery) -> Done:
    landed = steps.land_delivery(home, delivery)
    if not isinstance(landed, LandedBatch):
        return Done(delivery, landed.state, landed.reason, landed.batch_id)
    made = steps.publish_verdict(home, tree, steps.audited(home, tree, landed))
    if not isinstance(made, PublishedVersion):
        return Done(delivery, made.state, made.reason, made.batch_id, is_new=True)
    row = governance.batch(home, made.batch_id)
    reason = row.reason if row else ""
    return Done(delivery, made.status, reason, made.batch_id, made.silver_version, is_new=True)


def kept_for(home: Home, plan: Plan) -> list[tuple[Delivery, list[RawBatch]]]:
    """Return the kept batches of each delivery of a plan, oldest revision first.

    Raises UsageError where not one is kept.
    """
    found = []
    kept = {
        p: kept_batches(home, p, plan.contract.dataset)
        for p in {d.provider for d in plan.deliveries}
    }
    for delivery in plan.deliveries:
        mine = [r for r in kept[delivery.provider] if r.business_date == delivery.business_date]
        found.append((delivery, mine))
    if not any(raws for _, raws in found):
        raise UsageError(
            Words(
                f"{plan.contract.id} 自 {plan.dates[0]} 至 {plan.dates[-1]} 没有留存的原始文件。",
                f"No original bytes of {plan.contract.id} are kept from {plan.dates[0]} to"
                f" {plan.dates[-1]}.",
            ),
            Words(
                "请去掉 --from-raw，改从投递目录取交付。",
                "Leave out --from-raw to take the deliveries from the drop folder.",
            ),
        )
    return found


def from_raw(
    home: Home, tree: Tree, kept: Sequence[tuple[Delivery, list[RawBatch]]]
) -> Iterator[Done]:
    """Bring in what is lacking of each kept batch; a date without one is told as it is known."""
    for delivery, raws in kept:
        if not raws:
            yield _nothing_kept(home, delivery)
        for raw in raws:
            try:
                made = restore.bring_in(home, tree, delivery, raw)
            except SparkUnavailableError:
                raise
            except Exception as error:  # noqa: BLE001  (one batch's fault blocks no other)
                yield _not_brought_in(home, delivery, raw, _told(error).stored())
                continue
            yield Done(
                delivery, made.status, made.note, made.batch_id, made.silver_version, made.is_new
            )


def _nothing_kept(home: Home, delivery: Delivery) -> Done:
    states = governance.states_of(home, delivery)
    if states and states[-1].state not in ("received", "late"):
        return Done(delivery, states[-1].state, states[-1].reason, states[-1].batch_id)
    if not states and not delivery.contract.schedule.is_due(delivery.business_date):
        return Done(delivery, "not_due", steps.NOTHING_DUE.stored())
    nothing = Words("未留存原始文件", "no original bytes of it are kept")
    return Done(delivery, "missing", nothing.stored())


def _not_brought_in(home: Home, delivery: Delivery, raw: RawBatch, reason: str) -> Done:
    """State a fault on a batch that it stopped half-way; any other stays what it was."""
    row = governance.batch(home, raw.batch_id)
    if row is not None and row.status == "landed":
        batches.restated(home, row, "failed", reason)
    is_told = row is not None and row.status in ("held", "rejected")
    return Done(delivery, row.status if row and is_told else "failed", reason, raw.batch_id)


def _told(error: Exception) -> Words:
    """Say what went wrong; of other people's errors the name only, for they may quote a value."""
    name = type(error).__name__
    return error.words if isinstance(error, JingshuError) else Words(name, name)


def products_after(
    home: Home, tree: Tree, plan: Plan, done: Sequence[Done]
) -> Iterator[ProductVersion]:
    """Build again what the contract feeds: the plan's dates, and later ones that read its rows."""
    changed = [d.delivery.business_date for d in done if d.is_new and d.silver_version is not None]
    yield from rebuild_after(home, tree, plan.contract, plan.dates, changed)
