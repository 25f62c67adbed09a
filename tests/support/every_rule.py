"""A contract with every named rule, every kind of check and every type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.loading import load_tree
from contracts.model import EXCEL_SERIAL
from contracts.rules import NAMED_RULES
from tests.support.small import Node, column, custom, properties, source, write

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.model import Contract


def every_rule(root: Path) -> Contract:
    """A contract with every named rule, every kind of check and every type."""
    contract = source()
    found: list[Node] = []
    for name, rule in NAMED_RULES.items():
        if name != "division_code":
            found.append(column(name, rule.types[0], customProperties=custom(rule=name)))
    for digits in (6, 9, 12):
        asked = custom(rule={"division_code": {"digits": digits}})
        found.append(column(f"division_{digits}", customProperties=asked))
    found += [
        column("day", "date", required=True, logicalTypeOptions={"format": "yyyy年M月d日"}),
        column("serial", "date", logicalTypeOptions={"format": EXCEL_SERIAL}),
        column("local", "timestamp", logicalTypeOptions={"format": "yyyy-MM-dd HH:mm:ss"}),
        column("zoned", "timestamp", logicalTypeOptions={"format": "yyyy-MM-dd'T'HH:mm:ssXXX"}),
        column("literal", "timestamp", logicalTypeOptions={"format": "yyyy-MM-dd'T'HH:mm:ss'Z'"}),
        column("region", "timestamp", logicalTypeOptions={"format": "yyyy-MM-dd HH:mm VV"}),
        column("division", customProperties=custom(rule="division_code")),
        column("flag", "boolean"),
        column("price", "number", physicalType="DECIMAL(10,2)"),
        column("share", "number", logicalTypeOptions={"minimum": 0, "maximum": 99.5}),
        column("low", "integer", logicalTypeOptions={"minimum": -3}),
        column(
            "step",
            "number",
            logicalTypeOptions={"exclusiveMinimum": 0, "exclusiveMaximum": 9, "multipleOf": 0.1},
        ),
        column(
            "word",
            logicalTypeOptions={"pattern": "^\\p{IsHan}'+$", "minLength": 1, "maxLength": 9},
        ),
        column("kind", customProperties=custom(enum=["甲'", "乙\\", 3])),
        column(
            "item",
            relationships=[
                {
                    "type": "foreignKey",
                    "to": "reference/heat_items.odcs.yaml#schema/heat_items/properties/item_code",
                    "customProperties": custom(threshold={"bad_percent": 5, "severity": "warning"}),
                }
            ],
        ),
    ]
    properties(contract)[1:] = found
    to = "reference/grid_category.odcs.yaml#schema/grid_category/properties"
    contract["schema"][0]["relationships"] = [
        {
            "from": ["visit.kind", "visit.word"],
            "to": [f"{to}/category_code", f"{to}/name"],
        },
        {"from": "visit.division", "to": f"{to}/category_code"},
    ]
    return load_tree(write(root, contract)).contract("town.visit")
