"""The row rules a contract means: what is checked on each row, in a fixed order.

Pure planning: no Spark, no clock, no I/O. ``jobs.rules`` compiles these into one Spark plan, the
catalogue prints them, tests enumerate them. Rule ids are stable: ``<column>.<kind>``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contracts.constraint import Severity, TableReference
    from contracts.model import (
        Column,
        Contract,
        Dimension,
        LogicalType,
    )

SHAPE: Final = "row.shape"
KEY_CONFLICT: Final = "row.key_conflict"


@dataclass(frozen=True)
class NamedRule:
    """A domain rule that contracts use by name."""

    name: str
    dimension: Dimension
    message: Words
    arguments: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The rule's arguments and the values each may have."""
    types: tuple[LogicalType, ...] = ("string",)
    is_identifier: bool = True
    """Identifier columns are normalised first: full-width to ASCII, no spaces, upper case."""


NAMED_RULES: Final[Mapping[str, NamedRule]] = {
    rule.name: rule
    for rule in (
        NamedRule(
            "resident_id",
            "accuracy",
            Words(
                "不是有效的公民身份号码（GB 11643-1999）",
                "not a valid resident identity number (GB 11643-1999)",
            ),
        ),
        NamedRule(
            "uscc",
            "accuracy",
            Words(
                "不是有效的统一社会信用代码（GB 32100-2015）",
                "not a valid unified social credit code (GB 32100-2015)",
            ),
        ),
        NamedRule(
            "division_code",
            "conformity",
            Words(
                "不在现行行政区划代码表内（GB/T 2260）", "not a division code in force (GB/T 2260)"
            ),
            {"digits": (6, 9, 12)},
        ),
        NamedRule(
            "plate",
            "conformity",
            Words("不是机动车号牌（GA 36-2018）", "not a vehicle plate (GA 36-2018)"),
        ),
        NamedRule("mobile", "conformity", Words("不是手机号码", "not a mobile number")),
        NamedRule("phone", "conformity", Words("不是电话号码", "not a telephone number")),
        NamedRule(
            "lon_beijing",
            "accuracy",
            Words("经度不在北京范围（WGS84）", "longitude outside Beijing (WGS84)"),
            types=("number",),
            is_identifier=False,
        ),
        NamedRule(
            "lat_beijing",
            "accuracy",
            Words("纬度不在北京范围（WGS84）", "latitude outside Beijing (WGS84)"),
            types=("number",),
            is_identifier=False,
        ),
        NamedRule(
            "gb4754",
            "conformity",
            Words(
                "不是国民经济行业代码（GB/T 4754-2017）", "not an industry code (GB/T 4754-2017)"
            ),
        ),
    )
}


@dataclass(frozen=True)
class RowRule:
    """One check on each row; a violated ``error`` rule puts the row into quarantine."""

    id: str
    kind: str
    column: str | None
    dimension: Dimension
    severity: Severity
    message: Words
    arguments: Mapping[str, Any] = field(default_factory=dict)
    threshold_percent: float | None = None
    """Share of bad rows (percent) above which the rule's own result is a failure."""


def is_identifier(column: Column) -> bool:
    """Tell whether the column's text is an identifier, to be normalised before it is checked."""
    return column.rule is not None and NAMED_RULES[column.rule.name].is_identifier


def row_rules(contract: Contract) -> tuple[RowRule, ...]:
    """Return every row rule of the contract; a rule's position is its bit in the mask."""
    ragged = Words("列数与表头不符", "ragged row")
    rules = [RowRule(SHAPE, "shape", None, "conformity", "error", ragged)]
    for column in contract.columns:
        rules += _of_column(column)
    rules += map(_of_table_reference, contract.references)
    if contract.key:
        names = [c.header for c in contract.key]
        rules.append(
            RowRule(
                KEY_CONFLICT,
                "key_conflict",
                None,
                "accuracy",
                "error",
                Words(
                    f"主键（{'、'.join(names)}）重复而内容不同",
                    f"same key ({', '.join(names)}), different content",
                ),
            )
        )
    return tuple(rules)


def _of_column(column: Column) -> Iterator[RowRule]:  # noqa: C901  (one branch a kind of rule)
    def rule(kind: str, dimension: Dimension, message: Words, **arguments: object) -> RowRule:
        return RowRule(
            id=f"{column.name}.{kind}",
            kind=kind,
            column=column.name,
            dimension=dimension,
            severity="error",
            message=_of(column, message),
            arguments=arguments,
        )

    options = column.options
    if column.required:
        yield rule("required", "completeness", Words("必填而为空", "missing"))
    if column.type != "string":
        expected = f"{column.type} {options.format or ''}".strip()
        unread = Words(f"不能读作 {expected}", f"cannot be read as {expected}")
        yield rule("type", "conformity", unread)
    if column.rule is not None:
        named = NAMED_RULES[column.rule.name]
        yield rule(named.name, named.dimension, named.message, **column.rule.arguments)
    if options.pattern is not None:
        unlike = Words("格式不符", "does not match")
        yield rule("pattern", "conformity", unlike, pattern=options.pattern)
    if options.min_length is not None:
        short = Words("过短", "too short")
        yield rule("min_length", "conformity", short, length=options.min_length)
    if options.max_length is not None:
        long = Words("过长", "too long")
        yield rule("max_length", "conformity", long, length=options.max_length)
    if options.minimum is not None or options.maximum is not None:
        yield rule(
            "range",
            "accuracy",
            _outside(f"[{options.minimum}, {options.maximum}]"),
            minimum=options.minimum,
            maximum=options.maximum,
        )
    low, high = options.exclusive_minimum, options.exclusive_maximum
    if low is not None or high is not None:
        yield rule(
            "exclusive_range",
            "accuracy",
            _outside(f"({low}, {high})"),
            minimum=low,
            maximum=high,
        )
    if options.multiple_of is not None:
        step = f"{options.multiple_of:g}"
        message = Words(f"不是 {step} 的倍数", f"not a multiple of {step}")
        yield rule("multiple_of", "accuracy", message, of=options.multiple_of)
    if column.enum:
        strange = Words("不在取值表内", "not an allowed value")
        yield rule("enum", "conformity", strange, values=column.enum)
    if column.reference is not None:
        threshold, file = column.reference.threshold, column.reference.file
        yield RowRule(
            id=f"{column.name}.reference",
            kind="reference",
            column=column.name,
            dimension="consistency",
            severity=threshold.severity,
            message=_of(column, Words(f"不在参照表 {file} 内", f"not in {file}")),
            arguments={"file": file, "column": column.reference.column},
            threshold_percent=threshold.bad_percent,
        )


def _of(column: Column, message: Words) -> Words:
    return Words(f"{column.header}：{message.zh}", f"{column.header}: {message.en}")


def _outside(bounds: str) -> Words:
    return Words(f"超出范围 {bounds}", f"outside {bounds}")


def _of_table_reference(reference: TableReference) -> RowRule:
    names = "+".join(reference.columns)
    return RowRule(
        id=f"row.reference.{names}",
        kind="table_reference",
        column=None,
        dimension="consistency",
        severity=reference.threshold.severity,
        message=Words(
            f"{names}：合起来不在参照表 {reference.file} 内",
            f"{names}: together not in {reference.file}",
        ),
        arguments={
            "columns": reference.columns,
            "file": reference.file,
            "targets": reference.targets,
        },
        threshold_percent=reference.threshold.bad_percent,
    )


@dataclass(frozen=True)
class BatchRule:
    """One check across the rows of a batch that a column declares."""

    id: str
    column: str
    dimension: Dimension
    message: Words


def batch_rules(contract: Contract) -> tuple[BatchRule, ...]:
    """Return what columns declare of all rows together: ``unique``."""
    return tuple(
        BatchRule(
            f"{c.name}.unique", c.name, "accuracy", _of(c, Words("值重复", "repeated values"))
        )
        for c in contract.columns
        if c.unique
    )


def level_id(name: str) -> str:
    """Return the id of the result of a service level."""
    return f"sla.{name}"


def element_ids(contract: Contract) -> tuple[str, ...]:
    """Return the id of every element that ends with a result for each batch (invariant 7)."""
    return (
        *(r.id for r in row_rules(contract)),
        *(r.id for r in batch_rules(contract)),
        *(q.id for q in contract.quality),
        *(level_id(name) for name in contract.unchecked),
    )
