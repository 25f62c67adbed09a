"""``./jingshu share catalogue``: list, show, check and export the catalogue of government data."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.share.catalogue_register import REGISTER, no_entry
from cli.words import JSON, about, tell
from contracts.errors import UsageError
from contracts.layout import Home
from contracts.words import Words, text

if TYPE_CHECKING:
    from contracts.tree import Tree
    from sharing.catalogue.dcat import Format
    from sharing.catalogue.entries import Entry, Finding
    from sharing.catalogue.lead import Repeated

_FORMATS: Final = ("turtle", "json-ld")


@click.group(
    **about(
        "政务数据目录的查找、检查、导出与登记。",
        "Find, check, export and register the catalogue of government data.",
        "./jingshu share catalogue list --search 养老",
    )
)
def catalogue() -> None:
    """Find, check, export and register the catalogue of government data."""


@catalogue.command(
    "list",
    **about(
        "按代码列出条目。",
        "Show the entries in code order.",
        "./jingshu share catalogue list --provider health",
    ),
)
@click.option("--provider", metavar="ID", help=text("只看这一提供方。", "Of this provider only."))
@click.option(
    "--search",
    "words",
    default="",
    metavar="WORDS",
    help=text("只看含有全部词语的条目。", "Entries with all words."),
)
@JSON
def list_(provider: str | None, words: str, as_json: bool) -> None:
    """Show the entries in code order."""
    from sharing.catalogue.entries import search

    found = [e for e in search(_read()[1], words) if provider in (None, e.provider)]
    if as_json:
        click.echo(json.dumps({"entries": [_as_json(e) for e in found]}, ensure_ascii=False))
        return
    for e in found:
        state = text("已挂接", "mounted") if e.is_mounted else text("未挂接", "not mounted")
        mark = f"  {text('模拟数据', 'simulated')}" if e.is_simulated else ""
        click.echo(f"{e.code}  {e.title}  {e.provider_name}  {e.dept_level}  {state}{mark}")
    tell(f"{len(found)} 条。", f"{len(found)} entries.")


@catalogue.command(
    **about(
        "显示一个条目的各项内容与数据项。",
        "Show an entry's fields and data items.",
        "./jingshu share catalogue show 320003/000017",
    )
)
@click.argument("name", metavar="CODE|CONTRACT")
@JSON
def show(name: str, as_json: bool) -> None:
    """Show an entry's fields and data items."""
    found = [e for e in _read()[1] if name in (e.code, e.contract)]
    if not found:
        raise no_entry(name)
    if as_json:
        click.echo(json.dumps({"entries": [_as_json(e) for e in found]}, ensure_ascii=False))
        return
    for e in found:
        for field, value in _as_json(e).items():
            if field != "items":
                click.echo(f"{field:18} {value}")
        for item in e.items:
            click.echo(f"  {item.level}  {item.name}  {item.title}  {item.type}")


@catalogue.command(
    **about(
        "指出缺项、重复采集以及 DCAT 约束不接受的内容。\n\n"
        "退出码：0 无发现，1 有发现，2 用法有误。",
        "Name missing fields, repeated collection, and what DCAT's shapes refuse.\n\n"
        "Exit code: 0 nothing found, 1 findings, 2 wrong usage.",
        "./jingshu share catalogue check",
    )
)
@JSON
def check(as_json: bool) -> int:
    """Name missing fields, repeated collection, and what DCAT's shapes refuse."""
    from sharing.catalogue import lead
    from sharing.catalogue.dcat import graph, nonconformities
    from sharing.catalogue.entries import findings
    from sharing.catalogue.figures import figures
    from sharing.catalogue.register import all_rulings

    tree, entries = _read()
    ruled = all_rulings(Home.from_env())
    repeated = lead.repeated(tree, ruled)
    told = [
        *(_finding(f) for f in findings(entries)),
        *(_collected_twice(r) for r in repeated),
        *(_unfounded(problem) for problem in lead.unfounded(tree, ruled)),
        *(Words.read(refused) for refused in nonconformities(graph(entries))),
    ]
    rates = figures(tree, entries, ruled)
    if as_json:
        found = [line.stored() for line in told]
        document = {"findings": found, "figures": [asdict(f) for f in rates]}
        click.echo(json.dumps(document, ensure_ascii=False))
        return 1 if told else 0
    for line in told:
        tell(f"✗ {line.zh}", f"✗ {line.en}")
    for f in rates:
        click.echo(f"{text(f.zh, f.en)}: {f.numerator}/{f.denominator}")
    return 1 if told else 0


def _finding(found: Finding) -> Words:
    problem, remedy = found.problem, found.remedy
    where = f"{found.entry} {found.file} {found.field}"
    return Words(f"{where}：{problem.zh} → {remedy.zh}", f"{where}: {problem.en} → {remedy.en}")


def _collected_twice(found: Repeated) -> Words:
    bodies, remedy = found.bodies, found.remedy
    return Words(
        f"重复采集 {found.item}：{'、'.join(bodies)} → {remedy.zh}",
        f"{found.item} is collected more than once, by {', '.join(bodies)} → {remedy.en}",
    )


def _unfounded(problem: Words) -> Words:
    return Words(f"裁定 {problem.zh}", f"Ruling on {problem.en}")


@catalogue.command(
    **about(
        "以 DCAT 3 与 DQV 导出目录。",
        "Write the catalogue as DCAT 3 and DQV.",
        "./jingshu share catalogue export --format turtle --out catalogue.ttl",
    )
)
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default="turtle",
    help=text("导出格式。", "The form."),
)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help=text("写入这一文件。", "Write here."),
)
def export(form: Format, out: Path) -> None:
    """Write the catalogue as DCAT 3 and DQV."""
    from sharing.catalogue.dcat import export as dump

    entries = _read()[1]
    try:
        out.write_text(dump(entries, form), encoding="utf-8")
    except OSError as bad:
        raise UsageError(
            Words(f"{out} 无法写入：{bad.strerror}。", f"{out} cannot be written: {bad.strerror}."),
            Words("请换一个文件。", "Name another file."),
        ) from bad
    count = len(entries)
    tell(f"已写入 {out}：{count} 条。", f"Written to {out}: {count} entries.")


def _read() -> tuple[Tree, tuple[Entry, ...]]:
    from contracts.loading import load_tree
    from sharing.catalogue.entries import entries
    from sharing.catalogue.lake import read_facts

    tree = load_tree()  # without the products that requests made: they are their askers' alone
    return tree, entries(tree, read_facts(Home.from_env()))


def _as_json(entry: Entry) -> dict[str, Any]:
    told = asdict(entry)
    at = entry.lake.updated_at
    told["lake"]["updated_at"] = None if at is None else at.isoformat()
    return told | {"is_mounted": entry.is_mounted, "is_simulated": entry.is_simulated}


for _command in REGISTER:
    catalogue.add_command(_command)
