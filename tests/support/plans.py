"""What the plan of a one-column contract makes of texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from hypothesis import HealthCheck, Phase, settings

from contracts.delivery import Delivery
from contracts.loading import load_tree
from jobs.refine import here, on_spark
from jobs.rules.plan import make_plan
from jobs.rules.rows import checked_rows
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
    """Run the plan of a one-column contract over texts."""
    given_texts = pa.array(list(texts), pa.string())
    rows = pa.RecordBatch.from_pydict(
        {"x": given_texts, "_row_error": pa.nulls(len(given_texts), pa.string())}
    )
    found = checked_rows(rows, plan).to_pylist()
    bits = [(r.id, *plan.bit(r)) for r in plan.rules]
    return [
        Read(row["x"], frozenset(i for i, mask, bit in bits if row[mask] & bit)) for row in found
    ]


def refined(plan: RefinePlan, rows: list[dict[str, Any]], engine: str) -> list[dict[str, Any]]:
    """Refine rows of text, ``here`` or on ``spark``, and return them by line."""
    names = [c.name for c in plan.contract.columns]
    table = pa.table(
        {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
        | {
            "_source_line": pa.array(range(len(rows)), pa.int64()),
            "_row_error": pa.array([row.get("_row_error") for row in rows], pa.string()),
            "_extra": pa.array([row.get("_extra") for row in rows], pa.string()),
        }
    )
    if engine == "here":
        found = here.refined_rows(table, plan, "b")
    else:
        from jobs.spark.session import session

        frame = session().createDataFrame(table)
        found = on_spark.refined_rows(frame, plan, "b").toArrow()
    return sorted(found.to_pylist(), key=lambda row: row["_source_line"])


def broken_rules(plan: RefinePlan, row: dict[str, Any]) -> set[str]:
    """Return the ids of the rules whose bits a refined row has."""
    bits = [(rule.id, *plan.bit(rule)) for rule in plan.rules]
    return {name for name, mask, bit in bits if row[mask] & bit}


def rule_plan(tmp_path_factory: pytest.TempPathFactory, rule: object) -> RefinePlan:
    return plan_of(
        tmp_path_factory.mktemp("tree"), column("x", customProperties=custom(rule=rule))
    )[1]
