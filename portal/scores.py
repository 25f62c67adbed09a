"""Scores by quality dimension: X of Y elements satisfy their checks. No I/O.

GB/T 36344-2018 measures each of its six dimensions as X/Y × 100 %; numerator and denominator stay
visible, and a dimension without an executed check has no score at all (design §2, invariant 7).
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jobs.record.elements import satisfying
from portal.words import DIMENSION, NOT_SCORED, Tone, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contracts.model import Provider
    from jobs.record.governance import CheckRow
    from portal.deliveries import Line

ScoreState = Literal["scored", "error", "not_executable", "not_checked"]


@dataclass(frozen=True)
class Score:
    """One dimension of one dataset, provider or city."""

    dimension: str
    satisfied: int
    judged: int
    checks: int
    failed_checks: int
    grave: int
    """Failed checks of severity ``error`` that the contract does not tolerate."""
    errors: int
    not_executable: int

    @property
    def state(self) -> ScoreState:
        """``scored`` only where an executed check judged at least one element."""
        if self.judged > 0:
            return "scored"
        if self.errors > 0:
            return "error"
        return "not_executable" if self.not_executable > 0 else "not_checked"

    @property
    def percent(self) -> float | None:
        """X/Y × 100, cut (never rounded up) to two decimals: 100 means every element."""
        if self.state != "scored":
            return None
        return math.floor(10_000 * self.satisfied / self.judged) / 100

    @property
    def tone(self) -> Tone:
        """Good only where every element satisfies every check and none broke."""
        if self.state == "error" or self.grave or self.errors:
            return "bad"
        if self.state != "scored":
            return "idle"
        return "good" if self.satisfied == self.judged and not self.failed_checks else "warn"

    @property
    def word(self) -> Word:
        """What stands in place of a number."""
        return NOT_SCORED.get(self.state) or DIMENSION[self.dimension]


@dataclass(frozen=True)
class ScoreRow:
    """The six dimensions of a dataset (with its line), or of all a provider's datasets."""

    provider: Provider | None
    line: Line | None
    scores: tuple[Score, ...]

    @property
    def not_executable(self) -> int:
        """Checks that no engine can run: text rules, for people."""
        return sum(s.not_executable for s in self.scores)

    @property
    def errors(self) -> int:
        """Checks that broke before they could judge."""
        return sum(s.errors for s in self.scores)


def scores(checks: Iterable[CheckRow], stopped: frozenset[str] = frozenset()) -> tuple[Score, ...]:
    """Return the six dimensions in the standard's order.

    A row rule's bad rows go to quarantine, which the contract tolerates up to its threshold: they
    are grave only in a ``stopped`` batch (ids). A failed check of the whole batch always is.
    """
    by_dimension: dict[str, list[CheckRow]] = defaultdict(list)
    for check in checks:
        by_dimension[check.dimension].append(check)
    return tuple(_score(d, by_dimension[d], stopped) for d in DIMENSION)


def _score(dimension: str, checks: Sequence[CheckRow], stopped: frozenset[str]) -> Score:
    failed = [c for c in checks if c.status == "failed"]
    satisfied, judged = satisfying(checks)
    return Score(
        dimension=dimension,
        satisfied=satisfied,
        judged=judged,
        checks=len(checks),
        failed_checks=len(failed),
        grave=sum(
            c.severity == "error" and (c.engine != "row" or c.batch_id in stopped) for c in failed
        ),
        errors=sum(c.status == "error" for c in checks),
        not_executable=sum(c.status == "not_executable" for c in checks),
    )


def score_rows(of_date: Sequence[Line], checks: Sequence[CheckRow]) -> tuple[ScoreRow, ...]:
    """Return the city's row, then each provider: its sum if it has several datasets, then each.

    A dataset without a batch on the date has no row: there was nothing to judge.
    """
    of_batch: dict[tuple[str, str, str], list[CheckRow]] = defaultdict(list)
    for check in checks:
        of_batch[check.provider, check.dataset, check.batch_id].append(check)
    of_provider: dict[str, list[Line]] = defaultdict(list)
    for line in sorted(of_date, key=lambda x: (x.provider.kind, x.provider.code, x.title)):
        if line.own_batch is not None:
            of_provider[line.delivery.provider].append(line)

    def checks_of(line: Line) -> list[CheckRow]:
        batch = line.own_batch
        return of_batch[batch.provider, batch.dataset, batch.batch_id] if batch else []

    stopped = frozenset(
        b.batch_id
        for line in of_date
        if (b := line.own_batch) is not None and b.status in ("held", "rejected")
    )
    rows = []
    for its_lines in of_provider.values():
        provider = its_lines[0].provider
        if len(its_lines) > 1:
            together = [c for line in its_lines for c in checks_of(line)]
            rows.append(ScoreRow(provider, None, scores(together, stopped)))
        rows += [ScoreRow(provider, line, scores(checks_of(line), stopped)) for line in its_lines]
    if not rows:
        return ()
    judged = [c for its in of_provider.values() for line in its for c in checks_of(line)]
    return (ScoreRow(None, None, scores(judged, stopped)), *rows)
