"""Somebody else's contracts, in their own folders and layouts, run the same way."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import xlsxwriter
from deltalake import DeltaTable

from contracts.layout import Home
from contracts.loading import load_tree
from contracts.words import Words
from jobs.record import governance
from jobs.record.governance import CheckRow
from jobs.verify import verify
from tests.support.commands import Running
from tests.support.modes import open_to_others
from tests.support.small import Node, column, custom, properties, set_custom, source, write
from tests.support.spills import Planted, spills

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e

DAY = "2026-07-15"
#: Columns of the berths whose cells must not be in what Airflow, Spark and the pages keep.
PLANTED = (Planted("captain", "L3", "Zqcaptain"), Planted("permit", "L4", "Zqpermit"))


def _contract(provider: str, dataset: str, form: str, path: str, **export: Any) -> Node:
    made = source(id=f"{provider}.{dataset}", name=dataset)
    server = {"server": provider, "type": "local", "path": path, "format": form}
    made["servers"] = [{**server, "customProperties": custom(export=export)}]
    made["schema"][0]["name"] = dataset
    properties(made)[:] = [
        column("no", required=True, primaryKey=True, primaryKeyPosition=1),
        column("pieces", "integer", required=True, logicalTypeOptions={"minimum": 0}),
    ]
    return made


def _watched(planted: Planted) -> Node:
    """Return a column with an expectation that every cell fails, as a warning."""
    check = {
        "id": f"length_of_{planted.column}",
        "type": "custom",
        "engine": "greatExpectations",
        "severity": "warning",
        "implementation": {
            "type": "expect_column_value_lengths_to_be_between",
            "kwargs": {"max_value": 3},
        },
    }
    return column(planted.column, classification=planted.level, quality=[check])


def _erring(name: str) -> Node:
    """Return a check that Spark cannot come to the end of, and says so by a cell's value."""
    query = f"SELECT SUM(CAST({name} AS BIGINT)) FROM {{object}}"
    return {"id": f"sum_of_{name}", "type": "sql", "query": query, "mustBe": 0}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Three contracts of two bodies that no list names, in a layout of their own."""
    root = tmp_path / "theirs"
    (root / "harbour" / "2026").mkdir(parents=True)
    (root / "archive").mkdir()
    berth = _contract("harbour", "berth", "csv", "{drop}/in/berth-{date}.txt", delimiter=";")
    set_custom(berth, "grading", {"gb43697": "general", "level": "L4"})
    properties(berth).extend(_watched(one) for one in PLANTED)
    crane = _contract("harbour", "crane", "jsonl", "{drop}/in/{date}/crane*.jsonl")
    set_custom(crane, "grading", {"gb43697": "general", "level": "L4"})
    properties(crane).extend(column(p.column, classification=p.level) for p in PLANTED)
    crane["schema"][0]["quality"] = [_erring(p.column) for p in PLANTED]
    shelf = _contract("archive", "shelf", "xlsx", "{drop}/archive/{date}/*.xlsx", header_row=2)
    write(root / "harbour" / "2026", berth, crane)
    write(root / "archive", shelf)
    return root


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    made = tmp_path / "their drop"
    (made / "in" / DAY).mkdir(parents=True)
    (made / "archive" / DAY).mkdir(parents=True)
    berths = (f"B{n};{pieces};Zqcaptain{n};Zqpermit{n}" for n, pieces in enumerate((4, -1, 2), 1))
    text = "\n".join(["NO;PIECES;CAPTAIN;PERMIT", *berths, ""])
    (made / "in" / f"berth-{DAY}.txt").write_text(text, "utf-8")
    names = {p.column.upper(): p.mark for p in PLANTED}
    lines = [
        {"NO": f"C{n}", "PIECES": n, **{name: f"{mark}{n}" for name, mark in names.items()}}
        for n in range(5)
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    (made / "in" / DAY / "crane_a.jsonl").write_text(text, "utf-8")
    book = io.BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate([["shelves"], ["NO", "PIECES"], ["S1", 7], ["S2", 8]]):
            sheet.write_row(number, 0, row)
    (made / "archive" / DAY / "shelves.xlsx").write_bytes(book.getvalue())
    return made


def _said(home: Home) -> list[str]:
    """Return what Airflow's tasks logged."""
    logs = sorted((home.run / "airflow" / "logs").rglob("*.log"))
    lines = [line for log in logs for line in log.read_text("utf-8").splitlines()]
    return [json.loads(line).get("event", "") for line in lines if line.startswith("{")]


def test_a_strangers_tree_runs_the_same_way(tmp_path: Path, tree: Path, drop: Path) -> None:
    home = Home(tmp_path / "home")
    arguments = ("--contracts", str(tree), "run", "--date", DAY, "--json")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    places = {"JINGSHU_DROP": str(drop), "TMPDIR": str(temporary)}
    with Running(home, *arguments, **places) as command:
        assert command.finish() == 0, command.log
        assert command.leftovers() == []
    [day] = command.summary()["days"]
    told = {d["dataset"]: (d["state"], d["rows_published"]) for d in day["deliveries"]}
    assert told == {
        "berth": ("published", 2),
        "crane": ("held", 0),
        "shelf": ("published", 2),
    }
    shelf = DeltaTable(home.table("silver", "archive__shelf")).to_pyarrow_table()
    assert sorted(shelf["pieces"].to_pylist()) == [7, 8]
    assert verify(home, load_tree(tree)).findings == []
    assert len(list((home.quality / "validations").glob("*.json"))) == 1
    # Nor do Airflow's logs and XCom, of a delivery whose checks ended in exceptions either.
    assert [c.status for c in governance.read(home, CheckRow) if "sum_of_" in c.rule_id] == [
        "error"
    ] * len(PLANTED)
    [held] = (b for b in governance.latest_batches(home) if b.dataset == "crane")
    assert f"held: {Words.read(held.reason)}" in _said(home), "its log says why, in full"
    assert spills(home.root, PLANTED) == []
    assert spills(temporary, PLANTED) == []
    assert open_to_others(home.root) == []
