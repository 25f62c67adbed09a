"""The city's first days against its truth file: every fault found, nothing else touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from jobs.record import governance
from jobs.tables.silver import BAD, stage_path
from tests.conftest import DAYS, THREAD, TREE, City

if TYPE_CHECKING:
    from datetime import date

    from contracts.tree import Feed
    from infra.sandbox.truth import DeliveryTruth

EVERY_DELIVERY = [
    pytest.param(day, feed.table, id=f"{feed.table}-{day}")
    for day in DAYS
    for feed in TREE.feeds(THREAD)
    if day == DAYS[0] or feed.contract.schedule.is_due(day)
]


def truth_of(city: City, day: date, table: str) -> DeliveryTruth:
    return city.truths[day].deliveries[table.replace("__", "/")]


def batch_of(city: City, day: date, table: str) -> governance.BatchRow | None:
    rows = [b for b in governance.latest_batches(city.home, day) if b.table == table]
    return max(rows, key=lambda b: b.revision) if rows else None


@pytest.mark.parametrize(("day", "table"), EVERY_DELIVERY)
def test_each_delivery_ends_in_its_state(city: City, day: date, table: str) -> None:
    truth = truth_of(city, day, table)
    states = {f"{d.provider}__{d.dataset}": d for d in governance.latest_deliveries(city.home, day)}
    found = states.get(table)
    assert found is not None
    assert found.state == truth.delivery_state, found.reason
    batch = batch_of(city, day, table)
    status = batch.status if batch else None
    # A later date's snapshot, or its month, replaces what was published.
    expected = truth.batch_status
    if expected == "published" and status == "superseded":
        assert TREE.contract(truth.contract_id).load.mode in ("full_snapshot", "replace_period")
        return
    assert status == expected, batch


@pytest.mark.parametrize(("day", "table"), EVERY_DELIVERY)
def test_quarantine_holds_exactly_the_planted_faults(city: City, day: date, table: str) -> None:
    truth = truth_of(city, day, table)
    batch = batch_of(city, day, table)
    if batch is None or batch.status not in ("published", "superseded"):
        return
    path = city.home.table("quarantine", table)
    rows = DeltaTable(str(path)).to_pyarrow_table().to_pylist() if path.exists() else []
    found = {
        r["_source_line"]: sorted(reason["rule_id"] for reason in r["_reasons"])
        for r in rows
        if r["_batch_id"] == batch.batch_id
    }
    planted = {f.line: sorted(f.rule_ids) for f in truth.faults}
    assert found == planted
    assert not {n.line for n in truth.near_misses} & set(found)


@pytest.mark.parametrize(("day", "table"), EVERY_DELIVERY)
def test_no_row_vanishes(city: City, day: date, table: str) -> None:
    truth = truth_of(city, day, table)
    batch = batch_of(city, day, table)
    if batch is None or batch.status not in ("published", "superseded", "held"):
        return
    assert batch.rows_landed == truth.rows
    assert batch.rows_duplicate == len(truth.exact_duplicates)
    if batch.status == "held":
        bad = stage_path(city.home, table, batch.batch_id) / f"_ok={BAD}"
        staged = sum(pq.read_metadata(file).num_rows for file in bad.glob("*.parquet"))
        assert staged == len(truth.faults) + len(truth.exact_duplicates)
        return
    assert batch.rows_published == truth.good
    assert batch.rows_quarantined == len(truth.faults)


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_product_equals_the_truth(city: City, day: date) -> None:
    table = DeltaTable(str(city.home.table("gold", "heat_readiness"))).to_pyarrow_table()
    rows = {r["street_code"]: r for r in table.to_pylist() if r["business_date"] == day}
    truth = city.truths[day].heat_readiness
    assert rows.keys() == truth.keys()
    for code, cell in truth.items():
        row = rows[code]
        assert row["elders_served"] == cell.elders_served, code
        assert row["heat_cases"] == cell.heat_cases, code
        assert row["suppressed"] == cell.suppressed, code
        assert row["supplies_in_reach"] == cell.supplies_in_reach, code
        assert row["nearest_depot_id"] == cell.nearest_depot_id, code
    assert any(c.heat_cases for c in truth.values()), "the wave must show in some street"


@pytest.mark.parametrize(
    "feed",
    [f for f in TREE.feeds(THREAD) if f.contract.load.mode == "merge_key"],
    ids=lambda f: f.table,
)
def test_merge_holds_the_newest_row_of_each_key(city: City, feed: Feed) -> None:
    table = feed.table
    expected: set[str] = set()
    for day in DAYS:
        batch = batch_of(city, day, table)
        if batch is None or batch.status != "published":
            continue
        truth = truth_of(city, day, table)
        expected |= set(truth.upserted_keys)
        expected -= set(truth.deleted_keys)
    rows = DeltaTable(str(city.home.table("silver", table))).to_pyarrow_table()
    [key] = feed.contract.key
    assert set(rows[key.name].to_pylist()) == expected
    assert rows.num_rows == len(expected)
