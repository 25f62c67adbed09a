"""``./jingshu contract``: lint contracts, show what one says and what follows from it (契约)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from contracts.layout import contracts_root
from contracts.loading import load_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.document import ContractError
    from contracts.model import Contract

_PATH = click.Path(path_type=Path)


@click.group(epilog="例 Example: ./jingshu contract lint contracts/bureaus/health")
def contract() -> None:
    """契约 Lint data contracts, and show what one says.

    契约是一份 ODCS YAML；管道、检查、表结构与目录都由它派生。
    A contract is one ODCS YAML file; DAGs, checks, tables and catalogue all follow from it.
    """


@contract.command(epilog="例 Example: ./jingshu contract lint contracts/bureaus/health --json")
@click.argument("paths", nargs=-1, type=_PATH)
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")
def lint(paths: tuple[Path, ...], as_json: bool) -> int:
    """校验 Check contracts (default: the whole tree) and name every one that is wrong.

    对每份有误的契约给出文件、行、位置与改法。 Of each: file, line, place, remedy.

    退出码 Exit code: 0 全部正确 all hold · 1 有误 some do not · 2 用法 usage.
    """
    from contracts.lint import lint as check

    good, errors = check(contracts_root(), paths)
    if as_json:
        told = {"contracts": [c.id for c in good], "errors": [_error(e) for e in errors]}
        click.echo(json.dumps(told, ensure_ascii=False))
        return 1 if errors else 0
    for error in errors:
        told = _error(error)
        click.echo(f"✗ {told['file']}:{told['line'] or 1}  {told['place']}")
        click.echo(f"    {told['problem']}")
        click.echo(f"    → {told['remedy']}")
    wrong = len({e.file for e in errors})
    click.echo(f"{len(good)} 份正确 hold, {wrong} 份有误 do not（{len(errors)} 处 errors）")
    return 1 if errors else 0


def _error(error: ContractError) -> dict[str, Any]:
    return {
        "file": _relative(error.file),
        "line": error.line,
        "place": ".".join(map(str, error.place)) or "top level",
        "problem": error.problem,
        "remedy": error.remedy,
    }


def _relative(file: Path) -> str:
    try:
        return str(file.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(file)


@contract.command(epilog="例 Example: ./jingshu contract show health.disease_case")
@click.argument("contract_id")
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")
def show(contract_id: str, as_json: bool) -> None:
    """查看 Show a contract's columns, and the tables, DAGs and checks that follow from it."""
    found = load_tree().contract(contract_id)
    if as_json:
        told = {
            **found.model_dump(mode="json"),
            "level": found.level,
            "derived": {"tables": _tables(found), "dags": _dags(found), "checks": _checks(found)},
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"{found.id} {found.version}（{found.status}）{found.name}")
    click.echo(f"{found.purpose or found.title}")
    click.echo(f"来源 file: {found.source} · 级别 level: {found.level} · {_cycle(found)}")
    click.echo("")
    _columns(found)
    _list("表 Tables", _tables(found))
    _list("任务流 DAGs", _dags(found))
    _list("检查 Checks", [f"{c['id']}  {c['message']}" for c in _checks(found)])


def _cycle(found: Contract) -> str:
    if found.product is not None:
        return f"输入 inputs: {', '.join(found.product.inputs)} · k ≥ {found.product.k}"
    load, due = found.load, found.schedule
    how = f"{load.mode}/{load.period}" if load.mode == "replace_period" else load.mode
    latency = f"{due.available_at:%H:%M} + {due.latency_h:g} h"
    return f"更新 {due.cycle} {latency} · 装载 load: {how}"


def _columns(found: Contract) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("列 column", "名称 header", "类型 type", "级 level", "键 key", "规则 rules"):
        table.add_column(title, no_wrap=title.startswith(("列", "级")))
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
    rows = [{"id": r.id, "dimension": r.dimension, "message": r.message} for r in rules]
    rows += [
        {"id": b.id, "dimension": b.dimension, "message": b.message} for b in batch_rules(found)
    ]
    rows += [
        {"id": q.id, "dimension": q.dimension, "message": q.description or q.type}
        for q in found.quality
    ]
    return rows + [
        {"id": level_id(name), "dimension": "timeliness", "message": "人工核查 for people to check"}
        for name in found.unchecked
    ]


def _list(title: str, lines: Sequence[str]) -> None:
    click.echo(f"\n{title}:")
    for line in lines or ("无 none",):
        click.echo(f"  {line}")
