"""What was due on a date and what became of it: one line a delivery, and the counts. No I/O."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.words import Words
from jobs.record.conservation import RowAccount, account, was_shown
from portal.words import BATCH, DELIVERY, Word, word_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, timedelta

    from contracts.model import Contract, Level, Provider
    from contracts.tree import Tree
    from jobs.record.governance import BatchRow, DeliveryRow

#: The states a delivery that was due can be in; together they are all that was due.
DUE_STATES: Final = ("received", "late", "missing", "refused", "duplicate", "expected")
#: What comes first in the table: states of deliveries and statuses of batches, gravest first.
_GRAVITY: Final = (
    "refused",
    "missing",
    "held",
    "failed",
    "rejected",
    "withdrawn",
    "late",
    "duplicate",
)


@dataclass(frozen=True)
class Line:
    """One delivery of the date with the batch that it became."""

    delivery: DeliveryRow
    batch: BatchRow | None
    earlier: tuple[BatchRow, ...]
    """Other batches of the same date: revisions that were superseded or withdrawn."""
    provider: Provider
    contract: Contract | None
    published_to: date | None
    """The newest business date, up to this one, that was published for readers."""

    @property
    def title(self) -> str:
        """The dataset's name in words; its id where its contract has left the tree."""
        return self.contract.title if self.contract else self.delivery.dataset

    @property
    def level(self) -> Level | None:
        """The table's level; None where there is no contract to say."""
        return self.contract.level if self.contract else None

    @property
    def threshold_percent(self) -> float | None:
        """Share of bad rows (percent of landed rows) that the contract tolerates."""
        return self.contract.thresholds.bad_rows_percent if self.contract else None

    @property
    def own_batch(self) -> BatchRow | None:
        """The batch, if it is this date's: a duplicate points at the date it repeats."""
        if self.batch is None or self.batch.business_date != self.delivery.business_date:
            return None
        return self.batch

    @property
    def bad_percent(self) -> float | None:
        """Quarantined rows in percent of landed rows without exact duplicates, as the audit counts.

        None where no row was judged, and before publication: until then none are in quarantine.
        """
        batch = self.own_batch
        if batch is None or batch.status == "withdrawn" or not was_shown(batch):
            return None
        judged = batch.rows_landed - batch.rows_duplicate
        return 100 * batch.rows_quarantined / judged if judged > 0 else None

    @property
    def is_over_threshold(self) -> bool:
        """Tell whether more rows are bad than the contract tolerates."""
        bad, limit = self.bad_percent, self.threshold_percent
        return bad is not None and limit is not None and bad > limit

    @property
    def is_simulated(self) -> bool:
        """Tell whether the batch came from the simulated city."""
        return self.batch is not None and self.batch.origin == "simulated"

    @property
    def state(self) -> Word:
        """The delivery's state in words."""
        return word_for(DELIVERY, self.delivery.state)

    @property
    def status(self) -> Word | None:
        """The batch's status in words; None where no batch came of it."""
        return word_for(BATCH, self.own_batch.status) if self.own_batch else None

    @property
    def reasons(self) -> tuple[Words, ...]:
        """Why it is as it is, each sentence once: the delivery's reason, then the batch's."""
        texts = (self.delivery.reason, self.own_batch.reason if self.own_batch else "")
        return tuple(dict.fromkeys(Words.read(r.strip()) for r in texts if r and r.strip()))

    @property
    def ahead(self) -> timedelta | None:
        """How long before the deadline it came; negative when it was late."""
        received = self.delivery.received_at
        return None if received is None else self.delivery.due_at - received

    @property
    def days_behind(self) -> int | None:
        """Days between this date and the newest published one; None if never published."""
        if self.published_to is None:
            return None
        return (self.delivery.business_date - self.published_to).days

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing about this delivery needs a second look."""
        tones = {self.state.tone, self.status.tone if self.status else "good"}
        return tones <= {"good", "idle"} and not self.is_over_threshold

    @property
    def anchor(self) -> str:
        """The fragment of the line's details."""
        return f"d-{self.delivery.provider}--{self.delivery.dataset}"


@dataclass(frozen=True)
class Counts:
    """The day in numbers. ``due`` is the sum of its states."""

    providers: int
    due: int
    states: Mapping[str, int]
    statuses: Mapping[str, int]
    rows: RowAccount
    unbalanced: tuple[BatchRow, ...]
    """Batches that were published and whose rows do not add up; there must be none."""
    on_time: tuple[int, int]
    """Deliveries in time, and all that came or should have by now (更新及时率)."""


def lines(
    tree: Tree, deliveries: Sequence[DeliveryRow], batches: Sequence[BatchRow]
) -> tuple[Line, ...]:
    """Join the deliveries of one date with the batches of all dates, gravest first."""
    by_feed: dict[tuple[str, str], list[BatchRow]] = defaultdict(list)
    for batch in batches:
        by_feed[batch.provider, batch.dataset].append(batch)
    joined = [_line(tree, d, by_feed[d.provider, d.dataset]) for d in deliveries]
    return tuple(sorted(joined, key=_order))


def _line(tree: Tree, delivery: DeliveryRow, of_feed: Sequence[BatchRow]) -> Line:
    on_date = [b for b in of_feed if b.business_date == delivery.business_date]
    current = max(on_date, key=_currency, default=None)
    named = next((b for b in of_feed if b.batch_id == delivery.batch_id), None)
    visible = [
        b.business_date
        for b in of_feed
        if b.status != "withdrawn" and was_shown(b) and b.business_date <= delivery.business_date
    ]
    return Line(
        delivery=delivery,
        batch=current or named,
        earlier=tuple(sorted((b for b in on_date if b is not current), key=_currency)),
        provider=tree.provider(delivery.provider),
        contract=tree.sources.get(delivery.contract_id),
        published_to=max(visible, default=None),
    )


def current_batches(batches: Iterable[BatchRow]) -> list[BatchRow]:
    """Return the batch that counts for each provider, dataset and date: the newest revision."""
    found: dict[tuple[str, str, date], BatchRow] = {}
    for batch in sorted(batches, key=_currency):
        found[batch.provider, batch.dataset, batch.business_date] = batch
    return list(found.values())


def _currency(batch: BatchRow) -> tuple[bool, int, str]:
    return (batch.status != "superseded", batch.revision, batch.recorded_at.isoformat())


def _order(line: Line) -> tuple[int, bool, str, str, str]:
    found = {line.delivery.state, line.own_batch.status if line.own_batch else ""}
    gravity = next((i for i, name in enumerate(_GRAVITY) if name in found), len(_GRAVITY))
    code = line.provider.code or line.provider.id
    return (gravity, not line.is_over_threshold, line.provider.kind, code, line.title)


def due(states: Mapping[str, int]) -> int:
    """Return how many deliveries of a date were due, from how many are in each state."""
    return sum(states.get(state, 0) for state in DUE_STATES)


def count(of_date: Sequence[Line]) -> Counts:
    """Count the lines of one date."""
    states: Counter[str] = Counter(line.delivery.state for line in of_date)
    batches = [line.own_batch for line in of_date if line.own_batch is not None]
    statuses: Counter[str] = Counter(b.status for b in batches)
    statuses.update(b.status for line in of_date for b in line.earlier)
    judged = sum(n for s, n in states.items() if s not in ("not_due", "expected"))
    return Counts(
        providers=len({line.delivery.provider for line in of_date}),
        due=due(states),
        states=dict(states),
        statuses=dict(statuses),
        rows=sum(map(account, batches), RowAccount()),
        unbalanced=tuple(b for b in batches if account(b).lost),
        on_time=(states["received"], judged),
    )
