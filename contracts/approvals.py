"""The register of approvals (审批登记): who let which column of a product be below its inputs.

One file a tree, ``approvals.yaml``. A lowering in a contract names an approval, and is refused
unless the register has it for that column, that function, that level, that person and that date.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pydantic import Field

from contracts.document import load_yaml
from contracts.frozen import Frozen
from contracts.model import Level
from contracts.vocabulary import LoweringFunction
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from contracts.model import Column

FILE = "approvals.yaml"


class Approval(Frozen):
    """One decision about one column: ``column`` is ``<contract id>.<column>``."""

    id: str = Field(min_length=1)
    function: LoweringFunction
    column: str = Field(min_length=1)
    from_level: Level = Field(alias="from")
    to_level: Level = Field(alias="to")
    approver: str = Field(min_length=1)
    approved_on: date = Field(alias="date")
    reason: str = Field(min_length=1)

    def departures(self, column: Column) -> Iterator[Words]:
        """Yield, in words, what of a column's lowering the register says otherwise."""
        lowering = column.lowering
        if lowering is None:
            return
        if lowering.function != self.function:
            has, approved = lowering.function, self.function
            yield Words(
                f"其函数是 {has}，批准的是 {approved}",
                f"its function is {has}, approved was {approved}",
            )
        if column.effective_level < self.to_level:
            level, approved_level = column.effective_level, self.to_level
            yield Words(
                f"其级别是 {level}，批准的是 {approved_level}",
                f"its level is {level}, approved was {approved_level}",
            )
        if lowering.approved_by != self.approver:
            yield Words(
                f"其批准人写 {lowering.approved_by}，登记为 {self.approver}",
                f"it names {lowering.approved_by}, the register {self.approver}",
            )
        if lowering.approved_on != self.approved_on:
            yield Words(
                f"其日期写 {lowering.approved_on}，登记为 {self.approved_on}",
                f"it is dated {lowering.approved_on}, the register {self.approved_on}",
            )


def read_approvals(root: Path) -> Mapping[tuple[str, str], Approval] | None:
    """Return a tree's approvals by (id, column); None where it has no register.

    Raises ContractError for a register that cannot be read, or says something twice.
    """
    file = root / FILE
    if not file.exists():
        return None
    document = load_yaml(file)
    listed = document.data.get("approvals")
    if not isinstance(listed, list):
        raise document.fail(
            ("approvals",),
            Words("没有审批清单", "there is no list of approvals"),
            Words("请逐项列出。", "List them."),
        )
    found: dict[tuple[str, str], Approval] = {}
    for i, item in enumerate(listed):
        one = document.parse(Approval, item, ("approvals", i))
        if (one.id, one.column) in found:
            raise document.fail(
                ("approvals", i),
                Words(f"{one.id} 两次批准 {one.column}", f"{one.id} approves {one.column} twice"),
                Words("请保留其一。", "Keep one of the two."),
            )
        if one.from_level <= one.to_level:
            raise document.fail(
                ("approvals", i),
                Words(
                    f"{one.id} 没有降级：从 {one.from_level} 到 {one.to_level}",
                    f"{one.id} lowers nothing: from {one.from_level} to {one.to_level}",
                ),
                Words(
                    "请把输入的级别写为 from，该列的级别写为 to。",
                    "Write the level of the inputs as from, the column's as to.",
                ),
            )
        found[one.id, one.column] = one
    return found
