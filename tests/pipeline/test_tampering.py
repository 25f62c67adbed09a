"""Mutation tests: whatever is changed behind our back, a check of verify finds and names.

Each test spoils its own copy of the city, whose files are shared by hard link: a mutation replaces
a file and never writes into one. One lake takes a kind of mutation in several places, and only the
check that has to see it runs: the whole of ``verify`` takes seconds.
"""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from sqlalchemy import delete, select, update

from contracts.layout import Home
from contracts.moment import utc_now
from jobs.record import governance
from jobs.tables import staged
from jobs.verify import batches, derived, events, facts, files, log, publications, tags, verify
from jobs.verify.prove import CHECKS
from jobs.verify.report import Report
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from sharing.control import AccessRecord, Control, Grant
from sharing.gateway.reads import settle_reads
from sharing.grants import grants
from sharing.verify.grants import grants as prove_grants
from sharing.verify.lake import CityLake
from tests.conftest import TREE, City

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contracts.layout import Layer
    from jobs.verify.report import Checked

    Check = Callable[[CityLake], Iterator[Checked]]

FEED: Final = "health__disease_case"
GOLD: Final = "heat_readiness"
SHARED: Final = "heat_readiness__demo"
TABLES: Final[dict[Layer, str]] = {
    "bronze": FEED,
    "silver": FEED,
    "quarantine": FEED,
    "gold": GOLD,
    "shared": SHARED,
}


@pytest.fixture(scope="module")
def sound(city: City, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The city with a grant that is open, one that was ended, and an hour of reads in its log."""
    home = Home(tmp_path_factory.mktemp("sound") / "home")
    copied(city.home, home)
    with Control(home) as control:
        grants.grant(control, "demo", SHARED, "高温应急", actor="test")
        grants.grant(control, "other", SHARED, "高温应急", actor="test")
        grants.revoke(control, "other", actor="test")
        path = f"/delta-sharing/shares/jingshu/schemas/emergency/tables/{SHARED}/query"
        hour = (utc_now() - timedelta(hours=3)).replace(minute=0)
        with control.write() as session:
            for minute in range(3):
                values = {"method": "POST", "path": path, "status": 200, "version": 3, "files": 1}
                at = hour + timedelta(minutes=minute)
                session.add(AccessRecord(at=at, recipient="demo", **values))
        assert settle_reads(control) == 1
    return home


@pytest.fixture
def lake(sound: Home, tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    copied(sound, home)
    return home


def copied(source: Home, target: Home) -> None:
    """Copy what verify reads; files that are replaced and never written into are linked."""
    for name in ("lake", "lineage", "raw"):
        shutil.copytree(source.root / name, target.root / name, copy_function=os.link)
    for folder in (source.evidence, source.keys):
        shutil.copytree(folder, target.root / folder.name)
    for database in source.root.glob("control.db*"):
        shutil.copy2(database, target.root / database.name)


def assert_named(home: Home, check: Check, *expected: tuple[str, str]) -> None:
    """For every (place, problem), a finding of this check says both, and none is excused."""
    report = Report()
    report.add(check(CityLake(home, TREE)))
    for where, problem in expected:
        found = [f for f in report.broken if where in f.where and problem in f.problem.en]
        assert found, (where, problem, report.findings)


def sharing(lake: CityLake) -> Iterator[Checked]:
    """The checks of the control database."""
    return prove_grants(lake)


def replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(content)
    draft.replace(path)


def flip(path: Path, place: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 1
    replace(path, bytes(content))


def table_of(home: Home, layer: Layer) -> DeltaTable:
    return DeltaTable(str(home.table(layer, TABLES[layer])))


def a_file(home: Home, layer: Layer) -> Path:
    return home.table(layer, TABLES[layer]) / str(staged.files(table_of(home, layer))[0]["path"])


def test_what_nobody_touched_holds(lake: Home) -> None:
    report = verify(lake, TREE)
    report.add(prove_grants(CityLake(lake, TREE)))
    assert not report.broken


# ---------------------------------------------------------------- data files


def test_flipped_bytes(lake: Home) -> None:
    flipped = [a_file(lake, layer) for layer in TABLES]
    for file in flipped:
        flip(file)
    assert_named(lake, files.as_logged, *((f.name, "its bytes are not those") for f in flipped))


def test_rows_changed_and_the_tables_logs_with_them(lake: Home) -> None:
    """The strongest forgery of a table: its file, size and row count agree with its log."""
    forged = [a_file(lake, layer) for layer in TABLES]
    for layer, file in zip(TABLES, forged, strict=True):
        forge(file, lake.table(layer, TABLES[layer]))
        assert table_of(lake, layer).to_pyarrow_table().num_rows, "readers notice nothing"
    assert_named(lake, files.as_logged, *((f.name, "its bytes are not those") for f in forged))


def forge(file: Path, table: Path) -> None:
    """Change a cell of a file, and say its new size in the table's log."""
    old, rows = file.stat().st_size, pq.ParquetFile(file).read()
    name = next(f.name for f in rows.schema if pa.types.is_string(f.type) and f.name[0] != "_")
    column = pa.array(["甲", *rows[name].to_pylist()[1:]], pa.string())
    place = rows.schema.get_field_index(name)
    draft = table / "forged"
    pq.write_table(rows.set_column(place, rows.schema.field(name), column), draft)
    draft.replace(file)
    for entry in (table / "_delta_log").glob("*.json"):
        text = entry.read_text("utf-8")
        if file.name in text:
            new = text.replace(f'"size":{old}', f'"size":{file.stat().st_size}')
            replace(entry, new.encode())


def test_rows_removed(lake: Home) -> None:
    for layer in TABLES:
        column = "street_code" if layer in ("gold", "shared") else "_source_line"
        table = table_of(lake, layer)
        table.delete(f"{column} = {table.to_pyarrow_table()[column].to_pylist()[0]!r}")
    kept = [(f"{layer}/{FEED}", "its bytes are not those") for layer in ("bronze", "quarantine")]
    assert_named(lake, files.as_logged, *kept)
    assert_named(lake, publications.visible, (f"silver/{FEED}", "committed by no stage"))
    made = [f"gold/{GOLD}", f"shared/{SHARED}"]
    assert_named(lake, derived.products, *((where, "committed by no stage") for where in made))


# ---------------------------------------------------------------- schemas


@pytest.mark.parametrize("key", ["comment", "jingshu.tags", "jingshu.level"])
def test_columns_metadata_changed(lake: Home, key: str) -> None:
    places = []
    for layer in TABLES:
        column = "elders_served" if layer in ("gold", "shared") else "person_id"
        table_of(lake, layer).alter.set_column_metadata(column, {key: "L4?"})
        places.append((f"{layer}/{TABLES[layer]}.{column}", f"{key} was changed"))
    assert_named(lake, tags.schemas, *places)


def test_a_governance_column_s_level_changed(lake: Home) -> None:
    table = DeltaTable(str(lake.table("governance", "check_results")))
    table.alter.set_column_metadata("message", {"jingshu.level": "L1"})
    place = ("governance/check_results.message", "jingshu.level was changed")
    assert_named(lake, tags.schemas, place)


# ---------------------------------------------------------------- governance


@pytest.mark.parametrize(
    ("table", "values", "check", "problem"),
    [
        ("check_results", {"failed": "failed + 1"}, batches.results, "not those its verdict"),
        ("check_results", {"message": "'fine'"}, batches.results, "not those its verdict"),
        ("deliveries", {"state": "'received'"}, facts.of_deliveries, "state"),
        ("deliveries", {"reason": "'never due'"}, facts.of_deliveries, "reason_sha256"),
        ("publications", {"rows": "rows + 1"}, derived.as_logged, "rows is"),
        ("publications", {"origin": "'real'"}, derived.as_logged, "origin is real"),
        ("batches", {"rows_duplicate": "rows_duplicate + 1"}, batches.as_logged, "rows_duplicate"),
        ("batches", {"business_date": "DATE '2026-01-01'"}, batches.as_logged, "business_date"),
    ],
    ids=lambda x: x.__name__ if callable(x) else str(x),
)
def test_governance_rows_changed(
    lake: Home, table: str, values: dict[str, str], check: Check, problem: str
) -> None:
    DeltaTable(str(lake.table("governance", table))).update(values)
    assert_named(lake, check, (f"governance.{table}", problem))


def test_governance_rows_removed(lake: Home) -> None:
    for table in ("deliveries", "batches", "publications", "check_results"):
        found = DeltaTable(str(lake.table("governance", table)))
        found.delete("business_date = DATE '2026-07-16'")
    gone = ("publication", "landing", "build", "share", "verdict")
    assert_named(lake, facts.of_leaves, *((f"evidence {kind}:", "in governance.") for kind in gone))
    place = ("evidence delivery:", "not in governance.deliveries")
    assert_named(lake, facts.of_deliveries, place)


def test_a_held_batch_that_nobody_held(lake: Home) -> None:
    row = next(b for b in governance.latest_batches(lake) if b.status == "published")
    lie = row.model_copy(update={"status": "held", "recorded_at": utc_now()})
    governance.append(lake, "lie", [lie])
    assert_named(lake, batches.as_judged, (row.batch_id, "no verdict leaf says hold"))


def test_an_unreadable_governance_file(lake: Home) -> None:
    table = DeltaTable(str(lake.table("governance", "publications")))
    file = lake.table("governance", "publications") / str(staged.files(table)[0]["path"])
    replace(file, b"x" * file.stat().st_size)
    place = (f"governance/publications/{file.name}", "no readable Parquet")
    assert_named(lake, files.as_logged, place)
    assert_named(lake, facts.of_leaves, ("evidence build:", "not in governance.publications"))


# ---------------------------------------------------------------- lineage events


def test_events_dropped_changed_reordered_and_foreign(lake: Home) -> None:
    dropped, changed, reordered, *_ = sorted(lake.lineage_events.glob("*.ndjson"))
    foreign = lake.lineage_events / "00000000-0000-5000-8000-000000000000.ndjson"
    shutil.copy(dropped, foreign)
    dropped.unlink()
    replace(changed, changed.read_bytes().replace(b"simulated", b"real", 1))
    lines = reordered.read_bytes().splitlines(keepends=True)
    replace(reordered, b"".join(reversed(lines)))
    assert_named(
        lake,
        events.as_logged,
        (dropped.name, "the events are gone; the leaf"),
        (changed.name, "the events were changed"),
        (reordered.name, "the events are COMPLETE, START"),
        (foreign.name, "no leaf names these events"),
    )


# ---------------------------------------------------------------- the log


def leaf(kind: Any, subject: str, facts: dict[str, Any] | None = None) -> Leaf:
    return Leaf(kind, subject, facts or {}, "2026-07-16T00:00:00Z")


def test_a_leaf_flipped(lake: Home) -> None:
    bundle = max((lake.evidence / "tile" / "entries").rglob("*.p/*"))
    flip(bundle)
    assert_named(lake, log.whole, (f"evidence/{bundle.relative_to(lake.evidence)}", ""))


def test_a_signature_flipped(lake: Home) -> None:
    flip(lake.evidence / "checkpoint", 0.95)
    assert_named(lake, log.whole, ("evidence/checkpoint", ""))


def test_a_log_rolled_back(lake: Home, sound: Home) -> None:
    EvidenceLog(lake).append([leaf("publication", "x@1")])
    shutil.rmtree(lake.evidence)
    shutil.copytree(sound.evidence, lake.evidence)
    assert_named(lake, log.whole, ("evidence/checkpoint", "rolled back"))


def test_a_log_forked(lake: Home, sound: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    copied(sound, other)
    EvidenceLog(other).append([leaf("publication", "x@1")])
    EvidenceLog(lake).append([leaf("publication", "x@2")])
    shutil.rmtree(lake.evidence)
    shutil.copytree(other.evidence, lake.evidence)
    assert_named(lake, log.whole, ("evidence/checkpoint", "forked"))


LEFT_OUT: Final[dict[str, tuple[Check, str]]] = {
    "contract": (facts.of_leaves, f"evidence build:{GOLD}@"),
    "delivery": (facts.of_deliveries, "governance.deliveries"),
    "landing": (files.as_logged, "bronze/"),
    "verdict": (publications.visible, "silver/"),
    "publication": (publications.visible, "silver/"),
    "build": (derived.products, f"gold/{GOLD}@"),
    "share": (derived.products, f"shared/{SHARED}@"),
    "level": (derived.lowered, f"gold/{GOLD}."),
    "grant": (sharing, "control.db share_grants"),
    "revoke": (sharing, "control.db share_grants"),
    "reads": (sharing, "control.db share_requests"),
}


def test_leaves_left_out(lake: Home, tmp_path: Path) -> None:
    """Who holds the key can sign another log: without a leaf it no longer fits the lake."""
    leaves = [Leaf.parse(entry) for _, entry in EvidenceLog(lake).entries()]
    first: dict[str, Leaf] = {one.type: one for one in reversed(leaves)}
    # Of the contracts the product's: it is used again where the first landing's may not be.
    used = next(one for one in leaves if one.subject.startswith(f"emergency.{GOLD}@"))
    missing = [used if kind == "contract" else first[kind] for kind in LEFT_OUT]
    other = Home(tmp_path / "other")
    other.keys.mkdir(parents=True)
    shutil.copy2(lake.keys / "evidence.key", other.keys)
    EvidenceLog(other).append([one for one in leaves if one not in missing])
    shutil.rmtree(lake.evidence)
    shutil.copytree(other.evidence, lake.evidence)
    shutil.copy2(other.keys / "evidence.checkpoint", lake.keys)
    assert_named(lake, log.whole)
    for check in {check for check, _ in LEFT_OUT.values()}:
        places = [where for known, where in LEFT_OUT.values() if known is check]
        assert_named(lake, check, *((where, "") for where in places))


def test_leaves_without_their_facts(lake: Home) -> None:
    made_up = {
        facts.of_leaves: [
            leaf("publication", f"{FEED}@20260716-000000000000"),
            leaf("landing", f"{FEED}@20260716-000000000000"),
            leaf("build", f"{GOLD}@20260716-000000000000"),
        ],
        facts.of_deliveries: [leaf("delivery", f"{FEED}@2026-07-16#9")],
        sharing: [
            leaf("grant", f"nobody/jingshu.emergency.{SHARED}#1"),
            leaf("reads", f"{SHARED}@2026-07-16T00Z", {"until": "2026-07-16T01:00:00Z"}),
        ],
    }
    EvidenceLog(lake).append([one for several in made_up.values() for one in several])
    for check, several in made_up.items():
        assert_named(lake, check, *((f"evidence {one.key}", "") for one in several))


# ---------------------------------------------------------------- sharing


OPEN: Final = Grant.recipient == "demo"
ENDED: Final = Grant.recipient == "other"


@pytest.mark.parametrize(
    ("statement", "where", "problem"),
    [
        (update(Grant).where(OPEN).values(purpose="另用"), "share_grants", "purpose"),
        (update(Grant).where(OPEN).values(table="x__y"), "share_grants", "not in the evidence"),
        (update(Grant).where(OPEN).values(until_at=utc_now()), "share_grants", "until"),
        (update(Grant).where(ENDED).values(revoked_at=None), "evidence revoke:", "no such revoke"),
        (delete(Grant).where(OPEN), "evidence grant:demo/", "no such grant any more"),
        (delete(AccessRecord).where(AccessRecord.id == 2), "share_requests", "requests is not"),
        (update(AccessRecord).values(recipient="other"), "share_requests", "records_sha256"),
        (delete(AccessRecord), f"evidence reads:{SHARED}", "no such reads any more"),
    ],
    ids=[
        "purpose",
        "table",
        "until",
        "revocation undone",
        "grant removed",
        "request removed",
        "request changed",
        "requests gone",
    ],
)
def test_the_control_database_changed(lake: Home, statement: Any, where: str, problem: str) -> None:
    with Control(lake) as control, control.write() as session:
        session.execute(statement)
    assert_named(lake, sharing, (where, problem))


def test_a_grant_added_without_its_leaf(lake: Home) -> None:
    with Control(lake) as control, control.write() as session:
        honest = session.scalars(select(Grant).where(OPEN)).one()
        values = {c.key: getattr(honest, c.key) for c in Grant.__table__.columns}
        session.add(Grant(**values | {"id": "f" * 32, "purpose": "另用"}))
    assert_named(lake, sharing, (f"#{'f' * 32}", "its grant is not in the evidence log"))


def test_verify_runs_every_check_that_found_something_here() -> None:
    used = {
        batches.as_judged,
        batches.as_logged,
        batches.results,
        derived.as_logged,
        derived.lowered,
        derived.products,
        events.as_logged,
        facts.of_deliveries,
        facts.of_leaves,
        files.as_logged,
        log.whole,
        publications.visible,
        tags.schemas,
    }
    assert used <= set(CHECKS)
