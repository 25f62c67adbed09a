"""``./jingshu contract``: lint contracts, show what one says and what follows from it (契约)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.words import JSON, about, shown, tell
from contracts.layout import contracts_root
from contracts.loading import load_tree
from contracts.words import Words, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.document import ContractError
    from contracts.model import Contract

_PATH = click.Path(path_type=Path)


@click.group(
    **about(
        "校验数据契约，查看契约的内容。\n\n"
        "契约是一份 ODCS YAML；管道、检查、表结构与目录都由它派生。",
        "Lint data contracts, and show what one says.\n\n"
        "A contract is one ODCS YAML file; DAGs, checks, tables and catalogue all follow from it.",
        "./jingshu contract lint contracts/bureaus/health",
    )
)
def contract() -> None:
    """Lint data contracts, and show what one says."""


@contract.command(
    **about(
        "校验契约（默认整个契约目录），指出每一份有误的。\n\n"
        "对每份有误的契约给出文件、行、位置与改法。\n\n"
        "退出码：0 全部正确 · 1 有误 · 2 用法有误。",
        "Check contracts (default: the whole tree) and name every one that is wrong.\n\n"
        "Of each: file, line, place, remedy.\n\n"
        "Exit code: 0 all hold · 1 some do not · 2 usage.",
        "./jingshu contract lint contracts/bureaus/health --json",
    )
)
@click.argument("paths", nargs=-1, type=_PATH)
@JSON
def lint(paths: tuple[Path, ...], as_json: bool) -> int:
    """Check contracts (default: the whole tree) and name every one that is wrong."""
    from contracts.lint import lint as check

    good, errors = check(contracts_root(), paths)
    if as_json:
        told = {"contracts": [c.id for c in good], "errors": [_error(e) for e in errors]}
        click.echo(json.dumps(told, ensure_ascii=False))
        return 1 if errors else 0
    for error in errors:
        told = _error(error)
        place = told["place"] if error.place else text("顶层", "top level")
        click.echo(f"✗ {told['file']}:{told['line'] or 1}  {place}")
        click.echo(f"    {shown(error.problem)}")
        click.echo(f"    → {shown(error.remedy)}")
    wrong = len({e.file for e in errors})
    tell(
        f"{len(good)} 份正确，{wrong} 份有误（{len(errors)} 处）",
        f"{len(good)} hold, {wrong} do not ({len(errors)} errors)",
    )
    return 1 if errors else 0


def _error(error: ContractError) -> dict[str, Any]:
    return {
        "file": _relative(error.file),
        "line": error.line,
        "place": ".".join(map(str, error.place)) or "top level",
        "problem": error.problem.en,
        "remedy": error.remedy.en,
    }


def _relative(file: Path) -> str:
    try:
        return str(file.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(file)


@contract.command(
    **about(
        "显示契约的各列，以及由它派生的表、任务流与检查。",
        "Show a contract's columns, and the tables, DAGs and checks that follow from it.",
        "./jingshu contract show health.disease_case",
    )
)
@click.argument("contract_id")
@JSON
def show(contract_id: str, as_json: bool) -> None:
    """Show a contract's columns, and the tables, DAGs and checks that follow from it."""
    found = load_tree().contract(contract_id)
    if as_json:
        told = {
            **found.model_dump(mode="json"),
            "level": found.level,
            "derived": {"tables": _tables(found), "dags": _dags(found), "checks": _checks(found)},
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"{found.id} {found.version} ({found.status}) {found.name}")
    click.echo(f"{found.purpose or found.title}")
    cycle = _cycle(found)
    tell(
        f"来源：{found.source} · 级别：{found.level} · {cycle.zh}",
        f"file: {found.source} · level: {found.level} · {cycle.en}",
    )
    click.echo("")
    _columns(found)
    _list(text("表", "Tables"), _tables(found))
    _list(text("任务流", "DAGs"), _dags(found))
    _list(text("检查", "Checks"), [f"{c['id']}  {shown(c['message'])}" for c in _checks(found)])


def _cycle(found: Contract) -> Words:
    if found.product is not None:
        inputs = ", ".join(found.product.inputs)
        return Words(
            f"输入：{inputs} · k ≥ {found.product.k}", f"inputs: {inputs} · k ≥ {found.product.k}"
        )
    load, due = found.load, found.schedule
    how = f"{load.mode}/{load.period}" if load.mode == "replace_period" else load.mode
    latency = f"{due.available_at:%H:%M} + {due.latency_h:g} h"
    return Words(
        f"更新：{due.cycle} {latency} · 装载：{how}", f"due: {due.cycle} {latency} · load: {how}"
    )


def _columns(found: Contract) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    titles = {
        "column": "列",
        "header": "名称",
        "type": "类型",
        "level": "级",
        "key": "键",
        "rules": "规则",
    }
    for en, zh in titles.items():
        table.add_column(text(zh, en), no_wrap=en in ("column", "level"))
    rules = _rules_by_column(found)
    for c in found.columns:
        key = str(c.key_position) if c.key_position else ""
        named = ", ".join(rules.get(c.name, ()))
        table.add_row(c.name, c.header, c.type, c.effective_level, key, named)
    Console(width=120, highlight=False).print(table)


def _rules_by_column(found: Contract) -> dict[str, list[str]]:
    from contracts.rules import row_rules

    rules: dict[str, list[str]] = {}
    for rule in row_rules(found) if found.product is None else ():
        if rule.column is not None:
            name = found.column(rule.column).rule
            arguments = name.arguments if name and rule.kind == name.name else {}
            parameters = ", ".join(f"{k}={v}" for k, v in arguments.items())
            rules.setdefault(rule.column, []).append(
                f"{rule.kind}({parameters})" if parameters else rule.kind
            )
    return rules


def _tables(found: Contract) -> list[str]:
    if found.product is not None:
        shared = (f"shared/{found.product_table}__{p.name}" for p in found.product.policies)
        return [f"gold/{found.product_table}", *shared]
    return [
        f"{layer}/{found.table(s.provider)}"
        for s in found.servers
        for layer in ("bronze", "silver", "quarantine")
    ]


def _dags(found: Contract) -> list[str]:
    if found.product is not None:
        share = [f"share__{found.dataset}"] if found.product.policies else []
        return [f"product__{found.dataset}", *share]
    if not found.is_active:
        return []
    return [f"ingest__{found.table(s.provider)}" for s in found.servers]


def _checks(found: Contract) -> list[dict[str, str]]:
    """List what is held against each batch: row rules first, then the checks across rows."""
    from contracts.rules import batch_rules, level_id, row_rules

    rules = row_rules(found) if found.product is None else ()
    rows = [_check(r.id, r.dimension, r.message.stored()) for r in rules]
    rows += [_check(b.id, b.dimension, b.message.stored()) for b in batch_rules(found)]
    rows += [_check(q.id, q.dimension, q.description or q.type) for q in found.quality]
    by_people = Words("由人核查", "for people to check").stored()
    return rows + [_check(level_id(name), "timeliness", by_people) for name in found.unchecked]


def _check(check_id: str, dimension: str, message: str) -> dict[str, str]:
    return {"id": check_id, "dimension": dimension, "message": message}


def _list(title: str, lines: Sequence[str]) -> None:
    click.echo(f"\n{title}:")
    for line in lines or (text("无", "none"),):
        click.echo(f"  {line}")
