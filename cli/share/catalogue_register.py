"""The register of ``share catalogue``: every step of an entry, rulings, and what is owed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from cli.acting import AS, actor
from cli.words import JSON, about, shown, tell
from contracts.errors import UsageError
from contracts.layout import Home
from contracts.model import CITY_TZ
from contracts.words import Words, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sharing.catalogue.entries import Entry
    from sharing.catalogue.register import History
    from sharing.catalogue.steps import Action, State

#: The register's states, as the commands say them.
_STATES: Final[Mapping[State, Words]] = {
    "unregistered": Words("未登记", "not registered"),
    "assessed": Words("已评估", "assessed"),
    "withheld": Words("评估不通过", "withheld"),
    "submitted": Words("待审核", "submitted"),
    "returned": Words("已退回", "returned"),
    "catalogued": Words("已编目", "catalogued"),
    "changed": Words("变更中", "changed"),
}
_DUES: Final = {"update": Words("更新", "update"), "review": Words("审核", "review")}
_CODE = click.argument("code", metavar="CODE")
_REASON = click.option("--reason", default="", metavar="TEXT", help=text("理由。", "Why."))


@click.command(
    **about(
        "登记保密与个人信息评估的结论（第十三条）。",
        "Keep the assessment of secrecy and personal information (Article 13).",
        "./jingshu share catalogue assess 320003/000017 --outcome clear --signed-by cdo.health "
        "--pia PIA-2026-0012",
    )
)
@_CODE
@click.option(
    "--outcome",
    required=True,
    type=click.Choice(("clear", "withhold")),
    help=text("结论：可以编目，或者不予编目。", "It may be catalogued, or not."),
)
@click.option(
    "--signed-by",
    required=True,
    metavar="NAME",
    help=text("签字的负责人。", "The head who signed."),
)
@click.option(
    "--pia",
    default="",
    metavar="ID",
    help=text(
        "个人信息保护影响评估编号。",
        "Id of the personal information impact assessment.",
    ),
)
@_REASON
@AS
def assess(
    code: str, outcome: Action, signed_by: str, pia: str, reason: str, acting: str | None
) -> None:
    """Keep the assessment of secrecy and personal information (Article 13)."""
    _take(code, outcome, {"signed_by": signed_by, "pia_id": pia, "reason": reason}, acting)


@click.command(
    **about(
        "报送已评估的条目；主管部门在 2 个工作日内审核（第十七条）。",
        "Submit an assessed entry: the authority reviews it in 2 working days (Article 17).",
        "./jingshu share catalogue submit 320003/000017",
    )
)
@_CODE
@AS
def submit(code: str, acting: str | None) -> None:
    """Submit an assessed entry: the authority reviews it in 2 working days (Article 17)."""
    _take(code, "submit", {}, acting)


@click.command(
    **about(
        "审核通过已报送的条目，或附理由退回。",
        "Approve a submitted entry, or return it with a reason.",
        "./jingshu share catalogue review 320003/000017 approve",
    )
)
@_CODE
@click.argument("outcome", type=click.Choice(("approve", "return")))
@_REASON
@AS
def review(code: str, outcome: Action, reason: str, acting: str | None) -> None:
    """Approve a submitted entry, or return it with a reason."""
    _take(code, outcome, {"reason": reason}, acting)


@click.command(
    **about(
        "登记法规或职责变更；须在 10 个工作日内更新（第十七条）。",
        "Note that law or duties changed: the update is due in 10 working days (Article 17).",
        "./jingshu share catalogue change 320003/000017 --reason 职责调整",
    )
)
@_CODE
@_REASON
@AS
def change(code: str, reason: str, acting: str | None) -> None:
    """Note that law or duties changed: the update is due in 10 working days (Article 17)."""
    _take(code, "change", {"reason": reason}, acting)


@click.command(
    **about(
        "同意更新延期 5 个工作日，限一次（第十七条）。",
        "Consent to 5 more working days for an update, once (Article 17).",
        "./jingshu share catalogue extend 320003/000017 --reason 系统改造",
    )
)
@_CODE
@_REASON
@AS
def extend(code: str, reason: str, acting: str | None) -> None:
    """Consent to 5 more working days for an update, once (Article 17)."""
    _take(code, "extend", {"reason": reason}, acting)


@click.command(
    **about(
        "多部门采集的数据项由谁牵头，或认定对象不同（第十九条）。",
        "Rule which body leads an item that several collect, or that they differ (Article 19).",
        "./jingshu share catalogue rule 手机号码 --lead civil --reason 以其登记为准",
    )
)
@click.argument("item", metavar="ITEM")
@click.option(
    "--lead",
    "body",
    default="",
    metavar="ID",
    help=text("牵头的数源部门。", "The body that leads."),
)
@click.option(
    "--distinct",
    is_flag=True,
    help=text("各部门的数据对象不同，无须牵头。", "The bodies' data differ; none leads."),
)
@click.option(
    "--legal-basis",
    default=None,
    metavar="TEXT",
    help=text("依据；默认为第十九条。", "The law that says so; Article 19 by default."),
)
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
    """Rule which body leads an item that several collect, or that they differ (Article 19)."""
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
    tell(f"已裁定：{item} → {body or '对象不同'}。", f"Ruled: {item} → {body or 'distinct'}.")


@click.command(
    **about(
        "显示各条目的登记状态，以及尚欠何事、何时到期。",
        "Show where each entry stands, and until when it is owed what.",
        "./jingshu share catalogue register --state submitted",
    )
)
@click.option("--provider", metavar="ID", help=text("只看这一提供方。", "Of this provider only."))
@click.option(
    "--state", type=click.Choice(tuple(_STATES)), help=text("只看这一状态。", "In this state only.")
)
@JSON
def register(provider: str | None, state: str | None, as_json: bool) -> None:
    """Show where each entry stands, and until when it is owed what."""
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
        click.echo(json.dumps({"register": told}, ensure_ascii=False, default=_in_json))
        return
    for line in told:
        click.echo(_register_line(line))
    tell(f"{len(told)} 条。", f"{len(told)} entries.")


def _take(code: str, action: Action, statements: Mapping[str, str], acting: str | None) -> None:
    from contracts.moment import utc_now
    from sharing.catalogue.register import take
    from sharing.control import Control

    found = [e for e in _entries() if e.code == code]
    if not found:
        raise no_entry(code)
    with Control(Home.from_env()) as control:
        who = actor(control, acting, found[0].provider)
        state = take(control, found[0], action, statements, who, utc_now())
    click.echo(f"{code} {shown(_STATES[state])}")


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


def _in_json(told: object) -> str:
    """Return a text as a program reads it."""
    if isinstance(told, Words):
        return told.en
    raise TypeError(f"{type(told).__name__} is no part of JSON")


def _register_line(told: Mapping[str, Any]) -> str:
    parts = [told["code"], told["title"], told["provider"], shown(_STATES[told["state"]])]
    if told["is_behind"]:
        parts.append(text("内容已变", "reads otherwise now"))
    told_dues = (due for due in told["dues"] if due["done_at"] is None or due["is_overdue"])
    parts.extend(_due_words(due) for due in told_dues)
    return "  ".join(parts)


def _due_words(due: Mapping[str, Any]) -> str:
    what = shown(_DUES[due["what"]])
    if due["due_at"] is None:
        return f"{what}: {shown(due['problem'])}"
    # The end of a day is the first moment of the next: the day that counts is the one before.
    last = datetime.fromisoformat(due["due_at"]).astimezone(CITY_TZ) - timedelta(seconds=1)
    late = f" {text('超期', 'overdue')}" if due["is_overdue"] else ""
    return f"{what} ≤ {last:%Y-%m-%d}{late}"


def no_entry(name: str) -> UsageError:
    """Return the error of a name that no entry has."""
    return UsageError(
        Words(f"目录中没有条目 {name!r}。", f"The catalogue has no entry {name!r}."),
        Words("请见 ./jingshu share catalogue list。", "See ./jingshu share catalogue list."),
    )


def _entries() -> tuple[Entry, ...]:
    """Return what the contracts state, without asking the lake."""
    from contracts.loading import load_tree
    from sharing.catalogue.entries import entries

    return entries(load_tree())


REGISTER: Final = (assess, submit, review, change, extend, rule, register)
