"""The errors people see: each names the thing and ends with what to do."""

from __future__ import annotations


class JingshuError(Exception):
    """Base of every error this project raises on purpose.

    ``remedy`` is one sentence in the imperative; ``str(error)`` ends with it.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem} {self.remedy}"


class UsageError(JingshuError, ValueError):
    """What was asked for does not exist or cannot be meant (exit code 2)."""


class BadValueError(ValueError):
    """A value that a type refuses; ``remedy`` says what to write instead."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Keep the remedy: exceptions cross process borders."""
        return type(self), (str(self), self.remedy)
