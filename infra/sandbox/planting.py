"""Damages a delivery's rows and remembers what was done to which.

Every planted row is different from every other row, so that the only exact duplicates and the only
key conflicts in a file are the ones that were planted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from infra.sandbox.dirt import normal

if TYPE_CHECKING:
    from random import Random

    from infra.sandbox.dataset import Cells
    from infra.sandbox.dirt import Change
    from infra.sandbox.faults import Catalogue, CellFault

#: So many rows of each rule and of each near-miss, where the file is large enough.
PER_KIND: Final = 20
#: A healthy delivery uses this share of what its contract's threshold allows.
HEALTHY_SHARE: Final = 0.8
_SHAPE, _CONFLICT = "row.shape", "row.key_conflict"
_MAX_TRIES: Final = 5000
_MANY_KINDS: Final = 4

Verdict = Literal["clean", "near_miss", "bad", "duplicate"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What was done to a row, and what must come of it."""

    verdict: Verdict
    kind: str = ""
    rule_ids: tuple[str, ...] = ()
    column: str | None = None


CLEAN: Final = Mark("clean")


@dataclass(slots=True)
class Row:
    """A row as it will be written; ``extra`` cells too many (or, negative, too few)."""

    cells: Cells
    mark: Mark = CLEAN
    extra: int = 0

    @property
    def text(self) -> tuple[str, ...]:
        """The raw cells, for telling whether two rows are the same."""
        return (*self.cells.values(), str(self.extra))


@dataclass(frozen=True, slots=True)
class Dose:
    """How much dirt: bad rows of each rule and in all, near-misses of each kind."""

    bad_rows: int
    per_rule: int
    per_near_miss: int
    is_ragged: bool = True
    """Whether rows may lack shape; a sheet's rows cannot."""

    @classmethod
    def healthy(cls, rows: int, bad_percent: float, *, is_ragged: bool) -> Dose:
        """Stay under the contract's threshold."""
        bad = int(rows * bad_percent / 100 * HEALTHY_SHARE)
        return cls(bad, PER_KIND, _per_kind(rows), is_ragged)

    @classmethod
    def held(cls, rows: int, bad_percent: float, *, is_ragged: bool) -> Dose:
        """Go well over it."""
        bad = int(rows * min(60.0, max(30.0, 2.5 * bad_percent)) / 100) + 1
        return cls(bad, bad, _per_kind(rows), is_ragged)


def _per_kind(rows: int) -> int:
    return min(PER_KIND, max(1, rows // 70))


def plant(
    catalogue: Catalogue,
    key: tuple[str, ...],
    clean: list[Cells],
    dose: Dose | None,
    rng: Random,
) -> list[Row]:
    """Return the rows with near-misses, faults, key conflicts and exact duplicates in them.

    ``key`` names the primary key's columns. Without a dose the rows stay clean.
    """
    work = _Planting([Row(dict(c)) for c in clean], key, rng)
    if dose is None:
        return work.rows
    for near in catalogue.near_misses:
        mark = Mark("near_miss", near.kind, (), near.column)
        for _ in range(dose.per_near_miss):
            work.change(near.change, mark)
    for rule_id, count in _shares(catalogue, dose, rng).items():
        work.spoil(catalogue, rule_id, count)
    work.repeat(min(PER_KIND, len(clean) // 100))
    return work.rows


def _shares(catalogue: Catalogue, dose: Dose, rng: Random) -> dict[str, int]:
    """Divide the bad rows among the rule ids; a small file has some of the rules only."""
    rule_ids = list(dict.fromkeys(f.rule_ids[0] for f in catalogue.faults))
    if dose.is_ragged:
        rule_ids.append(_SHAPE)
    each = min(dose.per_rule, dose.bad_rows // (len(rule_ids) + 1))
    if each < 2:  # noqa: PLR2004 - a key conflict takes two rows
        return dict.fromkeys(rng.sample(rule_ids, min(dose.bad_rows, len(rule_ids))), 1)
    shares = dict.fromkeys((*rule_ids, _CONFLICT), each)
    # A rule that finds many kinds of dirt gets more of it, as far as the threshold goes.
    spare = dose.bad_rows - sum(shares.values())
    kinds = Counter(f.rule_ids[0] for f in catalogue.faults)
    for rule_id, count in kinds.most_common():
        if count > _MANY_KINDS and spare >= each:
            shares[rule_id] += each
            spare -= each
    return shares


class _Planting:
    """The rows of one file while they are being damaged."""

    def __init__(self, rows: list[Row], key: tuple[str, ...], rng: Random) -> None:
        self.rows = rows
        self.key = key
        self.rng = rng
        self.seen = {r.text for r in rows}
        self.keys = {self.key_of(r.cells) for r in rows}
        self.free = list(rows)
        rng.shuffle(self.free)

    def key_of(self, cells: Cells) -> tuple[str, ...]:
        """Return the key as it is after normalising: two spellings of one key are one key."""
        return tuple(normal(cells[name]) for name in self.key)

    def change(self, change: Change, mark: Mark) -> bool:
        """Apply a change to the first free row that it fits; tell whether there was one."""
        for index in range(len(self.free) - 1, max(-1, len(self.free) - 1 - _MAX_TRIES), -1):
            row = self.free[index]
            new = change(row.cells, self.rng)
            if new is None:
                continue
            changed = Row({**row.cells, **new}, mark)
            key = self.key_of(changed.cells)
            if (changed.text in self.seen and changed.text != row.text) or (
                key in self.keys and key != self.key_of(row.cells)
            ):
                continue
            self.seen.add(changed.text)
            if mark.verdict == "near_miss":
                self.keys.add(key)
            row.cells, row.mark = changed.cells, mark
            self.free[index] = self.free[-1]
            self.free.pop()
            return True
        return False

    def spoil(self, catalogue: Catalogue, rule_id: str, count: int) -> None:
        """Make ``count`` bad rows of a rule, its kinds in turn."""
        if rule_id == _SHAPE:
            for number in range(count):
                self.bend(1 if number % 2 else -1)
        elif rule_id == _CONFLICT:
            for _ in range(count // 2):
                self.contradict(catalogue)
        else:
            kinds: list[CellFault] = [f for f in catalogue.faults if f.rule_ids[0] == rule_id]
            for number in range(count):
                fault = kinds[number % len(kinds)]
                self.change(fault.change, Mark("bad", fault.kind, fault.rule_ids, fault.column))

    def bend(self, extra: int) -> None:
        """Give a row a cell too many or one too few."""
        if self.free:
            row = self.free.pop()
            kind = "too_many_cells" if extra > 0 else "too_few_cells"
            row.extra, row.mark = extra, Mark("bad", kind, (_SHAPE,))

    def contradict(self, catalogue: Catalogue) -> None:
        """Add a second row with the key of a clean one and other content: both are bad."""
        if not self.free:
            return
        row = self.free.pop()
        values = [v for v in catalogue.twist_values if v != row.cells[catalogue.twist]]
        mark = Mark("bad", "same_key_other_content", (_CONFLICT,))
        row.mark = mark
        self.insert(Row({**row.cells, catalogue.twist: self.rng.choice(values)}, mark))

    def repeat(self, count: int) -> None:
        """Send clean rows a second time, further down the file; the first of each counts."""
        for row in [self.free.pop() for _ in range(min(count, len(self.free)))]:
            copy = Row(dict(row.cells), Mark("duplicate", "exact_duplicate"))
            after = next(n for n, r in enumerate(self.rows) if r is row) + 1
            self.rows.insert(self.rng.randint(after, len(self.rows)), copy)

    def insert(self, row: Row) -> None:
        """Put a row anywhere."""
        self.rows.insert(self.rng.randint(0, len(self.rows)), row)
