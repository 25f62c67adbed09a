"""What the project tells people to type: every command and piece of code of its pages and helps."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

import click

from cli.main import jingshu
from contracts.layout import ROOT
from infra.reference.commands import every_command

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["command", "python", "file"]
_PAGES: Final = (
    "README.md",
    "README.zh.md",
    "CONTRIBUTING.md",
    *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")),
)
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAMED: Final = re.compile(r"`([^`\n]+)`[:：]\n+\Z")
_SPAN: Final = re.compile(r"`([^`\n]+)`")
#: What begins a command of ours or of a program that we tell people to call.
_COMMAND: Final = re.compile(r"(?:[A-Z_]+=\S+ )*(?:\./jingshu|uv|python3?|\.venv/bin/\w+) \S")
#: What stands over, or before, the examples below a command's help, in either language.
_HEADING: Final = re.compile(r"^\s*(?:示例：|例)?\s*(?:Example:)?")
_OPTIONAL: Final = re.compile(r"\s*\[[^\]]*\]")


#: What comes before a command's name: variables, the program, options of all commands.
_BEFORE_NAME: Final = re.compile(r"^(\w+=\S+ )*\./jingshu (--\w+ \S+ )*")


@dataclass(frozen=True)
class Snippet:
    """One thing to type: ``where`` it stands, and for a file of an example, its ``name``."""

    where: str
    kind: Kind
    text: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.text.splitlines()[0][:60]}"


def snippets() -> list[Snippet]:
    """Return every snippet of the pages and of every command's help, in the order they stand."""
    return [s for page in _PAGES for s in of_page(page)] + list(of_helps())


def of_page(page: str) -> Iterator[Snippet]:
    """Yield a page's fenced shell, Python and files, and the commands among its words."""
    text = (ROOT / page).read_text("utf-8")
    for fence in _FENCE.finditer(text):
        language, body = fence.groups()
        named = _NAMED.search(text[: fence.start()])
        if language == "sh":
            yield from (
                Snippet(page, "command", part)
                for line in body.splitlines()
                for part in commands_of(line)
            )
        elif language == "python":
            yield Snippet(page, "python", body)
        elif language:
            assert named is not None, f"{page}: what is the file below called?\n{body[:200]}"
            yield Snippet(page, "file", body, named[1])
    for span in _SPAN.findall(_FENCE.sub("", text)):
        if _COMMAND.match(span):
            yield from (Snippet(page, "command", part) for part in commands_of(span))


def of_helps() -> Iterator[Snippet]:
    """Yield the examples below every command's help."""
    for path, command in every_command():
        where = " ".join(("jingshu", *path, "--help"))
        for line in (command.epilog or "").replace("\b", "").splitlines():
            typed = _HEADING.sub("", line).strip()
            yield from (Snippet(where, "command", part) for part in commands_of(typed))


def commands_of(line: str) -> Iterator[str]:
    """Yield the commands of a line, without comments and what is optional in brackets."""
    for part in _OPTIONAL.sub("", line.partition(" #")[0]).split(" && "):
        if part.strip() and not part.startswith("export "):  # the shell's own
            yield part.strip()


def core(command: str) -> str:
    """Return a command without what comes before its name."""
    return _BEFORE_NAME.sub("", command)


def typed(*beginnings: str) -> tuple[str, ...]:
    """Return the commands of ours that begin so, as they are written, each once."""
    begin = tuple(f"{name} " for name in beginnings)
    return tuple(text for text in _ours() if f"{core(text)} ".startswith(begin))


@cache
def _ours() -> tuple[str, ...]:
    told = (s.text for s in snippets() if s.kind == "command" and "./jingshu " in s.text)
    return tuple(dict.fromkeys(told))


def parse(argv: list[str]) -> tuple[str, ...]:
    """Let the real command line read a command down to its last option; return its path.

    Raises what click raises for what it does not know.
    """
    context = jingshu.make_context("jingshu", list(argv))
    path: tuple[str, ...] = ()
    group: click.Command = jingshu
    while isinstance(group, click.Group):
        rest = [*context._protected_args, *context.args]
        name, command, rest = group.resolve_command(context, rest)
        assert command is not None
        path = (*path, str(name))
        context = command.make_context(name, rest, parent=context)
        group = command
    return path


def words_of(command: str) -> list[str]:
    """Return a command's words, its variables left out."""
    words = shlex.split(command)
    while re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    return words


#: The path of every command and group.
SUBCOMMANDS: Final = frozenset(path for path, _ in every_command())
