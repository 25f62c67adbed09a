"""``jingshu lineage``: follow a table or a column to its sources, or to what is made from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.lineage_send import send
from cli.words import JSON, about, shown, tell
from contracts.errors import UsageError
from contracts.layout import Home
from contracts.words import Words, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lineage.store import Store
    from lineage.walk import Direction, Node

T = TypeVar("T")

_TABLE = click.argument("name", metavar="TABLE[.COLUMN]")
_AT = click.option(
    "--at",
    "version",
    metavar="V",
    help=text("从表的这个版本开始。", "Begin at this version of the table."),
)
_DOT = click.option(
    "--dot", "as_dot", is_flag=True, help=text("输出一张 DOT 图。", "Print a DOT graph.")
)


@click.group(
    **about(
        "沿磁盘上的血缘事件追溯一张表、一列或一行。\n\n"
        "TABLE 是表名，如 gold/heat_readiness 或 heat_readiness（取同名表中最精炼的一层），"
        "也可以是导出文件，如 file://health/disease_case。"
        "退出码：0 已溯源 · 1 未追到导出文件、代码表或声明的常量 · 2 没有事件提到这个名字。",
        "Follow a table, a column or a row through the lineage events on disk.\n\n"
        "TABLE is a name such as gold/heat_readiness, heat_readiness (then the most refined layer"
        " of that name), or an export such as file://health/disease_case. Exit code: 0 traced ·"
        " 1 the trace ends before an export, a code table or a declared constant · 2 no event"
        " speaks of that name.",
        "./jingshu lineage up shared/heat_readiness__demo.elders_served",
    )
)
def lineage() -> None:
    """Follow a table, a column or a row through the lineage events on disk."""


lineage.add_command(send)


@lineage.command(
    "import",
    **about(
        "导入其他程序的 OpenLineage 事件：dbt、Spark、Airflow 或另一城市。\n\n"
        "FILE 每行一个事件，或只有一个事件，或是一个 JSON 列表；- 读标准输入。"
        "其产出的表随后可用 up、down、impact 追溯；未给出列级血缘的，按表追溯。"
        "退出码 1：其中有的不是事件，或写入本城市的表；此时什么都不导入。",
        "Take in OpenLineage events of other producers: dbt, Spark, Airflow, another city.\n\n"
        "FILE holds one event a line, one event, or a JSON list; - reads standard input. What they"
        " wrote can then be followed by up, down and impact; table by table where no columns are"
        " stated. Exit code 1: one of them is no event, or writes a table of this city; then"
        " nothing is taken in.",
        "./jingshu lineage import dbt-events.ndjson",
    ),
)
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE"
)
@JSON
def import_(file: str, as_json: bool) -> int:
    """Take in OpenLineage events of other producers: dbt, Spark, Airflow, another city."""
    from lineage.facts import printable
    from lineage.imported import take

    with click.open_file(file, "rb") as given:
        found = take(Home.from_env(), given.read())
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False))
        return 0
    again = Words("（此前已导入）", " (imported before)") if found.is_known else Words("", "")
    tell(
        f"{found.events} 个事件，其中 {found.completed} 个属于已完成的运行{again.zh}",
        f"{found.events} events, {found.completed} of finished runs{again.en}",
    )
    for table in found.tables:
        click.echo(f"  {printable(table)}")
    return 0


@lineage.command(
    **about(
        "显示一张表或一列由什么得来，直至导出文件。\n\n"
        "每一步都是当时读到的版本；≈ 表示事件未写明版本，由批次或时间推知。",
        "Show what a table or column is made from, up to the exports.\n\n"
        "Each step is the version that was read; ≈ where the event does not name it, so that batch"
        " or time tell.",
        "./jingshu lineage up heat_readiness.heat_cases --at 1 --json",
    )
)
@_TABLE
@_AT
@JSON
@_DOT
def up(name: str, version: str | None, as_json: bool, as_dot: bool) -> int:
    """Show what a table or column is made from, up to the exports."""
    return _show(name, "up", version, as_json=as_json, as_dot=as_dot)


@lineage.command(
    **about(
        "显示由一张表或一列做成了什么，直至共享出去的数据。\n\n"
        "不带 --at：各表最新一次运行。带 --at：只看读过该版本的运行；导出文件的版本是其批次号。",
        "Show what is made from a table or column, down to what is shared.\n\n"
        "Without --at: the newest run of each table. With it: the runs that read just this"
        " version; an export's version is its batch id.",
        "./jingshu lineage down bronze/health__disease_case.person_id",
    )
)
@_TABLE
@_AT
@JSON
@_DOT
def down(name: str, version: str | None, as_json: bool, as_dot: bool) -> int:
    """Show what is made from a table or column, down to what is shared."""
    return _show(name, "down", version, as_json=as_json, as_dot=as_dot)


@lineage.command(
    **about(
        "显示由一列做成了哪些共享的列，以及授权给了谁。\n\n只列当前有效的授权。",
        "Show which shared columns are made from a column, and who is granted them.\n\n"
        "Only grants that are active now count.",
        "./jingshu lineage impact silver/health__disease_case.person_id",
    )
)
@_TABLE
@JSON
def impact(name: str, as_json: bool) -> int:
    """Show which shared columns are made from a column, and who is granted them."""
    from sharing.grants.impact import reached

    found = reached(Home.from_env(), _ask(lambda store: _walk(store, name, "down", None)))
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False))
        return 0
    for line in found.lines():
        click.echo(line)
    return 0


@lineage.command(
    **about(
        "显示一行出自哪个文件的哪一行、由谁发布，以及存证。\n\n"
        "KEY 是主键的值；多列主键写 column=value,column=value。三级及以上列的值从不显示。",
        "Show which line of which file a row came from, who published it, and the evidence.\n\n"
        "KEY is the key's value, or column=value,column=value. Values of L3 columns and above are"
        " never shown.",
        "./jingshu lineage row silver/emergency__depot_stock depot_id=DP00001,item_code=HW0001",
        "./jingshu lineage row heat_readiness street_code=110101001,business_date=2026-07-15",
    )
)
@click.argument("table", metavar="TABLE")
@click.argument("key", metavar="KEY")
@JSON
def row(table: str, key: str, as_json: bool) -> int:
    """Show which line of which file a row came from, who published it, and the evidence."""
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
        raise UsageError(
            Words("--json 与 --dot 是两种回答。", "--json and --dot are two answers."),
            Words("请只要其中一种。", "Ask for one of them."),
        )
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
            where = printable(gap)
            tell(f"未溯源：{where}", f"untraced: {where}", err=True)
    return 1 if gaps else 0


def _walk(store: Store, name: str, direction: Direction, version: str | None) -> Node:
    from lineage.names import find
    from lineage.walk import Walk

    dataset, column = find(store, name)
    return Walk(store, direction, version).begin(dataset, column)


def _ask(question: Callable[[Store], T]) -> T:
    from lineage.index import ask

    def told(done: int, total: int) -> None:
        tell(
            f"正在为血缘事件建索引：{done:,} / {total:,} 个文件",
            f"indexing lineage events: {done:,} / {total:,} files",
            err=True,
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
        parts.append(text("模拟数据", "simulated"))
    kinds = [e.subtype if e.type == "DIRECT" else f"{e.subtype} (INDIRECT)" for e in node.via]
    if any(kinds):
        parts.append(", ".join(kinds))
    if any(edge.masking for edge in node.via):
        parts.append(text("遮蔽", "masked"))
    told = [shown(edge.description) for edge in node.via if edge.description]
    parts += [" ".join(description.split()) for description in told]
    if node.is_repeated:
        parts.append(text("（见上）", "(shown above)"))
    if node.is_cut:
        parts.append(text("（过深）", "(too deep)"))
    return "  ".join(parts)


def _made(node: Node) -> str:
    """Return which run made a step, in which version, by which contract, from which files."""
    seen, run = node.seen, node.seen.run
    parts = [run.job] if run else []
    if seen.version:
        kind = "v" if run else f"{text('批次', 'batch')} "
        parts.append(f"{'≈' if seen.is_inferred else ''}{kind}{seen.version}")
    if run:
        parts += [f"run {run.run_id}", *([run.contract] if run.contract else [])]
    parts += [f"{text('文件', 'file')} {file}" for file in seen.files]
    return " · ".join(parts)
