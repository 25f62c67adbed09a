"""``./jingshu test``: every check this project has, in the order of how quickly each answers."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click

from contracts.layout import ROOT


@dataclass(frozen=True)
class Check:
    """One check: its heading and the program that answers with exit code 0."""

    heading: str
    command: tuple[str, ...]


def checks(*, full: bool, pytest_arguments: tuple[str, ...]) -> tuple[Check, ...]:
    """Return what to run, in order; pytest comes last, so that its summary ends the output.

    Days through the real Airflow have the machine to themselves; all other tests share it between
    two workers (tests/conftest.py says which tests stay together, and which lot comes first).
    """
    bin_ = Path(sys.executable).parent
    pytest = (sys.executable, "-m", "pytest")
    workers = ("-n", "2", "--dist", "loadscope", "--no-loadscope-reorder")
    chosen = "" if full else " and not full"
    tests: tuple[Check, ...] = (
        Check("全栈测试 pytest, end to end", (*pytest, "-m", f"e2e{chosen}")),
        Check("测试 pytest", (*pytest, *workers, "-m", f"not e2e{chosen}")),
    )
    if pytest_arguments:
        asked = () if full else ("-m", "not full")
        tests = (Check("测试 pytest", (*pytest, *asked, *pytest_arguments)),)
    return (
        Check("拼写 typos", (str(bin_ / "typos"),)),
        Check("规范 ruff check", (str(bin_ / "ruff"), "check")),
        Check("格式 ruff format", (str(bin_ / "ruff"), "format", "--check")),
        Check("类型 mypy --strict", (sys.executable, "-m", "mypy")),
        Check("依赖方向 import-linter", (str(bin_ / "lint-imports"), "--no-logo")),
        *tests,
    )


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog="例 Example: ./jingshu test tests/unit -k launcher",
)
@click.option(
    "--full", is_flag=True, help="也跑耗时长的测试 Run the long tests (marker `full`) too."
)
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST ARGS]...")
def test(full: bool, pytest_arguments: tuple[str, ...]) -> int:
    """运行全部检查与测试 Run every check, then the tests; exit 1 if any failed.

    All are run even when one fails; other arguments go to pytest as they are.
    """
    failed: list[str] = []
    todo = checks(full=full, pytest_arguments=pytest_arguments)
    for check in todo:
        if check is todo[-1] and failed:
            click.echo(f"未通过 failed so far: {', '.join(failed)}")
        if not _passes(check, announce_end=check is not todo[-1]):
            failed.append(check.heading)
    return 1 if failed else 0


def _passes(check: Check, *, announce_end: bool) -> bool:
    click.secho(f"── {check.heading} ", bold=True)
    started = time.monotonic()
    status = subprocess.run(check.command, cwd=ROOT, check=False).returncode
    if announce_end:
        verdict = "通过 passed" if status == 0 else "未通过 FAILED"
        click.echo(f"   {verdict}, {time.monotonic() - started:.1f} s")
    return status == 0
