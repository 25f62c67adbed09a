"""``./jingshu share catalogue``: list, show, check and export the catalogue of government data."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from contracts.errors import UsageError
from contracts.layout import Home

if TYPE_CHECKING:
    from contracts.tree import Tree
    from sharing.catalogue.dcat import Format
    from sharing.catalogue.entries import Entry

_FORMATS: Final = ("turtle", "json-ld")
_JSON = click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")


@click.group(epilog="例 Example: ./jingshu share catalogue list --search 养老")
def catalogue() -> None:
    """目录 The catalogue of government data (政务数据目录): find, check, export."""


@catalogue.command("list", epilog="例 Example: ./jingshu share catalogue list --provider health")
@click.option("--provider", metavar="ID", help="提供方 Of this provider only.")
@click.option("--search", "words", default="", metavar="WORDS", help="检索 Entries with all words.")
@_JSON
def list_(provider: str | None, words: str, as_json: bool) -> None:
    """列表 Show the entries in code order."""
    from sharing.catalogue.entries import search

    found = [e for e in search(_read()[1], words) if provider in (None, e.provider)]
    if as_json:
        click.echo(json.dumps({"entries": [_as_json(e) for e in found]}, ensure_ascii=False))
        return
    for e in found:
        state = "已挂接 mounted" if e.is_mounted else "未挂接 not mounted"
        mark = " 模拟数据 simulated" if e.is_simulated else ""
        click.echo(f"{e.code}  {e.title}  {e.provider_name}  {e.dept_level}  {state}{mark}")
    click.echo(f"{len(found)} 条 entries")


@catalogue.command(epilog="例 Example: ./jingshu share catalogue show 320003/000017")
@click.argument("name", metavar="CODE|CONTRACT")
@_JSON
def show(name: str, as_json: bool) -> None:
    """查看 Show an entry's fields and data items."""
    found = [e for e in _read()[1] if name in (e.code, e.contract)]
    if not found:
        raise UsageError(
            f"The catalogue has no entry {name!r}.", "See ./jingshu share catalogue list."
        )
    if as_json:
        click.echo(json.dumps({"entries": [_as_json(e) for e in found]}, ensure_ascii=False))
        return
    for e in found:
        for field, value in _as_json(e).items():
            if field != "items":
                click.echo(f"{field:18} {value}")
        for item in e.items:
            click.echo(f"  {item.level}  {item.name}  {item.title}  {item.type}")


@catalogue.command(epilog="例 Example: ./jingshu share catalogue check")
@_JSON
def check(as_json: bool) -> int:
    """检查 Name missing fields, repeated collection, and what DCAT's shapes refuse.

    退出码 Exit code: 0 无发现 nothing found · 1 有发现 findings · 2 用法 usage.
    """
    from sharing.catalogue import lead
    from sharing.catalogue.dcat import graph, nonconformities
    from sharing.catalogue.entries import findings
    from sharing.catalogue.figures import figures

    tree, entries = _read()
    told = [
        *(f"{f.entry} {f.file} {f.field}: {f.problem} → {f.remedy}" for f in findings(entries)),
        *(f"重复采集 {r.item}: {', '.join(r.bodies)} → {r.remedy}" for r in lead.repeated(tree)),
        *(f"rulings.csv {problem}" for problem in lead.unfounded(tree)),
        *nonconformities(graph(entries)),
    ]
    rates = figures(tree, entries)
    if as_json:
        document = {"findings": told, "figures": [asdict(f) for f in rates]}
        click.echo(json.dumps(document, ensure_ascii=False))
        return 1 if told else 0
    for line in told:
        click.echo(f"✗ {line}")
    for f in rates:
        click.echo(f"{f.zh} {f.en}: {f.numerator}/{f.denominator}")
    return 1 if told else 0


@catalogue.command(
    epilog="例 Example: ./jingshu share catalogue export --format turtle --out catalogue.ttl"
)
@click.option("--format", "form", type=click.Choice(_FORMATS), default="turtle", help="格式 Form.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="写入文件 Write here.",
)
def export(form: Format, out: Path) -> None:
    """导出 Write the catalogue as DCAT 3 and DQV."""
    from sharing.catalogue.dcat import export as dump

    entries = _read()[1]
    try:
        out.write_text(dump(entries, form), encoding="utf-8")
    except OSError as bad:
        raise UsageError(f"{out} cannot be written: {bad.strerror}.", "Name another.") from bad
    click.echo(f"已写入 written: {out}，{len(entries)} 条 entries")


def _read() -> tuple[Tree, tuple[Entry, ...]]:
    from contracts.tree import load_tree
    from sharing.catalogue.entries import entries
    from sharing.catalogue.lake import read_facts

    tree = load_tree()  # without the products that requests made: they are their askers' alone
    return tree, entries(tree, read_facts(Home.from_env()))


def _as_json(entry: Entry) -> dict[str, Any]:
    told = asdict(entry)
    at = entry.lake.updated_at
    told["lake"]["updated_at"] = None if at is None else at.isoformat()
    return told | {"is_mounted": entry.is_mounted, "is_simulated": entry.is_simulated}
