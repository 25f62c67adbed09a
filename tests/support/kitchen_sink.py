"""A contract that declares everything of ODCS."""

from __future__ import annotations

from tests.support.small import Node, column, custom, properties, source

STREETS = "reference/grid_category.odcs.yaml#schema/grid_category/properties"


def kitchen_sink() -> Node:
    """A contract that declares everything of ODCS that is a check, and all that describes."""
    contract = source()
    about = {"id": "some_id", "deprecated": False, "tags": ["t"]}
    properties(contract)[0] |= about | {"unique": True, "examples": ["a"], "partitioned": True}
    properties(contract).extend(
        [
            column(
                "code",
                logicalTypeOptions={"pattern": "^[AB]", "minLength": 1, "maxLength": 3},
                relationships=[{"id": "r", "to": f"{STREETS}/category_code"}],
                criticalDataElement=True,
                semanticType="column",
            ),
            column(
                "price",
                "number",
                physicalType="decimal(10,2)",
                logicalTypeOptions={
                    "minimum": 0,
                    "maximum": 9,
                    "exclusiveMinimum": -1,
                    "exclusiveMaximum": 10,
                    "multipleOf": 0.01,
                },
            ),
            column("kind", enum=[{"value": "x", "label": "X"}, {"value": "y"}]),
            column("sort", customProperties=custom(enum=["甲", "乙"])),
            column("firm", customProperties=custom(rule="uscc")),
            column("day", "date", logicalTypeOptions={"format": "yyyy-MM-dd"}),
            column("moment", "timestamp", logicalTypeOptions={"format": "yyyy-MM-dd HH:mm:ss"}),
            column("flag", "boolean", transformLogic="x", encryptedName="f"),
        ]
    )
    properties(contract)[2]["quality"] = [
        {
            "id": "words",
            "metric": "missingValues",
            "arguments": {"missingValues": ["-"]},
            "mustBe": 0,
        },
        {"id": "valid", "metric": "invalidValues", "arguments": {"pattern": "^[AB]"}, "mustBe": 0},
        {
            "id": "own_query",
            "type": "sql",
            "query": "SELECT COUNT(*) FROM {object} WHERE {property} = 'C'",
            "mustBe": 0,
        },
    ]
    contract["schema"][0] |= {
        **about,
        "context": "read me",
        "relationships": [
            {
                "from": ["visit.code", "visit.sort"],
                "to": [f"{STREETS}/category_code", f"{STREETS}/name"],
                "customProperties": custom(threshold={"bad_percent": 100, "severity": "info"}),
            },
            {"from": "visit.kind", "to": f"{STREETS}/category_code"},
        ],
        "quality": [
            {"id": "count", "metric": "rowCount", "mustBeBetween": [1, 9]},
            {"id": "empty", "metric": "nullValues", "arguments": {"property": "day"}, "mustBe": 0},
            {
                "id": "twice",
                "metric": "duplicateValues",
                "arguments": {"properties": ["day", "code"]},
                "mustBe": 0,
                "schedule": "0 20 * * *",
                "businessImpact": "operational",
            },
            {"id": "read_by_people", "type": "text", "description": "x", "severity": "info"},
            {
                "id": "others",
                "type": "custom",
                "engine": "soda",
                "implementation": {"type": "checks"},
                "severity": "info",
            },
        ],
    }
    contract["slaProperties"] += [
        {"property": "generalAvailability", "value": "2026-01-01T00:00:00Z", "element": "visit"},
        {"property": "retention", "value": 3, "unit": "y", "driver": "regulatory"},
    ]
    return contract
