"""A shop whose batches land and are published for real; only Spark's part is Arrow's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.delivery import Delivery
from contracts.loading import load_tree
from jobs import steps
from jobs.audit.digest import digest_of
from jobs.operations import decisions
from jobs.publish.run import publish
from jobs.record import batches, leaves
from jobs.seal.columns import sealed
from jobs.seal.keys import keys_of
from jobs.seal.plan import typed_seals
from jobs.seal.rows import opened_rows
from jobs.stages import LandedBatch, Verdict
from jobs.tables import products, silver
from jobs.tables.delta import dataset, open_table
from jobs.tables.staged import ensure, schema
from tests.support.days import deliver
from tests.support.small import column, custom, source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from contracts.model import Contract
    from contracts.tree import Tree
    from lineage.evidence.leaf import LeafType

WHO = "cdo.shop"
SECRET = "secret-buyer"


def shop(root: Path) -> Tree:
    """Sales keyed by place and code, visitors keyed by an L4 number, a product of sales."""
    sale = _feed("sale", column("place", required=True, primaryKey=True, primaryKeyPosition=1))
    guest = source(
        id="shop.guest",
        servers=_servers("guest"),
        schema=_schema(
            "guest",
            column(
                "person_id",
                classification="L4",
                required=True,
                primaryKey=True,
                primaryKeyPosition=1,
            ),
        ),
        customProperties=custom(
            load={"mode": "append"}, grading={"gb43697": "general", "level": "L4"}
        ),
    )
    keyed = column("code", primaryKey=True, primaryKeyPosition=1)
    listed = source(
        id="shop.listed",
        schema=_schema("listed", keyed, column("total", "integer")),
        customProperties=custom(
            product={
                "inputs": ["shop.sale", "shop.guest"],
                "sql": "listed.sql",
                "k": 20,
                "policies": [
                    {"name": "all", "columns": {n: {"mask": "keep"} for n in ("code", "total")}},
                    {
                        "name": "hidden",
                        "columns": {
                            "code": {"mask": "prefix", "length": 1},
                            "total": {"mask": "keep"},
                        },
                    },
                ],
            },
            grading={"gb43697": "general", "level": "L1"},
        ),
    )
    del listed["servers"]
    root.mkdir(parents=True)
    write(root, sale, guest, listed)
    (root / "listed.sql").write_text(
        "SELECT sale.code, CAST(COUNT(guest.person_id) AS BIGINT) AS total"
        " FROM shop__sale AS sale JOIN shop__guest AS guest ON sale.place = 'x'"
        " GROUP BY sale.code\n",
        "utf-8",
    )
    return load_tree(root)


def _feed(name: str, first: dict[str, Any]) -> dict[str, Any]:
    return source(
        id=f"shop.{name}",
        servers=_servers(name),
        schema=_schema(
            name,
            first,
            column("code", required=True, primaryKey=True, primaryKeyPosition=2),
            column("sold_on", "date", logicalTypeOptions={"format": "yyyy-MM-dd"}),
            column("buyer", classification="L3"),
        ),
        customProperties=custom(
            load={"mode": "append"}, grading={"gb43697": "general", "level": "L3"}
        ),
    )


def _servers(name: str) -> list[dict[str, Any]]:
    export = {"null_tokens": [""], "manifest": "required"}
    return [
        {
            "server": "shop",
            "type": "local",
            "path": f"{{drop}}/shop/{name}/{{date}}/*",
            "format": "csv",
            "customProperties": custom(export=export),
        }
    ]


def _schema(name: str, *columns: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "logicalType": "object", "properties": list(columns)}]


@dataclass
class Lake:
    home: Home
    tree: Tree

    def deliver(
        self, feed: str, number: int, lines: list[str], decision: Any = "publish"
    ) -> Verdict:
        """Land a file for real, refine it by casting with Arrow, and give its verdict."""
        day = date(2026, 7, number)
        where = f"shop/{feed}/{day}/{feed}_{number}.csv"
        deliver(self.home.drop, where, ("\n".join(lines) + "\n").encode())
        delivery = Delivery(self.tree.contract(f"shop.{feed}"), "shop", day)
        landed = steps.land_delivery(self.home, delivery)
        assert isinstance(landed, LandedBatch), landed
        self._stage(delivery.contract, landed)
        verdict = Verdict(
            batch=landed.batch,
            decision=decision,
            reason="",
            rows_landed=landed.rows_landed,
            rows_good=landed.rows_landed,
            rows_bad=0,
            rows_duplicate=0,
            silver_version_seen=None,
            results=(),
            digest=digest_of((), decision),
            bronze_version=landed.bronze_version,
        )
        batches.audited(self.home, delivery, verdict)
        return verdict

    def publish(self, feed: str, number: int, lines: list[str]) -> str:
        verdict = self.deliver(feed, number, lines)
        self._publish(verdict)
        return verdict.batch_id

    def release(self, feed: str, number: int, lines: list[str]) -> str:
        held = self.deliver(feed, number, lines, "hold")
        self._publish(decisions._released(self.home, held, WHO, "checked"))
        return held.batch_id

    def _publish(self, verdict: Verdict) -> None:
        contract = self.tree.contract(verdict.batch.contract_id)
        delivery = Delivery(contract, "shop", verdict.business_date, self.tree.root)
        publish(self.home, delivery, verdict)

    def _stage(self, contract: Contract, landed: LandedBatch) -> None:
        bronze = open_table(self.home.table("bronze", landed.table))
        assert bronze is not None
        delivery = Delivery(contract, "shop", landed.business_date)
        rows = opened_rows(self.home, delivery, dataset(bronze).to_table()).to_pylist()
        kept = [r for r in rows if r["_batch_id"] == landed.batch_id]
        fields = [
            (c.name, pa.date32() if c.type == "date" else pa.string()) for c in contract.columns
        ]
        made = pa.table(
            {
                n: pa.array([r[n] or None for r in kept], pa.string()).cast(kind)
                for n, kind in fields
            }
        )
        made = made.append_column(
            "_source_line", pa.array([r["_source_line"] for r in kept], pa.int64())
        )
        made = made.append_column("_batch_id", pa.array([landed.batch_id] * len(kept)))
        made = made.append_column(
            "_business_date", pa.array([landed.business_date] * len(kept), pa.date32())
        )
        for name, seal in typed_seals(contract, landed.table).items():
            at = made.schema.get_field_index(name)
            made = made.set_column(at, name, sealed(made[name], seal, keys_of(self.home)))
        folder = silver.stage_path(self.home, landed.table, landed.batch_id) / "_ok=true"
        folder.mkdir(parents=True)
        pq.write_table(made, folder / "part-0.parquet")
        (folder.parent / "_SUCCESS").touch()

    def show(self, layer: Any, name: str, rows: dict[str, list[Any]], **metadata: str) -> str:
        """Show a build's or share's rows; return the stage they are in."""
        product = self.tree.contract("shop.listed")
        day = date(2026, 7, 3)
        staged = products.Staged(self.home.table(layer, name), f"20260703-{layer}{name}", day)
        staged.rows.mkdir(parents=True)
        pq.write_table(pa.table(rows), staged.rows / "part-0.parquet")
        ensure(staged.table, product, schema(product.columns))
        products.show(staged, product, metadata)
        kind: LeafType = "build" if layer == "gold" else "share"
        leaves.state(self.home, leaves.leaf(kind, f"{name}@{staged.name}", {"rows": 2}))
        return staged.name


HEAD = "PLACE,CODE,SOLD_ON,BUYER"
