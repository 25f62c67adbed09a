"""What can go wrong with lineage: a column without a source, a level that was lost."""

from __future__ import annotations

from contracts.errors import JingshuError


class LineageError(JingshuError, ValueError):
    """A column, an event or a plan whose lineage cannot be told; the message names it."""


class TagLossError(JingshuError, ValueError):
    """A column that would carry a lower level than what it is made of.

    ``column`` is its full name, ``path`` the way from it to the input that is above it.
    """

    def __init__(self, column: str, path: tuple[str, ...], problem: str, remedy: str) -> None:
        way = " ← ".join(path)
        super().__init__(f"{column}: {problem} ({way}).", remedy)
        self.column = column
        self.path = path
        self.args = (column, path, problem, remedy)
