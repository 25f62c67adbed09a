"""Runs every check on a lake.

Every check reads what is on disk (tables, logs, leaves), never what a job remembers. The answer is
"all invariants hold", or exactly what broke and where; what is only unfinished is recovering.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jobs.verify import (
    batches,
    derived,
    events,
    facts,
    files,
    log,
    publications,
    refusals,
    rows,
    seals,
    tags,
)
from jobs.verify.lake import Lake
from jobs.verify.report import Report

if TYPE_CHECKING:
    from contracts.layout import Home
    from contracts.tree import Tree

CHECKS: Final = (
    log.whole,
    events.as_logged,
    facts.of_leaves,
    facts.of_deliveries,
    files.as_logged,
    rows.conserved,
    batches.as_logged,
    batches.as_judged,
    batches.results,
    publications.visible,
    publications.periods,
    derived.products,
    derived.as_logged,
    derived.lowered,
    derived.traced,
    derived.origins,
    tags.levels,
    tags.schemas,
    seals.at_rest,
    refusals.records,
)


def verify(home: Home, tree: Tree) -> Report:
    """Check every invariant that exists so far and return what was found."""
    report, lake = Report(), Lake(home, tree)
    for check in CHECKS:
        report.add(check(lake))
    return report
