"""Machine time shared out: runs at the same time share each millisecond of the clock. Pure.

The parts add up to the time during which anything ran, whatever overlapped, and a part never
changes: time that was shared out in an earlier round is not shared out again.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True)
class Span:
    """From when to when something ran, in milliseconds of one clock."""

    name: str
    start: int
    end: int


def shared_out(spans: Iterable[Span], rounds: Sequence[int]) -> Mapping[str, int]:
    """Return each span's part of the clock in milliseconds; together they are its union.

    A round takes the spans that ended since the one before and up to its own moment. Spans that
    end after the last round have no part yet.
    """
    left = sorted(spans, key=lambda s: (s.end, s.name))
    taken: list[Span] = []
    parts: dict[str, int] = {}
    for until in sorted(rounds):
        ended = [s for s in left if s.end <= until]
        parts |= _parts(ended, taken)
        taken, left = [*taken, *ended], left[len(ended) :]
    return parts


def _parts(spans: Sequence[Span], taken: Sequence[Span]) -> dict[str, int]:
    """Share the time of some spans that none of the taken ones covers."""
    steps: dict[int, list[int]] = {}
    for place, some in enumerate((spans, taken)):
        for span in some:
            steps.setdefault(span.start, [0, 0])[place] += 1
            steps.setdefault(span.end, [0, 0])[place] -= 1
    moments = sorted(steps)
    # The part of a run that goes on from the first moment to this one.
    until = dict.fromkeys(moments[:1], Fraction(0))
    running = is_taken = 0
    for moment, following in pairwise(moments):
        running += steps[moment][0]
        is_taken += steps[moment][1]
        is_free = running and not is_taken
        step = Fraction(following - moment, running) if is_free else Fraction(0)
        until[following] = until[moment] + step
    return _in_whole({s.name: until[s.end] - until[s.start] for s in spans})


def _in_whole(exact: Mapping[str, Fraction]) -> dict[str, int]:
    """Round parts of a whole number so that they are still its parts: largest remainders first."""
    whole = {name: int(part) for name, part in exact.items()}
    odd = int(sum(exact.values(), Fraction(0))) - sum(whole.values())
    for name in sorted(exact, key=lambda name: (whole[name] - exact[name], name))[:odd]:
        whole[name] += 1
    return whole
