"""Live progress of a day: a table that redraws itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import click

from cli.words import shown
from contracts.words import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.live import Live
    from rich.table import Table

    from infra.stack.outcome import Outcome
    from infra.stack.plan import Step

_TASK_MARKS = {
    "success": "✓",
    "failed": "✗",
    "upstream_failed": "✗",
    "skipped": "–",
    "running": "▶",
    "up_for_retry": "↻",
    "restarting": "↻",
}
_WAITING = "·"


class Progress(Protocol):
    """What a run tells about itself while it goes."""

    def say(self, line: str) -> None:
        """Tell one thing that happened."""

    def show(self, steps: Sequence[Step]) -> None:
        """Show where every DAG of the day stands."""


class PlainProgress:
    """One line on standard error for each change; fit for logs and pipes."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown: dict[tuple[str, str], str] = {}

    def say(self, line: str) -> None:
        """Write one line with the seconds since the start."""
        click.echo(f"[{time.monotonic() - self._began:6.1f} s] {line}", err=True)

    def show(self, steps: Sequence[Step]) -> None:
        """Write a line for each task whose state changed."""
        for step in steps:
            for task in step.tasks:
                key = (f"{task.dag_id}/{task.dag_run_id}", task.task_id)
                state = task.state or "waiting"
                if (
                    state not in ("running", *_FINAL, "up_for_retry")
                    or self._shown.get(key) == state
                ):
                    continue
                self._shown[key] = state
                self.say(f"{task.dag_id}.{task.task_id} {state}")


_FINAL = ("success", "failed", "upstream_failed", "skipped")


class LiveProgress:
    """A table on the terminal, redrawn at every look."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._began = time.monotonic()

    def say(self, line: str) -> None:
        """Write one line above the table."""
        self._live.console.print(f"[{time.monotonic() - self._began:6.1f} s] {line}", markup=False)

    def show(self, steps: Sequence[Step]) -> None:
        """Redraw the table."""
        self._live.update(_table(steps))


@contextmanager
def progress() -> Iterator[Progress]:
    """Yield the progress display that suits standard error."""
    if not sys.stderr.isatty():
        yield PlainProgress()
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), refresh_per_second=4, transient=True) as live:
        yield LiveProgress(live)


def _table(steps: Sequence[Step]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for header in ("DAG", text("任务", "Tasks"), text("秒", "s")):
        table.add_column(header)
    for step in steps:
        marks = "  ".join(
            f"{_TASK_MARKS.get(task.state or '', _WAITING)} {task.task_id}" for task in step.tasks
        )
        table.add_row(step.node.dag_id, marks or _WAITING, f"{step.seconds:.1f}")
    return table


_NAMED = (("提供方", "Provider"), ("数据集", "Dataset"), ("状态", "State"))
_COUNTED = (
    ("落地", "Landed"),
    ("发布", "Published"),
    ("隔离", "Quarantined"),
    ("重复", "Duplicate"),
    ("秒", "s"),
)


def outcome_table(outcome: Outcome) -> str:
    """Return a day's result as text: a line a delivery, a line a publication, what failed."""
    from io import StringIO

    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{outcome.business_date} · {outcome.seconds:.0f} s", box=None)
    for header in _NAMED:
        table.add_column(text(*header), no_wrap=True)
    for header in _COUNTED:
        table.add_column(text(*header), justify="right", no_wrap=True)
    table.add_column(text("原因", "Why"), overflow="fold")
    for line in outcome.deliveries:
        counts = (
            line.rows_landed,
            line.rows_published,
            line.rows_quarantined,
            line.rows_duplicate,
        )
        table.add_row(
            line.provider,
            line.dataset,
            line.state,
            *(f"{count:,}" for count in counts),
            f"{line.seconds:.1f}",
            shown(line.reason),
        )
    for made in outcome.publications:
        kind = text("产品", "product") if made.kind == "product" else text("共享", "share")
        why = shown(made.reason)
        table.add_row(kind, made.table, made.status, "", f"{made.rows:,}", "", "", "", why)
    drawn = StringIO()
    Console(file=drawn, width=max(150, Console().width), highlight=False).print(table, markup=False)
    failures = [text(f"失败：{f.zh}", f"failed: {f.en}") for f in outcome.failures]
    return drawn.getvalue() + "".join(f"{failure}\n" for failure in failures)
