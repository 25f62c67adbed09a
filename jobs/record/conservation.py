"""Invariant 1 as a batch's own row tells it: where each of its landed rows is.

The one reading of a batch's counts: pages, decisions and ``verify`` take it from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jobs.record.governance import BatchRow

#: Statuses of a batch whose rows were, or still are, visible, if a version of silver shows it.
SHOWN: Final = ("published", "superseded", "withdrawn")


@dataclass(frozen=True)
class RowAccount:
    """Where landed rows are, in rows; the parts and ``lost`` add up to ``landed``."""

    landed: int = 0
    published: int = 0
    quarantined: int = 0
    duplicate: int = 0
    withheld: int = 0
    """Landed and not visible: the batch is held, rejected, withdrawn, failed or still going."""
    lost: int = 0
    """Rows of a batch that was published which no part accounts for; there must be none."""

    def __add__(self, other: RowAccount) -> RowAccount:
        """Add up two accounts."""
        return RowAccount(*(a + b for a, b in zip(self._parts(), other._parts(), strict=True)))

    def _parts(self) -> tuple[int, ...]:
        parts = (self.landed, self.published, self.quarantined, self.duplicate)
        return (*parts, self.withheld, self.lost)


def was_shown(batch: BatchRow) -> bool:
    """Tell whether readers ever saw a batch's rows.

    What newer data of its period replaced before it was published is superseded, and was not.
    """
    return batch.status in SHOWN and batch.silver_version is not None


def account(batch: BatchRow) -> RowAccount:
    """Return where a batch's landed rows are."""
    kept = batch.rows_landed - batch.rows_quarantined - batch.rows_duplicate
    is_shown = was_shown(batch)
    is_visible = is_shown and batch.status != "withdrawn"
    held_back = batch.rows_published if is_shown else kept
    return RowAccount(
        landed=batch.rows_landed,
        published=batch.rows_published if is_visible else 0,
        quarantined=batch.rows_quarantined,
        duplicate=batch.rows_duplicate,
        withheld=0 if is_visible else held_back,
        lost=kept - batch.rows_published if is_shown else 0,
    )
