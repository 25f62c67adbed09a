"""Silver's column graph against the rows: whose cells change when one column of bronze does."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from contracts.delivery import Delivery
from jobs.refine.here import refined_rows
from jobs.rules.plan import make_plan
from lineage import columns as c
from tests.conftest import TREE

if TYPE_CHECKING:
    from contracts.model import Contract

DAY = date(2026, 7, 15)
#: Texts of which each type, identifier and pattern of the city's contracts reads at least one.
TEXTS = (
    "7", "8.5", "甲", "乙", "2026-07-15", "2026/07/15", "20260715", "2026-07-15 10:00:00", "是",
    "2026年7月15日", "2026.7.15", "15/7/2026", "15/7/2026 10:00:00", "2026/7/5 10:00:00", "46218",
)  # fmt: skip


def refined(contract: Contract, changed: str | None) -> pa.Table:
    """Refine one row a text, all columns alike; ``changed`` has nothing in its cells."""
    texts = pa.array(TEXTS)
    rows = {x.name: pa.nulls(len(texts), pa.string()) if x.name == changed else texts
            for x in contract.columns}  # fmt: skip
    table = pa.table(
        rows
        | {
            "_source_line": pa.array(range(len(texts)), pa.int64()),
            "_row_error": pa.nulls(len(texts), pa.string()),
            "_extra": pa.nulls(len(texts), pa.string()),
        }
    )
    delivery = Delivery(contract, contract.servers[0].provider, DAY, TREE.root)
    return refined_rows(table, make_plan(delivery), "b")


@pytest.mark.parametrize("contract", TREE.sources.values(), ids=lambda x: x.id)
def test_a_column_of_silver_is_made_of_the_columns_that_lineage_names(contract: Contract) -> None:
    provider = contract.servers[0].provider
    bronze = f"bronze/{contract.table(provider)}"
    graph = c.silver_graph(contract, provider)
    before = refined(contract, None)
    found: dict[str, set[str]] = {x.name: set() for x in contract.columns}
    for x in contract.columns:
        after = refined(contract, x.name)
        for name, inputs in found.items():
            if not after[name].equals(before[name]):
                inputs.add(x.name)
    for name, inputs in found.items():
        told = {i.field.column for i in graph.columns[name] if i.field.dataset == bronze}
        assert told == inputs, name
