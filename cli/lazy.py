"""Command groups whose commands are imported when they are called, so that ``--help`` is quick."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

import click

from contracts.words import text

if TYPE_CHECKING:
    from collections.abc import Mapping


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
        with formatter.section(text("命令", "Commands")):
            formatter.write_dl([*lazy, *own])
