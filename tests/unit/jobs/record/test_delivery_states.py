"""A delivery's states are a history: what comes back is said again, what stays is not."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from contracts.delivery import Delivery
from contracts.layout import ROOT
from contracts.loading import load_tree
from jobs.record import deliveries, governance
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog

if TYPE_CHECKING:
    from contracts.layout import Home

DAY = date(2026, 7, 15)


def test_a_state_that_comes_back_counts_again(home: Home) -> None:
    contract = load_tree(ROOT / "contracts").contract("econ_it.innovation_base")
    delivery = Delivery(contract, "econ_it", DAY)
    deliveries.ended(home, delivery, "refused", "first")
    deliveries.ended(home, delivery, "refused", "first")
    deliveries.stated(home, delivery, "received", "", batch_id="20260715-abc")
    deliveries.ended(home, delivery, "refused", "again")
    assert [r.state for r in governance.states_of(home, delivery)] == [
        "refused",
        "received",
        "refused",
    ]
    [newest] = governance.latest_deliveries(home, DAY)
    assert (newest.state, newest.reason) == ("refused", "again")
    keys = [Leaf.parse(entry).key for _, entry in EvidenceLog(home).entries()]
    assert keys == [
        "delivery:econ_it__innovation_base@2026-07-15#1",
        "refusal:econ_it__innovation_base@2026-07-15#1",
        "delivery:econ_it__innovation_base@2026-07-15#3",
        "refusal:econ_it__innovation_base@2026-07-15#3",
    ]
