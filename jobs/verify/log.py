"""Invariant 6: the evidence log is whole, signed, and was neither cut back nor forked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.verify.report import checked
from lineage.evidence.verify import verify_home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked


def whole(lake: Lake) -> Iterator[Checked]:
    """Check the log's signatures, leaves, tiles and root."""
    findings = verify_home(lake.home)
    for finding in findings:
        yield checked(6, finding.where, finding.problem.stored())
    if not findings:
        yield checked(6, "evidence", None)
