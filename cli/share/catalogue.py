"""``./jingshu share catalogue``: list, show, check and export the catalogue of government data."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.acting import AS, actor
from contracts.errors import UsageError
from contracts.layout import Home
from contracts.model import CITY_TZ

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.tree import Tree
    from sharing.catalogue.dcat import Format
    from sharing.catalogue.entries import Entry
    from sharing.catalogue.register import History
    from sharing.catalogue.steps import Action, State

_FORMATS: Final = ("turtle", "json-ld")
_JSON = click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")
#: The register's states, as the commands say them.
_STATES: Final[Mapping[State, str]] = {
    "unregistered": "未登记 not registered",
    "assessed": "已评估 assessed",
    "withheld": "评估不通过 withheld",
    "submitted": "待审核 submitted",
    "returned": "已退回 returned",
    "catalogued": "已编目 catalogued",
    "changed": "变更中 changed",
}
_DUES: Final = {"update": "更新 update", "review": "审核 review"}
_CODE = click.argument("code", metavar="CODE")
_REASON = click.option("--reason", default="", metavar="TEXT", help="理由 Why.")


@click.group(epilog="例 Example: ./jingshu share catalogue list --search 养老")
def catalogue() -> None:
    """目录 The catalogue of government data (政务数据目录): find, check, export, register."""


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
    from sharing.catalogue.register import all_rulings

    tree, entries = _read()
    ruled = all_rulings(Home.from_env())
    repeated = lead.repeated(tree, ruled)
    told = [
        *(f"{f.entry} {f.file} {f.field}: {f.problem} → {f.remedy}" for f in findings(entries)),
        *(f"重复采集 {r.item}: {', '.join(r.bodies)} → {r.remedy}" for r in repeated),
        *(f"裁定 ruling {problem}" for problem in lead.unfounded(tree, ruled)),
        *nonconformities(graph(entries)),
    ]
    rates = figures(tree, entries, ruled)
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


@catalogue.command(
    epilog="例 Example: ./jingshu share catalogue assess 320003/000017 --outcome clear"
    " --signed-by cdo.health --pia PIA-2026-0012"
)
@_CODE
@click.option(
    "--outcome",
    required=True,
    type=click.Choice(("clear", "withhold")),
    help="结论 It may be catalogued, or not.",
)
@click.option("--signed-by", required=True, metavar="NAME", help="负责人 The head who signed.")
@click.option("--pia", default="", metavar="ID", help="个人信息影响评估 The PIA's id.")
@_REASON
@AS
def assess(
    code: str, outcome: Action, signed_by: str, pia: str, reason: str, acting: str | None
) -> None:
    """评估 Keep the assessment of secrecy and personal information (Art. 13)."""
    _take(code, outcome, {"signed_by": signed_by, "pia_id": pia, "reason": reason}, acting)


@catalogue.command(epilog="例 Example: ./jingshu share catalogue submit 320003/000017")
@_CODE
@AS
def submit(code: str, acting: str | None) -> None:
    """报送 Submit an assessed entry: the authority reviews it in 2 working days (Art. 17)."""
    _take(code, "submit", {}, acting)


@catalogue.command(epilog="例 Example: ./jingshu share catalogue review 320003/000017 approve")
@_CODE
@click.argument("outcome", type=click.Choice(("approve", "return")))
@_REASON
@AS
def review(code: str, outcome: Action, reason: str, acting: str | None) -> None:
    """审核 Approve a submitted entry, or return it with a reason."""
    _take(code, outcome, {"reason": reason}, acting)


@catalogue.command(
    epilog="例 Example: ./jingshu share catalogue change 320003/000017 --reason 职责调整"
)
@_CODE
@_REASON
@AS
def change(code: str, reason: str, acting: str | None) -> None:
    """变更 Note that law or duties changed: the update is due in 10 working days (Art. 17)."""
    _take(code, "change", {"reason": reason}, acting)


@catalogue.command(
    epilog="例 Example: ./jingshu share catalogue extend 320003/000017 --reason 系统改造"
)
@_CODE
@_REASON
@AS
def extend(code: str, reason: str, acting: str | None) -> None:
    """延期 Consent to 5 more working days for an update, once (Art. 17)."""
    _take(code, "extend", {"reason": reason}, acting)


@catalogue.command(
    epilog="例 Example: ./jingshu share catalogue rule 手机号码 --lead civil --reason 以其登记为准"
)
@click.argument("item", metavar="ITEM")
@click.option("--lead", "body", default="", metavar="ID", help="数源部门 The body that leads.")
@click.option("--distinct", is_flag=True, help="对象不同 The bodies' data differ; none leads.")
@click.option("--legal-basis", default=None, metavar="TEXT", help="依据 Default: Art. 19.")
@_REASON
@AS
def rule(
    item: str,
    body: str,
    distinct: bool,
    legal_basis: str | None,
    reason: str,
    acting: str | None,
) -> None:
    """裁定 Rule which body leads an item that several collect, or that they differ (Art. 19)."""
    from contracts.loading import load_tree
    from contracts.moment import utc_now
    from sharing.catalogue import register as kept
    from sharing.catalogue.lead import Ruling
    from sharing.control import Control

    ruling = Ruling(
        item,
        "distinct" if distinct else "lead",
        body,
        kept.ART_19 if legal_basis is None else legal_basis,
        reason,
    )
    tree = load_tree()
    with Control(Home.from_env()) as control:
        kept.rule(control, tree, ruling, actor(control, acting), utc_now())
    click.echo(f"已裁定 ruled: {item} → {body or '对象不同 distinct'}")


@catalogue.command(epilog="例 Example: ./jingshu share catalogue register --state submitted")
@click.option("--provider", metavar="ID", help="提供方 Of this provider only.")
@click.option("--state", type=click.Choice(tuple(_STATES)), help="状态 In this state only.")
@_JSON
def register(provider: str | None, state: str | None, as_json: bool) -> None:
    """登记簿 Show where each entry stands, and until when it is owed what."""
    from contracts.moment import utc_now
    from sharing.catalogue.register import History, histories

    known = histories(Home.from_env())
    now = utc_now()
    every = [(entry, known.get(entry.code, History())) for entry in _entries()]
    told = [
        _registered(entry, history, now)
        for entry, history in every
        if provider in (None, entry.provider) and state in (None, history.state)
    ]
    if as_json:
        click.echo(json.dumps({"register": told}, ensure_ascii=False))
        return
    for line in told:
        click.echo(_register_line(line))
    click.echo(f"{len(told)} 条 entries")


def _take(code: str, action: Action, statements: Mapping[str, str], acting: str | None) -> None:
    from contracts.moment import utc_now
    from sharing.catalogue.register import take
    from sharing.control import Control

    found = [e for e in _entries() if e.code == code]
    if not found:
        raise UsageError(
            f"The catalogue has no entry {code!r}.", "See ./jingshu share catalogue list."
        )
    with Control(Home.from_env()) as control:
        who = actor(control, acting, found[0].provider)
        state = take(control, found[0], action, statements, who, utc_now())
    click.echo(f"{code} {_STATES[state]}")


def _registered(entry: Entry, history: History, now: datetime) -> dict[str, Any]:
    from sharing.catalogue.due import dues

    return {
        "code": entry.code,
        "title": entry.title,
        "provider": entry.provider,
        "state": history.state,
        "is_behind": history.is_behind(entry),
        "dues": [
            {
                "what": due.what,
                "due_at": None if due.due_at is None else due.due_at.isoformat(),
                "done_at": None if due.done_at is None else due.done_at.isoformat(),
                "is_overdue": due.is_overdue(now),
                "problem": due.problem,
            }
            for due in dues(history)
        ],
    }


def _register_line(told: Mapping[str, Any]) -> str:
    parts = [told["code"], told["title"], told["provider"], _STATES[told["state"]]]
    if told["is_behind"]:
        parts.append("内容已变 reads otherwise now")
    told_dues = (due for due in told["dues"] if due["done_at"] is None or due["is_overdue"])
    parts.extend(_due_words(due) for due in told_dues)
    return "  ".join(parts)


def _due_words(due: Mapping[str, Any]) -> str:
    if due["due_at"] is None:
        return f"{_DUES[due['what']]}: {due['problem']}"
    # The end of a day is the first moment of the next: the day that counts is the one before.
    last = datetime.fromisoformat(due["due_at"]).astimezone(CITY_TZ) - timedelta(seconds=1)
    late = " 超期 overdue" if due["is_overdue"] else ""
    return f"{_DUES[due['what']]} ≤ {last:%Y-%m-%d}{late}"


def _entries() -> tuple[Entry, ...]:
    """Return what the contracts state, without asking the lake."""
    from contracts.loading import load_tree
    from sharing.catalogue.entries import entries

    return entries(load_tree())


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
