"""The page of commands: every command's words, options and examples, as click has them."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Final

import click

from cli.main import COMMANDS, jingshu
from infra.reference.markdown import code, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUMMARY: Final = (
    "Every command, with the words of its `--help`. Options of `jingshu` itself stand before the"
    " command's name. Exit codes: 0 done and well, 1 a finding or an error, 2 wrong usage,"
    " 130 interrupted."
)


def commands() -> str:
    """Return the page."""
    parts = ["## Options of every command", _parameters(jingshu)]
    for path, command in every_command():
        parts += _command(path, command)
    return page("Commands", _SUMMARY, *parts)


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
        yield f"Usage: `{' '.join(('jingshu', *path, *pieces))}`"
    if any(isinstance(p, click.Option) for p in command.params):
        yield _parameters(command)
    if examples := list(_examples(command.epilog or "")):
        yield "\n".join(["```sh", *examples, "```"])


def _words(text: str) -> str:
    r"""Return a help text's paragraphs; click marks with \b those whose lines stay."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(_paragraph(p) for p in paragraphs if p.strip())


def _paragraph(text: str) -> str:
    text = text.replace("``", "`")
    if "\b" not in text:
        return " ".join(text.split())
    return "  \n".join(line.strip() for line in text.replace("\b", "").strip().splitlines())


def _parameters(command: click.Command) -> str:
    options = (p for p in command.params if isinstance(p, click.Option) and not p.hidden)
    return table(("option", "", "meaning"), [(_names(o), _needs(o), o.help or "") for o in options])


def _names(option: click.Option) -> str:
    names = ", ".join((*option.opts, *option.secondary_opts))
    taken = "" if option.is_flag else f" {option.make_metavar(click.Context(jingshu))}"
    return code(names + taken)


def _needs(option: click.Option) -> str:
    """Return whether an option must stand, may stand often, or what it is without it."""
    if option.required:
        return "required"
    if option.multiple:
        return "any number"
    given = option.default
    is_plain = isinstance(given, str | int | float) and not isinstance(given, bool)
    return f"default {code(str(given))}" if is_plain and str(given) else ""


def _examples(epilog: str) -> Iterator[str]:
    for line in epilog.replace("\b", "").splitlines():
        if example := re.sub(r"^\s*例 Example:", "", line).strip():
            yield example
