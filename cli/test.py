"""``./jingshu test``: every check this project has, in the order of how quickly each answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import psutil

from cli.words import about, shown, tell
from contracts.layout import ROOT
from contracts.words import Words, text

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A file system in memory (Linux), and the room that the tests' files need there (bytes).
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_ROOM: Final = 8 << 30


@dataclass(frozen=True)
class Check:
    """One check: its heading and the program that answers with exit code 0."""

    heading: Words
    command: tuple[str, ...]


def checks(*, full: bool, pytest_arguments: tuple[str, ...]) -> tuple[Check, ...]:
    """Return what to run, in order; pytest comes last, so that its summary ends the output.

    Three workers share two cores, since days through the real Airflow wait more than they work
    (tests/conftest.py says which tests stay together, and which lot comes first).
    """
    bin_ = Path(sys.executable).parent
    workers = ("-n", "3", "--dist", "loadscope", "--no-loadscope-reorder")
    chosen = () if full else ("-m", "not full")
    pytest = (sys.executable, "-m", "pytest", *chosen, *(pytest_arguments or workers))
    return (
        Check(Words("拼写（typos）", "spelling (typos)"), (str(bin_ / "typos"),)),
        Check(Words("规范（ruff check）", "style (ruff check)"), (str(bin_ / "ruff"), "check")),
        Check(
            Words("格式（ruff format）", "form (ruff format)"),
            (str(bin_ / "ruff"), "format", "--check"),
        ),
        Check(
            Words("类型（mypy --strict）", "types (mypy --strict)"), (sys.executable, "-m", "mypy")
        ),
        Check(
            Words("依赖方向（import-linter）", "imports (import-linter)"),
            (str(bin_ / "lint-imports"), "--no-logo"),
        ),
        Check(Words("测试（pytest）", "tests (pytest)"), pytest),
    )


@click.command(
    context_settings={"ignore_unknown_options": True},
    **about(
        "运行全部检查，然后运行测试；有一项未通过，退出码为 1。\n\n"
        "一项未通过，其余照跑；其他参数原样交给 pytest。",
        "Run every check, then the tests; exit 1 if any failed.\n\n"
        "All are run even when one fails; other arguments go to pytest as they are.",
        "./jingshu test tests/unit -k launcher",
    ),
)
@click.option(
    "--full",
    is_flag=True,
    help=text("也跑耗时长的测试（标记 `full`）。", "Run the long tests (marker `full`) too."),
)
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST ARGS]...")
def test(full: bool, pytest_arguments: tuple[str, ...]) -> int:
    """Run every check, then the tests; exit 1 if any failed."""
    failed: list[Words] = []
    todo = checks(full=full, pytest_arguments=pytest_arguments)
    with scratch() as folder:
        for check in todo:
            if check is todo[-1] and failed:
                zh, en = "、".join(f.zh for f in failed), ", ".join(f.en for f in failed)
                tell(f"至此未通过：{zh}", f"failed so far: {en}")
            if not _passes(check, folder, announce_end=check is not todo[-1]):
                failed.append(check.heading)
    return 1 if failed else 0


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder for what tests write, in memory where there is room; it goes at the end.

    Tests make thousands of homes, and the code under test waits for the disk at every commit.
    """
    has_room = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM
    has_room = has_room and psutil.virtual_memory().available > 2 * _ROOM
    place = _MEMORY if has_room else Path(tempfile.gettempdir())
    for left in place.glob("jingshu-test-[0-9]*-*"):  # of a run that was killed
        if not psutil.pid_exists(int(left.name.split("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"jingshu-test-{os.getpid()}-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _passes(check: Check, folder: Path, *, announce_end: bool) -> bool:
    click.secho(f"── {shown(check.heading)} ", bold=True)
    started = time.monotonic()
    environment = {**os.environ, "TMPDIR": str(folder)}
    status = subprocess.run(check.command, cwd=ROOT, env=environment, check=False).returncode
    if announce_end:
        verdict = Words("通过", "passed") if status == 0 else Words("未通过", "FAILED")
        took_s = time.monotonic() - started
        tell(f"   {verdict.zh}，{took_s:.1f} s", f"   {verdict.en}, {took_s:.1f} s")
    return status == 0
