"""``jingshu lineage``: follow a table or a column to its sources, or to what is made from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from cli.lineage_send import send

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.walk import Direction, Node

_TABLE = click.argument("name", metavar="TABLE[.COLUMN]")
_JSON = click.option("--json", "as_json", is_flag=True, help="输出 JSON Print one JSON object.")


@click.group(
    epilog="例 Example: ./jingshu lineage up shared/heat_readiness__demo.elders_served",
)
def lineage() -> None:
    """血缘 Follow a table or a column through the lineage events on disk.

    TABLE is a name such as gold/heat_readiness, heat_readiness (then the most refined layer of that
    name), or an export such as file://health/disease_case. Exit code 0: traced; 1: the trace ends
    before an export, a code table or a declared constant; 2: no event speaks of that name.
    """


lineage.add_command(send)


@lineage.command(epilog="例 Example: ./jingshu lineage up heat_readiness.heat_cases --json")
@_TABLE
@_JSON
def up(name: str, as_json: bool) -> int:
    """上溯 Show what a table or column is made from, up to the exports."""
    return _show(name, "up", as_json=as_json)


@lineage.command(epilog="例 Example: ./jingshu lineage down bronze/health__disease_case.person_id")
@_TABLE
@_JSON
def down(name: str, as_json: bool) -> int:
    """下溯 Show what is made from a table or column, down to what is shared."""
    return _show(name, "down", as_json=as_json)


def _show(name: str, direction: Direction, *, as_json: bool) -> int:
    from contracts.layout import Home
    from lineage import walk
    from lineage.outbox import read

    catalogue = walk.Catalogue(read(Home.from_env()))
    dataset, column = catalogue.find(name)
    tree = catalogue.walk(dataset, column, direction)
    gaps = sorted(set(tree.gaps())) if direction == "up" else []
    if as_json:
        found = walk.as_json(tree, direction)
        click.echo(json.dumps({"direction": direction, **found, "gaps": gaps}, ensure_ascii=False))
    else:
        for line in _lines(tree, "", ""):
            click.echo(line)
        for gap in gaps:
            click.echo(f"未溯源 untraced: {gap}", err=True)
    return 1 if gaps else 0


def _lines(node: Node, first: str, rest: str) -> Iterator[str]:
    yield first + _label(node)
    for place, following in enumerate(node.next, 1):
        last = place == len(node.next)
        yield from _lines(
            following, rest + ("└── " if last else "├── "), rest + ("    " if last else "│   ")
        )


def _label(node: Node) -> str:
    parts = [node.name]
    if node.level:
        parts.append(node.level)
    if node.dataset.origin == "simulated":
        parts.append("模拟数据")
    if node.column is None and node.dataset.job:
        version = node.dataset.version
        parts.append(node.dataset.job + (f" v{version}" if version else ""))
    kinds = [e.subtype if e.type == "DIRECT" else f"{e.subtype} (INDIRECT)" for e in node.via]
    if kinds:
        parts.append(", ".join(kinds))
    if any(edge.masking for edge in node.via):
        parts.append("遮蔽 masked")
    parts += [" ".join(edge.description.split()) for edge in node.via if edge.description]
    return "  ".join(parts)
