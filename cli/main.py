"""The command group: names and one-line helps here, everything else imported when called.

Exit codes are the same for every command: 0 done and well, 1 a finding or an error, 2 wrong usage,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from cli.lazy import Entry, LazyGroup
from contracts.errors import JingshuError, UsageError
from contracts.layout import Home
from contracts.private import keep_private

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = {
    "run": Entry("cli.run:run", "跑一天 Run one city day on the embedded stack."),
    "up": Entry("cli.stack:up", "启动 Start the stack and keep it running."),
    "down": Entry("cli.stack:down", "停止 Stop all that `up` started."),
    "status": Entry("cli.stack:status", "状态 Show what is running, and where."),
    "try": Entry("cli.try_:try_file", "试算 Take one file through all stages; publish nothing."),
    "land": Entry("cli.land:land", "落地 Land one export offline, without Spark."),
    "verify": Entry("cli.verify:verify", "核验 Prove the invariants from the stored files."),
    "batch": Entry("cli.batch:batch", "批次 List, retry, release, reject or withdraw batches."),
    "backfill": Entry("cli.backfill:backfill", "补数 Do some dates of a contract again."),
    "contract": Entry("cli.contract:contract", "契约 Lint data contracts, and show what one says."),
    "quarantine": Entry("cli.quarantine:quarantine", "隔离 List bad rows by rule and line."),
    "lineage": Entry("cli.lineage:lineage", "血缘 Follow a table or a column up or down."),
    "evidence": Entry("cli.evidence.group:evidence", "存证 Prove and verify events in the log."),
    "keys": Entry("cli.keys:keys", "密钥 List and rotate the keys that seal L4 columns."),
    "share": Entry("cli.share.group:share", "共享 Grant, revoke, and write profile files."),
    "portal": Entry("cli.portal:portal", "门户 Build or serve the pages for data officers."),
    "sandbox": Entry("cli.sandbox:sandbox", "沙盘 Make the simulated city's exports."),
    "bench": Entry("cli.bench:bench", "测速 Measure the stages on this machine."),
    "test": Entry("cli.test:test", "测试 Run every check and test of this project."),
}


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    name="jingshu",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="例 Example: ./jingshu run --date 2026-07-15",
)
@click.option(
    "--contracts",
    type=click.Path(exists=True, file_okay=False, resolve_path=True),
    metavar="DIR",
    help="契约目录 Use this contracts tree instead of the packaged one (JINGSHU_CONTRACTS).",
)
@click.option(
    "--home",
    type=click.Path(file_okay=False, resolve_path=True),
    metavar="DIR",
    help="状态目录 Keep all state here instead of ./var (JINGSHU_HOME).",
)
def jingshu(contracts: str | None, home: str | None) -> None:
    """京枢 Jingshu: a governed lakehouse for a city, driven by data contracts."""
    # The environment, not click's context: tasks and servers run in other processes.
    if contracts is not None:
        os.environ["JINGSHU_CONTRACTS"] = contracts
    if home is not None:
        os.environ["JINGSHU_HOME"] = home
    if keep_private(root := Home.from_env().root):
        _after_an_older_version(root)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and exit; no error shows a traceback, which may quote data.

    A command returns its exit code, or ``None`` for 0. ``JINGSHU_DEBUG=1`` shows every traceback.
    """
    try:
        status = jingshu.main(args=arguments, prog_name="jingshu", standalone_mode=False)
    except JingshuError as error:
        if os.environ.get("JINGSHU_DEBUG") == "1":
            raise
        _fail(str(error), 2 if isinstance(error, UsageError) else 1)
    except click.Abort:  # what click makes of Ctrl-C
        _fail("已中断 interrupted", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        if os.environ.get("JINGSHU_DEBUG") == "1":
            raise
        _fail(_wordless(error), 1)
    sys.exit(status if isinstance(status, int) else 0)


def _after_an_older_version(root: Path) -> None:
    """Take out of a home that others could read what must not stand in it."""
    from jobs.checks.kept import clean

    if cleaned := clean(Home(root).quality):
        click.echo(
            f"旧版本留下的 {cleaned} 份检查结果中的数据值已删除。"
            f" Values that an older version had kept were taken out of {cleaned} validation"
            " results.",
            err=True,
        )


def _wordless(error: Exception) -> str:
    """Name an error of ours that is nobody's to see: its words may quote a cell."""
    from jobs.faults import cause, places

    return (
        f"{cause(error)}, {places(error)}. 这是京枢的缺陷，请附此行报告；JINGSHU_DEBUG=1 显示全文。"
        " This is a fault of Jingshu: report it with this line. JINGSHU_DEBUG=1 shows all of it."
    )


def _fail(message: str, status: int) -> NoReturn:
    click.echo(f"错误 error: {message}", err=True)
    sys.exit(status)
