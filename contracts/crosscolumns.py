"""What one contract file alone cannot tell of its columns: rules, references, words, levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.approvals import FILE as APPROVALS
from contracts.document import load_yaml
from contracts.errors import BadValueError, UsageError
from contracts.glossary import FILE as GLOSSARY
from contracts.model import EXCEL_SERIAL
from contracts.reference import column_values, reference_csv
from contracts.rules import NAMED_RULES
from contracts.time_format import time_format
from contracts.words import Words

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.document import ContractError
    from contracts.model import Column, Contract
    from contracts.rules import NamedRule
    from contracts.tree import Tree

_REGISTER: Final = "approvals: [{id, function, column, from, to, approver, date, reason}]"


def no_values(file: str) -> tuple[Words, Words]:
    """Return the problem and the remedy of a reference table that is empty."""
    return (
        Words(f"{file} 中没有值", f"{file} holds no values"),
        Words("请填写：否则没有一个值是对的。", "Fill it: nothing would be right."),
    )


@dataclass(frozen=True)
class ColumnChecks:
    """One contract in its tree; every method raises ContractError for what does not fit."""

    tree: Tree
    contract: Contract

    @property
    def file(self) -> Path:
        """The contract's file."""
        return self.tree.file(self.contract)

    def fail(self, place: str, problem: Words, remedy: Words) -> ContractError:
        """Return the error at a top-level element or, by its name, at a column."""
        document = load_yaml(self.file)
        names = [p.get("name") for p in document.data["schema"][0].get("properties", ())]
        where: tuple[str | int, ...] = (place,)
        if place in names:
            where = ("schema", 0, "properties", names.index(place))
        return document.fail(where, problem, remedy)

    def rule(self, column: Column) -> None:
        """Refuse a rule that is none, or has other arguments or another type than it takes."""
        if column.rule is None:
            return
        named = NAMED_RULES.get(column.rule.name)
        if named is None:
            raise self.fail(
                column.name,
                Words(f"没有规则 {column.rule.name!r}", f"there is no rule {column.rule.name!r}"),
                Words(
                    f"请用其中之一：{'、'.join(NAMED_RULES)}。",
                    f"Use one of: {', '.join(NAMED_RULES)}.",
                ),
            )
        for name, value in column.rule.arguments.items():
            self._argument(column, named, name, value)
        if column.type not in named.types:
            raise self.fail(
                column.name,
                Words(
                    f"规则 {named.name} 读 {' 或 '.join(named.types)}，不读 {column.type}",
                    f"the rule {named.name} reads a {' or '.join(named.types)},"
                    f" not a {column.type}",
                ),
                Words(
                    "请更正该列的 logicalType，或更正规则。",
                    "Correct the column's logicalType, or its rule.",
                ),
            )

    def _argument(self, column: Column, named: NamedRule, name: str, value: object) -> None:
        allowed = named.arguments.get(name)
        if allowed is None:
            raise self.fail(
                column.name,
                Words(
                    f"规则 {named.name} 没有参数 {name!r}",
                    f"the rule {named.name} takes no {name!r}",
                ),
                Words(
                    f"它的参数：{'、'.join(named.arguments) or '无'}。",
                    f"It takes: {', '.join(named.arguments) or 'nothing'}.",
                ),
            )
        if value not in allowed:
            raise self.fail(
                column.name,
                Words(
                    f"规则 {named.name} 写了 {name}: {value!r}",
                    f"the rule {named.name} has {name}: {value!r}",
                ),
                Words(
                    f"请用其中之一：{'、'.join(map(str, allowed))}。",
                    f"Use one of {', '.join(map(str, allowed))}.",
                ),
            )

    def reference(self, column: Column) -> None:
        """Refuse a reference to a table that is not there, or holds nothing."""
        if column.reference is None:
            return
        try:
            file = reference_csv(self.tree.root, column.reference.file)
            values = column_values(file, column.reference.column)
        except UsageError as missing:
            raise self.fail(column.name, missing.problem, missing.remedy) from None
        if not values:
            raise self.fail(column.name, *no_values(file.name))

    def meaning(self, column: Column) -> None:
        """Refuse a column of a source that is not as the glossary has its name."""
        if self.contract.product is not None:
            return  # a product's column says what it was made into
        term = self.tree.glossary.get(column.name)
        for departure in term.departures(column) if term else ():
            raise self.fail(
                column.name,
                Words(
                    f"{column.name} 是术语表中的词，而此处{departure.zh}",
                    f"{column.name} is a word of the glossary, and here {departure.en}",
                ),
                Words(
                    f"请按 {GLOSSARY} 书写，或给该列另取名称。",
                    f"Write it as {GLOSSARY} has it, or give the column another name.",
                ),
            )

    def format(self, column: Column) -> None:
        """Refuse a date's format that is missing, or has letters that mean no part of a date."""
        is_time = column.type in ("date", "timestamp")
        form = column.options.format
        if is_time and form and form != EXCEL_SERIAL:
            try:
                time_format(form)
            except BadValueError as bad:
                raise self.fail(column.name, bad.problem, bad.remedy) from None
        if is_time and not column.options.format and self.contract.servers:
            raise self.fail(
                column.name,
                Words("日期列没有声明格式", "a date column declares no format"),
                Words(
                    '请添加 logicalTypeOptions {format: "yyyy-MM-dd"}：格式从不猜测。',
                    'Add logicalTypeOptions {format: "yyyy-MM-dd"}: formats are never guessed.',
                ),
            )

    def lowering(self, column: Column) -> None:
        """Refuse a lowering that the register of approvals does not have as it is written."""
        if column.lowering is None:
            return
        name = f"{self.contract.id}.{column.name}"
        if self.tree.approvals is None:
            raise self.fail(
                column.name,
                Words(
                    f"该列被降级，而契约树没有 {APPROVALS}",
                    f"it is lowered, and the tree has no {APPROVALS}",
                ),
                Words(
                    f"请在契约树的根处写 {APPROVALS}：{_REGISTER}。",
                    f"Write {APPROVALS} at the tree's root: {_REGISTER}.",
                ),
            )
        approval = self.tree.approvals.get((column.lowering.approval, name))
        if approval is None:
            raise self.fail(
                column.name,
                Words(
                    f"{APPROVALS} 中没有针对 {name} 的审批 {column.lowering.approval!r}",
                    f"{APPROVALS} has no approval {column.lowering.approval!r} for {name}",
                ),
                Words(
                    "请先审批并登记，或保持该列为其输入的级别。",
                    "Have it approved and registered, or keep the column at the level of its"
                    " inputs.",
                ),
            )
        for departure in approval.departures(column):
            raise self.fail(
                column.name,
                Words(
                    f"降级与 {approval.id} 的批准不符：{departure.zh}",
                    f"the lowering is not as {approval.id} approved it: {departure.en}",
                ),
                Words(
                    f"请按 {APPROVALS} 书写，或先批准此项变更。",
                    f"Write it as {APPROVALS} has it, or have the change approved.",
                ),
            )
