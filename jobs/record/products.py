"""Writes down what became of a product or a share: its governance row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.digest import sha256
from contracts.moment import utc_now
from jobs.record import governance
from jobs.record.governance import PublicationRow

if TYPE_CHECKING:
    from contracts.layout import Home
    from jobs.stages import ProductVersion


def publication(
    home: Home, kind: str, table: str, made: ProductVersion | object, inputs: str
) -> None:
    """Append the governance row of a product's or share's state."""
    row = PublicationRow(
        recorded_at=utc_now(),
        kind=kind,
        table_name=table,
        inputs=inputs,
        rows_suppressed=getattr(made, "rows_suppressed", 0),
        **{
            name: getattr(made, name)
            for name in ("business_date", "status", "version", "rows", "origin", "reason")
        },
    )
    said = sha256(f"{row.status}:{row.version}:{row.reason}:{inputs}")[:12]
    governance.append(home, f"{kind}:{table}:{row.business_date}:{said}", [row])
