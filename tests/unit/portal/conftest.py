from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contracts.layout import Home
from contracts.model import Column, Contract, Load, Member, Provider, Server, Thresholds
from contracts.product import Policy, Product
from contracts.tree import Tree
from jobs.record import governance
from jobs.record.conservation import SHOWN
from jobs.record.governance import BatchRow, CheckRow, DeliveryRow, FindingRow, PublicationRow
from portal.report import Tables, make_report

if TYPE_CHECKING:
    from portal.report import Report

DAY = date(2026, 7, 15)
TEAM = (
    Member(username="cdo.team", role="首席数据官"),
    Member(username="steward.team", role="数据管家"),
)


def contract(contract_id: str, *providers: str, **changes: Any) -> Contract:
    domain, dataset = contract_id.split(".")
    column = Column(
        name="qty",
        header="数量",
        business_name="数量",
        description="",
        type="integer",
        physical_type="bigint",
        level="L2",
    )
    defaults = {
        "id": contract_id,
        "name": dataset,
        "version": "1.0.0",
        "status": "active",
        "domain": domain,
        "dataset": dataset,
        "title": f"数据集 {dataset}",
        "columns": (column,),
        "servers": tuple(Server(provider=p, path="x", format="csv") for p in providers),
        "thresholds": Thresholds(bad_rows_percent=5.0),
        "members": TEAM,
    }
    return Contract.model_validate(defaults | changes)


def provider(provider_id: str, code: str, kind: str = "bureau") -> Provider:
    return Provider.model_validate(
        {
            "id": provider_id,
            "name": f"市{provider_id}局",
            "name_en": provider_id.title(),
            "kind": kind,
            "code": code,
            "cdo": f"cdo.{provider_id}",
        }
    )


def a_tree() -> Tree:
    sources = (
        contract("alpha.stock", "alpha"),
        contract("alpha.visits", "alpha", load=Load(mode="full_snapshot")),
        contract("shared.cases", "east", "west"),
    )
    product = contract(
        "alpha.ready",
        product=Product(
            inputs=("alpha.stock",),
            sql="ready.sql",
            policies=(Policy(name="demo", columns={}),),
        ),
    )
    listed = (
        provider("alpha", "AA"),
        provider("east", "110101", "district"),
        provider("west", "110102", "district"),
    )
    return Tree(
        Path("contracts"),
        {c.id: c for c in sources},
        {product.id: product},
        {p.id: p for p in listed},
    )


@dataclass
class City:
    """A made-up city: rows as the governance tables hold them."""

    tree: Tree = field(default_factory=a_tree)
    deliveries: list[DeliveryRow] = field(default_factory=list)
    batches: list[BatchRow] = field(default_factory=list)
    checks: list[CheckRow] = field(default_factory=list)
    publications: list[PublicationRow] = field(default_factory=list)
    findings: list[FindingRow] = field(default_factory=list)
    grants: list[Any] | None = None

    def deliver(
        self,
        state: str = "received",
        status: str | None = None,
        *,
        feed: str = "alpha/alpha.stock",
        day: date = DAY,
        **changes: Any,
    ) -> BatchRow | None:
        """Add a delivery; with a status also its batch. ``changes`` go where they belong."""
        sender, contract_id = feed.split("/")
        dataset = contract_id.split(".")[1]
        morning = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        of_batch = {k: v for k, v in changes.items() if k in BatchRow.model_fields}
        shared = {
            "recorded_at": morning + timedelta(hours=2),
            "provider": sender,
            "dataset": dataset,
            "contract_id": contract_id,
            "contract_version": "1.0.0",
            "business_date": day,
        }
        batch = None
        if status is not None:
            batch = BatchRow.model_validate(
                shared
                | {
                    "batch_id": f"{day:%Y%m%d}-{sender}-{dataset}",
                    "revision": 1,
                    "origin": "real",
                    "status": status,
                    "reason": "",
                    "file_name": "a.csv",
                    "rows_landed": 100,
                    "rows_published": 100 if status in SHOWN else 0,
                    "rows_quarantined": 0,
                    "rows_duplicate": 0,
                    "silver_version": 1 if status in SHOWN else None,
                    "started_at": morning,
                    "finished_at": morning + timedelta(hours=1),
                }
                | of_batch
            )
            self.batches.append(batch)
        delivery = shared | {
            "state": state,
            "batch_id": batch.batch_id if batch else None,
            "reason": "",
            "due_at": morning,
            "received_at": morning - timedelta(hours=3) if batch else None,
        }
        own = {k: v for k, v in changes.items() if k in DeliveryRow.model_fields}
        self.deliveries = [
            d
            for d in self.deliveries
            if (d.provider, d.dataset, d.business_date) != (sender, dataset, day)
        ]
        self.deliveries.append(DeliveryRow.model_validate(delivery | own))
        return batch

    def check(self, batch: BatchRow | None, status: str = "passed", **changes: Any) -> CheckRow:
        assert batch is not None
        row = CheckRow.model_validate(
            {
                "recorded_at": batch.recorded_at,
                "batch_id": batch.batch_id,
                "provider": batch.provider,
                "dataset": batch.dataset,
                "business_date": batch.business_date,
                "rule_id": f"rule_{len(self.checks)}",
                "column": "qty",
                "dimension": "accuracy",
                "severity": "error",
                "status": status,
                "checked": 100 if status in ("passed", "failed") else None,
                "failed": {"passed": 0, "failed": 4}.get(status),
                "threshold": 0.0,
                "message": "",
                "engine": "row",
            }
            | changes
        )
        self.checks.append(row)
        return row

    def find(self, batch: BatchRow | None, status: str, **changes: Any) -> None:
        """Add what a scan of a batch found."""
        assert batch is not None
        row = {
            "recorded_at": batch.recorded_at,
            "provider": batch.provider,
            "dataset": batch.dataset,
            "batch_id": batch.batch_id,
            "table_name": batch.table,
            "business_date": batch.business_date,
            "contract_id": batch.contract_id,
            "contract_version": batch.contract_version,
            "column": None,
            "declared_level": "L2",
            "proposed_level": "L2",
            "checked": 100,
            "matching": 1,
            "status": status,
        }
        self.findings.append(FindingRow.model_validate(row | changes))

    def publish(self, kind: str = "product", table: str = "ready", **changes: Any) -> None:
        self.publications.append(
            PublicationRow.model_validate(
                {
                    "recorded_at": datetime(2026, 7, 16, 5, tzinfo=UTC),
                    "kind": kind,
                    "table_name": table,
                    "business_date": DAY,
                    "status": "published",
                    "version": 3,
                    "rows": 349,
                    "rows_suppressed": 41,
                    "inputs": "{}",
                    "origin": "real",
                    "reason": "",
                }
                | changes
            )
        )

    def report(self, day: date | None = DAY) -> Report:
        tables = Tables(
            self.deliveries,
            self.batches,
            self.checks,
            [p for p in self.publications if p.business_date == day],
            self.grants,
            self.findings,
        )
        return make_report(self.tree, tables, day)

    def save(self, home: Home) -> None:
        for name in ("deliveries", "batches", "checks", "publications", "findings"):
            governance.append(home, f"test:{name}", getattr(self, name))


@pytest.fixture
def city() -> City:
    return City()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")
