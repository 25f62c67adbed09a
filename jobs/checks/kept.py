"""What a Great Expectations validation may keep: counts and verdicts, values of L1-L2 columns only.

An expectation is open when every column it can touch is known and is at L1 or L2. Of any other,
nothing of what it found is kept: not its result, and no exception's words, which quote cells.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from contracts.model import Contract, Quality

_OPEN: Final = ("L1", "L2")
#: Arguments that name columns, and those that say nothing about any.
_COLUMNS: Final = ("column", "column_A", "column_B", "column_list")
_HARMLESS: Final = frozenset({"mostly", "ignore_row_if"})
#: Expectations about the table's own shape: what they observe is a number of rows or of columns.
_COUNTS: Final = frozenset(
    {
        "expect_table_row_count_to_be_between",
        "expect_table_row_count_to_equal",
        "expect_table_column_count_to_be_between",
        "expect_table_column_count_to_equal",
    }
)
_CORE: Final = "great_expectations.expectations.core."
#: Numbers of rows in a result of an older version, whatever their column.
_NUMBERS: Final = (
    "element_count",
    "missing_count",
    "missing_percent",
    "unexpected_count",
    "unexpected_percent",
    "unexpected_percent_nonmissing",
    "unexpected_percent_total",
)
_WHOLE: Final = ("id", "meta", "suite_name", "suite_parameters")


def is_open(kind: type, quality: Quality, contract: Contract) -> bool:
    """Tell whether values that an expectation finds may be kept; what is not certain is closed."""
    if all(c.effective_level in _OPEN for c in contract.columns):
        return True
    named = _named(kind, quality)
    levels = {c.name: c.effective_level for c in contract.columns}
    return named is not None and all(levels.get(name) in _OPEN for name in named)


def _named(kind: type, quality: Quality) -> list[str] | None:
    """Return every column that an expectation can touch; None where that cannot be known.

    A condition, a query or an expectation of somebody's own may read any column.
    """
    from great_expectations.expectations.expectation import (
        ColumnAggregateExpectation,
        ColumnMapExpectation,
        ColumnPairMapExpectation,
        MulticolumnMapExpectation,
    )

    success_keys = frozenset(getattr(kind, "success_keys", ()))
    if not kind.__module__.startswith(_CORE):
        return None
    if quality.expectation in _COUNTS and quality.kwargs.keys() <= success_keys:
        return []
    by_column = (
        ColumnMapExpectation,
        ColumnAggregateExpectation,
        ColumnPairMapExpectation,
        MulticolumnMapExpectation,
    )
    known = success_keys | _HARMLESS | set(_COLUMNS)
    if not issubclass(kind, by_column) or not quality.kwargs.keys() <= known:
        return None
    asked = [quality.column, *(quality.kwargs.get(key) for key in _COLUMNS)]
    names = [n for a in asked if a for n in (a if isinstance(a, list | tuple) else [a])]
    return names if names and all(isinstance(n, str) for n in names) else None


def without_values(
    outcomes: Sequence[Mapping[str, Any]], open_ids: frozenset[str]
) -> dict[str, Any]:
    """Return validations of one batch as one result that may be stored.

    ``open_ids`` are the expectations whose values may be kept.
    """
    results = [_one(result, open_ids) for outcome in outcomes for result in outcome["results"]]
    successful = sum(bool(result["success"]) for result in results)
    return {
        **{name: outcomes[0].get(name) for name in _WHOLE},
        "results": results,
        "statistics": {
            "evaluated_expectations": len(results),
            "success_percent": 100.0 * successful / len(results) if results else None,
            "successful_expectations": successful,
            "unsuccessful_expectations": len(results) - successful,
        },
        "success": successful == len(results),
    }


def _one(result: Mapping[str, Any], open_ids: frozenset[str]) -> dict[str, Any]:
    asked = result.get("expectation_config") or {}
    is_shown = (asked.get("meta") or {}).get("id") in open_ids
    raised = has_raised(result.get("exception_info"))
    return {
        "exception_info": {
            "exception_message": None,
            "exception_traceback": None,
            "raised_exception": raised,
        },
        "expectation_config": asked,
        "meta": {},
        "result": result.get("result") or {} if is_shown and not raised else {},
        "success": result.get("success"),
    }


def has_raised(info: Mapping[str, Any] | None) -> bool:
    """Tell whether an expectation raised: it is told as such, or of each of its metrics."""
    told = [info or {}, *(i for i in (info or {}).values() if isinstance(i, dict))]
    return any(bool(one.get("raised_exception")) for one in told)


def keep(outcome: Mapping[str, Any], store: Path, batch_id: str) -> None:
    """Write a result that holds no value as ``validations/<batch_id>.json``."""
    folder = store / "validations"
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / f"{batch_id}.json", outcome)


def clean(store: Path) -> int:
    """Take the values out of results that an older version kept; return how many had some.

    Which of them were of open columns is not asked: only numbers of rows stay.
    """
    cleaned = 0
    for file in sorted((store / "validations").glob("*.json")):
        outcome = json.loads(file.read_text("utf-8"))
        kept = without_values([outcome], frozenset())
        for result, one in zip(outcome["results"], kept["results"], strict=True):
            found = result.get("result") or {}
            one["result"] = {name: found[name] for name in _NUMBERS if name in found}
        if kept != outcome:
            _write(file, kept)
            cleaned += 1
    return cleaned


def _write(file: Path, outcome: Mapping[str, Any]) -> None:
    building = file.with_name(f".{file.stem}.{os.getpid()}")
    building.write_text(json.dumps(outcome, ensure_ascii=False, sort_keys=True, indent=1), "utf-8")
    building.replace(file)
