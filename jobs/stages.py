"""The types of a batch's way: each stage takes one and returns the next.

``pull → RawBatch → land → LandedBatch → refine → RefinedBatch → audit → Verdict → publish →
PublishedVersion``; a delivery that stops anywhere becomes ``Ended``, which later stages hand on.
They cross process borders as JSON (``to_json``, ``from_json``), small enough for a shell.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from contracts.constraint import Severity
from contracts.delivery import BatchStatus, DeliveryState, Origin
from contracts.model import Dimension


class Stage(BaseModel):
    """What every stage's result carries: whose batch it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contract_id: str
    contract_version: str
    provider: str
    dataset: str
    business_date: date

    @property
    def table(self) -> str:
        """The table's name, ``<provider>__<dataset>``."""
        return f"{self.provider}__{self.dataset}"

    def to_json(self) -> str:
        """Return the stage's result as one line of JSON."""
        return self.model_dump_json()


class Batch(Stage):
    """A batch: the bytes of one delivery, named by their content."""

    batch_id: str
    revision: int
    origin: Origin
    file_name: str
    size_bytes: int
    sha256: str
    sm3: str
    received_at: datetime
    started_at: datetime
    rows_announced: int | None = None
    """How many rows the provider's manifest says the file has, if it says so."""


class RawBatch(Batch):
    """The original bytes, kept under ``raw/`` with their manifest."""

    kind: Literal["raw"] = "raw"
    is_sealed: bool = False
    """Whether the kept file is SM4 text: its contract has a column that is sealed."""


class LandedBatch(Batch):
    """The batch as strings in bronze."""

    kind: Literal["landed"] = "landed"
    rows_landed: int
    bronze_version: int
    findings: tuple[str, ...] = ()
    """What landing accepted although the contract does not say it: added columns, blank lines."""
    notes: tuple[str, ...] = ()
    """What landing did as the contract says: the footer it passed over."""


class RefinedBatch(Batch):
    """The batch cast and checked, written once to the stage, partitioned by ``_ok``."""

    kind: Literal["refined"] = "refined"
    rows_landed: int
    rows_good: int
    rows_bad: int
    rows_duplicate: int
    silver_version_seen: int | None
    """The silver version a ``merge_key`` stage was built on; publish re-stages when it moved."""
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class CheckResult(BaseModel):
    """What one contract element came to for one batch (design §2, invariant 7)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule_id: str
    column: str | None
    dimension: Dimension
    severity: Severity
    status: Literal["passed", "failed", "error", "not_executable"]
    checked: int | None
    failed: int | None
    threshold: float | None
    message: str
    engine: Literal["row", "spark", "great_expectations", "land", "none"]


class Verdict(Batch):
    """What the audit decided about the staged batch, and on what grounds."""

    kind: Literal["verdict"] = "verdict"
    decision: Literal["publish", "hold", "reject"]
    reason: str
    rows_landed: int
    rows_good: int
    rows_bad: int
    rows_duplicate: int
    silver_version_seen: int | None
    results: tuple[CheckResult, ...]
    digest: str
    """SHA-256 over the canonical results: what the publication's leaf and commit name."""


class PublishedVersion(Batch):
    """The silver version that made the batch visible."""

    kind: Literal["published"] = "published"
    status: BatchStatus
    silver_version: int
    rows_published: int
    rows_quarantined: int
    rows_duplicate: int


class Ended(Stage):
    """A delivery that stopped: in which state, at which stage, and why, in words."""

    kind: Literal["ended"] = "ended"
    state: DeliveryState | BatchStatus
    reason: str
    batch_id: str | None = None


class ProductVersion(BaseModel):
    """One date's build of a product."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["product"] = "product"
    product_id: str
    table: str
    business_date: date
    status: Literal["published", "waiting", "held"]
    version: int | None
    rows: int
    rows_suppressed: int
    inputs: dict[str, int]
    origin: Origin
    reason: str


class SharedVersion(BaseModel):
    """One policy's projection of a product for one date."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["shared"] = "shared"
    product_id: str
    policy: str
    table: str
    business_date: date
    status: Literal["published", "waiting", "held"]
    version: int | None
    rows: int
    origin: Origin
    reason: str


AnyStage = Annotated[
    RawBatch | LandedBatch | RefinedBatch | Verdict | PublishedVersion | Ended,
    Field(discriminator="kind"),
]
_ADAPTER: TypeAdapter[AnyStage] = TypeAdapter(AnyStage)


def from_json(text: str) -> AnyStage:
    """Read back what ``to_json`` wrote."""
    return _ADAPTER.validate_json(text)
