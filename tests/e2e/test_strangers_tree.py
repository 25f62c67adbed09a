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
    lines = [{"NO": f"C{n}", "PIECES": n} for n in range(5)]
    text = "\n".join(json.dumps(line) for line in lines)
    (made / "in" / DAY / "crane_a.jsonl").write_text(text, "utf-8")
    book = io.BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate([["shelves"], ["NO", "PIECES"], ["S1", 7], ["S2", 8]]):
            sheet.write_row(number, 0, row)
    (made / "archive" / DAY / "shelves.xlsx").write_bytes(book.getvalue())
    return made


def test_a_strangers_tree_runs_the_same_way(tmp_path: Path, tree: Path, drop: Path) -> None:
    home = Home(tmp_path / "home")
    arguments = ("--contracts", str(tree), "run", "--date", DAY, "--json")
    with Running(home, *arguments, JINGSHU_DROP=str(drop)) as command:
        assert command.finish() == 0, command.log
        assert command.leftovers() == []
    [day] = command.summary()["days"]
    told = {d["dataset"]: (d["state"], d["rows_published"]) for d in day["deliveries"]}
    assert told == {
        "berth": ("published", 2),
        "crane": ("published", 5),
        "shelf": ("published", 2),
    }
    shelf = DeltaTable(home.table("silver", "archive__shelf")).to_pyarrow_table()
    assert sorted(shelf["pieces"].to_pylist()) == [7, 8]
    assert verify(home, load_tree(tree)).findings == []
    assert len(list((home.quality / "validations").glob("*.json"))) == 1
    assert spills(home.root, PLANTED) == []
    assert open_to_others(home.root) == []
