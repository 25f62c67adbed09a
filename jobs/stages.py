"""The types of a batch's way: each stage takes one and returns the next.

``pull → RawBatch → land → LandedBatch → refine → RefinedBatch → audit → Verdict → publish →
PublishedVersion``; a delivery that stops anywhere becomes ``Ended``, which later stages hand on.
They cross process borders as JSON (``to_json``, ``from_json``), small enough for a shell.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    model_serializer,
    model_validator,
)

from contracts.constraint import Severity
from contracts.delivery import BatchStatus, DeliveryState, Origin
from contracts.model import Dimension

if TYPE_CHECKING:
    from contracts.delivery import Delivery


class Stage(BaseModel):
    """What every stage hands on: a frozen fact, as one line of JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> str:
        """Return it as one line of JSON."""
        return self.model_dump_json()


class OfDelivery(Stage):
    """What is about a delivery: whose it is, of which date, by which contract."""

    contract_id: str
    contract_version: str
    provider: str
    dataset: str
    business_date: date

    @property
    def table(self) -> str:
        """The table's name, ``<provider>__<dataset>``."""
        return f"{self.provider}__{self.dataset}"


class Batch(OfDelivery):
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


class OfBatch(Stage):
    """What a stage made of a batch; its JSON is one flat object, the batch's own keys first."""

    batch: Batch

    @property
    def batch_id(self) -> str:
        """The batch's name."""
        return self.batch.batch_id

    @property
    def table(self) -> str:
        """The table's name, ``<provider>__<dataset>``."""
        return self.batch.table

    @property
    def business_date(self) -> date:
        """The date that the batch's data is of."""
        return self.batch.business_date

    @model_serializer(mode="wrap")
    def _flat(self, made: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = made(self)
        return {**data.pop("batch"), **data}

    @model_validator(mode="before")
    @classmethod
    def _composed(cls, data: Any) -> Any:
        """Take a batch's keys out of the flat object, as which it crosses borders."""
        if not isinstance(data, dict) or "batch" in data:
            return data
        own = {name: value for name, value in data.items() if name not in Batch.model_fields}
        return {**own, "batch": {n: v for n, v in data.items() if n in Batch.model_fields}}


class RawBatch(OfBatch):
    """The original bytes, kept under ``raw/`` with their manifest."""

    kind: Literal["raw"] = "raw"
    is_sealed: bool = False
    """Whether the kept file is SM4 text: its contract has a column that is sealed."""

    def taken_up(self, contract_version: str, started_at: datetime | None = None) -> RawBatch:
        """Return it as it is worked on under a contract's version.

        ``started_at`` is when the work began, if it is not the first: what the batch waited since
        took no machine's time.
        """
        changed: dict[str, object] = {"contract_version": contract_version}
        if started_at is not None:
            changed["started_at"] = started_at
        return self.model_copy(update={"batch": self.batch.model_copy(update=changed)})


class LandedBatch(OfBatch):
    """The batch as strings in bronze."""

    kind: Literal["landed"] = "landed"
    rows_landed: int
    bronze_version: int
    findings: tuple[str, ...] = ()
    """What landing accepted although the contract does not say it: added columns, blank lines."""
    notes: tuple[str, ...] = ()
    """What landing did as the contract says: the footer it passed over."""


class RefinedBatch(OfBatch):
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
    bronze_version: int | None = None
    """The bronze version that it was read from; None where an earlier Jingshu handed it on."""


CheckStatus = Literal["passed", "failed", "error", "not_executable"]
Engine = Literal["row", "spark", "great_expectations", "land", "none"]


class CheckResult(BaseModel):
    """What one contract element came to for one batch (design §2, invariant 7)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule_id: str
    column: str | None
    dimension: Dimension
    severity: Severity
    status: CheckStatus
    checked: int | None
    failed: int | None
    threshold: float | None
    message: str
    engine: Engine


class Verdict(OfBatch):
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
    bronze_version: int | None = None
    """The bronze version that was refined; None where an earlier Jingshu handed it on."""


class PublishedVersion(OfBatch):
    """The silver version that made the batch visible."""

    kind: Literal["published"] = "published"
    status: BatchStatus
    silver_version: int
    rows_published: int
    rows_quarantined: int
    rows_duplicate: int


class Ended(OfDelivery):
    """A delivery that stopped: in which state, at which stage, and why, in words."""

    kind: Literal["ended"] = "ended"
    state: DeliveryState | BatchStatus
    reason: str
    batch_id: str | None = None

    @classmethod
    def of(
        cls,
        delivery: Delivery,
        state: DeliveryState | BatchStatus,
        reason: str,
        batch_id: str | None = None,
    ) -> Ended:
        """Return the end of a delivery, or of its batch."""
        return cls(
            contract_id=delivery.contract.id,
            contract_version=delivery.contract.version,
            provider=delivery.provider,
            dataset=delivery.contract.dataset,
            business_date=delivery.business_date,
            state=state,
            reason=reason,
            batch_id=batch_id,
        )


class ProductVersion(Stage):
    """One date's build of a product."""

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


class SharedVersion(Stage):
    """One policy's projection of a product for one date."""

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
