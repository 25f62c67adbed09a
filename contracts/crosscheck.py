"""What one contract file alone cannot tell: rules, references, inputs, levels, providers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.crosscolumns import ColumnChecks, no_values
from contracts.document import Faults, load_yaml
from contracts.errors import UsageError
from contracts.grading import grade_of, is_below
from contracts.header import header_key
from contracts.reference import column_rows, reference_csv
from contracts.rules import NAMED_RULES, batch_rules, row_rules
from contracts.words import Words, listed

if TYPE_CHECKING:
    from contracts.document import ContractError
    from contracts.model import Contract, Server
    from contracts.tree import Tree

_CUSTOM: Final = "customProperties"
#: Formats whose rows lie in a grid; the others name each value, and have no header to look for.
_GRIDS: Final = ("csv", "xlsx", "xls")
_OF_GRIDS: Final = frozenset({"delimiter", "header_row", "sheet"})
_COLUMN_METRICS: Final = ("nullValues", "missingValues", "invalidValues", "duplicateValues")


@dataclass(frozen=True)
class _Check(ColumnChecks):
    """One contract in its tree; every method raises ContractError for what does not fit."""

    def references(self) -> None:
        for reference in self.contract.references:
            try:
                file = reference_csv(self.tree.root, reference.file)
                values = column_rows(file, reference.targets)
            except UsageError as missing:
                raise self.fail("schema", missing.problem, missing.remedy) from None
            if not values:
                raise self.fail("schema", *no_values(file.name))

    def ids(self) -> None:
        """Refuse a check that is called as a rule is: one result would hide the other."""
        if any(c.rule and c.rule.name not in NAMED_RULES for c in self.contract.columns):
            return  # told already, and such a contract has no rules to list
        own = {r.id for r in row_rules(self.contract)}
        own |= {r.id for r in batch_rules(self.contract)}
        for quality in self.contract.quality:
            if quality.id in own:
                raise self.fail(
                    quality.column or "schema",
                    Words(
                        f"检查 {quality.id!r} 与表中规则同名",
                        f"the check {quality.id!r} is called as a rule of the table is",
                    ),
                    Words("请给该检查另取 id。", "Give the check another id."),
                )

    def grade(self) -> None:
        declared = self.contract.grading
        if declared is None:
            return
        found = grade_of(self.contract, self.tree.glossary)
        why = listed(found.reasons)
        zh, en = (f"（{why.zh}）", f" ({why.en})") if found.reasons else ("", "")
        if declared.level < found.level:
            raise self.fail_grading(
                Words(
                    f"定为 {declared.level}，低于其最高的列或各列合起来的级别：{found.level}{zh}",
                    f"graded {declared.level}, below its highest column, or what they come to"
                    f" together: {found.level}{en}",
                ),
                Words(
                    f"请把该表定为 {found.level}：就高从严。",
                    f"Grade the table {found.level}: the highest counts.",
                ),
            )
        if is_below(declared.gb43697, found.gb43697):
            raise self.fail_grading(
                Words(
                    f"定为 {declared.gb43697}，而它是 {found.gb43697} 数据{zh}",
                    f"graded {declared.gb43697}, but it is {found.gb43697} data{en}",
                ),
                Words(
                    f"请写 gb43697: {found.gb43697}，并由市里批准。",
                    f"Write gb43697: {found.gb43697}, and have it approved by the city.",
                ),
            )

    def fail_grading(self, problem: Words, remedy: Words) -> ContractError:
        """Return the error at the line of ``grading``."""
        document = load_yaml(self.file)
        listed = document.data.get(_CUSTOM) or ()
        at = next((i for i, c in enumerate(listed) if c.get("property") == "grading"), 0)
        return document.fail((_CUSTOM, at), problem, remedy)

    def disclosure(self) -> None:
        """Refuse policies and totals that speak of columns which are not there."""
        product = self.contract.product
        if product is None:
            return
        names = {c.name for c in self.contract.columns}
        for policy in product.policies:
            kept = {n for n, release in policy.columns.items() if release.mask != "drop"}
            for column in (*policy.quasi_identifiers, *policy.sensitive):
                if column not in kept:
                    raise self.fail(
                        _CUSTOM,
                        Words(
                            f"策略 {policy.name} 以 {column!r} 度量，而它并不提供该列",
                            f"the policy {policy.name} measures {column!r}, which it does not"
                            " release",
                        ),
                        Words("请写该策略保留的列。", "Name columns that the policy keeps."),
                    )
            if policy.l is not None and not (policy.sensitive and policy.quasi_identifiers):
                raise self.fail(
                    _CUSTOM,
                    Words(
                        f"策略 {policy.name} 要求 l = {policy.l}，却没有对象",
                        f"the policy {policy.name} asks for l = {policy.l} of nothing",
                    ),
                    Words(
                        "请写出它的 quasi_identifiers 和 sensitive 列。",
                        "Name its quasi_identifiers and its sensitive columns.",
                    ),
                )
        for total in product.totals:
            lost = {total.column, *total.by, *filter(None, (total.total,))} - names
            if lost or not total.by:
                raise self.fail(
                    _CUSTOM,
                    Words(
                        f"合计所写的 {min(lost, default='（无分组）')!r} 不是列",
                        f"a total speaks of {min(lost, default='no group')!r}, which is no column",
                    ),
                    Words(
                        "请写出求和的列、分组的列和合计列。",
                        "Name the summed column, the columns it is summed by, and its total.",
                    ),
                )

    def product(self) -> None:
        product = self.contract.product
        if product is None:
            if not self.contract.servers:
                raise self.fail(
                    "servers",
                    Words("源契约没有写服务器", "a source contract names no server"),
                    Words("请添加其提供方。", "Add its providers."),
                )
            return
        for name in product.inputs:
            if name not in self.tree.sources and name not in self.tree.products:
                raise self.fail(
                    _CUSTOM,
                    Words(f"输入 {name!r} 不是契约", f"the input {name!r} is no contract"),
                    Words("请更正 id。", "Correct the id."),
                )
        sql = (self.file.parent / product.sql).resolve()
        own = self.file.parent.resolve()
        if not sql.is_relative_to(self.tree.root if own.is_relative_to(self.tree.root) else own):
            raise self.fail(
                _CUSTOM,
                Words(f"{product.sql} 在契约树之外", f"{product.sql} lies outside the tree"),
                Words("请放在契约旁边。", "Put it beside the contract."),
            )
        if not sql.is_file():
            raise self.fail(
                _CUSTOM,
                Words(
                    f"契约旁边没有 {product.sql}", f"there is no {product.sql} beside the contract"
                ),
                Words("请在那里写出产品的 SQL。", "Write the product's SQL there."),
            )

    def servers(self) -> None:
        for server in self.contract.servers:
            is_known = not self.tree.providers or server.provider in self.tree.providers
            if not is_known and self.contract.product is None:
                raise self.fail(
                    "servers",
                    Words(
                        f"{server.provider!r} 不在 providers.yaml 中",
                        f"{server.provider!r} is not in providers.yaml",
                    ),
                    Words("请在其中添加该提供方。", "Add the provider there."),
                )
            if not server.path and self.contract.product is None:
                raise self.fail(
                    "servers",
                    Words(f"{server.provider} 没有路径", f"{server.provider} has no path"),
                    Words("请写明其文件放在哪里。", "Say where its files are put."),
                )
            unread = sorted(_OF_GRIDS & server.export.model_fields_set)
            if unread and server.format not in _GRIDS:
                names_zh, names = "、".join(unread), ", ".join(unread)
                raise self.fail(
                    "servers",
                    Words(
                        f"{server.provider} 交付 {server.format}，其中没有程序读取 {names_zh}",
                        f"{server.provider} sends {server.format}, where nothing reads {names}",
                    ),
                    Words(
                        f"请从其 export 中删去 {names_zh}，或更正其格式。",
                        f"Take {names} out of its export, or correct its format.",
                    ),
                )
            self.aliases(server)

    def aliases(self, server: Server) -> None:
        """Refuse an alias of no column, or one that is another column's header."""
        headers = {header_key(c.header): c.name for c in self.contract.columns}
        for header, name in server.export.aliases.items():
            if name not in headers.values():
                raise self.fail(
                    "servers",
                    Words(
                        f"别名 {header!r} 指向的 {name!r} 不是列",
                        f"the alias {header!r} leads to no column {name!r}",
                    ),
                    Words("请更正。", "Correct it."),
                )
            other = headers.setdefault(header_key(header), name)
            if other != name:
                raise self.fail(
                    "servers",
                    Words(
                        f"{name} 的别名 {header!r} 也是 {other} 的名称",
                        f"the alias {header!r} of {name} is how {other} is called too",
                    ),
                    Words(
                        "请删去：一个表头只指向一列。",
                        "Take it out: a header leads to one column.",
                    ),
                )

    def load(self) -> None:
        load = self.contract.load
        if load.mode == "merge_key" and not self.contract.key:
            raise self.fail(
                _CUSTOM,
                Words(
                    "入库方式为 merge_key 而没有 primaryKey", "load merge_key without a primaryKey"
                ),
                Words("请标出主键各列。", "Mark the key's columns."),
            )
        for column in self.contract.key:
            if not column.required and self.contract.product is None:
                raise self.fail(
                    column.name,
                    Words("主键列可能为空", "a key column may be empty"),
                    Words("请加上 required: true。", "Add required: true to it."),
                )
        if load.delete_marker is None:
            return
        if load.mode != "merge_key":
            raise self.fail(
                _CUSTOM,
                Words("删除标记需要 merge_key", "a delete marker needs merge_key"),
                Words("请更改 load.mode。", "Change load.mode."),
            )
        if load.delete_marker.column not in {c.name for c in self.contract.columns}:
            raise self.fail(
                _CUSTOM,
                Words(
                    f"删除标记 {load.delete_marker.column!r} 不是列",
                    f"the delete marker {load.delete_marker.column!r} is no column",
                ),
                Words("请写其中一列。", "Name one of the columns."),
            )
        if self.contract.column(load.delete_marker.column).type != "string":
            raise self.fail(
                load.delete_marker.column,
                Words("删除标记不是文本", "the delete marker is no text"),
                Words("请把它改为 string。", "Make it a string."),
            )

    def metrics(self) -> None:
        names = {c.name for c in self.contract.columns}
        for quality in self.contract.quality:
            if quality.type != "library" or quality.metric not in _COLUMN_METRICS:
                continue
            asked = quality.arguments.get("properties", quality.arguments.get("property"))
            wanted = asked if isinstance(asked, list) else [asked or quality.column]
            lost = [n for n in wanted if n not in names]
            if lost or not wanted:
                name = (lost or [None])[0]
                raise self.fail(
                    "schema",
                    Words(
                        f"检查 {quality.id} 所看的 {name!r} 不是列",
                        f"the check {quality.id} looks at no column {name!r}",
                    ),
                    Words(
                        "请把它放到所属列之下，或在 arguments 中写 properties。",
                        "Put it under its column, or name properties in its arguments.",
                    ),
                )


def check_tables(tree: Tree) -> None:
    """Refuse two contracts that would write one table, and products that feed themselves."""
    owners: dict[str, Contract] = {}
    for contract in (*tree.sources.values(), *tree.products.values()):
        is_product = contract.product is not None
        tables = [contract.table(s.provider) for s in contract.servers]
        for table in [contract.product_table] if is_product else tables:
            other = owners.setdefault(table, contract)
            if other is not contract:
                raise _Check(tree, contract).fail(
                    "id",
                    Words(
                        f"{other.id} 也生成表 {table}", f"{other.id} makes the table {table} too"
                    ),
                    Words("请给其中一个数据集改名。", "Rename one dataset."),
                )
    for product in tree.products.values():
        seen: set[str] = set()
        inputs = list(product.product_plan.inputs)
        while inputs:
            name = inputs.pop()
            if name == product.id:
                raise _Check(tree, product).fail(
                    _CUSTOM,
                    Words(f"{product.id} 以自身为输入", f"{product.id} is its own input"),
                    Words("请从输入中删去。", "Take it out of the inputs."),
                )
            if name in tree.products and name not in seen:
                inputs += tree.products[name].product_plan.inputs
            seen.add(name)


def check_across(tree: Tree, contract: Contract) -> None:
    """Check a contract against its tree; raises the first of all its errors, with the others."""
    check, faults = _Check(tree, contract), Faults()
    for of_column in (check.rule, check.reference, check.format, check.meaning, check.lowering):
        for column in contract.columns:
            with faults.noted():
                of_column(column)
    for of_contract in (
        check.references,
        check.ids,
        check.metrics,
        check.load,
        check.grade,
        check.product,
        check.disclosure,
        check.servers,
    ):
        with faults.noted():
            of_contract()
    faults.stop()
