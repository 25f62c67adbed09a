"""A shop of four small feeds, one a load mode, and a product: for what people decide afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from deltalake import DeltaTable

from contracts.delivery import Delivery
from contracts.loading import load_tree
from jobs import steps
from jobs.build.run import build_product
from jobs.record import governance
from jobs.share.run import share_product
from jobs.stages import LandedBatch
from tests.support.days import deliver
from tests.support.small import column, custom, source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from contracts.tree import Tree
    from jobs.record.governance import BatchRow

DAY = date(2026, 7, 15)
Rows = dict[str, int | str]

_LOADS: dict[str, dict[str, Any]] = {
    "sale": {"mode": "append"},
    "month": {"mode": "replace_period", "period": "month"},
    "stock": {"mode": "full_snapshot"},
    "case": {
        "mode": "merge_key",
        "delete_marker": {"column": "gone", "values": ["是"]},
    },
}
_TOTALS = """SELECT CAST(DATE '{business_date}' AS DATE) AS business_date,
  SUM(stock.qty) AS qty
FROM shop__stock AS stock
"""


def day(number: int) -> date:
    """The ``number``-th day of the shop's month."""
    return date(2026, 7, number)


def shop_tree(root: Path, *, version: str = "1.0.0", bad_percent: float = 10) -> Tree:
    """Write and read the shop's contracts; a new version may bear more bad rows."""
    root.mkdir(parents=True, exist_ok=True)
    feeds = [_feed(name, load, version, bad_percent) for name, load in _LOADS.items()]
    write(root, *feeds, _product())
    (root / "totals.sql").write_text(_TOTALS, "utf-8")
    return load_tree(root)


def _feed(name: str, load: dict[str, Any], version: str, bad_percent: float) -> dict[str, Any]:
    return source(
        id=f"shop.{name}",
        version=version,
        servers=[
            {
                "server": "shop",
                "type": "local",
                "path": f"{{drop}}/shop/{name}/{{date}}/*",
                "format": "csv",
                "customProperties": custom(export={"null_tokens": [""], "manifest": "required"}),
            }
        ],
        schema=[
            {
                "name": name,
                "logicalType": "object",
                "properties": [
                    column("code", required=True, primaryKey=True, primaryKeyPosition=1),
                    column("qty", "integer", required=True, logicalTypeOptions={"minimum": 0}),
                    column("buyer", classification="L3"),
                    column("gone", customProperties=custom(enum=["是", "否"])),
                ],
            }
        ],
        customProperties=custom(
            load=load,
            grading={"gb43697": "general", "level": "L3"},
            thresholds={"bad_rows_percent": bad_percent, "on_fail": "hold"},
        ),
    )


def _product() -> dict[str, Any]:
    made = source(
        id="shop.totals",
        schema=[
            {
                "name": "totals",
                "logicalType": "object",
                "properties": [column("business_date", "date"), column("qty", "integer")],
            }
        ],
        customProperties=custom(
            product={
                "inputs": ["shop.stock"],
                "sql": "totals.sql",
                "k": 20,
                "policies": [{"name": "all", "columns": {"qty": {"mask": "keep"}}}],
            },
            grading={"gb43697": "general", "level": "L1"},
        ),
    )
    del made["servers"]
    return made


@dataclass
class Shop:
    """A lake of the shop, and what is delivered to it."""

    home: Home
    tree: Tree

    def send(self, feed: str, of: date, rows: Rows, *, revision: int = 1) -> Path:
        """Put a day's file into the drop folder: code → quantity; ``-code`` deletes it."""
        lines = ["CODE,QTY,BUYER,GONE"]
        for code, qty in rows.items():
            gone = "是" if code.startswith("-") else "否"
            lines.append(f"{code.lstrip('-')},{qty},secret-{code},{gone}")
        text = "\n".join(lines) + "\n"
        where = f"shop/{feed}/{of}/{feed}_r{revision}.csv"
        return deliver(self.home.drop, where, text.encode(), revision=revision)

    def run(self, feed: str, of: date) -> BatchRow:
        """Take the day's delivery as far as it goes; return its batch's row."""
        contract = self.tree.contract(f"shop.{feed}")
        landed = steps.land_delivery(self.home, Delivery(contract, "shop", of))
        if isinstance(landed, LandedBatch):
            steps.publish_verdict(self.home, self.tree, steps.audited(self.home, self.tree, landed))
        assert landed.batch_id is not None
        return self.row(landed.batch_id)

    def deliver(self, feed: str, of: date, rows: Rows, *, revision: int = 1) -> BatchRow:
        """Send and run."""
        self.send(feed, of, rows, revision=revision)
        return self.run(feed, of)

    def row(self, batch_id: str) -> BatchRow:
        """The newest row of a batch."""
        found = governance.batch(self.home, batch_id)
        assert found is not None
        return found

    def build(self, *days: date) -> None:
        """Build and share the product of some days."""
        product = self.tree.contract("shop.totals")
        for of in days:
            build_product(self.home, self.tree, product, of)
            share_product(self.home, product, of)

    def table(self, name: str, layer: str = "silver") -> DeltaTable:
        """A table of the lake."""
        return DeltaTable(str(self.home.root / "lake" / layer / name))

    def shown(self, feed: str) -> dict[str, int]:
        """What silver shows: code → quantity."""
        rows = self.table(f"shop__{feed}").to_pyarrow_table().to_pylist()
        found = {r["code"]: r["qty"] for r in rows}
        assert len(found) == len(rows), "a code is shown twice"
        return found
