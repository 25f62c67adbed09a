"""The errors people see: each names the thing and ends with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contracts.words import Words


class JingshuError(Exception):
    """Base of every error this project raises on purpose.

    ``problem`` and ``remedy`` are whole sentences, the remedy in the imperative; ``words`` is
    both, and ``str(error)`` tells them in Chinese and then in English.
    """

    def __init__(self, problem: Words, remedy: Words) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    @property
    def words(self) -> Words:
        """What is wrong and what to do, whole in each language."""
        return self.problem.then(self.remedy)

    def __str__(self) -> str:
        return str(self.words)


class UsageError(JingshuError, ValueError):
    """What was asked for does not exist or cannot be meant (exit code 2)."""


class BadValueError(ValueError):
    """A value that a type refuses; ``remedy`` says what to write instead."""

    def __init__(self, problem: Words, remedy: Words) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[type, tuple[Words, Words]]:
        """Keep the remedy: exceptions cross process borders."""
        return type(self), (self.problem, self.remedy)
