"""Reads the ``quality`` entries of a table and of its columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from contracts import model
from contracts.frozen import Frozen
from contracts.part import Part
from contracts.pattern import Pattern
from contracts.standard import ARGUMENTS, COMPARISONS, QUALITY, nearest, refused
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.document import ContractError, Place

_TABLE: Final = ("object", "table", "model")
_COLUMN: Final = ("property", "column")
_DATE: Final = "business_date"
#: ``{name}`` or ``${name}``, as ODCS writes them; ``\\p{Han}`` within a pattern is none.
PLACEHOLDER: Final = re.compile(r"(?<!\\p)(?<!\\P)\$?\{([A-Za-z_]\w*)\}")


def placeholders(query: str, table: str, column: str | None, business_date: str) -> str:
    """Return a query with its placeholders filled; ``table`` and ``column`` are quoted already."""
    values = dict.fromkeys(_TABLE, table) | dict.fromkeys(_COLUMN, column or "")
    values[_DATE] = business_date
    return PLACEHOLDER.sub(lambda m: values.get(m.group(1), m.group()), query)


class _Arguments(Frozen):
    """The arguments of a library metric that are lists or patterns."""

    validValues: tuple[str | int | float, ...] | None = None  # noqa: N815  (the standard's name)
    missingValues: tuple[str | int | float | None, ...] | None = None  # noqa: N815
    pattern: Pattern | None = None


@dataclass(frozen=True)
class Checks(Part):
    """Reads the quality entries of the contract's one table."""

    def quality(self, table: Mapping[str, Any]) -> tuple[model.Quality, ...]:
        """Return the table's entries, then each column's; what cannot be read is noted."""
        base: Place = ("schema", 0)
        written: list[tuple[Mapping[str, Any], Place, str | None]] = [
            (q, (*base, "quality", i), None) for i, q in enumerate(table.get("quality") or ())
        ]
        for c, item in enumerate(table.get("properties") or ()):
            written += [
                (q, (*base, "properties", c, "quality", i), item.get("name"))
                for i, q in enumerate(item.get("quality") or ())
            ]
        found: dict[str, model.Quality] = {}
        for item, place, column in written:
            with self.faults.noted():
                one = self.one(item, place, column)
                if one.id in found:
                    raise self.doc.fail(
                        place,
                        Words(
                            f"有两项 quality 叫 {one.id!r}",
                            f"two quality entries are called {one.id!r}",
                        ),
                        Words("请给其中一项改名。", "Rename one."),
                    )
                found[one.id] = one
        return tuple(found.values())

    def one(self, item: Mapping[str, Any], place: Place, column: str | None) -> model.Quality:
        """Return one entry; raises ContractError where nothing could run it."""
        self.note(refused(self.doc, item, place, QUALITY))
        kind = item.get("type") or "library"
        implementation = self.implementation(item, place)
        if kind == "sql":
            self.query(item, place, column)
        if kind == "custom" and not implementation.get("type"):
            raise self.doc.fail(
                place,
                Words("custom 检查没有写明期望", "a custom check that names no expectation"),
                Words("请写 implementation.type。", "Write implementation.type."),
            )
        metric = item.get("metric") or item.get("rule")
        if kind == "library":
            self.arguments(item, place, str(metric))
        comparison = next((c for c in COMPARISONS if c in item), None)
        fields = {
            "id": item.get("id") or item.get("name") or f"quality_{place[-1]}",
            "type": kind,
            "dimension": item.get("dimension") or "conformity",
            "severity": item.get("severity") or "error",
            "description": item.get("description") or "",
            "column": column,
            "query": item.get("query"),
            "metric": metric,
            "arguments": item.get("arguments") or {},
            "engine": item.get("engine"),
            "expectation": implementation.get("type"),
            "kwargs": implementation.get("kwargs") or {},
            "unit": item.get("unit") or "rows",
            "comparison": comparison,
            "bound": self.bound(item, place, comparison),
        }
        return self.doc.parse(model.Quality, fields, place)

    def implementation(self, item: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
        """Return the mapping that names an expectation; it may be written as YAML text."""
        found = item.get("implementation") or {}
        if isinstance(found, str):
            try:
                found = yaml.safe_load(found) or {}
            except yaml.YAMLError:
                found = None
        if not isinstance(found, dict):
            raise self.doc.fail(
                (*place, "implementation"),
                Words("它不是映射", "it is no mapping"),
                Words("请写 {type: …, kwargs: {…}}。", "Write {type: …, kwargs: {…}}."),
            )
        return found

    def bound(self, item: Mapping[str, Any], place: Place, comparison: str | None) -> object:
        """Return the number or the pair of numbers that a measure is held against."""
        bound = item.get(comparison) if comparison else None
        if comparison in ("mustBe", "mustNotBe") and (
            isinstance(bound, bool) or not isinstance(bound, int | float)
        ):
            raise self.doc.fail(
                (*place, comparison),
                Words(f"{bound!r} 不是数", f"{bound!r} is no number"),
                Words("检查度量的是数。", "A check measures a number."),
            )
        if isinstance(bound, list) and bound[0] > bound[1]:
            raise self.doc.fail(
                (*place, str(comparison)),
                Words(
                    f"{bound[0]} 与 {bound[1]} 之间没有数",
                    f"nothing lies between {bound[0]} and {bound[1]}",
                ),
                Words("请先写较小的数。", "Write the smaller number first."),
            )
        return tuple(bound) if isinstance(bound, list) else bound

    def query(self, item: Mapping[str, Any], place: Place, column: str | None) -> None:
        """Refuse a query with placeholders that nothing fills."""
        query = item.get("query")
        if not query:
            raise self.doc.fail(
                place,
                Words("sql 检查没有 query", "an sql check without a query"),
                Words("请写出其 query。", "Write its query."),
            )
        known = (*_TABLE, *(_COLUMN if column else ()), _DATE)
        for name in dict.fromkeys(PLACEHOLDER.findall(query)):
            if name not in known:
                raise self._unfilled((*place, "query"), name, known)

    def _unfilled(self, place: Place, name: str, known: tuple[str, ...]) -> ContractError:
        holder, usable = f"{{{name}}}", [f"{{{n}}}" for n in known]
        problem = Words(f"查询中的 {holder} 无从填写", f"nothing fills {holder} in the query")
        if name in _COLUMN:
            return self.doc.fail(
                place,
                Words(
                    f"{problem.zh}，因该检查不在任何属性之下",
                    f"{problem.en}, which stands under no property",
                ),
                Words(
                    "请把检查放到其属性之下，或写出列名。",
                    "Put the check under its property, or name the column.",
                ),
            )
        remedy = Words(f"请用其中之一：{'、'.join(usable)}。", f"Use one of: {', '.join(usable)}.")
        return self.doc.fail(place, problem, remedy)

    def arguments(self, item: Mapping[str, Any], place: Place, metric: str) -> None:
        """Refuse arguments of a library metric that nothing reads."""
        given = item.get("arguments") or {}
        known = ARGUMENTS.get(metric)
        at = (*place, "arguments")
        for name in given if known is not None else ():
            if name not in (known or ()):
                none = Words("它没有参数。", "It takes none.")
                takes = nearest(name, sorted(known)) if known else none
                problem = Words(
                    f"{metric} 不读参数 {name!r}", f"{metric} reads no argument {name!r}"
                )
                raise self.doc.fail((*at, name), problem, takes)
        listed = {k: v for k, v in given.items() if k in _Arguments.model_fields}
        self.doc.parse(_Arguments, listed, at)
