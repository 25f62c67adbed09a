"""The product's own SQL on the good rows gives the cells that the truth foretells."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot

from contracts.layout import ROOT, Home
from contracts.loading import load_tree
from infra.sandbox.city import generate_day
from infra.sandbox.dirt import normal
from infra.sandbox.truth import Faults
from tests.support.exports import FIRST, Made

if TYPE_CHECKING:
    from infra.sandbox.truth import Cell

INPUTS = ("civil/elder_service", "health/disease_case", "emergency/depot_stock")
TYPES = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "date": "DATE"}


def good_rows(day: Made, feed: str) -> list[dict[str, Any]]:
    """Return the rows that are neither bad nor repeated, identifiers normalised, typed."""
    delivery = day.truth.deliveries[feed]
    contract = load_tree().contract(delivery.contract_id)
    nulls = contract.server(delivery.provider).export.null_tokens
    out = {r.line for r in delivery.faults + delivery.exact_duplicates}
    found = []
    for line, row in day.rows(feed).items():
        if line in out:
            continue
        typed: dict[str, Any] = {}
        for column in contract.columns:
            text = normal(row[column.name]) if column.rule else row[column.name]
            typed[column.name] = None if text in nulls else text.replace("/", "-")
        found.append(typed)
    return found


def build(days: dict[str, list[Made]], on: date) -> dict[str, dict[str, Any]]:
    product = load_tree().contract("emergency.heat_readiness")
    sql = (ROOT / "contracts" / "products" / product.product_plan.sql).read_text("utf-8")
    sql = sql.replace("{business_date}", on.isoformat()).replace("{k}", str(product.product_plan.k))
    with duckdb.connect(":memory:") as db:
        for feed, made in days.items():
            contract = load_tree().contract(made[0].truth.deliveries[feed].contract_id)
            typed = ", ".join(
                f'CAST("{c.name}" AS {TYPES[c.type]}) AS "{c.name}"' for c in contract.columns
            )
            texts = pa.Table.from_pylist([row for day in made for row in good_rows(day, feed)])
            db.register("texts", texts)
            db.execute(f"CREATE TABLE {feed.replace('/', '__')} AS SELECT {typed} FROM texts")
            db.unregister("texts")
        for table in ("streets", "heat_items"):
            file = ROOT / "contracts" / "reference" / f"{table}.csv"
            with file.open(encoding="utf-8", newline="") as handle:
                header = next(csv.reader(handle))
            typed = ", ".join(f"'{h}': 'VARCHAR'" for h in header)
            db.execute(
                f"CREATE TABLE reference__{table} AS FROM read_csv('{file}', columns={{{typed}}})"
            )
        made_sql = sqlglot.transpile(sql, read="spark", write="duckdb")[0]
        result = db.execute(made_sql)
        names = [d[0] for d in result.description or ()]
        return {row[0]: dict(zip(names, row, strict=True)) for row in result.fetchall()}


def assert_same(built: dict[str, dict[str, Any]], expected: dict[str, Cell]) -> None:
    assert built.keys() == expected.keys()
    for street, cell in expected.items():
        row = built[street]
        for name in (
            "elders_served",
            "heat_cases",
            "suppressed",
            "supplies_in_reach",
            "nearest_depot_id",
            "nearest_depot_lon",
            "nearest_depot_lat",
        ):
            assert row[name] == getattr(cell, name), (street, name)
        assert row["nearest_depot_km"] == pytest.approx(cell.nearest_depot_km, abs=0.0011)
        digits = "".join(c for c in row["duty_phone"].removeprefix("+86") if c.isdigit())
        assert digits.removeprefix("010") == cell.duty_phone_digits


def test_the_first_day(first_day: Made) -> None:
    built = build({feed: [first_day] for feed in INPUTS}, FIRST)
    assert_same(built, first_day.truth.heat_readiness)
    kinds = {(r["elders_served"] is None, r["heat_cases"] is None) for r in built.values()}
    assert len(kinds) == 4


def test_a_later_day_adds_cases_and_takes_the_last_stock_that_came(home: Home) -> None:
    providers = {"civil", "health", "emergency"}
    first = Made(home, generate_day(home, FIRST, providers=providers))
    second = FIRST + timedelta(1)
    faults = Faults(deliveries={"emergency/depot_stock": "missing"})
    later = Made(home, generate_day(home, second, providers=providers, faults=faults))
    days = {
        "civil/elder_service": [later],
        "health/disease_case": [first, later],
        "emergency/depot_stock": [first],
    }
    assert_same(build(days, second), later.truth.heat_readiness)
