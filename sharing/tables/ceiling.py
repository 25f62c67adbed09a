"""What a table must be before the gateway hands out its files (design §2, invariant 5).

Delta Sharing gives away whole Parquet files, so a table is served whole or not at all: every column
at or below the ceiling, and no reader feature that would hide rows a file still holds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

from contracts.errors import JingshuError
from contracts.model import SHARE_CEILING, UNTAGGED, Level
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The key of a column's level in Delta's field metadata.
LEVEL_KEY = "jingshu.level"
_LEVELS: tuple[Level, ...] = get_args(Level)
_TOP: Level = _LEVELS[-1]


class NotServedError(JingshuError, PermissionError):
    """A table exists but must not leave the house; ``str`` says why, for our log only."""


def check_levels(
    schema_json: str, ceiling: Level = SHARE_CEILING, untagged: Level = UNTAGGED
) -> None:
    """Refuse a schema with a column above ``ceiling``; ``untagged`` is the level of one untagged.

    A nested field without a tag has its parent's level; a tag that is no level counts as L4.

    Raises:
        NotServedError: Names the columns and their levels.
    """
    above = [
        f"{name} ({level})"
        for name, level in column_levels(schema_json, untagged)
        if _LEVELS.index(level) > _LEVELS.index(ceiling)
    ]
    if above:
        columns = ", ".join(above)
        raise NotServedError(
            Words(f"有列的级别高于 {ceiling}：{columns}。", f"Columns above {ceiling}: {columns}."),
            Words(
                f"请在共享策略中遮蔽或去掉这些列，或在契约中标级（{LEVEL_KEY}）。",
                f"Mask or drop them in the policy, or tag them in the contract ({LEVEL_KEY}).",
            ),
        )


def check_protocol(min_reader_version: int) -> None:
    """Refuse a table that needs reader features: its files may hold deleted rows.

    Raises:
        NotServedError: The reader version is over 1.
    """
    if min_reader_version > 1:
        raise NotServedError(
            Words(
                f"这张表要求读取版本 {min_reader_version}。",
                f"The table needs reader version {min_reader_version}.",
            ),
            Words(
                "请重写该表，不用删除向量、列映射及其他读取特性。",
                "Rewrite it without deletion vectors, column mapping and other reader features.",
            ),
        )


def column_levels(schema_json: str, untagged: Level = UNTAGGED) -> Iterator[tuple[str, Level]]:
    """Yield (dotted name, level) of each column and nested field of a Delta schema string."""
    for field in json.loads(schema_json)["fields"]:
        yield from _field_levels(field, "", untagged)


def _field_levels(
    field: dict[str, Any], parent: str, inherited: Level
) -> Iterator[tuple[str, Level]]:
    tag = (field.get("metadata") or {}).get(LEVEL_KEY)
    level = inherited if tag is None else tag if tag in _LEVELS else _TOP
    name = f"{parent}{field['name']}"
    yield name, level
    for nested in _nested_fields(field["type"]):
        yield from _field_levels(nested, f"{name}.", level)


def _nested_fields(kind: Any) -> Iterator[dict[str, Any]]:
    """Find the struct fields below a Delta type, through arrays and maps."""
    if not isinstance(kind, dict):
        return
    yield from kind.get("fields", ())
    for part in ("elementType", "keyType", "valueType"):
        yield from _nested_fields(kind.get(part))
