"""What can go wrong with lineage: a column without a source, a level that was lost."""

from __future__ import annotations

from contracts.errors import JingshuError
from contracts.words import Words


class LineageError(JingshuError, ValueError):
    """A column, an event or a plan whose lineage cannot be told; the message names it."""


class TagLossError(JingshuError, ValueError):
    """A column that would carry a lower level than what it is made of.

    ``column`` is its full name, ``path`` the way from it to the input that is above it.
    """

    def __init__(self, column: str, path: tuple[str, ...], problem: Words, remedy: Words) -> None:
        way = " ← ".join(path)
        told = Words(f"{column}：{problem.zh}（{way}）。", f"{column}: {problem.en} ({way}).")
        super().__init__(told, remedy)
        self.column = column
        self.path = path
        self.args = (column, path, problem, remedy)


def no_event(file: str, line: int) -> LineageError:
    """Return the error for a line of a file of events that is none."""
    place = f"lineage/events/{file}:{line}"
    return LineageError(
        Words(f"{place} 不是 OpenLineage 事件。", f"{place} is no OpenLineage event."),
        Words(
            "请从备份恢复该文件，或将其删除并重新运行相应阶段。",
            "Restore the file from a backup, or remove it and run its stage again.",
        ),
    )
