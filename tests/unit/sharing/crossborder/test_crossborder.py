"""Data going abroad: each vector of the law's table, and the order of its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import UsageError
from sharing.crossborder.decide import CONDITIONS, UNCOUNTED_ROWS, Counters, Facts, decide
from sharing.crossborder.rules import rulebooks

COMPANY = Facts("general", "L2", is_state_organ=False, has_personal_information=True)
BUREAU = replace(COMPANY, is_state_organ=True)
#: A company in a zone whose negative list is known.
LISTED = replace(COMPANY, is_in_ftz=True, zone_list="2024")
_EXEMPT: Final = "exempt"
_CONTRACT: Final = "contract_or_certification"
_ASSESS: Final = "security_assessment"


@pytest.mark.parametrize(
    ("general", "sensitive", "row", "outcome"),
    [
        (99_999, 0, 10, _EXEMPT),
        (99_999, 1, 9, _CONTRACT),
        (0, 1, 9, _CONTRACT),
        (100_000, 0, 9, _CONTRACT),
        (999_999, 0, 9, _CONTRACT),
        (1_000_000, 0, 8, _ASSESS),
        (0, 9_999, 9, _CONTRACT),
        (0, 10_000, 8, _ASSESS),
    ],
)
def test_counts_of_a_company(general: int, sensitive: int, row: int, outcome: str) -> None:
    decision = decide(replace(COMPANY, counters=Counters(general, sensitive)))
    assert (decision.row, decision.outcome) == (row, outcome)
    assert decision.counters == Counters(general, sensitive)
    assert decision.rule_version == rulebooks()[-1].version


@pytest.mark.parametrize(
    ("facts", "row", "outcome"),
    [
        (replace(COMPANY, grade="core"), 0, "deny"),
        (replace(COMPANY, grade="secret", necessity="emergency"), 0, "deny"),
        (replace(BUREAU, level="L4"), 0, "deny"),
        (BUREAU, 1, "deny"),
        (replace(BUREAU, has_security_assessment=True), 10, _EXEMPT),
        (replace(COMPANY, grade="important", has_personal_information=False), 2, _ASSESS),
        (replace(COMPANY, has_personal_information=False), 3, _EXEMPT),
        (replace(BUREAU, has_personal_information=False), 3, _EXEMPT),
        (replace(COMPANY, is_foreign_collected_only=True), 4, _EXEMPT),
        (
            replace(COMPANY, necessity="contract_with_person", counters=Counters(0, 20_000)),
            5,
            _EXEMPT,
        ),
        (replace(LISTED, counters=Counters(2_000_000)), 6, _EXEMPT),
        (replace(LISTED, is_on_negative_list=True), 10, _EXEMPT),
        (replace(LISTED, is_zone_open=True), 16, "undetermined"),
        (replace(LISTED, is_zone_open=True, zone_route=_CONTRACT), 16, "undetermined"),
        (replace(LISTED, zone_route=_CONTRACT), 15, _CONTRACT),
        (replace(LISTED, zone_route=_ASSESS), 14, _ASSESS),
        (replace(COMPANY, is_ciio=True), 7, _ASSESS),
        (replace(COMPANY, is_ciio=True, necessity="human_resources"), 5, _EXEMPT),
        (replace(BUREAU, has_security_assessment=True, is_assessment_over=True), 1, "deny"),
        (replace(COMPANY, grade="important", is_assessment_over=True), 2, "deny"),
        (replace(COMPANY, is_ciio=True, is_assessment_over=True), 7, "deny"),
        (replace(COMPANY, counters=Counters(1_000_000), is_assessment_over=True), 8, "deny"),
        (replace(COMPANY, counters=Counters(100_000), is_assessment_over=True), 9, _CONTRACT),
        (replace(COMPANY, is_assessment_over=True), 10, _EXEMPT),
    ],
    ids=lambda x: x if isinstance(x, str | int) else None,
)
def test_each_row_in_its_order(facts: Facts, row: int, outcome: str) -> None:
    decision = decide(facts)
    assert (decision.row, decision.outcome) == (row, outcome)


def test_air_tickets_that_the_passenger_booked_are_exempt() -> None:
    booked = replace(COMPANY, necessity="contract_with_person", counters=Counters(5_000_000))
    assert decide(booked).outcome == _EXEMPT


_facts = st.builds(
    Facts,
    grade=st.sampled_from(["general", "important", "core", "secret"]),
    level=st.sampled_from(["L1", "L2", "L3", "L4"]),
    is_state_organ=st.booleans(),
    has_personal_information=st.just(True),
    counters=st.builds(Counters, st.integers(0, 2_000_000), st.integers(0, 20_000)),
    has_security_assessment=st.booleans(),
    is_foreign_collected_only=st.booleans(),
    necessity=st.none() | st.sampled_from(["contract_with_person", "emergency"]),
    is_in_ftz=st.booleans(),
    is_on_negative_list=st.booleans(),
    is_ciio=st.booleans(),
    is_assessment_over=st.booleans(),
    is_held_by_organ=st.booleans(),
    has_title=st.booleans(),
    is_for_foreign_authority=st.booleans(),
    has_approval=st.booleans(),
    zone_list=st.none() | st.just("2024"),
    zone_route=st.none() | st.sampled_from([_CONTRACT, _ASSESS]),
    is_zone_open=st.booleans(),
)


@given(_facts)
def test_the_first_row_that_matches_decides(facts: Facts) -> None:
    decision = decide(facts)
    rules = rulebooks()[-1].rules
    [at] = [n for n, rule in enumerate(rules) if rule.row == decision.row]
    assert CONDITIONS[decision.row](facts, rules[at])
    assert not any(CONDITIONS[rule.row](facts, rule) for rule in rules[:at])


@given(facts=_facts, general=st.integers(0, 1_000_000), sensitive=st.integers(0, 10_000))
def test_more_persons_are_never_easier(facts: Facts, general: int, sensitive: int) -> None:
    before = decide(facts)
    more = Counters(facts.counters.general + general, facts.counters.sensitive + sensitive)
    after = decide(replace(facts, counters=more))
    if before.row in UNCOUNTED_ROWS:
        assert after.row == before.row
    order = [_EXEMPT, _CONTRACT, _ASSESS, "undetermined", "deny"]
    assert order.index(after.outcome) >= order.index(before.outcome)


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(UsageError, match="negative"):
        Counters(-1)
    with pytest.raises(UsageError, match="without personal information"):
        replace(COMPANY, has_personal_information=False, counters=Counters(1))
