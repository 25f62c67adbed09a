"""Why checks stop what they checked, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.words import Words, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.stages import CheckResult

#: As much is told in each language.
_MOST_CHARACTERS: Final = 500


def failed_checks(stopped: Iterable[CheckResult]) -> Words:
    """Say which checks failed, and what each of them found."""
    told = listed(map(_told, stopped))
    return Words(
        f"检查未通过：{told.zh}"[:_MOST_CHARACTERS], f"checks failed: {told.en}"[:_MOST_CHARACTERS]
    )


def _told(result: CheckResult) -> Words:
    message = Words.read(result.message)
    return Words(f"{result.rule_id}：{message.zh}", f"{result.rule_id}: {message.en}")
