"""Reads one contract file: official JSON Schema first, then our own types.

Every failure is a ``ContractError`` that names the file, the place in it and what to change; what
else is wrong with the file stands behind the first.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from contracts import model, product
from contracts.checks import Checks
from contracts.columns import Columns
from contracts.document import ContractError, Faults, gathered, load_yaml
from contracts.official import breaches
from contracts.part import Part
from contracts.sla import Levels
from contracts.standard import OBJECT, refused
from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contracts.document import Place
    from contracts.frozen import Frozen

#: Parts of table and folder names; ``__`` stands between provider and dataset.
_PLAIN: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: Keys of servers in the standard that say how a file is written: ``export`` says it all.
_OF_EXPORT: Final = frozenset(("delimiter", "encoding"))
#: The custom properties of a contract, and what each is read into.
PARTS: Final[Mapping[str, type[Frozen]]] = {
    "load": model.Load,
    "catalogue": model.Catalogue,
    "sharing": model.Sharing,
    "grading": model.Grading,
    "thresholds": model.Thresholds,
    "product": product.Product,
}


def read_contract(file: Path, tree_root: Path | None = None) -> model.Contract:
    """Read one ODCS contract.

    Raises ContractError with file, line, place and remedy. ``tree_root`` makes ``source`` relative.
    """
    doc, faults = load_yaml(file), Faults()
    breached = breaches(doc)
    build = _Build(doc, faults, tree_root or file.parent)
    if not breached:
        return build.contract()
    # What the standard does not allow may be of any shape: the rest is read as far as it can be.
    with suppress(ContractError, KeyError, TypeError, ValueError, AttributeError, IndexError):
        build.contract()
    told = {e.place for e in breached}
    raise gathered([*breached, *(e for e in faults.found if not _is_told(e.place, told))])


def _is_told(place: Place, told: set[Place]) -> bool:
    """Tell whether a place, or what it stands in, was named already."""
    return any(place[: len(p)] == p for p in told if p) or (() in told and not place)


@dataclass(frozen=True)
class _Build(Part):
    """From a document to a ``Contract``; each method builds one part."""

    tree_root: Path

    def contract(self) -> model.Contract:
        """Return the contract; raises the first of all its errors."""
        data, doc = self.doc.data, self.doc
        objects = data.get("schema") or []
        if len(objects) != 1:
            raise doc.fail(
                ("schema",),
                Words(f"有 {len(objects)} 个 schema 对象", f"{len(objects)} schema objects"),
                Words(
                    "请每个数据集写一份契约：恰好一个 schema 对象。",
                    "Write one contract a dataset: exactly one schema object.",
                ),
            )
        [table] = objects
        custom = self.custom(data, ())
        fields = self.names(table) | self.table(table)
        for name, kind in PARTS.items():
            if name in custom:
                value, place = custom.pop(name)
                with self.faults.noted():
                    fields[name] = doc.parse(kind, value, place)
        self.nothing_left(custom, PARTS)
        with self.faults.noted():
            made = doc.parse(model.Contract, fields, ())
        self.faults.stop()
        return made

    def names(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the contract is called, what it is for and who answers for it."""
        data = self.doc.data
        dataset, contract_id = str(table.get("name", "")), str(data.get("id", ""))
        with self.faults.noted():
            self.plain(dataset, Words("数据集", "dataset"), ("schema", 0, "name"))
        if contract_id.rsplit(".", maxsplit=1)[-1] != dataset or contract_id.count(".") != 1:
            self.note(
                [
                    self.doc.fail(
                        ("id",),
                        Words(
                            f"id {contract_id!r} 不以 schema 对象的名称 {dataset!r} 结尾",
                            f"the id {contract_id!r} does not end in the schema object's name"
                            f" {dataset!r}",
                        ),
                        Words(
                            "请把契约命名为 <领域>.<数据集>。",
                            "Name the contract <domain>.<dataset>.",
                        ),
                    )
                ]
            )
        description = data.get("description") or {}
        team = data.get("team") or {}
        return {
            "id": contract_id,
            "name": data.get("name") or contract_id,
            "version": data.get("version"),
            "status": data.get("status"),
            "domain": data.get("domain") or contract_id.split(".", maxsplit=1)[0],
            "dataset": dataset,
            "title": table.get("physicalName") or data.get("name") or dataset,
            **{k: description.get(k, "") for k in ("purpose", "usage", "limitations")},
            "tags": tuple(data.get("tags") or ()),
            "owner": team.get("name", "") if isinstance(team, dict) else "",
            "members": self.members(team),
            "source": self.file_in_tree(),
            "written": self.doc.file.read_bytes(),
        }

    def table(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return servers, columns, checks and service levels."""
        doc, faults = self.doc, self.faults
        self.note(refused(doc, table, ("schema", 0), OBJECT))
        self.nothing_left(self.custom(table, ("schema", 0)))
        reader = Columns(doc, faults)
        none: tuple[model.Column, ...] = ()
        columns = self.read(lambda: reader.columns(table), none)
        columns, references = reader.related(table, columns)
        schedule, unchecked = Levels(doc, faults).levels()
        return {
            "servers": self.servers(),
            "columns": columns,
            "references": references,
            "quality": Checks(doc, faults).quality(table),
            "schedule": schedule,
            "unchecked": unchecked,
        }

    def file_in_tree(self) -> str:
        """Return the file's path in its tree; a file outside it is called by its name."""
        try:
            return self.doc.file.resolve().relative_to(self.tree_root.resolve()).as_posix()
        except ValueError:
            return self.doc.file.name

    def plain(self, name: str, what: Words, place: Place) -> None:
        """Refuse a name that cannot be part of a table's name and its folder's."""
        if not _PLAIN.fullmatch(name):
            raise self.doc.fail(
                place,
                Words(f"{name!r} 不能作{what.zh}的名称", f"{name!r} is no name of a {what.en}"),
                Words("请用小写字母、数字和 _。", "Use small letters, digits and _."),
            )

    def servers(self) -> tuple[model.Server, ...]:
        """Return the servers; what is wrong with one keeps no other from being read."""
        servers: dict[str, model.Server] = {}
        for i, item in enumerate(self.doc.data.get("servers") or ()):
            place = ("servers", i)
            with self.faults.noted():
                server = self.server(item, place)
                if server.provider in servers:
                    raise self.doc.fail(
                        (*place, "server"),
                        Words(
                            f"有两个服务器叫 {server.provider!r}",
                            f"two servers are called {server.provider!r}",
                        ),
                        Words("请保留其一。", "Keep one of them."),
                    )
                servers[server.provider] = server
        return tuple(servers.values())

    def server(self, item: Mapping[str, Any], place: Place) -> model.Server:
        """Return one server; raises ContractError where it cannot be read."""
        custom = self.custom(item, place)
        export, at = custom.pop("export", ({}, place))
        self.nothing_left(custom, ("export",))
        for key in sorted(_OF_EXPORT & set(item)):
            self.note(
                [
                    self.doc.fail(
                        (*place, key),
                        Words(
                            f"没有程序读取服务器的 {key!r}", f"nothing reads {key!r} of a server"
                        ),
                        Words(
                            f"请把 {key} 写到它的 customProperty export 中。",
                            f"Write {key} into its customProperty export.",
                        ),
                    )
                ]
            )
        path = str(item.get("path") or item.get("location") or "")
        within = path.removeprefix("{drop}/")
        if ".." in Path(path).parts or within.startswith("/"):
            raise self.doc.fail(
                (*place, "path"),
                Words(
                    f"路径 {path!r} 超出了来源的根目录",
                    f"the path {path!r} leaves the source's root",
                ),
                Words(
                    "请写相对于根目录的路径，不带 '..'。",
                    "Write it relative to the root, without '..'.",
                ),
            )
        provider = str(item.get("server") or "")
        self.plain(provider, Words("提供方", "provider"), (*place, "server"))
        fields = {
            "provider": provider,
            "path": path,
            "format": item.get("format") or "csv",
            "export": self.read(lambda: self.doc.parse(model.Export, export, at), model.Export()),
        }
        return self.doc.parse(model.Server, fields, place)

    def members(self, team: object) -> tuple[model.Member, ...]:
        """Return the persons of the team."""
        listed: Sequence[Mapping[str, Any]] = (
            (team.get("members") or ()) if isinstance(team, dict) else ()
        )
        return tuple(
            model.Member(username=str(m.get("username", "")), role=str(m.get("role", "")))
            for m in listed
        )
