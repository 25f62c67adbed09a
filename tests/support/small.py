"""A small tree of contracts, whole and right, for tests to bend."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

Node = dict[str, Any]


def column(name: str, kind: str = "string", **more: object) -> Node:
    """A property: its header is its name in capitals, its level L1."""
    return {
        "name": name,
        "physicalName": name.upper(),
        "logicalType": kind,
        "classification": "L1",
        **more,
    }


def custom(**values: object) -> list[Node]:
    return [{"property": k, "value": v} for k, v in values.items()]


def source(**more: object) -> Node:
    """A source contract ``town.visit`` of one provider ``museum``; ``more`` replaces parts."""
    made: Node = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "town.visit",
        "name": "参观",
        "version": "1.0.0",
        "status": "active",
        "domain": "town",
        "servers": [
            {
                "server": "museum",
                "type": "local",
                "path": "{drop}/museum/visit/{date}/*",
                "format": "csv",
                "customProperties": custom(export={"null_tokens": ["", "/"]}),
            }
        ],
        "schema": [
            {
                "name": "visit",
                "physicalName": "参观",
                "logicalType": "object",
                "properties": [
                    column("visit_id", required=True, primaryKey=True, primaryKeyPosition=1),
                    column("guests", "integer", logicalTypeOptions={"minimum": 0}),
                ],
            }
        ],
        "slaProperties": [
            {"property": "frequency", "value": 1, "unit": "d"},
            {"property": "timeOfAvailability", "value": "02:00+08:00"},
            {"property": "latency", "value": 6, "unit": "h"},
        ],
        "team": {"name": "博物馆"},
        "customProperties": custom(
            load={"mode": "append"},
            grading={"gb43697": "general", "level": "L1"},
            thresholds={"bad_rows_percent": 50, "on_fail": "hold"},
        ),
    }
    return copy.deepcopy(made | more)


def product(**more: object) -> Node:
    """A product contract ``town.busy_days`` made from ``town.visit``."""
    made = source(
        id="town.busy_days",
        name="繁忙日",
        servers=[],
        schema=[
            {
                "name": "busy_days",
                "logicalType": "object",
                "properties": [column("guests", "integer")],
            }
        ],
        customProperties=custom(
            product={"inputs": ["town.visit"], "sql": "busy_days.sql", "k": 20, "policies": []}
        ),
    )
    del made["servers"]
    return made | more


def write(root: Path, *contracts: Node) -> Path:
    """Write contracts as a tree, each product with its SQL, and return the root."""
    for contract in contracts:
        name = contract["id"].split(".")[-1]
        text = yaml.safe_dump(contract, allow_unicode=True, sort_keys=False)
        (root / f"{name}.odcs.yaml").write_text(text, "utf-8")
    (root / "busy_days.sql").write_text("SELECT guests FROM {visit}\n", "utf-8")
    return root


def properties(contract: Node) -> list[Node]:
    """The contract's columns, to be changed in place."""
    found: list[Node] = contract["schema"][0]["properties"]
    return found


def set_custom(node: Node, name: str, value: object) -> None:
    """Set one customProperty of a node, in place."""
    kept = [c for c in node.get("customProperties", []) if c["property"] != name]
    node["customProperties"] = [*kept, *custom(**{name: value})]
