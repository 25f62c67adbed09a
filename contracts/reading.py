"""Reads one contract file: official JSON Schema first, then our own types.

Every failure is a ``ContractError`` that names the file, the place in it and what to change.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import yaml

from contracts import model
from contracts.document import Document, Place, load_yaml
from contracts.sla import read_schedule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COMPARISONS = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)
#: Parts of table and folder names; ``__`` stands between provider and dataset.
_PLAIN = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: A name beginning with ``_`` is ours.
_COLUMN = re.compile(r"[^\W\d_]\w{0,99}")


@cache
def _schema() -> dict[str, Any]:
    text = resources.files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")
    return dict(json.loads(text))


@cache
def _official() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(_schema())


def read_contract(file: Path, tree_root: Path | None = None) -> model.Contract:
    """Read one ODCS contract.

    Raises ContractError with file, line, place and remedy. ``tree_root`` makes ``source`` relative.
    """
    document = load_yaml(file)
    _check_official(document)
    return _Build(document, tree_root or file.parent).contract()


def _is_valid(data: dict[str, Any]) -> bool:
    try:
        return _official().is_valid(data)
    except ValueError:  # what YAML can say and JSON cannot: bytes, sets
        return False


def _check_official(document: Document) -> None:
    if _is_valid(document.data):
        return
    from jsonschema import Draft201909Validator
    from jsonschema.exceptions import best_match

    # Slower, and better at saying which of many errors a person should mend.
    error = best_match(Draft201909Validator(_schema()).iter_errors(document.data))
    if error is not None:
        place = tuple(error.absolute_path)
        raise document.fail(
            place,
            f"breaks ODCS: {error.message[:300]}",
            "Correct it as the Open Data Contract Standard v3.1 says for this element.",
        )


@dataclass(frozen=True)
class _Build:
    """From a schema-valid document to a ``Contract``; each method builds one part."""

    doc: Document
    tree_root: Path

    def contract(self) -> model.Contract:
        data, doc = self.doc.data, self.doc
        objects = data.get("schema") or []
        if len(objects) != 1:
            raise doc.fail(
                ("schema",),
                f"{len(objects)} schema objects",
                "Write one contract a dataset: exactly one schema object.",
            )
        custom = self.custom(data, ())
        dataset = str(objects[0].get("name", ""))
        self.plain(dataset, "dataset", ("schema", 0, "name"))
        contract_id = str(data.get("id", ""))
        if contract_id.rsplit(".", maxsplit=1)[-1] != dataset or contract_id.count(".") != 1:
            raise doc.fail(
                ("id",),
                f"the id {contract_id!r} does not end in the schema object's name {dataset!r}",
                "Name the contract <domain>.<dataset>.",
            )
        description = data.get("description") or {}
        team = data.get("team") or {}
        fields: dict[str, Any] = {
            "id": contract_id,
            "name": data.get("name") or contract_id,
            "version": data.get("version"),
            "status": data.get("status"),
            "domain": data.get("domain") or contract_id.split(".", maxsplit=1)[0],
            "dataset": dataset,
            "title": objects[0].get("physicalName") or data.get("name") or dataset,
            **{k: description.get(k, "") for k in ("purpose", "usage", "limitations")},
            "tags": tuple(data.get("tags") or ()),
            "servers": self.servers(),
            "columns": self.columns(objects[0]),
            "quality": self.quality(objects[0]),
            "schedule": read_schedule(doc),
            "owner": team.get("name", "") if isinstance(team, dict) else "",
            "members": self.members(team),
            "source": self.file_in_tree(),
            "written": doc.file.read_bytes(),
        }
        for name, kind in (
            ("load", model.Load),
            ("catalogue", model.Catalogue),
            ("sharing", model.Sharing),
            ("grading", model.Grading),
            ("thresholds", model.Thresholds),
            ("product", model.Product),
        ):
            if name in custom:
                value, place = custom.pop(name)
                fields[name] = doc.parse(kind, value, place)
        self.nothing_left(custom)
        return doc.parse(model.Contract, fields, ())

    def file_in_tree(self) -> str:
        try:
            return self.doc.file.resolve().relative_to(self.tree_root.resolve()).as_posix()
        except ValueError:
            return self.doc.file.name

    def custom(self, node: Mapping[str, Any], place: Place) -> dict[str, tuple[Any, Place]]:
        """Return ``customProperties`` as name → (value, place of the value)."""
        found: dict[str, tuple[Any, Place]] = {}
        for i, item in enumerate(node.get("customProperties") or ()):
            where = (*place, "customProperties", i)
            if item["property"] in found:
                raise self.doc.fail(
                    where, f"{item['property']!r} stands here twice", "Keep one of the two."
                )
            found[item["property"]] = (item.get("value"), (*where, "value"))
        return found

    def nothing_left(self, custom: Mapping[str, tuple[Any, Place]]) -> None:
        """Refuse a custom property that nothing reads: it would be a silent skip."""
        for name, (_, place) in custom.items():
            raise self.doc.fail(
                place[:-1],
                f"nothing reads the customProperty {name!r} here",
                "Correct its name, or remove it (docs/decisions/0001-one-thread.md lists ours).",
            )

    def plain(self, name: str, what: str, place: Place) -> None:
        """Refuse a name that cannot be part of a table's name and its folder's."""
        if not _PLAIN.fullmatch(name):
            raise self.doc.fail(
                place, f"{name!r} is no name of a {what}", "Use small letters, digits and _."
            )

    def servers(self) -> tuple[model.Server, ...]:
        servers: list[model.Server] = []
        for i, item in enumerate(self.doc.data.get("servers") or ()):
            place = ("servers", i)
            custom = self.custom(item, place)
            export, at = custom.pop("export", ({}, place))
            self.nothing_left(custom)
            path = str(item.get("path") or item.get("location") or "")
            within = path.removeprefix("{drop}/")
            if ".." in Path(path).parts or within.startswith("/"):
                raise self.doc.fail(
                    (*place, "path"),
                    f"the path {path!r} leaves the source's root",
                    "Write it relative to the root, without '..'.",
                )
            provider = str(item.get("server") or "")
            self.plain(provider, "provider", (*place, "server"))
            if provider in {s.provider for s in servers}:
                raise self.doc.fail(
                    (*place, "server"), f"two servers are called {provider!r}", "Keep one of them."
                )
            fields = {
                "provider": provider,
                "path": path,
                "format": item.get("format") or "csv",
                "export": self.doc.parse(model.Export, export, at),
            }
            servers.append(self.doc.parse(model.Server, fields, place))
        return tuple(servers)

    def columns(self, table: Mapping[str, Any]) -> tuple[model.Column, ...]:
        properties = table.get("properties") or ()
        columns = tuple(
            self.column(p, ("schema", 0, "properties", i)) for i, p in enumerate(properties)
        )
        for i, column in enumerate(columns):
            if not _COLUMN.fullmatch(column.name):
                raise self.doc.fail(
                    ("schema", 0, "properties", i, "name"),
                    f"{column.name!r} is no name of a column",
                    "Use letters, digits and _, and begin with a letter.",
                )
        for attribute in ("name", "header"):
            values = [getattr(c, attribute).lower() for c in columns]
            twice = {v for v in values if values.count(v) > 1}
            if twice:
                raise self.doc.fail(
                    ("schema", 0, "properties"),
                    f"two columns share the {attribute} {min(twice)!r}",
                    "Give each column its own.",
                )
        if not columns:
            raise self.doc.fail(("schema", 0), "the table has no properties", "List its columns.")
        return columns

    def column(self, item: Mapping[str, Any], place: Place) -> model.Column:
        custom = self.custom(item, place)
        options = item.get("logicalTypeOptions") or {}
        fields: dict[str, Any] = {
            "name": item.get("name"),
            "header": item.get("physicalName") or item.get("name"),
            "business_name": item.get("businessName") or item.get("physicalName") or item["name"],
            "description": item.get("description") or item.get("businessName") or "",
            "type": item.get("logicalType") or "string",
            "physical_type": item.get("physicalType") or item.get("logicalType") or "string",
            "required": item.get("required", False),
            "unique": item.get("unique", False),
            "key_position": (item.get("primaryKeyPosition") or 1)
            if item.get("primaryKey")
            else None,
            "level": item.get("classification"),
            "tags": tuple(item.get("tags") or ()),
            "options": self.doc.parse(
                model.Options,
                {_snake(k): v for k, v in options.items()},
                (*place, "logicalTypeOptions"),
            ),
        }
        if "enum" in custom:
            fields["enum"] = self.enum(*custom.pop("enum"))
        if "rule" in custom:
            fields["rule"] = self.rule(*custom.pop("rule"))
        for name, kind in (("release", model.Release), ("lowering", model.Lowering)):
            if name in custom:
                value, at = custom.pop(name)
                fields[name] = self.doc.parse(kind, value, at)
        for name in ("quasi_identifier", "holds"):
            if name in custom:
                fields[name] = custom.pop(name)[0]
        for i, relation in enumerate(item.get("relationships") or ()):
            if i:
                raise self.doc.fail(
                    (*place, "relationships", i), "a second reference", "Keep one a column."
                )
            fields["reference"] = self.reference(relation, (*place, "relationships", i))
        self.nothing_left(custom)
        return self.doc.parse(model.Column, fields, place)

    def enum(self, value: object, place: Place) -> tuple[str, ...]:
        """Return the allowed values as text; a YAML yes or no is no text."""
        values = value if isinstance(value, list) else []
        if not values or not all(
            isinstance(v, str | int | float) and not isinstance(v, bool) for v in values
        ):
            raise self.doc.fail(
                place, f"{value!r} is no list of values", "List the texts, in quotes."
            )
        return tuple(str(v) for v in values)

    def rule(self, value: object, place: Place) -> model.RuleUse:
        """Read ``name`` or ``{name: {arguments}}``."""
        name, arguments = value, None
        if isinstance(value, dict):
            if len(value) != 1:
                raise self.doc.fail(
                    place, f"{len(value)} rules in one", "Write rule: name, or {name: {…}}."
                )
            name, arguments = next(iter(value.items()))
        return self.doc.parse(model.RuleUse, {"name": name, "arguments": arguments or {}}, place)

    def reference(self, relation: Mapping[str, Any], place: Place) -> model.Reference:
        target = str(relation.get("to") or "")
        file, _, fragment = target.partition("#")
        parts = fragment.split("/")
        if not file or len(parts) < 4 or ".." in Path(file).parts or file.startswith("/"):  # noqa: PLR2004
            raise self.doc.fail(
                (*place, "to"),
                f"{target!r} names no reference column",
                "Write <file below the tree>#schema/<object>/properties/<column>.",
            )
        custom = self.custom(relation, place)
        fields: dict[str, Any] = {"file": file, "column": parts[-1]}
        if "threshold" in custom:
            value, at = custom.pop("threshold")
            fields["threshold"] = self.doc.parse(model.Threshold, value, at)
        self.nothing_left(custom)
        return self.doc.parse(model.Reference, fields, place)

    def quality(self, table: Mapping[str, Any]) -> tuple[model.Quality, ...]:
        base: Place = ("schema", 0)
        found = [
            self.one_quality(q, (*base, "quality", i), None)
            for i, q in enumerate(table.get("quality") or ())
        ]
        for c, item in enumerate(table.get("properties") or ()):
            found += [
                self.one_quality(q, (*base, "properties", c, "quality", i), item["name"])
                for i, q in enumerate(item.get("quality") or ())
            ]
        ids = [q.id for q in found]
        for i, one in enumerate(ids):
            if one in ids[:i]:
                raise self.doc.fail(
                    (*base, "quality"), f"two quality entries are called {one!r}", "Rename one."
                )
        return tuple(found)

    def one_quality(
        self, item: Mapping[str, Any], place: Place, column: str | None
    ) -> model.Quality:
        comparison = next((c for c in _COMPARISONS if c in item), None)
        implementation = item.get("implementation") or {}
        if isinstance(implementation, str):
            try:
                implementation = yaml.safe_load(implementation) or {}
            except yaml.YAMLError:
                implementation = None
        if not isinstance(implementation, dict):
            raise self.doc.fail(
                (*place, "implementation"), "it is no mapping", "Write {type: …, kwargs: {…}}."
            )
        kind = item.get("type") or "library"
        if kind == "sql" and not item.get("query"):
            raise self.doc.fail(place, "an sql check without a query", "Write its query.")
        if kind == "custom" and not implementation.get("type"):
            raise self.doc.fail(
                place, "a custom check that names no expectation", "Write implementation.type."
            )
        bound = item.get(comparison) if comparison else None
        if comparison in ("mustBe", "mustNotBe") and (
            isinstance(bound, bool) or not isinstance(bound, int | float)
        ):
            raise self.doc.fail(
                (*place, comparison), f"{bound!r} is no number", "A check measures a number."
            )
        fields = {
            "id": item.get("id") or item.get("name") or f"quality_{place[-1]}",
            "type": kind,
            "dimension": item.get("dimension") or "conformity",
            "severity": item.get("severity") or "error",
            "description": item.get("description") or "",
            "column": column,
            "query": item.get("query"),
            "metric": item.get("metric") or item.get("rule"),
            "arguments": item.get("arguments") or {},
            "engine": item.get("engine"),
            "expectation": implementation.get("type"),
            "kwargs": implementation.get("kwargs") or {},
            "unit": item.get("unit") or "rows",
            "comparison": comparison,
            "bound": tuple(bound) if isinstance(bound, list) else bound,
        }
        return self.doc.parse(model.Quality, fields, place)

    def members(self, team: object) -> tuple[model.Member, ...]:
        listed: Sequence[Mapping[str, Any]] = (
            (team.get("members") or ()) if isinstance(team, dict) else ()
        )
        return tuple(
            model.Member(username=str(m.get("username", "")), role=str(m.get("role", "")))
            for m in listed
        )


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
