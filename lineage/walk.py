"""Walks the events on disk: what a table or column is made from, and what is made from it.

Reads plain OpenLineage JSON, so that events of other producers take part; the newest COMPLETE of a
job and output counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Literal

from contracts.errors import UsageError
from lineage.columns import DECLARED, NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Direction = Literal["up", "down"]
#: Stands for a table's rows: what a join, filter or grouping on a column decides.
ROWS: Final = "*"
_UNSAID: Final[tuple[dict[str, Any], ...]] = ({},)
_LAYERS: Final = ("shared", "gold", "silver", "bronze", "quarantine")


@dataclass(frozen=True)
class Edge:
    """One input of one output column, as the events tell it."""

    source: str
    column: str
    type: str
    subtype: str
    masking: bool
    description: str


@dataclass(frozen=True)
class Known:
    """The newest that is known of a data set; ``columns`` is ``None`` where nobody wrote it."""

    name: str
    job: str | None = None
    version: str | None = None
    origin: str | None = None
    level: str | None = None
    levels: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, tuple[Edge, ...]] | None = None
    rows: tuple[Edge, ...] = ()

    @property
    def is_end(self) -> bool:
        """Whether lineage may end here: an export, a code table or a declared constant."""
        return not self.name.startswith(tuple(f"{layer}/" for layer in _LAYERS))

    @property
    def edges(self) -> Iterator[tuple[str, Edge]]:
        """Every (own column, input), with the inputs that decide the rows under ``*``."""
        for name, edges in (self.columns or {}).items():
            yield from ((name, edge) for edge in edges)
        yield from ((ROWS, edge) for edge in self.rows)


@dataclass(frozen=True)
class Node:
    """One step of the walk: a table, or a column with how its neighbour uses it."""

    dataset: Known
    column: str | None
    via: tuple[Edge, ...]
    next: tuple[Node, ...]

    @property
    def name(self) -> str:
        """The full name, ``layer/table`` or ``layer/table.column``."""
        return self.dataset.name if self.column is None else f"{self.dataset.name}.{self.column}"

    @property
    def level(self) -> str | None:
        """The column's level, or the table's."""
        if self.column is None or self.column == ROWS:
            return self.dataset.level
        return self.dataset.levels.get(self.column)

    def gaps(self) -> Iterator[str]:
        """Yield the names at which an upward walk ends though it should go on."""
        if not self.next and not self.dataset.is_end:
            yield self.name
        for node in self.next:
            yield from node.gaps()


class Catalogue:
    """All data sets that the events speak of."""

    def __init__(self, events: Iterable[Mapping[str, Any]]) -> None:
        self.known: dict[str, Known] = {}
        done = [e for e in events if e.get("eventType") == "COMPLETE"]
        for event in sorted(done, key=lambda e: (e["eventTime"], e["run"]["runId"])):
            for dataset in event.get("inputs") or ():
                name = display(dataset["namespace"], dataset["name"])
                if self.known.get(name, Known(name)).columns is None:
                    self.known[name] = _known(name, dataset, None)
            for dataset in event.get("outputs") or ():
                name = display(dataset["namespace"], dataset["name"])
                if "columnLineage" in (dataset.get("facets") or {}):
                    self.known[name] = _known(name, dataset, event["job"]["name"])

    def find(self, text: str) -> tuple[str, str | None]:
        """Return data set and column that ``TABLE[.COLUMN]`` means; UsageError where none does.

        A table without its layer is the most refined one of that name.
        """
        if text in self.known:
            return text, None
        for name in self._candidates(text):
            column = text[text.index(name.rpartition("/")[2]) :].partition(".")[2] or None
            known = self.known[name]
            columns = {*(known.columns or {}), *known.levels}
            if column is None or column in columns:
                return name, column
            raise UsageError(
                f"{name} has no column {column!r}.",
                f"It has: {', '.join(sorted(columns)) or 'none that is recorded'}.",
            )
        if not self.known:
            raise UsageError("No lineage is recorded yet.", "Run ./jingshu run first.")
        near = get_close_matches(text, self.known, n=5, cutoff=0.4) or sorted(self.known)[:5]
        raise UsageError(f"No event speaks of {text!r}.", f"Near to it: {', '.join(near)}.")

    def _candidates(self, text: str) -> list[str]:
        def rank(name: str) -> int:
            layer = name.partition("/")[0]
            return _LAYERS.index(layer) if layer in _LAYERS else len(_LAYERS)

        found = []
        for name in self.known:
            table = name.rpartition("/")[2]
            if any(text == n or text.startswith(f"{n}.") for n in (name, table)):
                found.append(name)
        return sorted(found, key=lambda n: (rank(n), n))

    def walk(self, dataset: str, column: str | None, direction: Direction) -> Node:
        """Return the tree from a table or column up to its sources, or down to its uses."""
        return self._node(_Step(dataset, column), direction, frozenset())

    def _node(
        self, at: _Step, direction: Direction, seen: frozenset[tuple[str, str | None]]
    ) -> Node:
        known = self.known.get(at.dataset) or Known(at.dataset)
        here = (at.dataset, at.column)
        if here in seen:  # a run that reads what it writes, such as a withdrawal
            return Node(known, at.column, at.via, ())
        following = (
            self._up(known, at.column) if direction == "up" else self._down(known, at.column)
        )
        further = (self._node(step, direction, seen | {here}) for step in following)
        return Node(known, at.column, at.via, tuple(further))

    def _up(self, known: Known, column: str | None) -> Iterator[_Step]:
        if column is None:
            sources = {edge.source for _, edge in known.edges} - {DECLARED, known.name}
            yield from (_Step(source, None) for source in sorted(sources))
            return
        edges = known.rows if column == ROWS else (known.columns or {}).get(column, ())
        for (source, name), same in groupby(edges, key=lambda e: (e.source, e.column)):
            yield _Step(source, name, tuple(same))

    def _down(self, known: Known, column: str | None) -> Iterator[_Step]:
        for name, user in sorted(self.known.items()):
            uses = [(own, e) for own, e in user.edges if e.source == known.name]
            if name == known.name or not uses:
                continue
            if column is None or column == ROWS:
                yield _Step(name, column)
                continue
            for own, same in groupby(uses, key=lambda use: use[0]):
                edges = tuple(e for _, e in same if e.column == column)
                if edges:
                    yield _Step(name, own, edges)


@dataclass(frozen=True)
class _Step:
    dataset: str
    column: str | None
    via: tuple[Edge, ...] = ()


def display(namespace: str, name: str) -> str:
    """Return how people write a data set: our tables without their namespace."""
    return name if namespace == NAMESPACE else f"{namespace}/{name}"


def as_json(node: Node, direction: Direction) -> dict[str, Any]:
    """Return a walk as JSON's own types; the next nodes are ``inputs`` or ``outputs``."""
    found: dict[str, Any] = {"dataset": node.dataset.name}
    if node.column is None:
        found |= {"job": node.dataset.job, "version": node.dataset.version}
    else:
        found["column"] = node.column
    found |= {"level": node.level, "origin": node.dataset.origin}
    if node.via:
        found["transformations"] = [
            {
                "type": edge.type,
                "subtype": edge.subtype,
                "masking": edge.masking,
                "description": edge.description,
            }
            for edge in node.via
        ]
    found["inputs" if direction == "up" else "outputs"] = [
        as_json(following, direction) for following in node.next
    ]
    return found


def _known(name: str, dataset: Mapping[str, Any], job: str | None) -> Known:
    facets = dataset.get("facets") or {}
    tags = (facets.get("tags") or {}).get("tags") or ()
    of_table = {t["key"]: t["value"] for t in tags if not t.get("field")}
    levels = {
        t["field"]: t["value"] for t in tags if t.get("field") and t["key"] == "jingshu.level"
    }
    lineage = facets.get("columnLineage")
    return Known(
        name=name,
        job=job,
        version=(facets.get("version") or {}).get("datasetVersion"),
        origin=of_table.get("jingshu.origin"),
        level=of_table.get("jingshu.level"),
        levels=levels,
        columns=None
        if job is None or lineage is None
        else {column: _edges(value["inputFields"]) for column, value in lineage["fields"].items()},
        rows=() if job is None or lineage is None else _edges(lineage.get("dataset") or ()),
    )


def _edges(fields: Iterable[Mapping[str, Any]]) -> tuple[Edge, ...]:
    return tuple(
        Edge(
            source=display(f["namespace"], f["name"]),
            column=f["field"],
            type=how.get("type", "DIRECT"),
            subtype=how.get("subtype") or "",
            masking=bool(how.get("masking")),
            description=how.get("description") or "",
        )
        for f in fields
        for how in f.get("transformations") or _UNSAID
    )
