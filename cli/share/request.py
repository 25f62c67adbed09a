"""``./jingshu share request``: ask for data, and answer who asks (申请与答复)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from cli.acting import local_user
from cli.share.request_text import (
    EXAMPLES,
    OPTIONS,
    STEPS,
    example,
    show_reading,
)
from contracts.layout import Home
from contracts.model import CITY_TZ
from contracts.requested import city_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from contracts.tree import Tree
    from sharing.control import Control
    from sharing.requests.corrections import Answer
    from sharing.requests.states import Action
    from sharing.requests.tables import Ask
    from sharing.requests.timers import Deadline

_F = TypeVar("_F", bound="Callable[..., Any]")
_TEXT_OPTIONS: Final[Mapping[Action, tuple[str, ...]]] = {"agree_as_authority": ("pia_id",)}


@click.group(epilog="例 Example: ./jingshu share request draft 申请.yaml")
def request() -> None:
    """申请 Ask for data, and answer who asks: draft, submit, accept, agree, deliver, close.

    办理人默认为本机用户、代表轮到的部门；用 --as-body 与 --as-role 限定。 Whoever runs the command
    acts for the body whose turn it is; --as-body and --as-role narrow that.
    """


def _acting(command: _F) -> _F:
    """Add the options that say for whom, and in which role, somebody acts."""
    from sharing.people import GIVEN_ROLES

    command = click.option(
        "--as-role",
        "as_roles",
        multiple=True,
        type=click.Choice(GIVEN_ROLES),
        help="以何角色（可多个） In which role only.",
    )(command)
    return click.option("--as-body", metavar="B", help="代表哪个部门 For which body.")(command)


@request.command(epilog="例 Example: ./jingshu share request draft --example > 申请.yaml")
@click.argument("file", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--example", "is_example", is_flag=True, help="打印样例 Print an example to edit.")
@_acting
def draft(
    file: Path | None, is_example: bool, as_body: str | None, as_roles: tuple[str, ...]
) -> None:
    """起草 Keep a request from a YAML FILE as a draft; prints its number."""
    if is_example or file is None:
        click.echo(example(), nl=False)
        return
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.requests import flow
    from sharing.requests.asked import read_asked

    home, asked = Home.from_env(), read_asked(file)
    with Control(home) as control:
        who = local_user(as_body or asked.body, as_roles)
        ask_id = flow.draft(control, city_tree(home), asked, who, utc_now())
    click.echo(f"已起草 drafted: {ask_id}。提交 submit it: ./jingshu share request submit {ask_id}")


def _step(action: Action, name: str, words: str) -> None:
    """Make the command of one step."""
    from sharing.requests.states import TRANSITIONS

    needed = TRANSITIONS[action].needs

    def run(
        ask_id: str,
        as_body: str | None,
        as_roles: tuple[str, ...],
        file: Path | None = None,
        **statements: str | None,
    ) -> None:
        _take(action, ask_id, as_body, as_roles, {k: v for k, v in statements.items() if v}, file)

    run.__doc__ = words
    made: Callable[..., Any] = _acting(run)
    for option in (*needed, *_TEXT_OPTIONS.get(action, ())):
        flag = f"--{option.replace('_', '-')}"
        made = click.option(flag, option, required=option in needed, help=OPTIONS[option])(made)
    if action == "resubmit":
        made = click.argument("file", required=False, type=click.Path(exists=True, path_type=Path))(
            made
        )
    made = click.argument("ask_id", metavar="ID")(made)
    given = " ".join(f"--{o.replace('_', '-')} {EXAMPLES.get(o, '…')!r}" for o in needed)
    given = given.replace("'", '"')
    typed = f"./jingshu share request {name} R2026-0001 {given}".rstrip()
    example = f"\b\n例 Example:\n  {typed}"  # on a line of its own: it is not broken in an option
    request.command(name, epilog=example)(made)


for _action, (_name, _words) in STEPS.items():
    _step(_action, _name, _words)


@request.command(epilog="例 Example: ./jingshu share request deliver R2026-0001")
@click.argument("ask_id", metavar="ID")
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="业务日期 Of which date a joined table is made (default: the newest published).",
)
@_acting
def deliver(
    ask_id: str, day: datetime | None, as_body: str | None, as_roles: tuple[str, ...]
) -> None:
    """交付 Grant what was agreed to; a joined request's table is made first, on Spark."""
    from sharing.control import Control
    from sharing.joined.make import make_table, newest_date
    from sharing.requests.reading import reading_of

    home = Home.from_env()
    with Control(home) as control:
        ask = _ask(control, ask_id)
    if ask.asked.is_joined and ask.state == "agreed":
        from cli.spark import use_spark

        with use_spark():
            table = make_table(home, ask, day.date() if day else newest_date(home))
        click.echo(f"已生成 made: {table}")
    _take("deliver", ask_id, as_body, as_roles, {}, None)
    with Control(home) as control:
        reading = reading_of(control, city_tree(home), _ask(control, ask_id))
    if reading is not None:
        show_reading(reading)


@request.command("list", epilog="例 Example: ./jingshu share request list --state accepted")
@click.option("--body", metavar="B", help="只看一个部门 Of or to one body only.")
@click.option("--state", metavar="S", help="只看一种状态 In one state only.")
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 数组 One JSON array.")
def list_(body: str | None, state: str | None, as_json: bool) -> None:
    """列表 List requests with what is owed next, and corrections that are open."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.requests.corrections import list_corrections
    from sharing.requests.tables import read_asks

    home = Home.from_env()
    tree, now = city_tree(home), utc_now()
    with Control(home) as control:
        with control.read() as session:
            asks = read_asks(session)
        issues = [c for c in list_corrections(control) if c.state == "open"]
    shown = [
        seen
        for ask in asks
        if state in (None, ask.state) and body in (None, *(seen := _seen(ask, tree, now))["bodies"])
    ]
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    for one in shown:
        click.echo(
            f"{one['id']}  {one['state']:10}  {one['body']} → {one['sources']}  {one['owed']}"
        )
    if not shown:
        click.echo("没有匹配的申请 No request matches.")
    for issue in issues:
        due = "calendar_missing" if issue.due_at is None else _local(issue.due_at)
        click.echo(f"{issue.id}  纠错 correction  {issue.ask} → {issue.provider}  期限 due {due}")


@request.command(epilog="例 Example: ./jingshu share request show R2026-0001")
@click.argument("ask_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象 One JSON object.")
def show(ask_id: str, as_json: bool) -> None:
    """详情 Show a request: its steps, deadlines, whose turn it is, and how its data is read."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.requests.reading import reading_of

    home = Home.from_env()
    tree, now = city_tree(home), utc_now()
    with Control(home) as control:
        ask = _ask(control, ask_id)
        reading = reading_of(control, tree, ask)
    seen = _seen(ask, tree, now)
    if as_json:
        told = {
            "asked": ask.asked.model_dump(mode="json"),
            "reading": reading and reading.to_dict(),
        }
        click.echo(json.dumps({**seen, **told}))
        return
    click.echo(f"{ask.id} {ask.asked.title} — {ask.state}")
    asks = f"{ask.asked.body} → {seen['sources']}（{seen['level']}）"
    click.echo(f"  {asks} 用途 for {ask.asked.purpose}")
    for step in ask.steps:
        statements = "；".join(f"{k}: {v}" for k, v in step.statements.items())
        who = f"{step.actor}/{step.body}"
        click.echo(f"  {_local(step.at)}  {step.action:18} {step.state:10} {who}  {statements}")
    click.echo(f"  {seen['owed']}")
    if reading is not None:
        show_reading(reading)


@request.command(
    epilog="例 Example: ./jingshu share request use R2026-0001 --scenario 值守 "
    "--process 查看 --effect 调派两车 --storage 不落地"
)
@click.argument("ask_id", metavar="ID")
@click.option("--scenario", required=True, help="场景 For what.")
@click.option("--process", required=True, help="过程 How.")
@click.option("--effect", required=True, help="成效 With what effect.")
@click.option("--storage", required=True, help="存储 Where it is kept.")
@_acting
def use(ask_id: str, as_body: str | None, as_roles: tuple[str, ...], **parts: str) -> None:
    """使用记录 Record one use; records are kept three years (Decree 809, Art. 29)."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.requests.records import Use, record_use

    with Control(Home.from_env()) as control:
        body = _ask(control, ask_id).asked.body
        record_use(control, ask_id, Use(**parts), local_user(as_body or body, as_roles), utc_now())
    click.echo(f"已记录 recorded: {ask_id}")


@request.command(
    epilog="例 Example: ./jingshu share request correct R2026-0001 "
    "--contract emergency.heat_readiness --provider emergency --said 人数不对"
)
@click.argument("ask_id", metavar="ID")
@click.option("--contract", required=True, metavar="C", help="哪个数据集 Which contract.")
@click.option("--provider", required=True, metavar="P", help="哪个提供方 Which provider.")
@click.option(
    "--said", "statement", required=True, help="错在哪里（勿写个人信息） What is wrong; no persons."
)
@_acting
def correct(
    ask_id: str,
    contract: str,
    provider: str,
    statement: str,
    as_body: str | None,
    as_roles: tuple[str, ...],
) -> None:
    """纠错 Open an issue at a provider: it owes an answer in ten working days (Art. 26)."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.requests.corrections import Fault, ask_correction

    home = Home.from_env()
    with Control(home) as control:
        body = _ask(control, ask_id).asked.body
        who = local_user(as_body or body, as_roles)
        fault = Fault(contract, provider, statement)
        issue = ask_correction(control, city_tree(home), ask_id, fault, who, utc_now())
    click.echo(f"已登记 opened: {issue} → {provider}")


@request.command(
    "answer",
    epilog="例 Example: ./jingshu share request answer C2026-0001 --corrected --reason 已重算",
)
@click.argument("issue_id", metavar="ISSUE")
@click.option("--corrected/--rejected", default=True, help="已改正或不成立 How it was answered.")
@click.option("--reason", required=True, help="说明 What was done, or why not.")
@_acting
def answer_(
    issue_id: str, corrected: bool, reason: str, as_body: str | None, as_roles: tuple[str, ...]
) -> None:
    """答复纠错 Close an issue: corrected, or rejected with the reason."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.requests.corrections import answer_correction, list_corrections

    with Control(Home.from_env()) as control:
        provider = next((c.provider for c in list_corrections(control) if c.id == issue_id), "")
        who = local_user(as_body or provider, as_roles)
        how: Answer = "corrected" if corrected else "rejected"
        answer_correction(control, issue_id, how, reason, who, utc_now())
    click.echo(f"已答复 answered: {issue_id}")


@request.command(epilog="例 Example: ./jingshu share request sweep")
def sweep() -> None:
    """巡检 Close what has come to its end, and note first reads; `run` does it each day."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.joined.make import retire_ended
    from sharing.requests import flow

    home = Home.from_env()
    with Control(home) as control:
        for ask_id, action in flow.sweep(control, city_tree(home), utc_now()):
            click.echo(f"{ask_id}: {action}")
        retire_ended(home, control)


def _take(
    action: Action,
    ask_id: str,
    as_body: str | None,
    as_roles: tuple[str, ...],
    statements: Mapping[str, str],
    file: Path | None,
) -> None:
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.joined.make import retire_ended
    from sharing.requests import flow
    from sharing.requests.asked import read_asked

    home = Home.from_env()
    tree = city_tree(home)
    with Control(home) as control:
        ask = _ask(control, ask_id)
        who = local_user(as_body or flow.turn(ask, tree, action), as_roles)
        wording = read_asked(file) if file else None
        state = flow.act(
            control, tree, ask_id, action, who, utc_now(), flow.Statement(statements, wording)
        )
        retire_ended(home, control)
    click.echo(f"{ask_id}: {state}")


def _ask(control: Control, ask_id: str) -> Ask:
    from sharing.requests.tables import read_ask

    with control.read() as session:
        return read_ask(session, ask_id)


def _seen(ask: Ask, tree: Tree, now: datetime) -> dict[str, Any]:
    """Return a request as it is listed."""
    from sharing.requests.parties import parties_of
    from sharing.requests.timers import deadlines

    parties = parties_of(ask.asked, tree)
    owed = [d for d in deadlines(ask, parties) if d.done_at is None]
    return {
        "id": ask.id,
        "title": ask.asked.title,
        "state": ask.state,
        "body": ask.asked.body,
        "recipient": ask.asked.recipient,
        "providers": list(parties.providers),
        "bodies": [ask.asked.body, *parties.providers],
        "level": parties.level,
        "sources": ", ".join(s.contract for s in ask.asked.sources),
        "owed": "；".join(_owed(d, now) for d in owed),
    }


def _owed(deadline: Deadline, now: datetime) -> str:
    what = {"answer": "答复 answer", "delivery": "交付 delivery"}[deadline.what]
    if deadline.due_at is None:
        return f"{what}: {deadline.problem}"
    late = " 已逾期 overdue" if deadline.is_overdue(now) else ""
    return f"{what} 期限 due {_local(deadline.due_at)}{late}"


def _local(at: datetime) -> str:
    return f"{at.astimezone(CITY_TZ):%Y-%m-%d %H:%M}"
