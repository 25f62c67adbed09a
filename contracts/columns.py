"""Reads a schema object's properties: the columns, their rules and what they refer to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from contracts import model, product
from contracts.constraint import Options, Reference, TableReference, Threshold
from contracts.header import header_key
from contracts.part import Part
from contracts.standard import PROPERTY, refused, unread_options
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from contracts.document import Place

#: A name beginning with ``_`` is ours.
_COLUMN: Final = re.compile(r"[^\W\d_]\w{0,99}")
_PLACE: Final[Place] = ("schema", 0, "properties")
#: The custom properties of a column; each is a field of ``model.Column``.
CUSTOM: Final = ("rule", "enum", "release", "lowering", "quasi_identifier", "holds")
#: What the standard calls fields of a column that have another name in its type.
_CALLED: Final = {"type": "logicalType", "level": "classification"}
#: ``file#schema/object/properties/column``.
_STEPS: Final = 4
_DECIMAL: Final = re.compile(r"(?:decimal|numeric)\b")
_DECIMAL_OF: Final = re.compile(r"(?:decimal|numeric)\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_MAX_PRECISION: Final = 38
_SECOND: Final = Words("第二个参照", "a second reference")


@dataclass(frozen=True)
class Columns(Part):
    """Reads the columns of the contract's one table."""

    def columns(self, table: Mapping[str, Any]) -> tuple[model.Column, ...]:
        """Return the columns; what is wrong with one keeps no other from being read."""
        properties = table.get("properties") or ()
        if not properties:
            raise self.doc.fail(
                ("schema", 0),
                Words("表没有 properties", "the table has no properties"),
                Words("请列出其各列。", "List its columns."),
            )
        read = [self.read(self._reader(i, p), None) for i, p in enumerate(properties)]
        for i, item in enumerate(properties):
            if not _COLUMN.fullmatch(str(item.get("name"))):
                self.note(
                    [
                        self.doc.fail(
                            (*_PLACE, i, "name"),
                            Words(
                                f"{item.get('name')!r} 不能作列名",
                                f"{item.get('name')!r} is no name of a column",
                            ),
                            Words(
                                "请用字母、数字和 _，并以字母开头。",
                                "Use letters, digits and _, and begin with a letter.",
                            ),
                        )
                    ]
                )
        columns = tuple(c for c in read if c is not None)
        self._twice("name", [c.name.lower() for c in columns])
        self._twice("header", [header_key(c.header) for c in columns])
        return columns

    def _reader(self, i: int, item: Mapping[str, Any]) -> Callable[[], model.Column]:
        return lambda: self.column(item, (*_PLACE, i))

    def _twice(self, attribute: str, values: Sequence[str]) -> None:
        """Note names or headers that are one and the same to whoever compares them."""
        for value in sorted({v for v in values if values.count(v) > 1}):
            self.note(
                [
                    self.doc.fail(
                        _PLACE,
                        Words(
                            f"按比较规则，有两列的 {attribute} 同为 {value!r}",
                            f"two columns share the {attribute} {value!r}, as they are compared",
                        ),
                        Words("请给每列各自的。", "Give each column its own."),
                    )
                ]
            )

    def column(self, item: Mapping[str, Any], place: Place) -> model.Column:
        """Return one column; raises ContractError where it cannot be read."""
        custom = self.custom(item, place)
        kind = item.get("logicalType") or "string"
        self.note(refused(self.doc, item, place, PROPERTY))
        fields: dict[str, Any] = {
            "name": item.get("name"),
            "header": item.get("physicalName") or item.get("name"),
            "business_name": item.get("businessName") or item.get("physicalName") or item["name"],
            "description": item.get("description") or item.get("businessName") or "",
            "type": kind,
            "physical_type": item.get("physicalType") or kind,
            "required": item.get("required", False),
            "unique": item.get("unique", False),
            "key_position": (item.get("primaryKeyPosition") or 1)
            if item.get("primaryKey")
            else None,
            "level": item.get("classification"),
            "tags": tuple(item.get("tags") or ()),
            "options": self.read(
                lambda: self.options(item, (*place, "logicalTypeOptions"), kind), Options()
            ),
        }
        readers: dict[str, Callable[[object, Place], Any]] = {
            "enum": self.enum,
            "rule": self.rule,
            "release": lambda v, at: self.doc.parse(product.Release, v, at),
            "lowering": lambda v, at: self.doc.parse(model.Lowering, v, at),
            "quasi_identifier": lambda v, _: v,
            "holds": lambda v, _: v,
        }
        for name, reader in readers.items():
            if name in custom:
                value, at = custom.pop(name)
                with self.faults.noted():
                    fields[name] = reader(value, at)
        if "enum" in item:
            with self.faults.noted():
                fields["enum"] = self.standard_enum(item, place, own=fields.get("enum", ()))
        with self.faults.noted():
            self.physical(item, place)
        for i, relation in enumerate(item.get("relationships") or ()):
            with self.faults.noted():
                if i:
                    raise self.doc.fail(
                        (*place, "relationships", i),
                        _SECOND,
                        Words("每列请只保留一个。", "Keep one a column."),
                    )
                fields["reference"] = self.reference(relation, (*place, "relationships", i))
        self.nothing_left(custom, CUSTOM)
        return self.doc.parse(model.Column, fields, place, _CALLED)

    def options(self, item: Mapping[str, Any], place: Place, kind: str) -> Options:
        """Return the options that are checked; those that nothing checks are noted."""
        options = item.get("logicalTypeOptions") or {}
        unread = list(unread_options(self.doc, options, place, kind))
        self.note(unread)
        names = {e.place[-1] for e in unread}
        return self.doc.parse(Options, {k: v for k, v in options.items() if k not in names}, place)

    def physical(self, item: Mapping[str, Any], place: Place) -> None:
        """Refuse a decimal that no table can hold."""
        written = str(item.get("physicalType") or "").strip().lower()
        if item.get("logicalType") != "number" or not _DECIMAL.match(written):
            return
        found = _DECIMAL_OF.fullmatch(written)
        precision, scale = (int(g or 0) for g in found.groups()) if found else (0, 0)
        if not 1 <= precision <= _MAX_PRECISION or scale > precision:
            raise self.doc.fail(
                (*place, "physicalType"),
                Words(
                    f"{item['physicalType']!r} 不是 decimal 类型",
                    f"{item['physicalType']!r} is no decimal",
                ),
                Words(
                    "请写 decimal(p,s)：共 p 位数字，至多 38 位，其中小数 s 位。",
                    "Write decimal(p,s): p digits in all, at most 38, s of them after the point.",
                ),
            )

    def enum(self, value: object, place: Place) -> tuple[str, ...]:
        """Return the allowed values as text; a YAML yes or no is no text."""
        values = value if isinstance(value, list) else []
        if not values or not all(
            isinstance(v, str | int | float) and not isinstance(v, bool) for v in values
        ):
            raise self.doc.fail(
                place,
                Words(f"{value!r} 不是值的列表", f"{value!r} is no list of values"),
                Words("请列出文本，并加引号。", "List the texts, in quotes."),
            )
        return tuple(str(v) for v in values)

    def standard_enum(
        self, item: Mapping[str, Any], place: Place, own: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Read the standard's own ``enum`` of a property: a list of ``{value: …}`` (RFC 0033)."""
        listed = self.enum([v.get("value") for v in item["enum"]], (*place, "enum"))
        if own and own != listed:
            raise self.doc.fail(
                (*place, "enum"),
                Words(
                    "属性的 enum 与其 customProperties 中的不同",
                    "the property's enum is not that of its customProperties",
                ),
                Words("请保留两个列表之一。", "Keep one of the two lists."),
            )
        return listed

    def rule(self, value: object, place: Place) -> model.RuleUse:
        """Read ``name`` or ``{name: {arguments}}``."""
        name, arguments = value, None
        if isinstance(value, dict):
            if len(value) != 1:
                raise self.doc.fail(
                    place,
                    Words(f"一处写了 {len(value)} 条规则", f"{len(value)} rules in one"),
                    Words("请写 rule: 名称，或 {名称: {…}}。", "Write rule: name, or {name: {…}}."),
                )
            name, arguments = next(iter(value.items()))
        return self.doc.parse(model.RuleUse, {"name": name, "arguments": arguments or {}}, place)

    def reference(self, relation: Mapping[str, Any], place: Place) -> Reference:
        """Read a property's foreign key into a reference table."""
        file, column = self.target(relation.get("to"), (*place, "to"))
        return Reference(file=file, column=column, threshold=self.threshold(relation, place))

    def target(self, written: object, place: Place) -> tuple[str, str]:
        """Return file and column that a relationship's ``to`` names."""
        file, _, fragment = str(written or "").partition("#")
        parts = fragment.split("/")
        if not file or len(parts) < _STEPS or ".." in Path(file).parts or file.startswith("/"):
            raise self.doc.fail(
                place,
                Words(f"{written!r} 没有写明参照列", f"{written!r} names no reference column"),
                Words(
                    "请写 <树中的文件>#schema/<对象>/properties/<列>。",
                    "Write <file below the tree>#schema/<object>/properties/<column>.",
                ),
            )
        return file, parts[-1]

    def threshold(self, relation: Mapping[str, Any], place: Place) -> Threshold:
        """Read the share of rows that a relationship lets refer to nothing."""
        custom = self.custom(relation, place)
        found = Threshold(bad_percent=0)
        if "threshold" in custom:
            value, at = custom.pop("threshold")
            found = self.doc.parse(Threshold, value, at)
        self.nothing_left(custom, ("threshold",))
        return found

    def related(
        self, table: Mapping[str, Any], columns: tuple[model.Column, ...]
    ) -> tuple[tuple[model.Column, ...], tuple[TableReference, ...]]:
        """Read the table's own relationships: of one column each, or of several together."""
        by_name = {c.name: c for c in columns}
        composite: dict[tuple[str, ...], TableReference] = {}
        for i, relation in enumerate(table.get("relationships") or ()):
            place: Place = ("schema", 0, "relationships", i)
            with self.faults.noted():
                found = self.table_reference(table, relation, place)
                lost = [n for n in found.columns if n not in by_name]
                if lost:
                    raise self.doc.fail(
                        (*place, "from"),
                        Words(f"没有列 {lost[0]!r}", f"there is no column {lost[0]!r}"),
                        Words("请写表中的列。", "Name columns of the table."),
                    )
                first = by_name[found.columns[0]]
                is_single = len(found.columns) == 1
                if (is_single and first.reference is not None) or found.columns in composite:
                    keep = Words("请保留其一。", "Keep one of the two.")
                    raise self.doc.fail(place, _SECOND, keep)
                if is_single:
                    single = Reference(
                        file=found.file, column=found.targets[0], threshold=found.threshold
                    )
                    by_name[first.name] = first.model_copy(update={"reference": single})
                else:
                    composite[found.columns] = found
        return tuple(by_name[c.name] for c in columns), tuple(composite.values())

    def table_reference(
        self, table: Mapping[str, Any], relation: Mapping[str, Any], place: Place
    ) -> TableReference:
        """Read ``from`` and ``to`` of a relationship at the level of the table."""
        own, there = (
            written if isinstance(written, list) else [written]
            for written in (relation.get("from"), relation.get("to"))
        )
        if len(own) != len(there):
            raise self.doc.fail(
                place,
                Words(
                    f"{len(own)} 列参照 {len(there)} 列",
                    f"{len(own)} columns refer to {len(there)}",
                ),
                Words("两边请写同样多的列。", "Name as many on either side."),
            )
        targets = [self.target(t, (*place, "to")) for t in there]
        if len({file for file, _ in targets}) != 1:
            raise self.doc.fail(
                (*place, "to"),
                Words("其各列在多个表中", "its columns stand in several tables"),
                Words("请写同一个表的列。", "Name columns of one table."),
            )
        return TableReference(
            columns=tuple(self.own_column(table, str(n), (*place, "from")) for n in own),
            file=targets[0][0],
            targets=tuple(column for _, column in targets),
            threshold=self.threshold(relation, place),
        )

    def own_column(self, table: Mapping[str, Any], written: str, place: Place) -> str:
        """Return the column of ``<table>.<column>`` or ``schema/<table>/properties/<column>``."""
        name = str(table.get("name"))
        for start in (f"{name}.", f"schema/{name}/properties/", f"/schema/{name}/properties/"):
            if written.startswith(start):
                return written.removeprefix(start)
        raise self.doc.fail(
            place,
            Words(f"{written!r} 不是 {name} 的列", f"{written!r} names no column of {name}"),
            Words(f"请写 {name}.<列>。", f"Write {name}.<column>."),
        )
