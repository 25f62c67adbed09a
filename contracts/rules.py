"""The row rules a contract means: what is checked on each row, in a fixed order.

Pure planning: no Spark, no clock, no I/O. ``jobs.rules`` compiles these into one Spark plan, the
catalogue prints them, tests enumerate them. Rule ids are stable: ``<column>.<kind>``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

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
    message: str
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
            "不是有效的公民身份号码（GB 11643-1999） not a valid resident identity number",
        ),
        NamedRule(
            "uscc",
            "accuracy",
            "不是有效的统一社会信用代码（GB 32100-2015） not a valid unified social credit code",
        ),
        NamedRule(
            "division_code",
            "conformity",
            "不在行政区划代码表内（GB/T 2260） not a division code in force",
            {"digits": (6, 9, 12)},
        ),
        NamedRule("plate", "conformity", "不是机动车号牌（GA 36-2018） not a vehicle plate"),
        NamedRule("mobile", "conformity", "不是手机号码 not a mobile number"),
        NamedRule("phone", "conformity", "不是电话号码 not a telephone number"),
        NamedRule(
            "lon_beijing",
            "accuracy",
            "经度不在北京范围（WGS84） longitude outside Beijing",
            types=("number",),
            is_identifier=False,
        ),
        NamedRule(
            "lat_beijing",
            "accuracy",
            "纬度不在北京范围（WGS84） latitude outside Beijing",
            types=("number",),
            is_identifier=False,
        ),
        NamedRule(
            "gb4754",
            "conformity",
            "不是国民经济行业代码（GB/T 4754-2017） not an industry code",
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
    message: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    threshold_percent: float | None = None
    """Share of bad rows (percent) above which the rule's own result is a failure."""


def is_identifier(column: Column) -> bool:
    """Tell whether the column's text is an identifier, to be normalised before it is checked."""
    return column.rule is not None and NAMED_RULES[column.rule.name].is_identifier


def row_rules(contract: Contract) -> tuple[RowRule, ...]:
    """Return every row rule of the contract; a rule's position is its bit in the mask."""
    rules = [
        RowRule(SHAPE, "shape", None, "conformity", "error", "列数与表头不符 ragged row"),
    ]
    for column in contract.columns:
        rules += _of_column(column)
    rules += map(_of_table_reference, contract.references)
    if contract.key:
        names = "、".join(c.header for c in contract.key)
        rules.append(
            RowRule(
                KEY_CONFLICT,
                "key_conflict",
                None,
                "accuracy",
                "error",
                f"主键（{names}）重复而内容不同 same key, different content",
            )
        )
    return tuple(rules)


def _of_column(column: Column) -> Iterator[RowRule]:  # noqa: C901  (one branch a kind of rule)
    def rule(kind: str, dimension: Dimension, message: str, **arguments: object) -> RowRule:
        return RowRule(
            id=f"{column.name}.{kind}",
            kind=kind,
            column=column.name,
            dimension=dimension,
            severity="error",
            message=f"{column.header}：{message}",
            arguments=arguments,
        )

    options = column.options
    if column.required:
        yield rule("required", "completeness", "必填而为空 missing")
    if column.type != "string":
        expected = f"{column.type} {options.format or ''}".strip()
        yield rule("type", "conformity", f"不能读作 {expected} cannot be read as {expected}")
    if column.rule is not None:
        named = NAMED_RULES[column.rule.name]
        yield rule(named.name, named.dimension, named.message, **column.rule.arguments)
    if options.pattern is not None:
        yield rule("pattern", "conformity", "格式不符 does not match", pattern=options.pattern)
    if options.min_length is not None:
        yield rule("min_length", "conformity", "过短 too short", length=options.min_length)
    if options.max_length is not None:
        yield rule("max_length", "conformity", "过长 too long", length=options.max_length)
    if options.minimum is not None or options.maximum is not None:
        yield rule(
            "range",
            "accuracy",
            f"超出范围 outside [{options.minimum}, {options.maximum}]",
            minimum=options.minimum,
            maximum=options.maximum,
        )
    low, high = options.exclusive_minimum, options.exclusive_maximum
    if low is not None or high is not None:
        yield rule(
            "exclusive_range",
            "accuracy",
            f"超出范围 outside ({low}, {high})",
            minimum=low,
            maximum=high,
        )
    if options.multiple_of is not None:
        yield rule(
            "multiple_of",
            "accuracy",
            f"不是 {options.multiple_of:g} 的倍数 not a multiple of {options.multiple_of:g}",
            of=options.multiple_of,
        )
    if column.enum:
        yield rule("enum", "conformity", "不在取值表内 not an allowed value", values=column.enum)
    if column.reference is not None:
        threshold = column.reference.threshold
        yield RowRule(
            id=f"{column.name}.reference",
            kind="reference",
            column=column.name,
            dimension="consistency",
            severity=threshold.severity,
            message=f"{column.header}：不在参照表内 not in {column.reference.file}",
            arguments={"file": column.reference.file, "column": column.reference.column},
            threshold_percent=threshold.bad_percent,
        )


def _of_table_reference(reference: TableReference) -> RowRule:
    names = "+".join(reference.columns)
    return RowRule(
        id=f"row.reference.{names}",
        kind="table_reference",
        column=None,
        dimension="consistency",
        severity=reference.threshold.severity,
        message=f"{names}：合起来不在参照表内 together not in {reference.file}",
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
    message: str


def batch_rules(contract: Contract) -> tuple[BatchRule, ...]:
    """Return what columns declare of all rows together: ``unique``."""
    return tuple(
        BatchRule(f"{c.name}.unique", c.name, "accuracy", f"{c.header}：值重复 repeated values")
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
