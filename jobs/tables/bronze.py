"""The bronze table of a feed: every contract column as text, and where each row came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

from jobs.names import Step
from jobs.seal.plan import EXTRA, is_sealed
from jobs.tables.delta import committed_as, open_table

if TYPE_CHECKING:
    from contracts.layout import Home
    from contracts.model import Contract

SYSTEM_FIELDS: Final = (
    pa.field("_source_line", pa.int64(), metadata={"jingshu.level": "L1"}),
    pa.field("_row_error", pa.string(), metadata={"jingshu.level": "L1"}),
    pa.field("_extra", pa.string(), metadata={"jingshu.level": "L3"}),
    pa.field("_batch_id", pa.string(), metadata={"jingshu.level": "L1"}),
)


def version_of(home: Home, table: str, batch_id: str) -> int | None:
    """Return the version that landed a batch, by the newest such commit; None without a table."""
    found = open_table(home.table("bronze", table))
    return None if found is None else committed_as(found, Step.LAND.of(batch_id))


def bronze_schema(contract: Contract) -> pa.Schema:
    """Return bronze's Arrow schema: every contract column as text, and where it came from."""
    columns = [
        pa.field(
            c.name,
            pa.string(),
            metadata={
                "comment": c.description or c.business_name,
                "jingshu.level": c.effective_level,
                "jingshu.header": c.header,
            },
        )
        for c in contract.columns
    ]
    return pa.schema([*columns, *system_fields(contract)])


def system_fields(contract: Contract) -> list[pa.Field]:
    """Return bronze's own columns; beside sealed columns, what stands in no column is L4 too."""
    if not is_sealed(contract):
        return list(SYSTEM_FIELDS)
    top = {"jingshu.level": "L4"}
    return [f.with_metadata(top) if f.name == EXTRA else f for f in SYSTEM_FIELDS]


def statistics_only_on(contract: Contract, *system: str) -> dict[str, str]:
    """Return the Delta property that keeps values of L3+ columns out of ``_delta_log``."""
    open_columns = [c.name for c in contract.columns if c.effective_level in ("L1", "L2")]
    return {"delta.dataSkippingStatsColumns": ",".join([*open_columns, *system])}
