"""The pages of commands: every command's words, options and examples, as click has them.

Commands choose their language when they are imported, so each page is made by a process of its own:
``python -m infra.reference.commands``.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import click

from cli.main import COMMANDS, jingshu
from contracts.layout import ROOT
from contracts.words import SETTING, Words, reader, text
from infra.reference.markdown import code, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.words import Language

_TITLE: Final = Words("命令", "Commands")
#: The page in the other language.
_TWIN: Final = Words("[English](commands.md)", "[中文](commands.zh.md)")
_SUMMARY: Final = Words(
    "每条命令，文字同其 `--help`。`jingshu` 自身的选项写在命令名之前。退出码：0 完成且正常，"
    "1 有发现或出错，2 用法有误，130 被中断。",
    "Every command, with the words of its `--help`. Options of `jingshu` itself stand before the"
    " command's name. Exit codes: 0 done and well, 1 a finding or an error, 2 wrong usage,"
    " 130 interrupted.",
)
#: What stands over, or before, the examples below a command's help.
_HEADING: Final = re.compile(r"^\s*(?:示例：|例)?\s*(?:Example:)?")


def commands(language: Language) -> str:
    """Return the page as a reader of one language has it."""
    told = subprocess.run(
        [sys.executable, "-m", __name__],
        cwd=ROOT,
        env={**os.environ, SETTING: language, "PYTHONUTF8": "1"},
        check=True,
        stdout=subprocess.PIPE,
    )
    return told.stdout.decode("utf-8")


def this_page() -> str:
    """Return the page in this process's language."""
    language: Language = "zh" if reader() == "zh" else "en"
    parts = [f"## {text('各命令共有的选项', 'Options of every command')}", _parameters(jingshu)]
    for path, command in every_command():
        parts += _command(path, command)
    summary = f"{_TWIN.to(language)}\n\n{_SUMMARY.to(language)}"
    return page(_TITLE.to(language), summary, *parts, language=language)


def every_command() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command and group with its path, a group before what is below it."""
    for name, entry in COMMANDS.items():
        yield from _below((name,), entry.load())


def _below(
    path: tuple[str, ...], command: click.Command
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from _below((*path, name), child)


def _command(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    level = "##" if len(path) == 1 else "###"
    yield f"{level} {' '.join(path)}"
    yield _words(command.help or "")
    if not isinstance(command, click.Group):
        pieces = command.collect_usage_pieces(click.Context(command))
        usage = " ".join(("jingshu", *path, *pieces))
        yield text(f"用法：`{usage}`", f"Usage: `{usage}`")
    if any(isinstance(p, click.Option) for p in command.params):
        yield _parameters(command)
    if examples := list(_examples(command.epilog or "")):
        yield "\n".join(["```sh", *examples, "```"])


def _words(told: str) -> str:
    r"""Return a help text's paragraphs; click marks with \b those whose lines stay."""
    paragraphs = inspect.cleandoc(told).split("\n\n")
    return "\n\n".join(_paragraph(p) for p in paragraphs if p.strip())


def _paragraph(told: str) -> str:
    told = told.replace("``", "`")
    if "\b" not in told:
        return " ".join(told.split())
    return "  \n".join(line.strip() for line in told.replace("\b", "").strip().splitlines())


def _parameters(command: click.Command) -> str:
    options = (p for p in command.params if isinstance(p, click.Option) and not p.hidden)
    heads = (text("选项", "option"), "", text("含义", "meaning"))
    return table(heads, [(_names(o), _needs(o), o.help or "") for o in options])


def _names(option: click.Option) -> str:
    names = ", ".join((*option.opts, *option.secondary_opts))
    taken = "" if option.is_flag else f" {option.make_metavar(click.Context(jingshu))}"
    return code(names + taken)


def _needs(option: click.Option) -> str:
    """Return whether an option must stand, may stand often, or what it is without it."""
    if option.required:
        return text("必填", "required")
    if option.multiple:
        return text("可多次", "any number")
    given = option.default
    is_plain = isinstance(given, str | int | float) and not isinstance(given, bool)
    if not is_plain or not str(given):
        return ""
    plain = code(str(given))
    return text(f"默认 {plain}", f"default {plain}")


def _examples(epilog: str) -> Iterator[str]:
    for line in epilog.replace("\b", "").splitlines():
        if example := _HEADING.sub("", line).strip():
            yield example


if __name__ == "__main__":
    sys.stdout.write(this_page())
