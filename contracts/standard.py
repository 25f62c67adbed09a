"""What ODCS lets a contract declare: which of it is read, which describes, which nothing runs.

Source: Open Data Contract Standard v3.2, JSON Schema. Whatever would be a check and is none here is
refused by name, with what to write instead: no declared check is skipped in silence.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from contracts.document import ContractError, Document, Place

COMPARISONS: Final = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)
#: The standard's service levels that only people can tell (``contracts.sla`` reads the others).
SLA_UNCHECKED: Final = (
    "availability",
    "throughput",
    "errorRate",
    "generalAvailability",
    "endOfSupport",
    "endOfLife",
    "timeToDetect",
    "timeToNotify",
    "timeToRepair",
)


@dataclass(frozen=True)
class Element:
    """The keys of one of the standard's elements, each in one of three ways."""

    read: frozenset[str]
    descriptive: frozenset[str]
    refused: Mapping[str, Words] = field(default_factory=dict)
    """Keys that promise what nothing here does, and what to write instead."""

    @property
    def known(self) -> frozenset[str]:
        """Every key that the standard has for the element."""
        return self.read | self.descriptive | frozenset(self.refused)


_ABOUT: Final = frozenset(
    [
        "id",
        "description",
        "businessName",
        "physicalType",
        "deprecated",
        "synonyms",
        "authoritativeDefinitions",
        "tags",
        "context",
    ]
)
_NESTED: Final = Words(
    "请每个值写一列：只读平面表。", "Write one column a value: only flat tables are read."
)
OBJECT: Final = Element(
    read=frozenset(
        [
            "name",
            "physicalName",
            "logicalType",
            "properties",
            "relationships",
            "quality",
            "customProperties",
        ]
    ),
    descriptive=_ABOUT | {"dataGranularityDescription"},
)
PROPERTY: Final = Element(
    read=frozenset(
        [
            "name",
            "physicalName",
            "businessName",
            "description",
            "logicalType",
            "logicalTypeOptions",
            "physicalType",
            "required",
            "unique",
            "primaryKey",
            "primaryKeyPosition",
            "classification",
            "tags",
            "enum",
            "relationships",
            "quality",
            "customProperties",
        ]
    ),
    descriptive=(_ABOUT - {"businessName", "description", "physicalType", "tags", "context"})
    | frozenset(
        [
            "partitioned",
            "partitionKeyPosition",
            "encryptedName",
            "transformSourceObjects",
            "transformLogic",
            "transformDescription",
            "examples",
            "criticalDataElement",
        ]
    ),
    refused={
        "semanticType": Words(
            "请不写：此处每个属性都是导出的一列。",
            "Leave it out: every property here is a column of the export.",
        ),
        "items": _NESTED,
        "properties": _NESTED,
        "map": _NESTED,
    },
)
QUALITY: Final = Element(
    read=frozenset(
        [
            "id",
            "name",
            "type",
            "dimension",
            "severity",
            "description",
            "query",
            "metric",
            "rule",
            "arguments",
            "engine",
            "implementation",
            "unit",
        ]
    )
    | frozenset(COMPARISONS),
    descriptive=frozenset(
        ["authoritativeDefinitions", "businessImpact", "method", "schedule", "scheduler", "tags"]
    ),
    refused={
        "customProperties": Words(
            "请把检查所需写入 arguments 或 query。",
            "Write what the check needs into its arguments or its query.",
        )
    },
)
RELATIONSHIP: Final = Element(
    read=frozenset(("from", "to", "type", "customProperties")), descriptive=frozenset(("id",))
)
SLA: Final = Element(
    read=frozenset(("property", "value", "unit")),
    descriptive=frozenset(
        [
            "id",
            "element",
            "driver",
            "description",
            "scheduler",
            "schedule",
            "authoritativeDefinitions",
        ]
    ),
    refused={
        "valueExt": Words("请写一个值及其单位。", "Write one value, and its unit."),
        "customProperties": Words(
            "请删去：此处没有程序读取。", "Take them out: nothing reads them here."
        ),
    },
)
_SQL: Final = Words(
    "请在 quality 下写成 sql 类型的检查，或不写。",
    "Write it as a check of type sql under quality, or leave it out.",
)
_PATTERN: Final = Words(
    "请改写 pattern：此处没有程序认得文本的格式。",
    "Write a pattern instead: nothing here knows formats of text.",
)
_BOUNDS: Final = dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _SQL)
_TEXT: Final = Element(
    frozenset(("minLength", "maxLength", "pattern")), frozenset(), {"format": _PATTERN}
)
_NUMBER: Final = Element(
    frozenset(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
    frozenset(),
    {
        "format": Words(
            "请不写，或在 physicalType 中写明类型：double、decimal(10,2)。",
            "Leave it out, or name the type in physicalType: double, decimal(10,2).",
        )
    },
)
#: ``logicalTypeOptions`` by logical type; the types that are not here have none that is read.
OPTIONS: Final[Mapping[str, Element]] = {
    "string": _TEXT,
    "integer": _NUMBER,
    "number": _NUMBER,
    "date": Element(frozenset(("format",)), frozenset(), _BOUNDS),
    "timestamp": Element(
        frozenset(("format",)),
        frozenset(),
        {
            **_BOUNDS,
            "timezone": Words(
                "请把时差写入格式（XXX）；否则即为本市时间。",
                "Write the offset into the format (XXX); else it is the city's time.",
            ),
            "defaultTimezone": Words(
                "请不写：没有时差的时间即本市时间。",
                "Leave it out: a time without an offset is the city's.",
            ),
        },
    ),
    "boolean": Element(frozenset(), frozenset()),
}
#: The arguments that each library metric takes.
ARGUMENTS: Final[Mapping[str, frozenset[str]]] = {
    "rowCount": frozenset(),
    "nullValues": frozenset(("property", "properties")),
    "missingValues": frozenset(("property", "properties", "missingValues")),
    "invalidValues": frozenset(("property", "properties", "validValues", "pattern")),
    "duplicateValues": frozenset(("property", "properties")),
}


def refused(
    doc: Document, node: Mapping[str, Any], place: Place, element: Element
) -> Iterator[ContractError]:
    """Yield an error for each key of an element that promises what nothing here does."""
    for key in node:
        if key in element.refused and not _is_default(key, node[key]):
            problem = Words(f"此处没有程序执行 {key!r}", f"nothing runs {key!r} here")
            yield doc.fail((*place, key), problem, element.refused[key])


def _is_default(key: str, value: object) -> bool:
    return key == "semanticType" and value == "column"


def unread_options(
    doc: Document, options: Mapping[str, Any], place: Place, kind: str
) -> Iterator[ContractError]:
    """Yield an error for each logicalTypeOption that is not checked on columns of a type."""
    element = OPTIONS.get(kind, OPTIONS["boolean"])
    for name in options:
        if name not in element.read:
            takes = sorted(element.read)
            otherwise = Words(
                f"请删去；{kind} 可用：{'、'.join(takes) or '无'}。",
                f"Take it out; a {kind} takes: {', '.join(takes) or 'none'}.",
            )
            yield doc.fail(
                (*place, name),
                Words(f"没有程序检查 {kind} 的 {name!r}", f"nothing checks {name!r} on a {kind}"),
                element.refused.get(name, otherwise),
            )


def nearest(word: str, known: Iterable[str]) -> Words:
    """Return the word to write instead of one that was mistyped, else what there is."""
    names = list(known)
    lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower(), lower, n=1)
    if close:
        meant = lower[close[0]]
        return Words(f"请写 {meant}。", f"Write {meant}.")
    return Words(f"请写其中之一：{'、'.join(names)}。", f"Write one of: {', '.join(names)}.")
