"""``jingshu lineage``: follow a table or a column to its sources, or to what is made from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.lineage_send import send
from contracts.errors import UsageError
from contracts.layout import Home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lineage.store import Store
    from lineage.walk import Direction, Node

T = TypeVar("T")

_TABLE = click.argument("name", metavar="TABLE[.COLUMN]")
_AT = click.option("--at", "version", metavar="V", help="版本 Begin at this version of the table.")
_JSON = click.option("--json", "as_json", is_flag=True, help="输出 JSON Print one JSON object.")
_DOT = click.option("--dot", "as_dot", is_flag=True, help="输出 Graphviz Print a DOT graph.")


@click.group(
    epilog="例 Example: ./jingshu lineage up shared/heat_readiness__demo.elders_served",
)
def lineage() -> None:
    """血缘 Follow a table, a column or a row through the lineage events on disk.

    TABLE is a name such as gold/heat_readiness, heat_readiness (then the most refined layer of that
    name), or an export such as file://health/disease_case. Exit code 0: traced; 1: the trace ends
    before an export, a code table or a declared constant; 2: no event speaks of that name.
    """


lineage.add_command(send)


@lineage.command("import", epilog="例 Example: ./jingshu lineage import dbt-events.ndjson")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE"
)
@_JSON
def import_(file: str, as_json: bool) -> int:
    """导入 Take in OpenLineage events of other producers: dbt, Spark, Airflow, another city.

    其产出的表随后可用 up、down、impact 追溯；未给出列级血缘的，按表追溯。
    FILE holds one event a line, one event, or a JSON list; - reads standard input. What they wrote
    can then be followed by up, down and impact; table by table where no columns are stated. Exit
    code 1: one of them is no event, or writes a table of this city; then nothing is taken in.
    """
    from lineage.facts import printable
    from lineage.imported import take

    with click.open_file(file, "rb") as given:
        found = take(Home.from_env(), given.read())
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False))
        return 0
    again = "（此前已导入 imported before）" if found.is_known else ""
    click.echo(
        f"事件 events: {found.events}，其中完成的运行 of finished runs: {found.completed}{again}"
    )
    for table in found.tables:
        click.echo(f"  {printable(table)}")
    return 0


@lineage.command(epilog="例 Example: ./jingshu lineage up heat_readiness.heat_cases --at 1 --json")
@_TABLE
@_AT
@_JSON
@_DOT
def up(name: str, version: str | None, as_json: bool, as_dot: bool) -> int:
    """上溯 Show what a table or column is made from, up to the exports.

    每一步都是当时读到的版本；≈ 表示事件未写明版本，由批次或时间推知。
    Each step is the version that was read; ≈ where the event does not name it, so that batch or
    time tell.
    """
    return _show(name, "up", version, as_json=as_json, as_dot=as_dot)


@lineage.command(epilog="例 Example: ./jingshu lineage down bronze/health__disease_case.person_id")
@_TABLE
@_AT
@_JSON
@_DOT
def down(name: str, version: str | None, as_json: bool, as_dot: bool) -> int:
    """下溯 Show what is made from a table or column, down to what is shared.

    不带 --at：各表最新一次运行；带 --at：只看读过该版本的运行（文件的版本是批次号）。
    Without --at: the newest run of each table. With it: the runs that read just this version; an
    export's version is its batch id.
    """
    return _show(name, "down", version, as_json=as_json, as_dot=as_dot)


@lineage.command(
    epilog="例 Example: ./jingshu lineage impact silver/health__disease_case.person_id"
)
@_TABLE
@_JSON
def impact(name: str, as_json: bool) -> int:
    """影响 Show which shared columns are made from a column, and who is granted them.

    仅列出当前有效的授权。 Only grants that are active now count.
    """
    from sharing.grants.impact import reached

    found = reached(Home.from_env(), _ask(lambda store: _walk(store, name, "down", None)))
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False))
        return 0
    for line in found.lines():
        click.echo(line)
    return 0


@lineage.command(
    epilog="\b\n例 Example:\n"
    "  ./jingshu lineage row silver/emergency__depot_stock depot_id=DP00001,item_code=HW0001\n"
    "  ./jingshu lineage row heat_readiness street_code=110101001,business_date=2026-07-15"
)
@click.argument("table", metavar="TABLE")
@click.argument("key", metavar="KEY")
@_JSON
def row(table: str, key: str, as_json: bool) -> int:
    """一行 Show which line of which file a row came from, who published it, and the evidence.

    KEY 是主键的值；多列主键写 column=value,column=value。L3 及以上列的值从不显示。
    KEY is the key's value, or column=value,column=value. Values of L3 columns and above are never
    shown.
    """
    from contracts.requested import city_tree
    from jobs.trace.row import row_lineage

    home = Home.from_env()
    found = row_lineage(home, city_tree(home), table, key)
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False))
        return 0
    for line in found.lines():
        click.echo(line)
    return 0


def _show(
    name: str, direction: Direction, version: str | None, *, as_json: bool, as_dot: bool
) -> int:
    from lineage import walk
    from lineage.dot import as_dot as drawn
    from lineage.facts import printable

    if as_json and as_dot:
        raise UsageError("--json and --dot are two answers.", "Ask for one of them.")
    tree = _ask(lambda store: _walk(store, name, direction, version))
    gaps = sorted(set(tree.gaps())) if direction == "up" else []
    if as_json:
        found = {"direction": direction, **walk.as_json(tree, direction), "gaps": gaps}
        click.echo(json.dumps(found, ensure_ascii=False))
    elif as_dot:
        click.echo(drawn(tree, direction), nl=False)
    else:
        for line in _lines(tree, "", ""):
            click.echo(line)
    if not as_json:
        for gap in gaps:
            click.echo(f"未溯源 untraced: {printable(gap)}", err=True)
    return 1 if gaps else 0


def _walk(store: Store, name: str, direction: Direction, version: str | None) -> Node:
    from lineage.names import find
    from lineage.walk import Walk

    dataset, column = find(store, name)
    return Walk(store, direction, version).begin(dataset, column)


def _ask(question: Callable[[Store], T]) -> T:
    from lineage.index import ask

    def told(done: int, total: int) -> None:
        click.echo(
            f"索引血缘事件 indexing lineage events: {done:,} / {total:,} 文件 files", err=True
        )

    return ask(Home.from_env(), question, told)


def _lines(node: Node, first: str, rest: str) -> Iterator[str]:
    from lineage.facts import printable

    yield first + printable(_label(node))
    made = printable(_made(node))
    if made:
        yield f"{rest}{'│' if node.next else ' '}   {made}"
    for place, following in enumerate(node.next, 1):
        last = place == len(node.next)
        yield from _lines(
            following, rest + ("└── " if last else "├── "), rest + ("    " if last else "│   ")
        )


def _label(node: Node) -> str:
    """Return what a step is, and how its neighbour uses it."""
    parts: list[Any] = [node.name]
    if node.level:
        parts.append(node.level)
    if node.origin == "simulated":
        parts.append("模拟数据")
    kinds = [e.subtype if e.type == "DIRECT" else f"{e.subtype} (INDIRECT)" for e in node.via]
    if any(kinds):
        parts.append(", ".join(kinds))
    if any(edge.masking for edge in node.via):
        parts.append("遮蔽 masked")
    parts += [" ".join(edge.description.split()) for edge in node.via if edge.description]
    if node.is_repeated:
        parts.append("（见上 shown above）")
    if node.is_cut:
        parts.append("（过深 too deep）")
    return "  ".join(parts)


def _made(node: Node) -> str:
    """Return which run made a step, in which version, by which contract, from which files."""
    seen, run = node.seen, node.seen.run
    parts = [run.job] if run else []
    if seen.version:
        parts.append(
            f"{'≈' if seen.is_inferred else ''}{'v' if run else '批次 batch '}{seen.version}"
        )
    if run:
        parts += [f"run {run.run_id}", *([run.contract] if run.contract else [])]
    parts += [f"文件 {file}" for file in seen.files]
    return " · ".join(parts)
