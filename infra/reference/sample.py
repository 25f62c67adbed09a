"""A contract that declares everything a row can be held against: one rule of every kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from contracts.constraint import Options, Reference, TableReference, Threshold
from contracts.model import Column, Contract, RuleUse
from contracts.rules import BatchRule, RowRule, batch_rules, row_rules
from contracts.words import Words
from infra.reference.markdown import UndescribedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAMED: Final = "mobile"
#: What of a contract each kind of rule comes from.
_FROM: Final[Mapping[str, str]] = {
    "shape": "every file: a row with more or fewer cells than its header",
    "required": "`required: true`",
    "type": "`logicalType`, with the `format` of dates and times",
    _NAMED: "custom property `rule`: see [named rules](#named-rules)",
    "pattern": "`logicalTypeOptions.pattern`",
    "min_length": "`logicalTypeOptions.minLength`",
    "max_length": "`logicalTypeOptions.maxLength`",
    "range": "`minimum` and `maximum`",
    "exclusive_range": "`exclusiveMinimum` and `exclusiveMaximum`",
    "multiple_of": "`multipleOf`",
    "enum": "custom property `enum`, or the standard's `enum`",
    "reference": "`relationships` of the column; severity and share of bad rows by `threshold`",
    "table_reference": "`relationships` of the table, over several columns",
    "key_conflict": "`primaryKey`: the same key twice with different content",
    "unique": "`unique: true`: over all rows of the batch",
}


def _contract() -> Contract:
    reference = Reference(file="reference/x.odcs.yaml", column="code")
    column = Column(
        name="<column>",
        header="<column>",
        business_name="",
        description="",
        type="number",
        physical_type="double",
        required=True,
        unique=True,
        key_position=1,
        options=Options(
            pattern="x",
            min_length=1,
            max_length=9,
            minimum=0,
            maximum=9,
            exclusive_minimum=0,
            exclusive_maximum=9,
            multiple_of=1,
        ),
        enum=("x",),
        rule=RuleUse(name=_NAMED),
        reference=reference,
    )
    together = TableReference(
        columns=("<column>", "<column>"),
        file=reference.file,
        targets=("a", "b"),
        threshold=Threshold(bad_percent=0),
    )
    return Contract(
        id="domain.dataset",
        name="",
        version="1.0.0",
        status="draft",
        domain="domain",
        dataset="dataset",
        title="",
        columns=(column,),
        references=(together,),
    )


def kinds_of_rules() -> Iterator[tuple[RowRule, str]]:
    """Yield a rule of every kind, and what of a contract it comes from."""
    contract = _contract()
    rules = [*row_rules(contract), *map(_as_row_rule, batch_rules(contract))]
    for rule in rules:
        if rule.kind not in _FROM:
            raise UndescribedError(
                Words(
                    f"没有写明 {rule.kind!r} 这类规则由何而来。",
                    f"Nothing says where rules of the kind {rule.kind!r} come from.",
                ),
                Words(
                    "请写在 infra/reference/sample.py 里。", "Say it in infra/reference/sample.py."
                ),
            )
        named = replace(rule, id=rule.id.replace(_NAMED, "<named rule>"))
        yield named, _FROM[rule.kind]


def _as_row_rule(rule: BatchRule) -> RowRule:
    return RowRule(rule.id, "unique", rule.column, rule.dimension, "error", rule.message)
