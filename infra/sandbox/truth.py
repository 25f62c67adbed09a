"""The truth file: what was made wrong, what only looks wrong, and what must come out of it.

One JSON file a date under ``<home>/sandbox/truth/``. Tests hold the lake against it; no stage of
the pipeline reads it.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.delivery import BatchStatus, DeliveryState
from contracts.errors import UsageError
from contracts.words import Words

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home

DeliveryFault = Literal[
    "missing", "late", "duplicate", "truncated", "drifted", "secret", "held", "corrected"
]


class Truth(BaseModel):
    """Frozen, and nothing that the model does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Faults(Truth):
    """What to make wrong: dirt in rows, and what happens to whole deliveries.

    ``deliveries`` maps ``<provider>/<dataset>`` to its fault.
    """

    rows: bool = True
    deliveries: dict[str, DeliveryFault] = Field(default_factory=dict)


class RowTruth(Truth):
    """One row that was touched; ``line`` is the physical line (or sheet row) where it starts."""

    line: int
    kind: str
    rule_ids: tuple[str, ...] = ()
    column: str | None = None


class DepotFacts(Truth):
    """A depot as its good rows tell: phone in digits only, heat supplies by expiry date."""

    lon: float
    lat: float
    duty_phone_digits: str
    heat_qty_by_expiry: dict[date, int]


class Facts(Truth):
    """What the good rows of a delivery contribute to the product, by street code."""

    elders: dict[str, int] = Field(default_factory=dict)
    heat_cases: dict[str, dict[date, int]] = Field(default_factory=dict)
    depots: dict[str, DepotFacts] = Field(default_factory=dict)


class DeliveryTruth(Truth):
    """One delivery: how it was sent, how it has to end, and every row that was touched."""

    contract_id: str
    provider: str
    dataset: str
    business_date: date
    is_initial: bool
    fault: DeliveryFault | None
    file: str | None
    revision: int = 1
    delivery_state: DeliveryState
    batch_status: BatchStatus | None
    rows: int = 0
    good: int = 0
    faults: tuple[RowTruth, ...] = ()
    exact_duplicates: tuple[RowTruth, ...] = ()
    near_misses: tuple[RowTruth, ...] = ()
    upserted_keys: tuple[str, ...] = Field(default=(), description="merge_key: keys written")
    deleted_keys: tuple[str, ...] = Field(default=(), description="merge_key: keys withdrawn")
    facts: Facts = Facts()

    @property
    def feed(self) -> str:
        """``<provider>/<dataset>``."""
        return f"{self.provider}/{self.dataset}"

    @property
    def is_published(self) -> bool:
        """Whether readers see its good rows."""
        return self.batch_status == "published"

    @property
    def published(self) -> int:
        """Rows that readers see; delete marks of merge_key count, they are accepted rows."""
        return self.good if self.is_published else 0

    @property
    def quarantined(self) -> int:
        """Rows that break a rule."""
        return len(self.faults)

    @property
    def duplicates(self) -> int:
        """Repetitions of a whole row, dropped and counted."""
        return len(self.exact_duplicates)


class Cell(Truth):
    """One street of the product: what is published, and the counts behind it."""

    elders: int
    cases: int
    elders_served: int | None
    heat_cases: int | None
    suppressed: bool
    supplies_in_reach: int
    nearest_depot_id: str
    nearest_depot_km: float
    nearest_depot_lon: float
    nearest_depot_lat: float
    duty_phone_digits: str


class DayTruth(Truth):
    """Everything the sandbox knows of one date."""

    origin: Literal["simulated"] = "simulated"
    business_date: date
    seed: int
    scale: int
    plan: Faults
    effects: dict[str, object] = Field(default_factory=dict, description="parameters to recover")
    join_rates: dict[str, float] = Field(default_factory=dict)
    deliveries: dict[str, DeliveryTruth] = Field(default_factory=dict)
    heat_readiness: dict[str, Cell] = Field(
        default_factory=dict, description="street → cell; empty while an input has never come"
    )

    @property
    def rows(self) -> int:
        """Rows sent in all files of the date."""
        return sum(d.rows for d in self.deliveries.values())


def truth_file(home: Home, business_date: date) -> Path:
    """Return where the truth of a date is kept."""
    return home.sandbox / "truth" / f"{business_date}.json"


def find_truth(home: Home, business_date: date) -> DayTruth | None:
    """Read the truth of a date, or return None where none was made."""
    file = truth_file(home, business_date)
    return DayTruth.model_validate_json(file.read_bytes()) if file.is_file() else None


def load_truth(home: Home, business_date: date) -> DayTruth:
    """Read the truth of a date; UsageError where none was made."""
    found = find_truth(home, business_date)
    if found is None:
        raise UsageError(
            Words(
                f"沙盘没有在 {home.sandbox} 下生成过 {business_date}。",
                f"The sandbox has made nothing for {business_date} under {home.sandbox}.",
            ),
            Words(
                f"请生成：./jingshu sandbox make --date {business_date}",
                f"Make it: ./jingshu sandbox make --date {business_date}",
            ),
        )
    return found
