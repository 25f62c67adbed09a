"""Which generated pages there are, and how they are written."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from contracts.layout import ROOT
from infra.reference.commands import commands
from infra.reference.dialect import dialect
from infra.reference.events import events_page
from infra.reference.settings import settings
from infra.reference.tables import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

FOLDER: Final = ROOT / "docs" / "reference"
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "commands.md": partial(commands, "en"),
    "commands.zh.md": partial(commands, "zh"),
    "contract-dialect.md": dialect,
    "events.md": events_page,
    "settings.md": settings,
    "tables.md": tables,
}


def write(folder: Path = FOLDER, pages: Mapping[str, Callable[[], str]] = PAGES) -> list[str]:
    """Write the pages that are not as the code says; return their names."""
    changed = []
    for name, make in pages.items():
        file, text = folder / name, make()
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            changed.append(name)
    return changed
