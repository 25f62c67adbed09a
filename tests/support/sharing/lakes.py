"""A lake in which one day of heat readiness was delivered, built and shared, without Spark.

Tables, governance rows and leaves are written by the jobs' own functions; only the rows are short.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake

from contracts.layout import ROOT, Home
from contracts.loading import load_tree
from jobs.record import governance, leaves
from jobs.record.governance import BatchRow, CheckRow, PublicationRow
from jobs.seal.columns import sealed
from jobs.seal.keys import keys_of
from jobs.seal.plan import typed_seals
from jobs.tables import products, silver
from jobs.tables.staged import Change, commit_once, ensure, schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.delivery import BatchStatus, Origin
    from contracts.tree import Feed
    from lineage.evidence.leaf import JsonScalar

TREE: Final = load_tree(ROOT / "contracts")
PRODUCT: Final = TREE.contract("emergency.heat_readiness")
SHARED: Final = "heat_readiness__demo"
DAY: Final = date(2026, 7, 13)
_AT: Final = datetime(2026, 7, 13, 1, 0, tzinfo=UTC)
INPUTS: Final = tuple(
    feed for feed in TREE.feeds() if feed.contract.id in PRODUCT.product_plan.inputs
)
#: Tables of persons, by the column that tells them apart: two of residents, one of accounts.
CASES, CLAIMS, BANK = "health__disease_case", "med_ins__claim_month", "civil__time_bank_txn"
KEYS: Final = {CASES: "person_id", CLAIMS: "person_id", BANK: "account_token"}


@dataclass
class HeatLake:
    """What is written of the day; ``origins`` overrides the origin of single records."""

    home: Home
    origins: Mapping[str, Origin | None] = field(default_factory=dict)
    k: int | None = 37

    def origin(self, record: str) -> Origin | None:
        return self.origins.get(record, "real")

    def make(self, *, status: str = "passed", engine: str = "spark") -> HeatLake:
        inputs = {feed.table: self._publish(feed, status, engine) for feed in INPUTS}
        gold = self._show("gold", PRODUCT.product_table, {"street_code": ["110101001"]})
        self._row("product", PRODUCT.product_table, json.dumps(inputs, sort_keys=True))
        self._leaf(
            "build",
            f"{PRODUCT.product_table}@{gold}",
            version=1,
            inputs=json.dumps(inputs, sort_keys=True),
        )
        stage = self._show("shared", SHARED, {"street_code": ["110101001"]})
        self._row("share", SHARED, json.dumps({"source": gold}))
        self._leaf("share", f"{SHARED}@{stage}", version=1, source=gold, k=self.k, k_wanted=20)
        return self

    def _publish(self, feed: Feed, status: str, engine: str) -> int:
        """Publish one batch of an input; return the version that shows it."""
        batch, path = f"{feed.provider}-1", self.home.table("silver", feed.table)
        silver.ensure(self.home, feed.contract, feed.table)
        said = {
            "jingshu.kind": "publish",
            "jingshu.batch_id": batch,
            "jingshu.business_date": DAY.isoformat(),
            "jingshu.revision": "1",
            "jingshu.digest": "0" * 64,
        }
        commit_once(path, f"publish:{batch}", lambda _: Change([], said))
        self.state(feed, batch)
        check = CheckRow(
            recorded_at=_AT,
            batch_id=batch,
            provider=feed.provider,
            dataset=feed.contract.dataset,
            business_date=DAY,
            rule_id="required.street_code",
            column="street_code",
            dimension="completeness",
            severity="error",
            status=status,
            checked=100,
            failed=0 if status == "passed" else 40,
            threshold=0.0,
            message="",
            engine=engine,
        )
        governance.append(self.home, f"checks:{batch}", [check])
        for kind in ("landing", "publication"):
            self._leaf(kind, f"{feed.table}@{batch}")
        return 1

    def state(self, feed: Feed, batch: str, status: BatchStatus = "published") -> None:
        """Write a batch's governance row."""
        row = BatchRow(
            recorded_at=_AT,
            provider=feed.provider,
            dataset=feed.contract.dataset,
            batch_id=batch,
            business_date=DAY,
            contract_id=feed.contract.id,
            contract_version=feed.contract.version,
            revision=1,
            origin=self.origin(f"batch {batch}") or "real",
            status=status,
            reason="",
            file_name="f.csv",
            rows_landed=100,
            rows_published=100,
            rows_quarantined=0,
            rows_duplicate=0,
            silver_version=1,
            started_at=_AT,
            finished_at=_AT,
        )
        governance.append(self.home, f"batch:{batch}:{status}", [row])

    def _show(self, layer: Any, name: str, rows: dict[str, list[str]]) -> str:
        staged = products.Staged(self.home.table(layer, name), f"{DAY:%Y%m%d}-{layer}", DAY)
        staged.rows.mkdir(parents=True)
        pq.write_table(pa.table(rows), staged.rows / "part-0.parquet")
        columns = [c for c in PRODUCT.columns if c.name in rows]
        ensure(staged.table, PRODUCT, schema(columns))
        products.show(staged, PRODUCT, {"jingshu.kind": layer})
        return staged.name

    def _row(self, kind: str, name: str, inputs: str) -> None:
        row = PublicationRow(
            recorded_at=_AT,
            kind=kind,
            table_name=name,
            business_date=DAY,
            status="published",
            version=1,
            rows=1,
            rows_suppressed=0,
            inputs=inputs,
            origin=self.origin(f"row {kind}") or "real",
            reason="",
        )
        governance.append(self.home, f"{kind}:{name}", [row])

    def _leaf(self, kind: Any, subject: str, **facts: JsonScalar) -> None:
        origin = self.origin(f"leaf {kind}")
        said = facts | ({"origin": origin} if origin else {})
        leaves.state(self.home, leaves.leaf(kind, subject, said))


def publish(home: Home, table: str, *numbers: str | None) -> None:
    """Append rows about these persons to a silver table, sealed as publishing seals them."""
    contract = next(f.contract for f in TREE.feeds() if f.table == table)
    column = KEYS[table]
    values = pa.array(numbers, pa.string())
    seal = typed_seals(contract, table).get(column)
    stored = values if seal is None else sealed(values, seal, keys_of(home))
    write_deltalake(home.table("silver", table), pa.table({column: stored}), mode="append")
