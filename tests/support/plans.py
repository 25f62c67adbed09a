"""What the plan of a one-column contract makes of texts, in one Spark query for many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from hypothesis import HealthCheck, Phase, settings

from contracts.delivery import Delivery
from contracts.loading import load_tree
from jobs.rules.plan import make_plan
from tests.support.small import column, custom, properties, set_custom, source, write
from tests.support.standards import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    import pytest

    from contracts.model import Contract
    from jobs.rules.plan import RefinePlan

BATCH = settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True)
class Read:
    """What the plan makes of a text: the value, and the ids of the rules it breaks."""

    value: Any
    broken: frozenset[str]


def plan_of(
    root: Path, extra: dict[str, Any], day: date = DAY, nulls: tuple[str, ...] = ("", "/")
) -> tuple[Contract, RefinePlan]:
    contract = source()
    contract["servers"][0]["customProperties"] = custom(export={"null_tokens": list(nulls)})
    properties(contract)[:] = [extra]
    set_custom(contract, "grading", {"gb43697": "general", "level": "L1"})
    root.mkdir(exist_ok=True)
    made = load_tree(write(root, contract)).contract("town.visit")
    return made, make_plan(Delivery(made, "museum", day, root))


def read_all(plan: RefinePlan, texts: Iterable[str | None]) -> list[Read]:
    """Run the plan of a one-column contract over texts, in one query."""
    from jobs.spark.session import session

    given_texts = list(texts)
    table = pa.table(
        {
            "x": pa.array(given_texts, pa.string()),
            "_source_line": pa.array(range(len(given_texts)), pa.int64()),
            "_row_error": pa.nulls(len(given_texts), pa.string()),
            "_extra": pa.nulls(len(given_texts), pa.string()),
            "_batch_id": pa.array(["b"] * len(given_texts)),
        }
    )
    rows = session().createDataFrame(table)
    rows = (
        rows.selectExpr(*plan.trim)
        .selectExpr(*plan.normalise)
        .selectExpr(*plan.cast)
        .selectExpr(*plan.check)
    )
    found = rows.selectExpr("_source_line", "`_c_x` AS value", *plan.masks).toArrow().to_pylist()
    bits = [(r.id, *plan.bit(r)) for r in plan.rules]
    return [
        Read(row["value"], frozenset(i for i, mask, bit in bits if row[mask] & bit))
        for row in sorted(found, key=lambda r: r["_source_line"])
    ]


def rule_plan(tmp_path_factory: pytest.TempPathFactory, rule: object) -> RefinePlan:
    return plan_of(
        tmp_path_factory.mktemp("tree"), column("x", customProperties=custom(rule=rule))
    )[1]
