"""Machine time shared out: runs at the same time share each millisecond of a counter. Pure.

A counter is a process's CPU time, or a machine's clock. The parts add up to what it counted while
anything ran, whatever overlapped, and a part never changes: what was shared out in an earlier
round is not shared out again.
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
    """Where one counter stood when something began and ended, in milliseconds."""

    name: str
    start: int
    end: int


def shared_out(rounds: Iterable[Sequence[Span]]) -> Mapping[str, int]:
    """Return each span's part of its counter in milliseconds; together they are its union.

    A round is what ended since the one before it; each name stands once.
    """
    taken: list[Span] = []
    parts: dict[str, int] = {}
    for ended in rounds:
        parts |= _parts(ended, taken)
        taken += ended
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
