"""What lineage keeps of an OpenLineage event: who made what from which version of what.

Reads plain JSON, so that events of other producers take part. Only a COMPLETE run made something.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from contracts.words import Words
from lineage.columns import NAMESPACE
from lineage.naming import PRODUCER, Own, is_imported

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Stands for a table's rows: what a join, filter or grouping on a column decides.
ROWS: Final = "*"
#: How the names of our tables begin, the most refined first.
OURS: Final = ("shared/", "gold/", "silver/", "bronze/", "quarantine/")
#: A transformation that nobody described.
_UNSAID: Final[tuple[dict[str, Any], ...]] = ({},)
#: How a table is made from another where the event names no columns; read by ``Words.read``.
_WHOLE: Final = Words("未说明到列", "columns not stated").stored()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OWN: Final = Own()


@dataclass(frozen=True)
class Edge:
    """One input of one output column, as the events tell it."""

    source: str
    column: str
    type: str
    subtype: str
    masking: bool
    description: str


@dataclass(frozen=True, eq=False)
class Graph:
    """What a run's output is made from: by column, and what decides its rows."""

    columns: Mapping[str, tuple[Edge, ...]]
    rows: tuple[Edge, ...] = ()

    @property
    def edges(self) -> Iterator[tuple[str, Edge]]:
        """Every (own column, input), with the inputs that decide the rows under ``*``."""
        for name, edges in self.columns.items():
            yield from ((name, edge) for edge in edges)
        yield from ((ROWS, edge) for edge in self.rows)

    @property
    def sources(self) -> frozenset[str]:
        """The data sets that take part in any way."""
        return frozenset(edge.source for _, edge in self.edges)


@dataclass(frozen=True, eq=False)
class About:
    """How a run describes a data set: levels of the table and its columns, and its origin."""

    level: str | None = None
    origin: str | None = None
    levels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Use:
    """A data set that a run read or wrote: in which version, and from which files."""

    dataset: str
    version: str | None = None
    about: About = field(default_factory=About)
    files: tuple[str, ...] = ()
    graph: Graph | None = None


@dataclass(frozen=True)
class Ran:
    """One run that completed; ``order`` tells which of two came later, the same for everybody."""

    order: tuple[int, str, str, int]
    job: str
    contract: str | None
    batch: str | None
    inputs: tuple[Use, ...] = field(compare=False)
    outputs: tuple[Use, ...] = field(compare=False)

    @property
    def at_us(self) -> int:
        """When it ended: microseconds since 1970 in UTC."""
        return self.order[0]

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.order[1]

    def read(self, dataset: str, version: str | None = None) -> Use | None:
        """Return how the run read a data set (in this version); None where it does not say so.

        Of several uses, the first that names its version.
        """
        found = [u for u in self.inputs if u.dataset == dataset and version in (None, u.version)]
        return next((u for u in found if u.version is not None), found[0] if found else None)

    def wrote(self, dataset: str) -> Use | None:
        """Return how the run wrote a data set, where it says what from."""
        found = (u for u in self.outputs if u.dataset == dataset and u.graph is not None)
        return next(found, None)


def ran(event: Mapping[str, Any], file: str, line: int, own: Own = _OWN) -> Ran | None:
    """Return what a COMPLETE event says; None for other events, and for one that wrote nothing.

    What an imported event says of tables of ours is left out: only our own runs make them, and say
    of which level and origin they are.

    Raises KeyError, TypeError, AttributeError or ValueError for what is no OpenLineage run event.
    """
    if event.get("eventType") != "COMPLETE":
        return None
    own = own.in_event(event, file)
    event = linked(event, own) if is_imported(file) else event
    tags = _tags(event["run"]).get(None, {})
    location = _facet(event["job"], "sourceCodeLocation")
    inputs = tuple(_use(d, own, tags, is_output=False) for d in event.get("inputs") or ())
    outputs = _joined(_use(d, own, tags, is_output=True) for d in event.get("outputs") or ())
    if is_imported(file):
        inputs = tuple(replace(u, about=About()) if _is_ours(u) else u for u in inputs)
        outputs = tuple(use for use in outputs if not _is_ours(use))
    if not outputs and is_audit(event):
        return None
    return Ran(
        order=(_microseconds(event["eventTime"]), _text(event["run"]["runId"]), file, line),
        job=_text(event["job"]["name"]),
        contract=_optional(location.get("path")),
        batch=tags.get("jingshu.batch_id"),
        inputs=inputs,
        outputs=tuple(_with_inputs(use, inputs) for use in outputs),
    )


def linked(event: Mapping[str, Any], own: Own) -> Mapping[str, Any]:
    """Return an event with our tables under our names, where a symlink says which data set is one.

    A catalogue (Hive's, Iceberg's) has names of its own for a table that lies in our lake; what
    reads it there names the place as a symlink only.
    """
    ours: dict[tuple[Any, Any], tuple[str, str]] = {}
    sets = [*(event.get("inputs") or ()), *(event.get("outputs") or ())]
    for dataset in sets:
        for place in _facet(dataset, "symlinks").get("identifiers") or ():
            found = own.inside(_text(place["namespace"]), _text(place["name"]))
            if found[0] == NAMESPACE and found[1].startswith(OURS):
                ours[dataset["namespace"], dataset["name"]] = found
    return {**event, **_named(event, ours)} if ours else event


def _named(
    event: Mapping[str, Any], ours: Mapping[tuple[Any, Any], tuple[str, str]]
) -> dict[str, Any]:
    def named(one: Mapping[str, Any]) -> dict[str, Any]:
        known = (one["namespace"], one["name"])
        namespace, name = ours.get(known, known)
        return {**one, "namespace": namespace, "name": name}

    def described(dataset: Mapping[str, Any]) -> dict[str, Any]:
        lineage = _facet(dataset, "columnLineage")
        if not lineage:
            return named(dataset)
        fields = {
            column: {**made, "inputFields": [named(f) for f in made["inputFields"]]}
            for column, made in lineage["fields"].items()
        }
        rows = [named(f) for f in lineage.get("dataset") or ()]
        told = {**lineage, "fields": fields, "dataset": rows}
        return {**named(dataset), "facets": {**dataset["facets"], "columnLineage": told}}

    return {name: [described(d) for d in event.get(name) or ()] for name in ("inputs", "outputs")}


def is_audit(event: Mapping[str, Any]) -> bool:
    """Tell whether an event is of an audit of ours, which reads a table and makes none."""
    return event.get("producer") == PRODUCER and _text(event["job"]["name"]).startswith("audit.")


def _is_ours(use: Use) -> bool:
    return use.dataset.startswith(OURS)


def _with_inputs(use: Use, inputs: Iterable[Use]) -> Use:
    """Return an output whose event names no columns as made from all that the run read."""
    if use.graph is not None:
        return use
    read = dict.fromkeys(i.dataset for i in inputs)
    whole = (Edge(name, ROWS, "INDIRECT", "", masking=False, description=_WHOLE) for name in read)
    return replace(use, graph=Graph({}, tuple(whole)))


def display(namespace: str, name: str, own: Own = _OWN) -> str:
    """Return how people write a data set: our tables without their namespace.

    Another's table whose name would look like one of ours begins with ``//``.
    """
    namespace, name = own.inside(namespace, name)
    if namespace == NAMESPACE:
        return name
    foreign = f"{namespace}/{name}"
    return f"//{foreign}" if foreign.startswith(OURS) else foreign


def printable(text: str) -> str:
    """Return text that a terminal takes as text: control characters are written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@lru_cache(maxsize=512)
def graph_text(graph: Graph) -> str:
    """Write a graph as JSON; the same graph is the same text."""
    columns = {name: [_row(e) for e in edges] for name, edges in graph.columns.items()}
    return json.dumps([columns, [_row(e) for e in graph.rows]], ensure_ascii=False)


def graph_of(text: str) -> Graph:
    """Read what ``graph_text`` wrote."""
    columns, rows = json.loads(text)
    made = {name: tuple(Edge(*e) for e in edges) for name, edges in columns.items()}
    return Graph(made, tuple(Edge(*e) for e in rows))


@lru_cache(maxsize=512)
def about_text(about: About) -> str:
    """Write a description as JSON; the same description is the same text."""
    return json.dumps([about.level, about.origin, dict(about.levels)], ensure_ascii=False)


def about_of(text: str) -> About:
    """Read what ``about_text`` wrote."""
    return About(*json.loads(text))


def _row(edge: Edge) -> list[str | bool]:
    return [
        edge.source, edge.column, edge.type, edge.subtype, edge.masking, edge.description
    ]  # fmt: skip


def _use(
    dataset: Mapping[str, Any],
    own: Own,
    run_tags: Mapping[str, str],
    *,
    is_output: bool,
) -> Use:
    lineage = _facet(dataset, "columnLineage") if is_output else None
    about, graph = _described(json.dumps([_facet(dataset, "tags"), lineage]), own)
    namespace, name = _text(dataset["namespace"]), _text(dataset["name"])
    places = _facet(dataset, "symlinks").get("identifiers") or ()
    files = tuple(_text(p["name"]) for p in places if p.get("type") == "FILE")
    export, table = own.inside(namespace, name)
    if "jingshu.file" in run_tags and export not in (namespace, NAMESPACE):
        files = (f"{table}/{run_tags['jingshu.file']}",)
    return Use(
        dataset=display(namespace, name, own),
        version=_optional(_facet(dataset, "version").get("datasetVersion")),
        about=about,
        files=files,
        graph=graph,
    )


def _joined(uses: Iterable[Use]) -> tuple[Use, ...]:
    """Return each data set once: a run makes one version, in however many parts it is told."""
    found: dict[str, Use] = {}
    for use in uses:
        found[use.dataset] = _both(found[use.dataset], use) if use.dataset in found else use
    return tuple(found.values())


def _both(first: Use, second: Use) -> Use:
    """Join two descriptions of one data set; where they differ the second holds."""
    graphs = [use.graph for use in (first, second) if use.graph is not None]
    columns: dict[str, tuple[Edge, ...]] = {}
    for graph in graphs:
        for name, edges in graph.columns.items():
            columns[name] = tuple(dict.fromkeys(columns.get(name, ()) + edges))
    origins = [use.about.origin for use in (second, first) if use.about.origin is not None]
    about = About(
        level=second.about.level or first.about.level,
        origin="simulated" if "simulated" in origins else next(iter(origins), None),
        levels={**first.about.levels, **second.about.levels},
    )
    return Use(
        dataset=first.dataset,
        version=second.version or first.version,
        about=about,
        files=first.files + second.files,
        graph=Graph(columns, tuple(dict.fromkeys(e for g in graphs for e in g.rows)))
        if graphs
        else None,
    )


@lru_cache(maxsize=512)
def _described(facets: str, own: Own) -> tuple[About, Graph | None]:
    """Read the facets that are the same in thousands of runs, once: tags and column lineage."""
    tags, lineage = json.loads(facets)
    by_field = _tags({"facets": {"tags": tags}})
    of_table = by_field.pop(None, {})
    about = About(
        level=of_table.get("jingshu.level"),
        origin=of_table.get("jingshu.origin"),
        levels={
            column: level
            for column, of_column in by_field.items()
            if column
            and (level := of_column.get("jingshu.column_level") or of_column.get("jingshu.level"))
        },
    )
    if not lineage:
        return about, None
    columns = {_text(c): _edges(v["inputFields"], own) for c, v in lineage["fields"].items()}
    return about, Graph(columns, _edges(lineage.get("dataset") or (), own))


def _facet(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (whole.get("facets") or {}).get(name) or {}
    return found


def _tags(whole: Mapping[str, Any]) -> dict[str | None, dict[str, str]]:
    """Return a run's or data set's tags by field; what is of the whole is under None.

    A key that ends with its value, as those of our data sets do, is found without it.
    """
    found: dict[str | None, dict[str, str]] = {}
    for tag in _facet(whole, "tags").get("tags") or ():
        of = found.setdefault(_optional(tag.get("field")) or None, {})
        value = _text(tag["value"])
        of[_text(tag["key"]).removesuffix(f".{value}")] = value
    return found


def _edges(fields: Iterable[Mapping[str, Any]], own: Own) -> tuple[Edge, ...]:
    return tuple(
        Edge(
            source=display(_text(f["namespace"]), _text(f["name"]), own),
            column=_text(f["field"]),
            type=_text(how.get("type") or "DIRECT"),
            subtype=_text(how.get("subtype") or ""),
            masking=bool(how.get("masking")),
            description=_text(how.get("description") or ""),
        )
        for f in fields
        for how in f.get("transformations") or _UNSAID
    )


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _text(value: object) -> str:
    """Return a string of an event; half a surrogate pair, which is no text, becomes ``?``."""
    if not isinstance(value, str):
        raise TypeError(value)
    return value if value.isascii() else value.encode(errors="replace").decode()


def _microseconds(moment: str) -> int:
    at = datetime.fromisoformat(moment)
    since = (at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
