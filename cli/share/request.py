"""``./jingshu share request``: ask for data, and answer who asks (申请与答复)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.acting import local_user
from cli.share.request_acting import acting_for, ask_of, local
from cli.share.request_after import AFTER
from cli.share.request_text import EXAMPLES, OPTIONS, STEPS, example, show_reading
from cli.words import JSON, about, shown, tell
from contracts.layout import Home
from contracts.requested import city_tree
from contracts.words import Words, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from contracts.tree import Tree
    from sharing.requests.states import Action
    from sharing.requests.tables import Ask
    from sharing.requests.timers import Deadline

_TEXT_OPTIONS: Final[Mapping[Action, tuple[str, ...]]] = {"agree_as_authority": ("pia_id",)}
_OWED: Final = {"answer": Words("答复", "answer"), "delivery": Words("交付", "delivery")}


@click.group(
    **about(
        "申请数据，答复申请：起草、提交、受理、同意、交付、办结。\n\n"
        "办理人默认为本机用户，代表轮到的部门；用 --as-body 与 --as-role 限定。",
        "Ask for data, and answer who asks: draft, submit, accept, agree, deliver, close.\n\n"
        "Whoever runs the command acts for the body whose turn it is; --as-body and --as-role "
        "narrow that.",
        "./jingshu share request draft 申请.yaml",
    )
)
def request() -> None:
    """Ask for data, and answer who asks: draft, submit, accept, agree, deliver, close."""


@request.command(
    **about(
        "按 YAML 文件 FILE 起草申请，并打印编号。",
        "Keep a request from a YAML FILE as a draft; prints its number.",
        "./jingshu share request draft --example > 申请.yaml",
    )
)
@click.argument("file", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--example",
    "is_example",
    is_flag=True,
    help=text("打印一份可改写的样例。", "Print an example to edit."),
)
@acting_for
def draft(
    file: Path | None, is_example: bool, as_body: str | None, as_roles: tuple[str, ...]
) -> None:
    """Keep a request from a YAML FILE as a draft; prints its number."""
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
    tell(
        f"已起草：{ask_id}。提交：./jingshu share request submit {ask_id}",
        f"Drafted: {ask_id}. Submit it: ./jingshu share request submit {ask_id}",
    )


def _step(action: Action, name: str, words: Words) -> None:
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

    made: Callable[..., Any] = acting_for(run)
    given_in_words = (*needed, *_TEXT_OPTIONS.get(action, ()))
    for option in given_in_words:
        flag = f"--{option.replace('_', '-')}"
        made = click.option(flag, option, required=option in needed, help=OPTIONS[option])(made)
    if action == "resubmit":
        made = click.argument("file", required=False, type=click.Path(exists=True, path_type=Path))(
            made
        )
    made = click.argument("ask_id", metavar="ID")(made)
    given = " ".join(f"--{o.replace('_', '-')} {EXAMPLES.get(o, '…')!r}" for o in given_in_words)
    given = given.replace("'", '"')
    typed = f"./jingshu share request {name} R2026-0001 {given}".rstrip()
    request.command(name, **about(words.zh, words.en, typed))(made)


for _action, (_name, _words) in STEPS.items():
    _step(_action, _name, _words)


@request.command(
    **about(
        "授权已同意的数据；关联申请的表先由 Spark 生成。",
        "Grant what was agreed to; a joined request's table is made first, on Spark.",
        "./jingshu share request deliver R2026-0001",
    )
)
@click.argument("ask_id", metavar="ID")
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help=text(
        "关联表取哪一业务日期（默认为最新发布的）。",
        "Of which date a joined table is made (default: the newest published).",
    ),
)
@acting_for
def deliver(
    ask_id: str, day: datetime | None, as_body: str | None, as_roles: tuple[str, ...]
) -> None:
    """Grant what was agreed to; a joined request's table is made first, on Spark."""
    from sharing.control import Control
    from sharing.joined.make import make_table, newest_date
    from sharing.requests.reading import reading_of

    home = Home.from_env()
    with Control(home) as control:
        ask = ask_of(control, ask_id)
    if ask.asked.is_joined and ask.state == "agreed":
        from cli.spark import use_spark

        with use_spark():
            table = make_table(home, ask, day.date() if day else newest_date(home))
        tell(f"已生成：{table}。", f"Made: {table}.")
    _take("deliver", ask_id, as_body, as_roles, {}, None)
    with Control(home) as control:
        reading = reading_of(control, city_tree(home), ask_of(control, ask_id))
    if reading is not None:
        show_reading(reading)


@request.command(
    "list",
    **about(
        "列出申请及其下一步所欠，以及未结的纠错。",
        "List requests with what is owed next, and corrections that are open.",
        "./jingshu share request list --state accepted",
    ),
)
@click.option(
    "--body", metavar="B", help=text("只看某一部门提出或收到的。", "Of or to one body only.")
)
@click.option("--state", metavar="S", help=text("只看一种状态。", "In one state only."))
@click.option(
    "--json", "as_json", is_flag=True, help=text("输出一个 JSON 数组。", "Print one JSON array.")
)
def list_(body: str | None, state: str | None, as_json: bool) -> None:
    """List requests with what is owed next, and corrections that are open."""
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
    found = [
        seen
        for ask in asks
        if state in (None, ask.state) and body in (None, *(seen := _seen(ask, tree, now))["bodies"])
    ]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for one in found:
        owed = shown(one["owed"])
        click.echo(f"{one['id']}  {one['state']:10}  {one['body']} → {one['sources']}  {owed}")
    if not found:
        tell("没有匹配的申请。", "No request matches.")
    for issue in issues:
        due = "calendar_missing" if issue.due_at is None else local(issue.due_at)
        what = f"{issue.id}  {text('纠错', 'correction')}  {issue.ask} → {issue.provider}"
        click.echo(f"{what}  {text('期限', 'due')} {due}")


@request.command(
    **about(
        "显示一件申请：步骤、期限、轮到谁，以及数据如何读取。",
        "Show a request: its steps, deadlines, whose turn it is, and how its data is read.",
        "./jingshu share request show R2026-0001",
    )
)
@click.argument("ask_id", metavar="ID")
@JSON
def show(ask_id: str, as_json: bool) -> None:
    """Show a request: its steps, deadlines, whose turn it is, and how its data is read."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.requests.reading import reading_of

    home = Home.from_env()
    tree, now = city_tree(home), utc_now()
    with Control(home) as control:
        ask = ask_of(control, ask_id)
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
    asks = f"{ask.asked.body} → {seen['sources']}({seen['level']})"
    purpose = ask.asked.purpose
    tell(f"  {asks}，用途：{purpose}", f"  {asks}, for {purpose}")
    for step in ask.steps:
        statements = "; ".join(f"{k}: {shown(v)}" for k, v in step.statements.items())
        who = f"{step.actor}/{step.body}"
        click.echo(f"  {local(step.at)}  {step.action:18} {step.state:10} {who}  {statements}")
    click.echo(f"  {shown(seen['owed'])}")
    if reading is not None:
        show_reading(reading)


@request.command(
    **about(
        "办结已到期的，登记首次读取；./jingshu run 每天也会办理。",
        "Close what has come to its end, and note first reads; ./jingshu run does it each day.",
        "./jingshu share request sweep",
    )
)
def sweep() -> None:
    """Close what has come to its end, and note first reads; ./jingshu run does it each day."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.joined.make import retire_ended
    from sharing.requests import flow

    home = Home.from_env()
    with Control(home) as control:
        for ask_id, action in flow.sweep(control, city_tree(home), utc_now()):
            click.echo(f"{ask_id}: {action}")
        retire_ended(home, control)


for _command in AFTER:
    request.add_command(_command)


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
        ask = ask_of(control, ask_id)
        who = local_user(as_body or flow.turn(ask, tree, action), as_roles)
        wording = read_asked(file) if file else None
        state = flow.act(
            control, tree, ask_id, action, who, utc_now(), flow.Statement(statements, wording)
        )
        retire_ended(home, control)
    click.echo(f"{ask_id}: {state}")


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
        "owed": _together([_owed(d, now) for d in owed]).stored(),
    }


def _together(told: list[Words]) -> Words:
    return Words("；".join(one.zh for one in told), "; ".join(one.en for one in told))


def _owed(deadline: Deadline, now: datetime) -> Words:
    what = _OWED[deadline.what]
    if deadline.due_at is None:
        why = deadline.problem or Words("", "")
        return Words(f"{what.zh}：{why.zh}", f"{what.en}: {why.en}")
    due, is_late = local(deadline.due_at), deadline.is_overdue(now)
    late = Words("，已逾期", ", overdue") if is_late else Words("", "")
    return Words(f"{what.zh}期限 {due}{late.zh}", f"{what.en} due {due}{late.en}")
