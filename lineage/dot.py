"""Writes a walk as a Graphviz graph: columns grouped by table, what only decides is dashed."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from contracts.words import text
from lineage.facts import ROWS, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.facts import Edge
    from lineage.walk import Direction, Node

_MASKED: Final = 'color="#b45309", penwidth=2'


class _Drawing:
    """Names each table and column once, however often the walk comes by."""

    def __init__(self) -> None:
        self.tables: dict[tuple[str, str | None], dict[str | None, tuple[str, Node]]] = {}
        self.edges: dict[str, None] = {}
        self._count = 0

    def add(self, node: Node) -> str:
        """Return the node's identifier in the graph."""
        columns = self.tables.setdefault((node.seen.name, node.seen.version), {})
        if node.column not in columns:
            columns[node.column] = f"n{self._count}", node
            self._count += 1
        return columns[node.column][0]

    def walk(self, node: Node, direction: Direction) -> None:
        """Add a node, all that follow, and the edges from input to output between them."""
        own = self.add(node)
        for following in node.next:
            other = self.add(following)
            ends = f"{other} -> {own}" if direction == "up" else f"{own} -> {other}"
            for line in _edges(ends, following.via):
                self.edges[line] = None
            self.walk(following, direction)


def as_dot(root: Node, direction: Direction) -> str:
    """Return a walk as text in the DOT language; edges go from what is read to what is made."""
    drawing = _Drawing()
    drawing.walk(root, direction)
    lines = ["digraph lineage {", "  rankdir=LR;", "  node [shape=box, fontsize=11];"]
    for number, ((name, version), columns) in enumerate(drawing.tables.items()):
        title = [name, f"v{version}"] if version else [name]
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(f"    label={_quoted(' '.join(title))};")
        for identifier, node in columns.values():
            lines.append(f"    {identifier} [{_look(node)}];")
        lines.append("  }")
    lines += [f"  {edge}" for edge in drawing.edges]
    return "\n".join([*lines, "}", ""])


def _look(node: Node) -> str:
    run = node.seen.run
    name = {None: node.seen.name, ROWS: text("行", "rows")}.get(node.column, node.column or "")
    parts = [name, node.level or ""]
    parts += [text("模拟数据", "simulated")] if node.origin == "simulated" else []
    if node.column is None and run is not None:
        parts += [run.job]
    parts += node.seen.files
    return f"label={_quoted(*(p for p in parts if p))}"


def _edges(ends: str, via: tuple[Edge, ...]) -> Iterator[str]:
    """Yield an edge for what is derived, and a dashed one for what only decides."""
    if not via:
        yield f"{ends};"
    for is_direct, same in groupby(
        sorted(via, key=lambda e: e.type != "DIRECT"), key=lambda e: e.type == "DIRECT"
    ):
        edges = list(same)
        kinds = list(dict.fromkeys(e.subtype for e in edges if e.subtype))
        is_masked = any(e.masking for e in edges)
        label = [", ".join(kinds), *([text("遮蔽", "masked")] if is_masked else [])]
        attributes = [f"label={_quoted(*(p for p in label if p))}"]
        attributes += [] if is_direct else ["style=dashed"]
        attributes += [_MASKED] if is_masked else []
        yield f"{ends} [{', '.join(attributes)}];"


def _quoted(*lines: str) -> str:
    """Return a quoted string of the DOT language, whatever the names hold."""
    safe = (printable(x).replace("\\", "\\\\").replace('"', '\\"') for x in lines)
    return '"' + "\\n".join(safe) + '"'
