"""verify: what the control database stores as text and is read as more can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect

from jobs.verify.report import checked
from sharing.readable import READS
from sharing.verify.lake import all_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.verify.report import Checked
    from sharing.verify.lake import CityLake


def records(lake: CityLake) -> Iterator[Checked]:
    """Invariant 6: what requests, rights, listings, decisions … say in JSON is what they say."""
    read = {k for k in all_kinds() if any(READS in c.info for c in inspect(k).columns)}
    lake.records.survey(read)
    lake.records.asked |= read
    yield checked(6, "control.db", None)
