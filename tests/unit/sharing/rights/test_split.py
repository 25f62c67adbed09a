"""Revenue in whole 分: the parts are the amount, whatever the shares."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.rights.split import Share, SplitError, SplitRule, split


def rule(*shares: Fraction, least: tuple[int, ...] = ()) -> SplitRule:
    guaranteed = (*least, *[0] * (len(shares) - len(least)))
    named = zip(shares, guaranteed, strict=True)
    return SplitRule("v1", tuple(Share(f"p{i}", s, g) for i, (s, g) in enumerate(named)))


THIRDS = rule(*[Fraction(1, 3)] * 3)


@st.composite
def rules(draw: st.DrawFn) -> tuple[SplitRule, int]:
    weights = draw(st.lists(st.integers(0, 50), min_size=1, max_size=6).filter(any))
    shares = [Fraction(w, sum(weights)) for w in weights]
    least = draw(st.lists(st.integers(0, 500), min_size=len(shares), max_size=len(shares)))
    amount = draw(st.integers(sum(least), sum(least) + 100_000))
    return rule(*shares, least=tuple(least)), amount


def test_ten_thousand_in_three() -> None:
    assert list(split(10_000, THIRDS).values()) == [3334, 3333, 3333]


@pytest.mark.parametrize(
    ("amount", "given_rule", "expected"),
    [
        (0, THIRDS, [0, 0, 0]),
        (1, THIRDS, [1, 0, 0]),
        (2, THIRDS, [1, 1, 0]),
        (100, rule(Fraction(1, 10), Fraction(9, 10), least=(30,)), [30, 70]),
        (150, rule(Fraction(1, 2), Fraction(1, 2), Fraction(0), least=(90, 0, 20)), [90, 40, 20]),
        (100, rule(Fraction(1, 2), Fraction(1, 2), least=(50, 50)), [50, 50]),
    ],
)
def test_parts(amount: int, given_rule: SplitRule, expected: list[int]) -> None:
    assert list(split(amount, given_rule).values()) == expected


@given(rules())
def test_the_parts_are_the_amount_and_keep_every_guarantee(made: tuple[SplitRule, int]) -> None:
    given_rule, amount = made
    parts = split(amount, given_rule)
    assert sum(parts.values()) == amount
    assert all(parts[s.party] >= s.min_fen for s in given_rule.shares)
    if not any(s.min_fen for s in given_rule.shares):
        assert all(abs(parts[s.party] - amount * s.share) < 1 for s in given_rule.shares)


@pytest.mark.parametrize(
    "shares",
    [(Fraction(1, 3), Fraction(1, 3)), (Fraction(3, 2), Fraction(-1, 2)), ()],
)
def test_shares_are_one_together(shares: tuple[Fraction, ...]) -> None:
    with pytest.raises(SplitError):
        rule(*shares)


@pytest.mark.parametrize("amount", [-1, 99])
def test_an_amount_covers_its_guarantees(amount: int) -> None:
    with pytest.raises(SplitError, match="guarantees"):
        split(amount, rule(Fraction(1, 2), Fraction(1, 2), least=(50, 50)))


def test_nobody_is_named_twice() -> None:
    half = Share("p", Fraction(1, 2))
    with pytest.raises(SplitError, match="twice"):
        SplitRule("v1", (half, half))
