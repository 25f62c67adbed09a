"""The first load of every feed, read back as a stranger would read it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pytest

from contracts.loading import load_tree
from contracts.rules import row_rules
from infra.sandbox.datasets import DATASETS
from infra.sandbox.deliveries import OUTCOMES, default_plan
from infra.sandbox.dirt import normal

if TYPE_CHECKING:
    from tests.support.exports import Made

FEEDS = tuple(f"{f.provider}/{f.contract.dataset}" for f in load_tree().feeds())
FAULTS = default_plan(0, FEEDS, seed=1)
OUTCOMES_OF_FAULTS = {feed: OUTCOMES[fault] for feed, fault in FAULTS.items()}
#: What came whole: its rows can be held against the truth.
READ = tuple(
    f for f in FEEDS if OUTCOMES_OF_FAULTS.get(f, ("", "published"))[1] in ("published", "held")
)
#: A file of so many rows shows each of its faults.
ENOUGH_ROWS = 2_000


def test_a_first_load_is_a_city(first_day: Made) -> None:
    providers = load_tree().providers.values()
    sent = {d.provider for d in first_day.truth.deliveries.values()}
    assert {p.id for p in providers} == sent
    kinds = Counter(p.kind for p in providers)
    assert (kinds["bureau"], kinds["district"]) == (42, 16)
    assert len({d.contract_id for d in first_day.truth.deliveries.values()}) >= 70
    assert first_day.truth.rows >= 500_000


def test_every_feed_ends_as_its_fault_says(first_day: Made) -> None:
    ends = {f: (d.delivery_state, d.batch_status) for f, d in first_day.truth.deliveries.items()}
    assert ends == {f: OUTCOMES_OF_FAULTS.get(f, ("received", "published")) for f in FEEDS}
    assert set(FAULTS.values()) == {"held", "missing", "late", "drifted", "secret", "truncated"}
    assert not first_day.folder("econ_it/integration_pilot").exists()


def test_every_kind_of_dirt_is_there_in_number(first_day: Made) -> None:
    faults: Counter[str] = Counter()
    near: Counter[str] = Counter()
    for delivery in first_day.truth.deliveries.values():
        faults.update(f.kind for f in delivery.faults)
        near.update(n.kind for n in delivery.near_misses)
    assert min(faults.values()) >= 20, faults
    assert min(near.values()) >= 20, near
    assert sum(near.values()) >= sum(faults.values()) / 2


@pytest.mark.parametrize("feed", READ)
def test_bad_rows_are_on_the_right_side_of_the_threshold(first_day: Made, feed: str) -> None:
    delivery = first_day.truth.deliveries[feed]
    allowed = load_tree().contract(delivery.contract_id).thresholds.bad_rows_percent
    share = 100 * delivery.quarantined / delivery.rows
    assert (share > allowed) == (delivery.batch_status == "held")


@pytest.mark.parametrize("feed", READ)
def test_every_row_has_one_fate(first_day: Made, feed: str) -> None:
    delivery = first_day.truth.deliveries[feed]
    assert delivery.rows == delivery.good + delivery.quarantined + delivery.duplicates
    assert len(first_day.rows(feed)) == delivery.rows
    touched = [r.line for r in delivery.faults + delivery.exact_duplicates + delivery.near_misses]
    assert len(set(touched)) == len(touched)
    assert set(touched) <= set(first_day.rows(feed))


@pytest.mark.parametrize("feed", READ)
def test_every_row_rule_of_the_contract_has_its_faults(first_day: Made, feed: str) -> None:
    delivery = first_day.truth.deliveries[feed]
    contract = load_tree().contract(delivery.contract_id)
    planted = Counter(r.rule_ids[0] for r in delivery.faults)
    expected = {r.id for r in row_rules(contract) if r.severity == "error"}
    if not contract.server(delivery.provider).is_ragged:
        expected.discard("row.shape")
    assert set(planted) <= expected
    if delivery.rows >= ENOUGH_ROWS:
        assert set(planted) == expected
        assert min(planted.values()) >= 8


@pytest.mark.parametrize("contract_id", sorted(DATASETS))
def test_every_rule_id_exists_in_the_contract(contract_id: str) -> None:
    known = {r.id for r in row_rules(load_tree().contract(contract_id))}
    assert {i for f in DATASETS[contract_id].catalogue.faults for i in f.rule_ids} <= known


@pytest.mark.parametrize("feed", READ)
def test_every_near_miss_is_there(first_day: Made, feed: str) -> None:
    delivery = first_day.truth.deliveries[feed]
    planted = Counter((r.column, r.kind) for r in delivery.near_misses)
    wanted = {(n.column, n.kind) for n in DATASETS[delivery.contract_id].catalogue.near_misses}
    assert set(planted) <= wanted
    if delivery.rows >= ENOUGH_ROWS:
        assert set(planted) == wanted


@pytest.mark.parametrize("feed", READ)
def test_lines_lead_to_the_damage(first_day: Made, feed: str) -> None:
    delivery, rows = first_day.truth.deliveries[feed], first_day.rows(feed)
    contract = load_tree().contract(delivery.contract_id)
    nulls = contract.server(delivery.provider).export.null_tokens
    for fault in delivery.faults:
        row, rule = rows[fault.line], fault.rule_ids[0]
        assert (row["#"] != "0") == (rule == "row.shape")
        if rule.endswith(".required"):
            assert row[rule.removesuffix(".required")] in nulls
        elif fault.column is not None:
            assert row[fault.column] not in nulls


@pytest.mark.parametrize("feed", READ)
def test_only_planted_rows_repeat_or_contradict(first_day: Made, feed: str) -> None:
    delivery, rows = first_day.truth.deliveries[feed], first_day.rows(feed)
    seen: set[tuple[str, ...]] = set()
    repeated = set()
    for line, row in sorted(rows.items()):
        text = tuple(row.values())
        if text in seen:
            repeated.add(line)
        seen.add(text)
    assert repeated == {r.line for r in delivery.exact_duplicates}

    key = [c.name for c in load_tree().contract(delivery.contract_id).key]
    other_faults = {r.line for r in delivery.faults if r.rule_ids != ("row.key_conflict",)}
    by_key: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    for line, row in rows.items():
        if line not in repeated | other_faults:
            by_key[tuple(normal(row[k]) for k in key)].add(line)
    conflicts = {line for lines in by_key.values() if len(lines) > 1 for line in lines}
    assert conflicts == {r.line for r in delivery.faults if r.rule_ids == ("row.key_conflict",)}


def test_the_heat_wave_is_there_to_be_found(first_day: Made) -> None:
    cells = first_day.truth.heat_readiness
    assert len(cells) == 349
    shown = [c for c in cells.values() if c.heat_cases]
    assert len(shown) >= 10
    assert min(c.heat_cases or 0 for c in shown) >= 20
    assert sum(1 for c in cells.values() if (c.elders_served or 0) >= 20) >= 40
    assert 0 < sum(c.suppressed for c in cells.values()) < 349
    rates = first_day.truth.effects["heat_cases_per_day"]
    assert isinstance(rates, dict)
    # Seven days, less what is reported a day or two late or was quarantined.
    expected = 7 * sum(rates.values())
    found = sum(c.cases for c in cells.values())
    assert 0.8 * expected < found < expected


def test_health_and_civil_affairs_speak_of_the_same_persons(first_day: Made) -> None:
    (rate,) = first_day.truth.join_rates.values()
    assert 0.02 < rate < 0.2
