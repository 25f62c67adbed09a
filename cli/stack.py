"""``./jingshu up|down|status``: keep the local stack running for a person."""

from __future__ import annotations

import json

import click

from contracts.layout import Home


@click.command(epilog="\b\n例 Example:\n  ./jingshu up\n  ./jingshu status")
def up() -> None:
    """启动 Start Spark, Airflow, the gateway and the web pages on 127.0.0.1, and keep them running.

    The clock starts ingest runs at the times the contracts name.
    """
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


@click.command(epilog="例 Example: ./jingshu down")
def down() -> None:
    """停止 Stop all that `up` started."""
    from infra.stack.exclusive import exclusive
    from infra.stack.standing import down as stop_all

    home = Home.from_env()
    with exclusive(home, "down"):
        stopped = stop_all(home)
    names = ", ".join(part.name for part in stopped) or "无 nothing was running"
    click.echo(f"已停止 stopped: {names}")


@click.command(epilog="例 Example: ./jingshu status --json")
@click.option("--json", "as_json", is_flag=True, help="机器可读 Print one JSON object.")
def status(as_json: bool) -> int:
    """状态 Show what is running, and where; exit code 1 if nothing is, or a part died."""
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
        click.echo("没有运行 nothing is running; start it with ./jingshu up")
        return
    for part in parts:
        state = "运行 up  " if part.is_alive else "停止 dead"
        click.echo(f"{state}  {part.name:14} {part.pid:>8}  {part.address}")
    click.echo(f"Airflow: 用户 user {USER}, 密码 password: {passwords_file(home)}")
