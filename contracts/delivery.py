"""A delivery: what one provider owes for one dataset on one business date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from contracts.reference import PACKAGED

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

    from contracts.model import Contract

DeliveryState = Literal[
    "not_due", "expected", "received", "late", "missing", "refused", "duplicate"
]
BatchStatus = Literal[
    "landed",
    "published",
    "held",
    "rejected",
    "refused",
    "failed",
    "superseded",
    "withdrawn",
]
Origin = Literal["real", "simulated"]


@dataclass(frozen=True)
class Delivery:
    """The contract in force, the provider and the date; known before any file is."""

    contract: Contract
    provider: str
    business_date: date
    root: Path = PACKAGED
    """The tree whose reference tables its rules read; by default the packaged tables alone."""

    @property
    def table(self) -> str:
        """The table's name, ``<provider>__<dataset>``."""
        return self.contract.table(self.provider)

    @property
    def due_at(self) -> datetime:
        """The moment (UTC) after which the delivery is late."""
        return self.contract.schedule.due_at(self.business_date)

    @property
    def missing_at(self) -> datetime:
        """The moment (UTC) from which it is missing, if nothing came."""
        return self.contract.schedule.missing_at(self.business_date)

    @property
    def name(self) -> str:
        """How messages name it: provider/dataset and the date."""
        return f"{self.provider}/{self.contract.dataset} {self.business_date:%Y-%m-%d}"
