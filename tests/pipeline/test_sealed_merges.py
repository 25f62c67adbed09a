"""Sealed columns of every type, merged by a sealed key, across a rotation and a withdrawal."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from deltalake import DeltaTable

from contracts.delivery import Delivery
from contracts.loading import load_tree
from jobs import steps
from jobs.operations import decisions
from jobs.seal.keys import FileKeys
from jobs.seal.rows import opened_table
from jobs.stages import LandedBatch
from jobs.verify import verify
from tests.support.days import deliver
from tests.support.small import column, custom, source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from contracts.tree import Tree

pytestmark = pytest.mark.spark

TABLE = "clinic__visit"
Visit = tuple[str, str, str, str, str]


def day(number: int) -> date:
    return date(2026, 7, number)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    root = tmp_path / "contracts"
    root.mkdir()
    properties = [
        column("person", classification="L4", required=True, primaryKey=True, primaryKeyPosition=1),
        column("born", "date", classification="L4", logicalTypeOptions={"format": "yyyy-MM-dd"}),
        column("weight", "number", classification="L4"),
        column("visits", "integer", classification="L4"),
        column("ward", classification="L3"),
        column("gone", customProperties=custom(enum=["是", "否"])),
    ]
    visit = source(
        id="care.visit",
        servers=[
            {
                "server": "clinic",
                "type": "local",
                "path": "{drop}/clinic/visit/{date}/*",
                "format": "csv",
                "customProperties": custom(export={"null_tokens": [""], "manifest": "required"}),
            }
        ],
        schema=[{"name": "visit", "logicalType": "object", "properties": properties}],
        customProperties=custom(
            load={"mode": "merge_key", "delete_marker": {"column": "gone", "values": ["是"]}},
            grading={"gb43697": "general", "level": "L4"},
            thresholds={"bad_rows_percent": 50, "on_fail": "hold"},
        ),
    )
    write(root, visit)
    return load_tree(root)


class Clinic:
    """A lake with one sealed table that is merged by its sealed key."""

    def __init__(self, home: Home, tree: Tree) -> None:
        self.home, self.tree = home, tree

    def deliver(self, of: date, *visits: Visit) -> str:
        lines = ["PERSON,BORN,WEIGHT,VISITS,WARD,GONE", *(f"{','.join(v)},否" for v in visits)]
        content = "\n".join(line.replace(",x,否", ",,是") for line in lines) + "\n"
        deliver(self.home.drop, f"clinic/visit/{of}/v.csv", content.encode(), is_simulated=False)
        contract = self.tree.contract("care.visit")
        landed = steps.land_delivery(self.home, Delivery(contract, "clinic", of))
        assert isinstance(landed, LandedBatch)
        steps.publish_verdict(self.home, self.tree, steps.audited(self.home, self.tree, landed))
        return landed.batch_id

    def shown(self) -> dict[str, tuple[str | None, ...]]:
        """Silver in clear: person → the rest of the row, as text."""
        rows = DeltaTable(str(self.home.table("silver", TABLE))).to_pyarrow_table()
        clear = opened_table(self.home, self.tree.contract("care.visit"), TABLE, rows)
        found: dict[str, tuple[str | None, ...]] = {
            r["person"]: (r["born"], r["weight"], r["visits"], r["ward"]) for r in clear.to_pylist()
        }
        assert len(found) == rows.num_rows, "a person is shown twice"
        return found


@pytest.mark.usefixtures("spark_remote")
def test_merges_meet_across_a_rotated_key(home: Home, tree: Tree) -> None:
    clinic = Clinic(home, tree)
    ann = ("A1", "1949-12-31", "61.5", "3", "内科")
    clinic.deliver(day(1), ann, ("B2", "1950-01-01", "", "1", "外科"))
    assert clinic.shown() == {
        "A1": ("1949-12-31", "61.5", "3", "内科"),
        "B2": ("1950-01-01", None, "1", "外科"),
    }
    FileKeys(home.keys / "seal").rotate("bureau/clinic")
    second = clinic.deliver(
        day(2), ("A1", "1949-12-31", "62.25", "4", "内科"), ("B2", "", "", "", "x")
    )
    assert clinic.shown() == {"A1": ("1949-12-31", "62.25", "4", "内科")}
    clinic.deliver(day(3), ("C3", "2001-02-03", "1e300", "-5", ""))
    decisions.withdraw(home, tree, second, actor="cdo", reason="重复 sent by mistake")
    assert clinic.shown() == {
        "A1": ("1949-12-31", "61.5", "3", "内科"),
        "B2": ("1950-01-01", None, "1", "外科"),
        "C3": ("2001-02-03", "1.0E300", "-5", None),
    }
    stored = DeltaTable(str(home.table("silver", TABLE))).to_pyarrow_table().to_pylist()
    begins = {"person": "sm4/AQAC", "born": "sm4/AAAC", "weight": "sm4/AAAC", "visits": "sm4/AAAC"}
    for row in stored:  # all is sealed with the second version of the key
        for name, begin in begins.items():
            assert row[name] is None or row[name].startswith(begin)
    assert verify(home, tree).findings == []
