"""An intact lake proves whole; whatever is changed behind our back is found, and named."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from deltalake import DeltaTable, write_deltalake

from contracts.layout import Home
from contracts.moment import utc_now
from jobs.record import governance, intents
from jobs.tables import silver, staged
from jobs.verify import INVARIANTS, verify
from tests.conftest import TREE, City

if TYPE_CHECKING:
    from pathlib import Path

    from jobs.record.governance import BatchRow
    from jobs.verify import Finding

TABLE = "health__disease_case"
TABLES = (TABLE, "dongcheng__grid_case", "civil__elder_service", "emergency__depot_stock")


@pytest.fixture
def lake(city: City, tmp_path: Path) -> Home:
    """A copy of the city's lake, to be spoilt."""
    shutil.copytree(city.home.root, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home")


def broken(home: Home) -> list[Finding]:
    return verify(home, TREE).broken


def assert_named(home: Home, invariant: int, where: str, problem: str) -> None:
    """Some finding is of this invariant and says where and what; all are told as broken."""
    found = broken(home)
    assert any(
        f.invariant == invariant and where in f.where and problem in f.problem.en for f in found
    ), found


def silver_table(home: Home, name: str = TABLE) -> DeltaTable:
    return DeltaTable(str(home.table("silver", name)))


def published(home: Home, table: str = TABLE) -> BatchRow:
    rows = [b for b in governance.latest_batches(home) if b.table == table]
    return next(b for b in rows if b.status == "published")


def lie(home: Home, row: BatchRow, **changes: Any) -> None:
    """Append a row of a batch that says something else."""
    update = {"recorded_at": utc_now(), **changes}
    assert governance.append(home, f"lie:{changes}", [row.model_copy(update=update)])


def test_an_intact_lake_holds(city: City) -> None:
    report = verify(city.home, city.tree)
    assert report.is_whole
    assert not report.findings
    assert all(report.checked[n] for n in INVARIANTS)


def test_an_empty_home_has_nothing_to_prove(home: Home) -> None:
    report = verify(home, TREE)
    assert report.is_whole
    assert not report.checked[1] + report.checked[2] + report.checked[3]


@pytest.mark.parametrize("name", TABLES)
def test_a_deleted_file_is_missed(lake: Home, name: str) -> None:
    file = staged.files(silver_table(lake, name))[0]["path"]
    (lake.table("silver", name) / str(file)).unlink()
    assert_named(lake, 2, str(file), "missing on disk")


def test_a_changed_file_is_noticed(lake: Home) -> None:
    file = lake.table("silver", TABLE) / str(staged.files(silver_table(lake))[0]["path"])
    file.write_bytes(file.read_bytes() + b" ")
    assert_named(lake, 2, file.name, "the log says")


@pytest.mark.parametrize(
    ("changes", "invariant", "problem"),
    [
        ({"rows_published": 1}, 1, "are accounted for"),
        ({"rows_landed": 7}, 1, "are said to have landed, bronze holds"),
        ({"status": "held"}, 2, "silver shows it; it is said to be held"),
        ({"status": "withdrawn"}, 2, "no commit took it back"),
        ({"origin": "real"}, 2, "origin is real, its leaf says simulated"),
        ({"revision": 9}, 2, "revision is 9, its leaf says 1"),
        ({"silver_version": 99}, 2, "silver_version is 99"),
    ],
    ids=str,
)
def test_a_lying_governance_row_is_caught(
    lake: Home, changes: dict[str, Any], invariant: int, problem: str
) -> None:
    row = published(lake)
    lie(lake, row, **changes)
    assert_named(lake, invariant, row.batch_id, problem)


def test_rows_moved_between_counts_are_caught(lake: Home) -> None:
    row = published(lake)
    moved = {"rows_published": row.rows_published + 3, "rows_duplicate": row.rows_duplicate - 3}
    lie(lake, row, **moved)
    assert_named(lake, 1, row.batch_id, "rows were published")
    assert_named(lake, 2, row.batch_id, "rows_published is")


def test_a_held_batch_cannot_be_called_published(lake: Home) -> None:
    held = next(b for b in governance.latest_batches(lake) if b.status == "held")
    lie(lake, held, status="published", silver_version=1)
    assert_named(lake, 2, held.batch_id, "no commit ever showed it")


def test_rows_appended_by_hand_are_foreign(lake: Home) -> None:
    table = silver_table(lake)
    rows = table.to_pyarrow_table().slice(0, 3)
    write_deltalake(table, rows, mode="append")
    assert_named(lake, 2, f"silver/{TABLE}", f"version {table.version()} was committed by no stage")
    assert_named(lake, 2, f"silver/{TABLE}/", "belongs to no published batch")


def test_rows_deleted_by_hand_are_missed(lake: Home) -> None:
    row = published(lake)
    silver_table(lake).delete(f"_batch_id = '{row.batch_id}' AND _source_line % 2 = 0")
    assert_named(lake, 1, row.batch_id, "rows were published")


def test_bad_rows_made_visible_are_caught(lake: Home) -> None:
    """The stage of a published batch holds its bad rows too: showing them takes one commit."""
    row, table = published(lake), silver_table(lake)
    stage = silver.stage_path(lake, TABLE, row.batch_id)
    adds = staged.staged_actions(stage, TREE.contract(row.contract_id), ("false",))
    table.create_write_transaction(list(adds), "append", table.schema())
    assert_named(lake, 2, f"{row.batch_id}/_ok=false", "did not pass")
    assert_named(lake, 2, f"silver/{TABLE}", "committed by no stage")


def test_an_older_batch_made_visible_is_caught(lake: Home) -> None:
    name = "emergency__depot_stock"
    old = next(
        b
        for b in governance.latest_batches(lake)
        if b.table == name and b.status == "superseded" and b.rows_published
    )
    table = silver_table(lake, name)
    stage = silver.stage_path(lake, name, old.batch_id)
    adds = staged.staged_actions(stage, TREE.contract(old.contract_id), ("true",))
    table.create_write_transaction(list(adds), "append", table.schema())
    assert_named(lake, 3, f"silver/{name}", f"batch {old.batch_id} is visible although")


@pytest.mark.parametrize(
    ("layer", "name", "column"),
    [
        ("bronze", TABLE, "person_id"),
        ("silver", TABLE, "person_id"),
        ("silver", "transport__link_speed", "link_id"),
        ("quarantine", TABLE, "_reasons"),
        ("gold", "heat_readiness", "elders_served"),
        ("shared", "heat_readiness__demo", "elders_served"),
    ],
)
def test_a_lost_level_is_noticed(lake: Home, layer: Any, name: str, column: str) -> None:
    """Also where the contract says L1: an untagged column counts as L3."""
    _strip_metadata(lake.table(layer, name), column)
    expected = "shared at L3" if layer == "shared" else "its level is lost"
    assert_named(lake, 5, f"{layer}/{name}.{column}", expected)


def test_a_lowered_level_is_noticed(lake: Home) -> None:
    silver_table(lake).alter.set_column_metadata("person_id", {"jingshu.level": "L1"})
    assert_named(lake, 5, "person_id", "tagged L1, its contract says L4")


def _strip_metadata(path: Path, column: str) -> None:
    """Commit the table's schema again without one column's metadata, as overwriteSchema does."""
    logs = sorted((path / "_delta_log").glob("*.json"))
    actions = [json.loads(line) for log in logs for line in log.read_text("utf-8").splitlines()]
    metadata = next(a for a in reversed(actions) if "metaData" in a)
    schema = json.loads(metadata["metaData"]["schemaString"])
    for field in schema["fields"]:
        if field["name"] == column:
            field["metadata"] = {}
    metadata["metaData"]["schemaString"] = json.dumps(schema)
    said = {"commitInfo": {"operation": "SET TBLPROPERTIES", "timestamp": 0}}
    text = "\n".join(json.dumps(a) for a in (said, metadata)) + "\n"
    (path / "_delta_log" / f"{len(logs):020}.json").write_text(text, "utf-8")


@pytest.mark.parametrize("layer", ["gold", "shared"])
def test_a_product_changed_by_hand_is_caught(lake: Home, layer: Any) -> None:
    name = "heat_readiness" if layer == "gold" else "heat_readiness__demo"
    table = DeltaTable(str(lake.table(layer, name)))
    write_deltalake(table, table.to_pyarrow_table().slice(0, 1), mode="append")
    assert_named(lake, 2, f"{layer}/{name}", "was committed by no stage")


def test_a_flipped_byte_in_the_log_is_found(lake: Home) -> None:
    bundle = next((lake.evidence / "tile" / "entries").rglob("*.p/*"))
    raw = bytearray(bundle.read_bytes())
    raw[len(raw) // 2] ^= 1
    bundle.write_bytes(raw)
    assert_named(lake, 6, "evidence/tile/entries", "")


def test_a_log_cut_back_is_found(lake: Home, city: City) -> None:
    shutil.rmtree(lake.evidence)
    assert_named(lake, 6, "evidence/checkpoint", "missing")
    assert_named(lake, 2, published(lake).batch_id, "no publication leaf")


def test_removed_check_results_are_missed(lake: Home) -> None:
    row = published(lake)
    table = DeltaTable(str(lake.table("governance", "check_results")))
    table.delete(f"batch_id = '{row.batch_id}' AND rule_id = 'row.shape'")
    assert_named(lake, 7, row.batch_id, "no result for row.shape")
    assert_named(lake, 2, row.batch_id, "not those the verdict was given on")
    table.delete(f"batch_id = '{row.batch_id}'")
    assert_named(lake, 7, row.batch_id, "no result of it is there")


@pytest.mark.parametrize(
    ("layer", "problem"), [("bronze", "bronze holds"), ("quarantine", "in quarantine, it holds")]
)
def test_removed_rows_vanish_nowhere_unseen(lake: Home, layer: Any, problem: str) -> None:
    row = published(lake)
    table = DeltaTable(str(lake.table(layer, TABLE)))
    kept = table.to_pyarrow_table(filters=[("_batch_id", "=", row.batch_id)])
    line = kept["_source_line"].to_pylist()[0]
    table.delete(f"_batch_id = '{row.batch_id}' AND _source_line = {line}")
    assert_named(lake, 1, row.batch_id, problem)


def test_a_product_that_hides_its_origin_is_caught(lake: Home) -> None:
    row = next(r for r in governance.latest_publications(lake) if r.kind == "product")
    honest = row.model_copy(update={"recorded_at": utc_now(), "origin": "real"})
    governance.append(lake, "lie:origin", [honest])
    assert_named(lake, 8, f"gold/{row.table_name}", "does not say so")


def test_what_is_under_way_is_recovering(lake: Home) -> None:
    """A publication whose leaf is still to come breaks nothing while its intent is open."""
    row = published(lake)
    shutil.rmtree(lake.evidence)
    shutil.rmtree(lake.keys)
    for other in governance.latest_batches(lake):
        intents.begin(lake, f"publish:{other.batch_id}", other.table)
    report = verify(lake, TREE)
    mine = [f for f in report.findings if f.where == f"silver/{TABLE}@{row.batch_id}"]
    assert mine
    assert all(f.is_recovering for f in mine)
    intents.finish(lake, f"publish:{row.batch_id}")
    report = verify(lake, TREE)
    assert any(f.where == f"silver/{TABLE}@{row.batch_id}" for f in report.broken)


def test_an_unreadable_file_breaks_no_proof(lake: Home) -> None:
    """A file that is no Parquet any more is named; the rest is still proved."""
    table = silver_table(lake)
    file = lake.table("silver", TABLE) / str(staged.files(table)[0]["path"])
    file.write_bytes(b"x" * file.stat().st_size)
    assert_named(lake, 2, file.name, "no readable Parquet")
    assert verify(lake, TREE).checked[5]
