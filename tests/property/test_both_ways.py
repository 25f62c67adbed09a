"""A batch refined in the task and on Spark: the same rows, in files that read the same."""

from __future__ import annotations

import random
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.delivery import Delivery
from jobs.refine import here, on_spark
from jobs.refine.stage import write_frame, write_rows
from jobs.rules.plan import make_plan
from tests.conftest import TREE
from tests.support.every_rule import every_rule

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.model import Contract

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark_remote")]

DAY = date(2026, 7, 15)
ROWS = 400
TEXTS = (
    None, "", "/", "7", "8.5", "-0.3", "1e3", "1e999", "9223372036854775808", "0.005",
    "甲'", "乙\\",
    "2026-07-15", "2026年7月5日", "46218", "2026-07-15 10:00:00", "1988-04-17 00:30:00",
    "2026-07-15T10:00:00+08:00", "2026-07-15T10:00:00Z", "2026-07-15 10:00 Asia/Shanghai",
    "是", "N",
    "110105194912310021", "440524188001010014", "110105491231002", "91350100M000100Y43", "京A12345",
    "１３９１２３４５６７８", "+86 139 1234 5678", "010-62345678", "116.4", "39.9", "I6510",
    "110105",
    "110105001", "110105001003", "　trim\u00a0", "ＡＢ", "a\x1fb",
)  # fmt: skip


def texts_of(contract: Contract, seed: int) -> pa.Table:
    """Random cells, some rows twice and some without shape."""
    chosen = random.Random(seed)
    rows = [{c.name: chosen.choice(TEXTS) for c in contract.columns} for _ in range(ROWS)]
    rows += [dict(row) for row in chosen.sample(rows, ROWS // 10)]
    for row in rows[: ROWS // 20]:
        row["_row_error"] = "3 cells, 2 expected"
    schema = pa.schema(
        [(c.name, pa.string()) for c in contract.columns]
        + [("_row_error", pa.string()), ("_extra", pa.string())]
    )
    table = pa.Table.from_pylist(rows, schema)
    return table.append_column("_source_line", pa.array(range(2, table.num_rows + 2)))


def stored(stage: Path) -> dict[str, list[dict[str, object]]]:
    """Return the rows of a stage's files by state, in the order of their lines."""
    found: dict[str, list[dict[str, object]]] = {}
    for file in stage.glob("_ok=*/*.parquet"):
        rows = pq.read_table(file, partitioning=None).to_pylist()
        found.setdefault(file.parent.name, []).extend(rows)
    return {k: sorted(v, key=lambda row: str(row["_source_line"])) for k, v in found.items()}


@pytest.mark.parametrize("name", ["every_rule", "health.disease_case", "market_reg.legal_entity"])
def test_both_ways_write_the_same(name: str, tmp_path: Path) -> None:
    from jobs.spark.session import session

    if name == "every_rule":
        root = tmp_path / "tree"
        root.mkdir()
        contract = every_rule(root)
    else:
        contract, root = TREE.contract(name), TREE.root
    plan = make_plan(Delivery(contract, contract.servers[0].provider, DAY, root))
    texts = texts_of(contract, 7)
    write_rows(here.refined_rows(texts, plan, "b"), contract.columns, tmp_path / "here")
    frame = session().createDataFrame(texts)
    refined = on_spark.refined_rows(frame, plan, "b")
    write_frame(refined, contract.columns, tmp_path / "spark")
    ours, theirs = stored(tmp_path / "here"), stored(tmp_path / "spark")
    assert set(ours) == set(theirs)
    for state, rows in ours.items():
        assert rows == theirs[state], state
    schemas = {
        folder.name: {
            (f.name, str(f.type))
            for file in folder.glob("_ok=*/*.parquet")
            for f in pq.read_schema(file)
        }
        for folder in (tmp_path / "here", tmp_path / "spark")
    }
    assert schemas["here"] == schemas["spark"]
