"""``./jingshu up|down|status``: keep the local stack running for a person."""

from __future__ import annotations

import json

import click

from cli.words import JSON, about, tell
from contracts.layout import Home
from contracts.words import text


@click.command(
    **about(
        "在 127.0.0.1 启动 Spark、Airflow、网关和网页，并保持运行。\n\n"
        "时钟在契约写明的时间启动采集。",
        "Start Spark, Airflow, the gateway and the web pages on 127.0.0.1, and keep them"
        " running.\n\n"
        "The clock starts ingest runs at the times the contracts name.",
        "./jingshu up",
        "./jingshu status",
    )
)
def up() -> None:
    """Start Spark, Airflow, the gateway and the web pages on 127.0.0.1, and keep them running."""
    from cli.interrupts import interruptible
    from cli.progress import PlainProgress
    from infra.stack.exclusive import exclusive
    from infra.stack.stack import Stack

    home = Home.from_env()
    stack = Stack(home, "cron", PlainProgress().say)
    with exclusive(home, "up"), interruptible():
        if not stack.adopt():
            stack.begin()
            stack.wait_ready()
    _show(home)


@click.command(**about("停止 `up` 启动的一切。", "Stop all that `up` started.", "./jingshu down"))
def down() -> None:
    """Stop all that `up` started."""
    from infra.stack.exclusive import exclusive
    from infra.stack.standing import down as stop_all

    home = Home.from_env()
    with exclusive(home, "down"):
        stopped = stop_all(home)
    say_stopped([part.name for part in stopped])


def say_stopped(names: list[str]) -> None:
    """Print what was stopped."""
    if names:
        listed = ", ".join(names)
        tell(f"已停止：{listed}", f"stopped: {listed}")
    else:
        tell("没有什么在运行。", "Nothing was running.")


@click.command(
    **about(
        "显示运行着什么、在哪里；什么都没有运行，或有一部分已停，退出码为 1。",
        "Show what is running, and where; exit code 1 if nothing is, or a part died.",
        "./jingshu status --json",
    )
)
@JSON
def status(as_json: bool) -> int:
    """Show what is running, and where; exit code 1 if nothing is, or a part died."""
    from infra.stack.standing import status as parts_of

    home = Home.from_env()
    parts = parts_of(home)
    is_well = bool(parts) and all(part.is_alive for part in parts)
    if as_json:
        document = {"running": is_well, "parts": [vars(part) for part in parts]}
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        _show(home)
    return 0 if is_well else 1


def _show(home: Home) -> None:
    from infra.stack.airflow import USER, passwords_file
    from infra.stack.standing import status as parts_of

    parts = parts_of(home)
    if not parts:
        tell(
            "没有什么在运行；用 ./jingshu up 启动。",
            "Nothing is running; start it with ./jingshu up.",
        )
        return
    for part in parts:
        state = text("运行", "up") if part.is_alive else text("已停", "dead")
        click.echo(f"{state:4}  {part.name:14} {part.pid:>8}  {part.address}")
    file = passwords_file(home)
    tell(f"Airflow：用户 {USER}，密码在 {file}", f"Airflow: user {USER}, password in {file}")
