"""Machine time and parts of a 分: the parts are the whole, whatever overlapped."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sharing.rights.clock import Span, shared_out
from sharing.rights.rates import Carry, rate

_spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 30)).map(lambda t: (t[0], t[0] + t[1])),
    max_size=12,
).map(lambda found: [Span(str(n), *ends) for n, ends in enumerate(found)])


def in_rounds(spans: list[Span], rounds: list[int]) -> list[list[Span]]:
    """Return what ended by each moment, and not by the one before."""
    bounds = [-1, *sorted(rounds)]
    return [[s for s in spans if a < s.end <= b] for a, b in pairwise(bounds)]


@given(_spans, st.lists(st.integers(0, 100), max_size=4))
def test_parts_of_the_clock_add_up_and_stay(spans: list[Span], rounds: list[int]) -> None:
    parts = shared_out(in_rounds(spans, [*rounds, 100]))
    covered = {ms for s in spans for ms in range(s.start, s.end)}
    assert sum(parts.values()) == len(covered)
    assert all(0 <= parts[s.name] <= s.end - s.start for s in spans)
    before = shared_out(in_rounds(spans, rounds))
    assert before == {name: parts[name] for name in before}, "a later round changes no part"


def test_runs_at_one_time_have_the_same_part() -> None:
    spans = [Span("a", 0, 90), Span("b", 0, 90), Span("c", 30, 60)]
    assert shared_out([spans]) == {"a": 40, "b": 40, "c": 10}


@given(st.lists(st.integers(1, 100_000), max_size=30))
def test_no_part_of_a_fen_is_lost(quantities: list[int]) -> None:
    used, carry = rate("run", date(2026, 7, 13)), Carry()
    for quantity in quantities:
        fen = carry.amount(used, quantity)
        assert abs(fen - used.exact(quantity)) <= 1
        carry = carry.after(used, quantity, fen)
    assert carry.fen == used.amount(sum(quantities))
