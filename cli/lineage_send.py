"""``jingshu lineage send``: the outbox to an OpenLineage endpoint, once or until stopped."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Never

import click

from cli.words import JSON, about, tell
from contracts.errors import UsageError
from contracts.layout import Home
from contracts.words import Words, text

if TYPE_CHECKING:
    from datetime import date, datetime

    from lineage.acknowledged import SetAside
    from lineage.sender import Pass, Sender

_DAY = click.DateTime(["%Y-%m-%d"])
#: How often the watching sender looks for new files; at most how long it leaves a dead endpoint.
_POLL_S: Final = 2.0
_REST_S: Final = 60.0
#: How long the watching sender may still send after it was asked to stop.
_FINISH_S: Final = 3.0
_SHOWN: Final = 5


@click.command(
    **about(
        "把磁盘上的血缘事件发送到 OpenLineage 接收端，每个至少一次。\n\n"
        "OPENLINEAGE_URL、OPENLINEAGE_ENDPOINT 与 OPENLINEAGE_API_KEY 的读法与 openlineage-python"
        " 相同。退出码：0 全部收下 · 1 有事件待发，或被拒收而搁置。",
        "Send the lineage events on disk to an OpenLineage endpoint, each at least once.\n\n"
        "OPENLINEAGE_URL, OPENLINEAGE_ENDPOINT and OPENLINEAGE_API_KEY are read as"
        " openlineage-python reads them. Exit code: 0 all was taken · 1 events wait, or were"
        " refused and stand aside.",
        "OPENLINEAGE_URL=http://marquez:5000 ./jingshu lineage send",
    )
)
@click.option(
    "--url",
    metavar="URL",
    help=text("接收端（默认 OPENLINEAGE_URL）。", "The endpoint (default: OPENLINEAGE_URL)."),
)
@click.option(
    "--replay",
    "again",
    is_flag=True,
    help=text("重发对方已确认收到的。", "Send again what was acknowledged."),
)
@click.option(
    "--from",
    "first",
    type=_DAY,
    metavar="D",
    help=text("--replay 从这天起。", "--replay from this date."),
)
@click.option(
    "--to",
    "last",
    type=_DAY,
    metavar="D",
    help=text("--replay 到这天止。", "--replay up to this date."),
)
@click.option(
    "--watch", is_flag=True, help=text("持续发送，直到被停止。", "Keep sending until stopped.")
)
@JSON
def send(
    url: str | None,
    again: bool,
    first: datetime | None,
    last: datetime | None,
    watch: bool,
    as_json: bool,
) -> int:
    """Send the lineage events on disk to an OpenLineage endpoint, each at least once."""
    from lineage.acknowledged import Acknowledged
    from lineage.columns import NAMESPACE
    from lineage.endpoint import Address, Endpoint
    from lineage.naming import city_namespace
    from lineage.sender import Sender, replay, sole_sender

    _meant_together(is_dated=bool(first or last), again=again, watch=watch, as_json=as_json)
    home, address = Home.from_env(), Address.from_env(url)
    if city_namespace() == NAMESPACE:
        tell(
            "提示：本城市尚无自己的命名空间，接收端上另一城市的同名表会与之混同。"
            "请在 providers.yaml 写明 city，或设 JINGSHU_NAMESPACE。",
            "Note: this city has no namespace of its own, so another city's tables on that server"
            " would be one with these. Write `city` into providers.yaml, or set JINGSHU_NAMESPACE.",
            err=True,
        )
    stop = threading.Event()
    with ExitStack() as held:
        known = held.enter_context(Acknowledged(home.lineage_delivery, address.name))
        if again:
            runs = replay(home, known, _date(first), _date(last))
            tell(f"重发 {runs} 次运行", f"{runs} runs to send again", err=True)
        held.enter_context(sole_sender(home, address))
        sender = Sender(home, held.enter_context(Endpoint(address)), known, sleep=stop.wait)
        if watch:
            _watch(sender, stop, address.name)
            return 0
        return _report(sender.send(), known.refused(), as_json=as_json)


def _meant_together(*, is_dated: bool, again: bool, watch: bool, as_json: bool) -> None:
    if is_dated and not again:
        raise UsageError(
            Words("--from 与 --to 选择重发什么。", "--from and --to choose what is sent again."),
            Words("请一并给出 --replay。", "Give --replay as well."),
        )
    if watch and as_json:
        raise UsageError(
            Words("--watch 没有可报告的结果。", "--watch has no end to report."),
            Words("请去掉 --json。", "Leave --json out."),
        )


def _date(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _report(done: Pass, aside: list[SetAside], *, as_json: bool) -> int:
    if as_json:
        found = {
            "delivered": done.delivered,
            "waiting": done.waiting,
            "problem": done.problem,
            "set_aside": [{**vars(event), "reason": event.reason} for event in aside],
        }
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        click.echo(_in_words(done, len(aside)))
        for event in aside[:_SHOWN]:
            click.echo(f"  {_aside(event)}", err=True)
    return 1 if done.waiting or aside else 0


def _in_words(done: Pass, aside: int) -> str:
    zh = f"已送达 {done.delivered}，待发 {done.waiting}"
    en = f"delivered {done.delivered}, waiting {done.waiting}"
    if aside:
        zh, en = f"{zh}，搁置 {aside}", f"{en}, set aside {aside}"
    if done.problem:
        problem = Words.read(done.problem)
        zh, en = f"{zh}：{problem.zh}", f"{en}: {problem.en}"
    return text(zh, en)


def _aside(event: SetAside) -> str:
    where = f"{event.file}@{event.position}"
    reason = Words.read(event.reason)
    return text(f"搁置 {where}：{reason.zh}", f"set aside {where}: {reason.en}")


def _watch(sender: Sender, stop: threading.Event, name: str) -> None:
    """Send what comes until told to stop; then what is left, for a few seconds and no longer.

    Ending at any moment is safe: what was not acknowledged is sent by the next sender.
    """
    _stop_on_signals(stop)
    os.nice(10)  # the day's own work goes first
    tell(f"发送至 {name}", f"sending to {name}")
    rest_s, told = _POLL_S, ""
    while not stop.is_set():
        done = sender.send()
        if done.problem != told:
            click.echo(_in_words(done, len(done.refused)))
            told = done.problem
        for event in done.refused:
            click.echo(_aside(event))
        rest_s = min(_REST_S, rest_s * 2) if done.problem else _POLL_S
        stop.wait(max(rest_s, done.retry_after_s))
    click.echo(_in_words(sender.send(), 0))


def _stop_on_signals(stop: threading.Event) -> None:
    def ask(*_: object) -> None:
        stop.set()
        signal.setitimer(signal.ITIMER_REAL, _FINISH_S)

    def end(*_: object) -> Never:
        sys.stdout.flush()
        os._exit(0)

    signal.signal(signal.SIGALRM, end)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
