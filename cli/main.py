"""The command group: names and one-line helps here, everything else imported when called.

Exit codes are the same for every command: 0 done and well, 1 a finding or an error, 2 wrong usage,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from cli.lazy import CellFormatter, Entry, LazyGroup
from contracts.errors import JingshuError, UsageError
from contracts.layout import Home
from contracts.private import keep_private
from contracts.words import Words, text

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = {
    "run": Entry(
        "cli.run:run",
        text("在内置的运行环境里跑一个城市日。", "Run one city day on the embedded stack."),
    ),
    "up": Entry(
        "cli.stack:up", text("启动运行环境并保持运行。", "Start the stack and keep it running.")
    ),
    "down": Entry("cli.stack:down", text("停止 `up` 启动的一切。", "Stop all that `up` started.")),
    "status": Entry(
        "cli.stack:status", text("显示运行着什么、在哪里。", "Show what is running, and where.")
    ),
    "try": Entry(
        "cli.try_:try_file",
        text(
            "让一个文件走完各阶段，不发布任何数据。",
            "Take one file through all stages; publish nothing.",
        ),
    ),
    "land": Entry(
        "cli.land:land",
        text("离线落地一份导出文件，不需要 Spark。", "Land one export offline, without Spark."),
    ),
    "verify": Entry(
        "cli.verify:verify",
        text("从存下的文件证明各项不变量。", "Prove the invariants from the stored files."),
    ),
    "batch": Entry(
        "cli.batch:batch",
        text(
            "列出、重试、放行、退回或撤回批次。",
            "List, retry, release, reject or withdraw batches.",
        ),
    ),
    "backfill": Entry(
        "cli.backfill:backfill",
        text("把一份契约的若干日期重做一遍。", "Do some dates of a contract again."),
    ),
    "contract": Entry(
        "cli.contract:contract",
        text("校验数据契约，查看契约的内容。", "Lint data contracts, and show what one says."),
    ),
    "quarantine": Entry(
        "cli.quarantine:quarantine",
        text("按规则和行号列出坏行。", "List bad rows by rule and line."),
    ),
    "lineage": Entry(
        "cli.lineage:lineage",
        text("沿一张表或一列向上或向下追溯。", "Follow a table or a column up or down."),
    ),
    "evidence": Entry(
        "cli.evidence.group:evidence",
        text("证明并核验日志里的存证。", "Prove and verify events in the log."),
    ),
    "keys": Entry(
        "cli.keys:keys",
        text("列出并轮换封存四级列的密钥。", "List and rotate the keys that seal L4 columns."),
    ),
    "share": Entry(
        "cli.share.group:share",
        text("授权、撤销，并写出凭证文件。", "Grant, revoke, and write profile files."),
    ),
    "portal": Entry(
        "cli.portal:portal",
        text("生成或提供数据官的页面。", "Build or serve the pages for data officers."),
    ),
    "sandbox": Entry(
        "cli.sandbox:sandbox",
        text("生成模拟城市的导出文件。", "Make the simulated city's exports."),
    ),
    "bench": Entry(
        "cli.bench:bench", text("测量各阶段在本机的速度。", "Measure the stages on this machine.")
    ),
    "test": Entry(
        "cli.test:test",
        text("运行本项目的全部检查与测试。", "Run every check and test of this project."),
    ),
}

click.Context.formatter_class = CellFormatter


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    name="jingshu",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=text(
        "京枢：由数据契约驱动的城市级治理湖仓。",
        "Jingshu: a governed lakehouse for a city, driven by data contracts.",
    ),
    epilog=f"\b\n{text('示例：', 'Example:')}\n  ./jingshu run --date 2026-07-15",
)
@click.option(
    "--contracts",
    type=click.Path(exists=True, file_okay=False, resolve_path=True),
    metavar="DIR",
    help=text(
        "用这个契约目录，不用自带的（JINGSHU_CONTRACTS）。",
        "Use this contracts tree instead of the packaged one (JINGSHU_CONTRACTS).",
    ),
)
@click.option(
    "--home",
    type=click.Path(file_okay=False, resolve_path=True),
    metavar="DIR",
    help=text(
        "全部状态存在这里，不存在 ./var（JINGSHU_HOME）。",
        "Keep all state here instead of ./var (JINGSHU_HOME).",
    ),
)
def jingshu(contracts: str | None, home: str | None) -> None:
    """Jingshu: a governed lakehouse for a city, driven by data contracts."""
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
        _fail(error.words, 2 if isinstance(error, UsageError) else 1)
    except click.Abort:  # what click makes of Ctrl-C
        _fail(Words("已中断。", "Interrupted."), 130)
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
        told = text(
            f"旧版本留下的 {cleaned} 份检查结果中的数据值已删除。",
            f"Values that an older version had kept were taken out of {cleaned} validation"
            " results.",
        )
        click.echo(told, err=True)


def _wordless(error: Exception) -> Words:
    """Name an error of ours that is nobody's to see: its words may quote a cell."""
    from jobs.faults import cause, places

    what, where = cause(error), places(error)
    return Words(
        f"{what.zh}，{where.zh}。这是京枢的缺陷，请附此行报告；JINGSHU_DEBUG=1 显示全文。",
        f"{what.en}, {where.en}. This is a fault of Jingshu: report it with this line."
        " JINGSHU_DEBUG=1 shows all of it.",
    )


def _fail(message: Words, status: int) -> NoReturn:
    click.echo(text(f"错误：{message.zh}", f"Error: {message.en}"), err=True)
    sys.exit(status)
