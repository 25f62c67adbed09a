"""Every table of the lake opens in readers without Spark, and leaks nothing to them."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from contracts.model import LEVELS, SHARE_CEILING
from jobs.seal.rows import opened_table
from tests.conftest import THREAD, TREE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contracts.model import Contract
    from tests.conftest import City

pytestmark = pytest.mark.spark

LAYERS: Final = ("bronze", "silver", "quarantine", "gold", "shared", "governance")
FEEDS: Final = {f.table: f.contract for f in TREE.feeds(THREAD)}
PRODUCTS: Final = {p.product_table: p for p in TREE.products.values()}
SHARES: Final = {
    f"{p.product_table}__{policy.name}": p
    for p in TREE.products.values()
    for policy in p.product_plan.policies
}
OPEN: Final = ("L1", "L2")


def tables(city: City, *layers: str) -> list[tuple[str, DeltaTable]]:
    """The tables of some layers as (layer/name, table)."""
    found = []
    for layer in layers or LAYERS:
        folder = city.home.table("silver", "x").parent.parent / layer
        names = sorted(p.parent.name for p in folder.glob("*/_delta_log"))
        found += [(f"{layer}/{name}", DeltaTable(str(folder / name))) for name in names]
    assert found
    return found


def folder_of(table: DeltaTable) -> str:
    return table.table_uri.removeprefix("file://").rstrip("/")


def contract_of(where: str) -> Contract | None:
    layer, _, name = where.partition("/")
    if layer == "governance":
        return None
    return {"gold": PRODUCTS, "shared": SHARES}.get(layer, FEEDS)[name]


def actions(table: DeltaTable) -> Iterator[dict[str, Any]]:
    """Every action of a table's log, from its JSON commits and its checkpoints."""
    from pathlib import Path

    import pyarrow.parquet as pq

    log = Path(folder_of(table)) / "_delta_log"
    for file in sorted(log.glob("*.json")):
        for line in file.read_text("utf-8").splitlines():
            yield json.loads(line)
    for file in sorted(log.glob("*.checkpoint*.parquet")):
        yield from pq.read_table(file).to_pylist()


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with its packaged delta extension; nothing is fetched."""
    extension = resources.files("duckdb_extension_delta").joinpath(
        f"extensions/v{duckdb.__version__}/delta.duckdb_extension"
    )
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute("SET autoload_known_extensions = false")
        connection.execute(f"LOAD '{extension}'")
        yield connection


def test_every_layer_has_its_tables(city: City) -> None:
    names = {where for where, _ in tables(city)}
    assert {f"{layer}/{t}" for t in FEEDS for layer in ("bronze", "silver")} <= names
    assert {f"gold/{t}" for t in PRODUCTS} <= names
    assert {f"shared/{t}" for t in SHARES} <= names
    assert {f"governance/{t}" for t in ("deliveries", "batches", "check_results")} <= names


def test_all_readers_count_the_same_rows(city: City, duck: duckdb.DuckDBPyConnection) -> None:
    total = 0
    for where, table in tables(city):
        folder = folder_of(table)
        rows = table.to_pyarrow_dataset().count_rows()
        counted = duck.execute(f"SELECT count(*) FROM delta_scan('{folder}')").fetchone()
        assert counted == (rows,), where
        assert pl.scan_delta(folder).select(pl.len()).collect().item() == rows, where
        total += rows
    assert total > 20_000


def test_all_readers_see_the_same_values(city: City, duck: duckdb.DuckDBPyConnection) -> None:
    for where, table in tables(city, "silver", "gold", "shared"):
        folder, names = folder_of(table), [f.name for f in table.schema().fields]
        arrow = table.to_pyarrow_table()
        polars = pl.scan_delta(folder).collect()
        assert polars.columns == names, where
        duckdb_rows = duck.execute(f"SELECT * FROM delta_scan('{folder}') LIMIT 0")
        assert [c[0] for c in duckdb_rows.description] == names, where
        for name in names:
            found = duck.execute(
                f'SELECT count(DISTINCT "{name}"), count("{name}") FROM delta_scan(\'{folder}\')'
            ).fetchone()
            column = arrow[name]
            expected = (len(column.drop_null().unique()), len(column) - column.null_count)
            assert found == expected, (where, name)
            assert polars[name].drop_nulls().n_unique() == expected[0], (where, name)


def test_tables_stay_on_what_every_reader_has(city: City) -> None:
    for where, table in tables(city):
        seen = [a["protocol"] for a in actions(table) if a.get("protocol")]
        assert seen, where
        for protocol in seen:
            assert protocol["minReaderVersion"] == 1, where
            assert 2 <= protocol["minWriterVersion"] <= 4, where
            assert not protocol.get("readerFeatures"), where
            assert not protocol.get("writerFeatures"), where


def test_no_table_has_a_feature_that_readers_lack(city: City) -> None:
    refused = (
        "deletionVectors",
        "columnMapping",
        "typeWidening",
        "inCommitTimestamps",
        "rowTracking",
    )
    for where, table in tables(city):
        for action in actions(table):
            add = action.get("add") or {}
            assert not add.get("deletionVector"), where
            configuration = (action.get("metaData") or {}).get("configuration") or {}
            if not isinstance(configuration, dict):  # checkpoints hold maps as pairs
                configuration = dict(configuration)
            for key, value in configuration.items():
                assert not any(r.lower() in key.lower() for r in refused) or value == "false", where


def test_times_are_utc_instants(city: City) -> None:
    for where, table in tables(city):
        for field in pa.schema(table.schema().to_arrow()):
            if pa.types.is_timestamp(field.type):
                assert field.type.tz == "UTC", (where, field.name)


def test_columns_carry_comment_and_level(city: City) -> None:
    for where, table in tables(city, "silver", "gold", "shared"):
        contract = contract_of(where)
        assert contract is not None
        for field in table.schema().fields:
            assert field.metadata["jingshu.level"] in LEVELS, (where, field.name)
            if field.name.startswith("_"):
                continue
            column = contract.column(field.name)
            assert column.business_name in field.metadata["comment"], (where, field.name)
            if not where.startswith("shared"):
                assert field.metadata["jingshu.level"] == column.effective_level
        assert table.metadata().name
        assert contract.id in (table.metadata().description or "")


def test_every_stored_column_has_a_level(city: City) -> None:
    for where, table in tables(city):
        for field in table.schema().fields:
            assert field.metadata.get("jingshu.level") in LEVELS, (where, field.name)


def test_nothing_above_the_ceiling_is_shared(city: City) -> None:
    for where, table in tables(city, "shared"):
        for field in table.schema().fields:
            assert field.metadata["jingshu.level"] <= SHARE_CEILING, (where, field.name)


def _closed_columns(where: str) -> set[str]:
    contract = contract_of(where)
    if contract is None:
        return set()
    closed = {c.name for c in contract.columns if c.effective_level not in OPEN}
    return closed | {"_extra", "_reasons"}


def test_logs_hold_no_bounds_of_closed_columns(city: City) -> None:
    """Delta statistics of an L3 or L4 column would put its values into ``_delta_log``."""
    closed_somewhere = 0
    for where, table in tables(city, "bronze", "silver", "quarantine", "gold", "shared"):
        closed = _closed_columns(where)
        for action in actions(table):
            add = action.get("add") or {}
            stats = json.loads(add["stats"]) if isinstance(add.get("stats"), str) else {}
            parsed = add.get("stats_parsed") or {}
            for bounds in (stats, parsed):
                for key in ("minValues", "maxValues"):
                    known = {k for k, v in (bounds.get(key) or {}).items() if v is not None}
                    assert not known & closed, (where, known & closed)
        closed_somewhere += len(closed)
    assert closed_somewhere > 20


def test_logs_hold_no_value_of_a_closed_column(city: City) -> None:
    """The same, without believing any structure: the values themselves are looked for."""
    from pathlib import Path

    looked_for = 0
    for where, table in tables(city, "bronze", "silver", "quarantine"):
        log = Path(folder_of(table)) / "_delta_log"
        text = b"".join(p.read_bytes() for p in sorted(log.iterdir()) if p.is_file())
        for name in sorted(_closed_columns(where) - {"_extra", "_reasons"}):
            contract = contract_of(where)
            if contract is None or contract.column(name).type == "date":
                continue  # a log names its business dates, and many a row has such a date
            values = table.to_pyarrow_table(columns=[name])[name].drop_null().unique().to_pylist()
            long = [str(v) for v in values if isinstance(v, str) and len(v) >= 8][:500]
            looked_for += len(long)
            assert not [v for v in long if v.encode() in text], (where, name)
    assert looked_for > 1000


def test_shared_values_are_masked(city: City) -> None:
    seen_masks = set()
    for name, product in SHARES.items():
        shared = DeltaTable(str(city.home.table("shared", name))).to_pyarrow_table()
        policy = next(p for p in product.product_plan.policies if name.endswith(f"__{p.name}"))
        gold = DeltaTable(str(city.home.table("gold", product.product_table))).to_pyarrow_table()
        assert shared.num_rows > 0
        for column, release in policy.columns.items():
            seen_masks.add(release.mask)
            values = shared[column].drop_null().to_pylist() if column in shared.column_names else []
            if release.mask == "drop":
                assert column not in shared.column_names
            elif release.mask == "partial":
                originals = set(gold[column].drop_null().to_pylist())
                assert values
                assert all("*" in v for v in values)
                assert not originals & set(values)
            elif release.mask == "round_coordinate":
                step = float((release.model_extra or {})["to"])
                assert values
                assert all(abs(v / step - round(v / step)) < 1e-6 for v in values)
    assert {"drop", "partial", "round_coordinate", "keep"} <= seen_masks


def test_no_raw_identifier_left_the_inner_layers(city: City) -> None:
    """Identity numbers of the sandbox's people are in no file of gold, shared or governance."""
    name = "health__disease_case"
    stored = DeltaTable(str(city.home.table("silver", name))).to_pyarrow_table()
    cases = opened_table(city.home, city.tree.contract("health.disease_case"), name, stored)
    people = cases["person_id"].drop_null().unique().to_pylist()[:300]
    assert not set(people) & set(stored["person_id"].to_pylist())
    assert people
    outside: list[Path] = []
    for layer in ("gold", "shared", "governance"):
        folder = city.home.table("silver", "x").parent.parent / layer
        outside += [p for p in folder.rglob("*") if p.is_file()]
    for _, table in tables(city, "gold", "shared", "governance"):
        for name, column in zip(
            table.schema().to_arrow().names, table.to_pyarrow_table().columns, strict=True
        ):
            if pa.types.is_string(column.type):
                text = "\n".join(column.drop_null().unique().to_pylist())
                assert not [p for p in people if p in text], name
    for file in [*outside, *city.home.lineage_events.glob("*.ndjson")]:
        content = file.read_bytes()
        assert not [p for p in people if p.encode() in content], file


def test_stages_are_not_seen(city: City) -> None:
    """Rows that failed lie in the stage's folder, and no reader's scan reaches them."""
    for where, table in tables(city, "silver"):
        for path in table.file_uris():
            assert "/_ok=false/" not in path, where
            assert "/_ok=tombstone/" not in path, where
            assert "/_ok=outdated/" not in path, where
