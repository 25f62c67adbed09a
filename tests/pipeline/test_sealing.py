"""L4 is sealed from pull on: planted numbers are nowhere in what a day leaves behind."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import pytest
from deltalake import DeltaTable

from contracts.delivery import Delivery
from contracts.layout import Home
from infra.sandbox.checkdigits import resident_id
from jobs import steps
from jobs.files.raw import kept_batch, opened_raw
from jobs.operations import decisions
from jobs.seal.keys import FileKeys
from jobs.seal.rows import opened_rows
from jobs.stages import LandedBatch, PublishedVersion
from jobs.tables import quarantine
from jobs.verify import verify
from tests.conftest import TREE
from tests.support.days import deliver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.spark

DAY = date(2026, 7, 15)
CASES = TREE.contract("health.disease_case")
SILVER = "health__disease_case"
HEADER = ",".join(c.header for c in CASES.columns)
PLANTED = [resident_id("110101", date(1949, 1, 1), number) for number in range(100)]


@dataclass(frozen=True)
class Planted:
    """A lake that took in two dates of planted numbers, and where they came from."""

    home: Home
    drop: Path
    good: frozenset[str]


def _line(number: str, *, icd10: str = "J11.1", street: str = "110101001", more: str = "") -> str:
    return f"{number},{icd10},2026-07-14,{street}{more}"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, spark_remote: str) -> Iterator[Planted]:
    """Good, bad and ragged rows and exact duplicates on one date; a held batch that is released."""
    root = tmp_path_factory.mktemp("sealed")
    home, drop = Home(root / "home"), root / "drop"
    first = [
        *(_line(n) for n in PLANTED[:60]),
        *(_line(n, street="999999999") for n in PLANTED[60:62]),  # no such street: quarantined
        _line(PLANTED[62], more=",one cell too many"),  # ragged: the cells are kept beside
        *(_line(n) for n in PLANTED[:3]),  # exact duplicates
    ]
    second = [_line(n, street="999999999" if i % 2 else "110101001") for i, n in enumerate(PLANTED)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JINGSHU_DROP", str(drop))
        patch.setenv("JINGSHU_HOME", str(home.root))
        _delivered(home, drop, DAY, first, "published")
        FileKeys(home.keys / "seal").rotate("bureau/health")
        held = _delivered(home, drop, DAY.replace(day=16), second, "held")
        decisions.release(home, TREE, held, actor="cdo.health", reason="街道代码表已改 agreed")
        yield Planted(home, drop, frozenset(PLANTED[:60]) | frozenset(PLANTED[::2]))


def _delivered(home: Home, drop: Path, day: date, lines: list[str], status: str) -> str:
    content = "\n".join([HEADER, *lines, ""]).encode("gb18030")
    deliver(drop, f"health/disease_case/{day}/cases.csv", content, is_simulated=False)
    landed = steps.land_delivery(home, Delivery(CASES, "health", day))
    assert isinstance(landed, LandedBatch)
    ended = steps.publish_verdict(home, TREE, steps.audited(home, TREE, landed))
    state = ended.status if isinstance(ended, PublishedVersion) else ended.state
    assert state == status, ended
    return landed.batch_id


def test_no_planted_number_is_in_any_file(planted: Planted) -> None:
    patterns = planted.home.root.parent / "numbers"
    patterns.write_text("\n".join(PLANTED))
    places = [str(planted.home.root), *_spark_folders(planted.home.root)]
    found = subprocess.run(
        ["grep", "-raclF", "-f", str(patterns), *places], stdout=subprocess.PIPE, check=False
    )
    assert found.stdout.decode().splitlines() == []
    subprocess.run(["grep", "-rqaF", "-f", str(patterns), str(planted.drop)], check=True)


def _spark_folders(home: Path) -> list[str]:
    """The folders of Spark servers that this test session started itself."""
    return [str(p) for p in home.parent.parent.glob("spark*") if p.is_dir()]


def test_duckdb_finds_none_in_any_parquet_file(planted: Planted) -> None:
    files = sorted(str(p) for p in planted.home.root.rglob("*.parquet"))
    assert len(files) > 8
    for file in files:
        said = duckdb.sql(f"SELECT t::VARCHAR FROM read_parquet('{file}') t").fetchall()
        text = "\n".join(str(row[0]) for row in said)
        assert not [n for n in PLANTED if n in text], file


@pytest.mark.parametrize("layer", ["bronze", "silver", "quarantine"])
def test_stored_columns_are_sealed_text(planted: Planted, layer: str) -> None:
    rows = DeltaTable(str(planted.home.root / "lake" / layer / SILVER)).to_pyarrow_table()
    for name in ("person_id", "icd10"):
        values = [v for v in rows[name].to_pylist() if v is not None]
        assert values
        assert all(v.startswith("sm4/") for v in values)


def test_the_rows_are_all_there_for_who_has_the_key(planted: Planted) -> None:
    from jobs.seal import on_spark
    from jobs.spark.session import session

    path = planted.home.table("silver", SILVER)
    stored = session().read.format("delta").load(str(path))
    clear = on_spark.opened(planted.home, CASES, SILVER, stored)
    assert {r.person_id for r in clear.select("person_id").collect()} == planted.good
    delivery = Delivery(CASES, "health", DAY)
    bad = quarantine.of_batches(planted.home, SILVER)
    assert bad is not None
    back = opened_rows(planted.home, delivery, bad)
    assert PLANTED[60] in back["person_id"].to_pylist()
    assert any(PLANTED[62] in (text or "") for text in back["_extra"].to_pylist())


def test_one_person_s_rows_of_one_key_version_are_found_by_their_text(planted: Planted) -> None:
    rows = DeltaTable(str(planted.home.table("silver", SILVER))).to_pyarrow_table()
    by_day: dict[date, list[str]] = {}
    for row in rows.to_pylist():
        by_day.setdefault(row["_business_date"], []).append(row["person_id"])
    for texts in by_day.values():
        assert len(set(texts)) == len(texts)
    assert len(set(rows["icd10"].to_pylist())) == rows.num_rows  # one diagnosis, never one text


def test_the_original_bytes_open_again(planted: Planted) -> None:
    (folder,) = (planted.home.root / "raw/health/disease_case").glob("20260715-*")
    raw = kept_batch(planted.home, SILVER, folder.name)
    sent = planted.drop / f"health/disease_case/{DAY}/cases.csv"
    with opened_raw(planted.home, raw) as clear:
        assert clear.read_bytes() == sent.read_bytes()


def test_no_key_is_in_any_other_file(planted: Planted) -> None:
    keys = FileKeys(planted.home.keys / "seal")
    files = [p for p in planted.home.root.rglob("*") if p.is_file() and p.parent != keys.folder]
    for key in keys.versions("bureau/health"):
        for text in (key.octets, key.octets.hex().encode()):
            assert not [p for p in files if text in p.read_bytes()]


def test_all_invariants_hold(planted: Planted) -> None:
    assert verify(planted.home, TREE).findings == []


def test_what_is_stored_in_clear_is_named(planted: Planted, tmp_path: Path) -> None:
    """Clear text in a table, a kept file in clear, a key that others may read: each by place."""
    home = Home(tmp_path / "home")
    shutil.copytree(planted.home.root, home.root)
    silver = DeltaTable(str(home.table("silver", SILVER)))
    silver.update({"icd10": "'J11.1'"}, predicate="_source_line = 2")
    raw = next((home.root / "raw/health/disease_case").glob("*/cases.csv"))
    raw.write_bytes(b"clear")
    key = next((home.keys / "seal").glob("*.json"))
    key.chmod(0o644)
    found = {f.where: f.problem.en for f in verify(home, TREE).findings}
    assert "of an L4 column are stored in clear" in found[f"silver/{SILVER}.icd10"]
    assert f"silver/{SILVER}.person_id" not in found
    assert "kept in clear" in found[f"raw/health/disease_case/{raw.parent.name}"]
    assert found[f"keys/seal/{key.name}"] == "others may read it"
