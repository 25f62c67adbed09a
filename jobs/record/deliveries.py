"""Writes down what became of a delivery: its state on its date, and the leaf of an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.moment import iso, utc_now
from contracts.words import Words
from jobs.names import Step
from jobs.record import governance, intents, leaves
from jobs.record.governance import DeliveryRow

if TYPE_CHECKING:
    from datetime import datetime

    from contracts.delivery import Delivery, DeliveryState
    from contracts.layout import Home
    from jobs.record.footprint import Facts
    from jobs.stages import Batch
    from lineage.evidence.leaf import Leaf


def stated(
    home: Home,
    delivery: Delivery,
    state: DeliveryState,
    reason: str,
    *,
    batch_id: str | None = None,
    received_at: datetime | None = None,
) -> Leaf:
    """State a delivery's state on its date; return the leaf that is owed if the state is an end.

    What the newest row states already is not stated again.
    """
    states = governance.states_of(home, delivery)
    if states and (states[-1].state, states[-1].batch_id) == (state, batch_id):
        return leaves.delivery_leaf(states[-1], len(states))
    row = DeliveryRow(
        recorded_at=utc_now(),
        provider=delivery.provider,
        dataset=delivery.contract.dataset,
        contract_id=delivery.contract.id,
        contract_version=delivery.contract.version,
        business_date=delivery.business_date,
        state=state,
        batch_id=batch_id,
        reason=reason,
        due_at=delivery.due_at,
        received_at=received_at,
    )
    change = len(states) + 1
    name = Step.DELIVERY.of(delivery.table, delivery.business_date, change)
    governance.append(home, name, [row])
    return leaves.delivery_leaf(row, change)


def received(home: Home, delivery: Delivery, batch: Batch) -> Leaf:
    """State that a delivery arrived, in time or late; return the leaf that is owed."""
    is_late = batch.received_at > delivery.due_at
    due = iso(delivery.due_at)
    return stated(
        home,
        delivery,
        "late" if is_late else "received",
        Words(f"迟到：应于 {due} 前交付", f"late: due {due}").stored() if is_late else "",
        batch_id=batch.batch_id,
        received_at=batch.received_at,
    )


def logged(home: Home, owed: Leaf) -> None:
    """Write a delivery's owed leaf, where its batch goes no further and writes none with it."""
    leaves.state(home, owed)


def ended(
    home: Home, delivery: Delivery, state: DeliveryState, reason: str, batch_id: str | None = None
) -> None:
    """State that a delivery ended without a batch: missing, refused, or a duplicate.

    Of what is refused nothing is kept, in governance and evidence neither.
    """
    name = Step.DELIVER.of(delivery.table, delivery.business_date)
    with intents.under_way(home, name, delivery.table):
        owed = [stated(home, delivery, state, reason, batch_id=batch_id)]
        if state == "refused":
            owed.append(_refusal(delivery, owed[0].subject))
        leaves.state(home, *owed)


def _refusal(delivery: Delivery, subject: str) -> Leaf:
    facts: Facts = {
        "contract_id": delivery.contract.id,
        "contract_version": delivery.contract.version,
        "provider": delivery.provider,
        "business_date": delivery.business_date.isoformat(),
    }
    return leaves.leaf("refusal", subject, facts)
