"""Refused requests that come too often are counted, not kept one by one: no disk is filled by them.

Each address's first ones, and a recipient's first ones over its rate, have a record each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from sharing.gateway.rates import Rate, Rates

#: Refusals that are kept one by one: of one client, and of all together.
OF_ONE: Final = Rate(per_s=0.05, burst=300)
OF_ALL: Final = Rate(per_s=0.2, burst=3000)
#: How long refusals are counted before the record that stands for them is written (s).
COUNTED_S: Final = 60.0
#: More recipients than this are counted as one; strangers always are.
_MOST_GROUPS: Final = 100
_REFUSED: Final = 400
_TOO_OFTEN: Final = 429
#: A record's columns by name.
Row = dict[str, Any]
#: What a record says of one request, and one that stands for many does not.
_OF_ONE: Final = dict.fromkeys(("request_id", "address", "duration_ms", "bytes"))


@dataclass
class Refusals:
    """The refusals that wait for their record, by recipient and status."""

    rates: Rates = field(default_factory=Rates)
    _counted: dict[tuple[str | None, int], Row] = field(default_factory=dict)

    def is_counted(self, client: str, row: Row) -> bool:
        """Count a refusal that need not have a record of its own; tell whether it was counted.

        What a recipient asked for and did not get is kept, unless it asked too often.
        """
        recipient, status = row["recipient"], row["status"]
        is_refusal = status == _TOO_OFTEN or (recipient is None and status >= _REFUSED)
        if not is_refusal:
            return False
        who = client if recipient is None else f"recipient {recipient}"
        if not self.rates.wait_s(who, OF_ONE) and not self.rates.wait_s("", OF_ALL):
            return False
        key = (recipient, status)
        if key not in self._counted and len(self._counted) >= _MOST_GROUPS:
            key = (None, status)
        first = {**row, **_OF_ONE, "recipient": key[0], "method": "-", "path": "-", "times": 0}
        self._counted.setdefault(key, first)["times"] += 1
        return True

    @property
    def has_counted(self) -> bool:
        """Whether a record is owed."""
        return bool(self._counted)

    def take(self) -> list[Row]:
        """Return the records that stand for what was counted, and begin anew."""
        rows, self._counted = list(self._counted.values()), {}
        return rows
