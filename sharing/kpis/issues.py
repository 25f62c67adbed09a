"""Faults of delivered data: which batches were stopped, when each was put right, which came back.

An issue is a batch that was held or rejected. It is fixed when a publication of the same delivery
(provider, dataset, business date) passed its checks afterwards; a batch that a person released did
not pass them. Source: domain reference §4, 质量问题整改率 and 复发率. Pure, over governance rows.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sharing.workdays import CalendarMissingError, end_of_workday

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from jobs.record.governance import BatchRow, CheckRow

#: Within how many working days an issue is to be fixed: as many as a correction may take (Art. 26).
FIX_DAYS: Final = 10
#: For how long after it was fixed the same fault counts as having come back.
RECURRENCE: Final = timedelta(days=30)
_STOPPED: Final = ("held", "rejected")


@dataclass(frozen=True)
class Issue:
    """A batch that was stopped; times are in UTC.

    ``rules`` are the checks that failed while it was stopped: none where it was rejected before it
    was checked. ``due_at`` is None where the calendar of that year is missing.
    """

    provider: str
    table: str
    batch_id: str
    raised_at: datetime
    due_at: datetime | None
    fixed_at: datetime | None
    rules: frozenset[str]

    @property
    def is_fixed_in_time(self) -> bool:
        """Tell whether it was fixed and passed its checks before it was due."""
        return self.fixed_at is not None and self.due_at is not None and self.fixed_at < self.due_at

    @property
    def watched_until(self) -> datetime | None:
        """Until when the same fault counts as having come back; None while it is not fixed."""
        return None if self.fixed_at is None else self.fixed_at + RECURRENCE


def issues_of(batches: Iterable[BatchRow], checks: Iterable[CheckRow]) -> list[Issue]:
    """Return every issue, the oldest first.

    ``batches`` and ``checks`` are whole histories, oldest first, as ``governance.read`` returns
    them: a batch that was stopped and published since is an issue all the same, and one only.
    """
    history: dict[str, list[BatchRow]] = defaultdict(list)
    for row in batches:
        history[row.batch_id].append(row)
    passed = _passed(history)
    rules = _failed_rules(checks)
    found = [
        _issue(first, passed, rules.get(batch_id, frozenset()))
        for batch_id, rows in history.items()
        if (first := next((r for r in rows if r.status in _STOPPED), None)) is not None
    ]
    return sorted(found, key=lambda i: (i.raised_at, i.batch_id))


def recurred(issue: Issue, issues: Iterable[Issue]) -> bool:
    """Tell whether a check that failed in an issue stopped its table again within 30 days."""
    fixed_at, until = issue.fixed_at, issue.watched_until
    return (
        fixed_at is not None
        and until is not None
        and any(
            other.table == issue.table
            and fixed_at < other.raised_at <= until
            and bool(other.rules & issue.rules)
            for other in issues
        )
    )


def _issue(
    row: BatchRow,
    passed: Mapping[tuple[str, str, date], Sequence[datetime]],
    rules: frozenset[str],
) -> Issue:
    times = passed.get((row.provider, row.dataset, row.business_date), ())
    return Issue(
        provider=row.provider,
        table=row.table,
        batch_id=row.batch_id,
        raised_at=row.recorded_at,
        due_at=_due_at(row.recorded_at),
        fixed_at=min((at for at in times if at > row.recorded_at), default=None),
        rules=rules,
    )


def _passed(
    history: Mapping[str, Sequence[BatchRow]],
) -> dict[tuple[str, str, date], list[datetime]]:
    """Return when batches of each delivery were published because their checks passed."""
    passed: dict[tuple[str, str, date], list[datetime]] = defaultdict(list)
    for rows in history.values():
        for row in _published_by_checks(rows):
            passed[row.provider, row.dataset, row.business_date].append(row.recorded_at)
    return passed


def _published_by_checks(rows: Iterable[BatchRow]) -> Iterator[BatchRow]:
    """Yield a batch's publications that no hold came before since it was landed last."""
    is_stopped = False
    for row in rows:
        if row.status == "landed":
            is_stopped = False  # a retry is judged anew
        elif row.status in _STOPPED:
            is_stopped = True
        elif row.status == "published" and not is_stopped:
            yield row


def _failed_rules(checks: Iterable[CheckRow]) -> dict[str, frozenset[str]]:
    """Return the checks that stop a batch and failed, by batch: warnings stop none."""
    failed: dict[str, set[str]] = defaultdict(set)
    for row in checks:
        if row.severity == "error" and row.status in ("failed", "error"):
            failed[row.batch_id].add(row.rule_id)
    return {batch_id: frozenset(rules) for batch_id, rules in failed.items()}


def _due_at(raised_at: datetime) -> datetime | None:
    try:
        return end_of_workday(raised_at, FIX_DAYS)
    except CalendarMissingError:
        return None
