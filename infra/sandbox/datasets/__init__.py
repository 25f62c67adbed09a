"""What each provider has to report: one module a domain, one entry a dataset.

Rows follow from (seed, scale, first date, date) alone. A dataset's first delivery is its initial
load; later days bring increments (append, merge_key) or the state of the day (snapshots, months).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from infra.sandbox.datasets import (
    devices,
    economy,
    energy,
    mobility,
    offices,
    people,
    safety,
    schools,
    services,
    surveys,
    thread,
    trade,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.sandbox.dataset import Dataset

#: Contract id → dataset. What the sandbox does not play has no entry.
DATASETS: Final[Mapping[str, Dataset]] = {
    **thread.DATASETS,
    **devices.DATASETS,
    **economy.DATASETS,
    **energy.DATASETS,
    **mobility.DATASETS,
    **offices.DATASETS,
    **people.DATASETS,
    **safety.DATASETS,
    **schools.DATASETS,
    **services.DATASETS,
    **surveys.DATASETS,
    **trade.DATASETS,
}
