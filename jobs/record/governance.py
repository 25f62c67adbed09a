"""The governance tables: append-only, one row a state change, the newest row of a key counts.

Never MERGE them (8 of 12 concurrent MERGEs failed where 120 of 120 appends did not). Each append is
named after what it says, so saying it twice writes nothing.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Final, TypeVar, cast

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from contracts.constraint import Severity
from contracts.delivery import BatchStatus, DeliveryState, Origin
from contracts.model import Dimension
from jobs.tables.delta import among, append_once, dataset, open_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contracts.delivery import Delivery
    from contracts.layout import Home

_TIME = pa.timestamp("us", tz="UTC")
_ARROW: Final = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    date: pa.date32(),
    datetime: _TIME,
}


class Row(BaseModel):
    """A row of a governance table; ``recorded_at`` decides which row of a key counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recorded_at: datetime


class DeliveryRow(Row):
    """A delivery's state on its date. Key: provider, dataset, business_date."""

    provider: str
    dataset: str
    contract_id: str
    contract_version: str
    business_date: date
    state: DeliveryState
    batch_id: str | None
    reason: str
    due_at: datetime
    received_at: datetime | None


class BatchRow(Row):
    """A batch's status. Key: batch_id (with provider and dataset)."""

    provider: str
    dataset: str
    batch_id: str
    business_date: date
    contract_id: str
    contract_version: str
    revision: int
    origin: Origin
    status: BatchStatus
    reason: str
    file_name: str
    rows_landed: int
    rows_published: int
    rows_quarantined: int
    rows_duplicate: int
    silver_version: int | None
    started_at: datetime
    finished_at: datetime

    @property
    def table(self) -> str:
        """The table's name, ``<provider>__<dataset>``."""
        return f"{self.provider}__{self.dataset}"


class CheckRow(Row):
    """The result of one contract element for one batch."""

    batch_id: str
    provider: str
    dataset: str
    business_date: date
    rule_id: str
    column: str | None
    dimension: Dimension
    severity: Severity
    status: str
    checked: int | None
    failed: int | None
    threshold: float | None
    message: str
    engine: str


class PublicationRow(Row):
    """A product's or share's state on a date. Key: kind, table_name, business_date."""

    kind: str
    table_name: str
    business_date: date
    status: str
    version: int | None
    rows: int
    rows_suppressed: int
    inputs: str
    origin: Origin
    reason: str


class FindingRow(Row):
    """What a scan of a batch or a share disagrees with its contract about: counts, never a value.

    Key: table_name, business_date, batch_id, column, kind; ``batch_id`` is None for a share.
    """

    provider: str
    dataset: str
    batch_id: str | None
    table_name: str
    business_date: date
    contract_id: str
    contract_version: str
    column: str | None
    kind: str
    declared_level: str
    proposed_level: str
    checked: int
    matching: int
    status: str


TABLES: Final[dict[type[Row], str]] = {
    DeliveryRow: "deliveries",
    BatchRow: "batches",
    CheckRow: "check_results",
    PublicationRow: "publications",
    FindingRow: "findings",
}
_R = TypeVar("_R", bound=Row)


def schema_of(kind: type[Row]) -> pa.Schema:
    """Return the Arrow schema of one governance table, derived from its row type."""
    fields = []
    for name, info in kind.model_fields.items():
        annotation = info.annotation
        arms = getattr(annotation, "__args__", ())
        optional = type(None) in arms
        base = next((a for a in arms if a in _ARROW), annotation)
        fields.append(
            pa.field(
                name,
                _ARROW.get(cast("type", base), pa.string()),  # Literals are strings
                nullable=optional,
                metadata={"jingshu.level": "L1" if name != "message" else "L2"},
            )
        )
    return pa.schema(fields)


def schemas() -> dict[str, pa.Schema]:
    """Return the Arrow schema of every governance table by name."""
    return {name: schema_of(kind) for kind, name in TABLES.items()}


def append(home: Home, name: str, rows: Sequence[_R]) -> bool:
    """Append rows under the transaction ``name``; return whether this call wrote them."""
    if not rows:
        return False
    kind = type(rows[0])
    table = pa.Table.from_pylist([r.model_dump() for r in rows], schema=schema_of(kind))
    path = home.table("governance", TABLES[kind])
    _, is_written = append_once(path, lambda: table, name)
    return is_written


def read(home: Home, kind: type[_R], expression: pc.Expression | None = None) -> list[_R]:
    """Return the rows of one table that match, oldest first."""
    table = open_table(home.table("governance", TABLES[kind]))
    if table is None:
        return []
    found = dataset(table).to_table(filter=expression).sort_by("recorded_at")
    return [cast("_R", kind.model_construct(**row)) for row in found.to_pylist()]


def _newest(rows: Iterable[_R], *key: str) -> list[_R]:
    newest = {tuple(getattr(r, k) for k in key): r for r in rows}
    return sorted(newest.values(), key=lambda r: tuple(str(getattr(r, k)) for k in key))


def _on(business_date: date | None) -> pc.Expression | None:
    return None if business_date is None else pc.field("business_date") == business_date


def latest_deliveries(home: Home, business_date: date | None = None) -> list[DeliveryRow]:
    """Return the newest state of each delivery, of one date or of all."""
    rows = read(home, DeliveryRow, _on(business_date))
    return _newest(rows, "provider", "dataset", "business_date")


def refused_deliveries(home: Home, business_date: date | None = None) -> list[DeliveryRow]:
    """Return the deliveries that stand refused: no batch ever came of them."""
    rows = latest_deliveries(home, business_date)
    return [r for r in rows if r.state == "refused" and r.batch_id is None]


def latest_batches(home: Home, business_date: date | None = None) -> list[BatchRow]:
    """Return the newest row of each batch, of one date or of all."""
    return _newest(
        read(home, BatchRow, _on(business_date)), "provider", "dataset", "business_date", "batch_id"
    )


def batch(home: Home, batch_id: str) -> BatchRow | None:
    """Return the newest row of one batch."""
    rows = read(home, BatchRow, pc.field("batch_id") == batch_id)
    return rows[-1] if rows else None


def states_of(home: Home, delivery: Delivery) -> list[DeliveryRow]:
    """Return every state of one delivery, oldest first."""
    matches = (
        (pc.field("provider") == delivery.provider)
        & (pc.field("dataset") == delivery.contract.dataset)
        & (pc.field("business_date") == delivery.business_date)
    )
    return read(home, DeliveryRow, matches)


def batches_of(home: Home, provider: str, dataset: str) -> list[BatchRow]:
    """Return the newest row of each batch of one table."""
    matches = (pc.field("provider") == provider) & (pc.field("dataset") == dataset)
    return _newest(read(home, BatchRow, matches), "business_date", "batch_id")


def attempts(home: Home, batch_id: str) -> int:
    """Return how often a batch was landed: once, and once for every retry."""
    return sum(r.status == "landed" for r in read(home, BatchRow, pc.field("batch_id") == batch_id))


def check_results(home: Home, batch_ids: Sequence[str] | None = None) -> list[CheckRow]:
    """Return the results of the newest audit of the given batches, or of all."""
    only = None if batch_ids is None else among("batch_id", batch_ids)
    rows = read(home, CheckRow, only)
    newest = {row.batch_id: row.recorded_at for row in rows}  # oldest first: the last one stays
    return [r for r in _newest(rows, "batch_id", "rule_id") if r.recorded_at == newest[r.batch_id]]


def latest_publications(home: Home, business_date: date | None = None) -> list[PublicationRow]:
    """Return the newest row of each product and share, of one date or of all."""
    return _newest(
        read(home, PublicationRow, _on(business_date)), "kind", "table_name", "business_date"
    )


def findings(home: Home, business_date: date | None = None) -> list[FindingRow]:
    """Return the newest row of each finding, of one date or of all.

    A batch that was scanned again under another contract version is spoken of by that scan alone.
    """
    rows = read(home, FindingRow, _on(business_date))
    newest = {(r.table_name, r.business_date, r.batch_id): r.contract_version for r in rows}
    kept = (
        r for r in rows if r.contract_version == newest[r.table_name, r.business_date, r.batch_id]
    )
    return _newest(kept, "table_name", "business_date", "batch_id", "column", "kind")
