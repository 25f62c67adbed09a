"""What ``TABLE[.COLUMN]`` means: names as people write them, found among those of the events."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Protocol

from contracts.errors import UsageError
from contracts.words import Words
from lineage.facts import OURS, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lineage.facts import Ran


class Names(Protocol):
    """What finding a name asks of the events; ``Store`` answers it."""

    def names(self) -> list[str]:
        """Return every data set that a run read or wrote, in order."""

    def newest_write(self, name: str) -> Ran | None:
        """Return the newest run that wrote a data set."""

    def newest_read(self, name: str) -> Ran | None:
        """Return the newest run that read a data set."""


def find(facts: Names, text: str) -> tuple[str, str | None]:
    """Return data set and column that ``TABLE[.COLUMN]`` means; UsageError where none does.

    A table without its layer is the most refined one of that name.
    """
    known = facts.names()
    missed: UsageError | None = None
    for name, column in _candidates(text, known):
        columns = _columns(facts, name)
        if columns is None:
            continue
        if column is None or column in columns:
            return name, column
        missed = missed or _no_column(printable(name), printable(column), columns)
    raise missed or unknown(text, known)


def unknown(text: str, known: Sequence[str]) -> UsageError:
    """Return the error for a name that no event speaks of, with what is near to it."""
    if not known:
        return UsageError(
            Words("尚未记录血缘。", "No lineage is recorded yet."),
            Words("请先运行 ./jingshu run。", "Run ./jingshu run first."),
        )
    near = get_close_matches(text, known, n=5, cutoff=0.4) or list(known[:5])
    asked, found = printable(text), [printable(n) for n in near]
    return UsageError(
        Words(f"没有事件提及 {asked!r}。", f"No event speaks of {asked!r}."),
        Words(f"请从相近的名称中选择：{'、'.join(found)}。", f"Near to it: {', '.join(found)}."),
    )


def _no_column(name: str, column: str, columns: Iterable[str]) -> UsageError:
    known = [printable(c) for c in sorted(columns)]
    return UsageError(
        Words(f"{name} 没有列 {column!r}。", f"{name} has no column {column!r}."),
        Words(
            f"它的列有：{'、'.join(known) or '（未见记录）'}。",
            f"It has: {', '.join(known) or 'none that is recorded'}.",
        ),
    )


def _columns(facts: Names, name: str) -> set[str] | None:
    """Return a data set's columns; None where no run made or read it."""
    run = facts.newest_write(name)
    if run is not None:
        use = run.wrote(name)
        return {*use.graph.columns, *use.about.levels} if use and use.graph else set()
    run = facts.newest_read(name)
    use = run.read(name) if run else None
    return None if use is None else set(use.about.levels)


def _candidates(text: str, known: Sequence[str]) -> list[tuple[str, str | None]]:
    """Return the data sets and columns that a text may mean, the likeliest first."""

    def rank(name: str) -> int:
        return next((i for i, layer in enumerate(OURS) if name.startswith(layer)), len(OURS))

    found: list[tuple[bool, int, int, str, str | None]] = []
    for name in known:
        for alias in {name, name.rpartition("/")[2]} - {""}:
            if text == alias:
                found.append((alias != name, rank(name), -len(alias), name, None))
            elif text.startswith(f"{alias}."):
                column = text[len(alias) + 1 :]
                found.append((alias != name, rank(name), -len(alias), name, column))
    return [(name, column) for *_, name, column in sorted(found, key=lambda f: f[:4])]
