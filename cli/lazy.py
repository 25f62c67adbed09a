"""Command groups whose commands are imported when they are called, so that ``--help`` is quick."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any, Final
from unicodedata import east_asian_width

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Stands behind a wide character while lines are measured; no text of ours holds it.
_FILLER: Final = "\0"


class CellFormatter(click.HelpFormatter):
    """Wraps help by the cells of a terminal, of which a Chinese character takes two.

    Every command makes a context of its own, so ``cli.main`` gives it to click for all of them.
    """

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        super().write_text(_widened(text))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write names with what they mean."""
        super().write_dl([(name, _widened(said)) for name, said in rows], col_max, col_spacing)

    def getvalue(self) -> str:
        """Return what was written."""
        return super().getvalue().replace(_FILLER, "")


def _widened(text: str) -> str:
    return "".join(f"{c}{_FILLER}" if east_asian_width(c) in "WF" else c for c in text)


@dataclass(frozen=True)
class Entry:
    """Where one command lives (``module:attribute``) and what the overview says of it."""

    target: str
    help: str

    @property
    def module(self) -> str:
        """The module, which is imported only by ``load``."""
        return self.target.partition(":")[0]

    def exists(self) -> bool:
        """Tell whether the module is there, without importing it or the folder it lies in."""
        parts, within = self.module.split("."), None
        for n in range(1, len(parts) + 1):
            found = PathFinder.find_spec(".".join(parts[:n]), within)
            if found is None:
                return False
            within = found.submodule_search_locations
        return True

    def load(self) -> click.Command:
        """Import the module and return its command."""
        command = getattr(import_module(self.module), self.target.partition(":")[2])
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.target} is not a click command")
        return command


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is called."""

    def __init__(self, *arguments: Any, entries: Mapping[str, Entry], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every command that this version has, in the order of the table."""
        lazy = [name for name, entry in self.entries.items() if entry.exists()]
        return [*lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command; ``None`` where there is no such name."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return super().get_command(ctx, cmd_name)
        return entry.load() if entry.exists() else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the overview, without importing what is in the table."""
        own = [(name, command.get_short_help_str(60)) for name, command in self.commands.items()]
        lazy = [(name, entry.help) for name, entry in self.entries.items() if entry.exists()]
        with formatter.section("Commands"):
            formatter.write_dl([*lazy, *own])
