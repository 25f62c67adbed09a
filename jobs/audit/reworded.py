"""A batch that is audited again: what its results were told in stays, where only words are new.

An older Jingshu told each message in one string of two languages. Audited again, such a batch has
the same results in other words; governance and evidence go on saying what they said.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from contracts.words import Words
from jobs.audit.digest import digest_of
from jobs.record import governance
from jobs.stages import CheckResult

if TYPE_CHECKING:
    from contracts.layout import Home
    from jobs.record.governance import CheckRow
    from jobs.stages import Verdict

_NUMBERS: Final = re.compile(r"\d+(?:\.\d+)?")
_FACTS: Final = tuple(name for name in CheckResult.model_fields if name != "message")


def as_stated(home: Home, verdict: Verdict) -> Verdict:
    """Return a verdict in the words of its batch's newest audit, where nothing else differs."""
    told = {row.rule_id: row for row in governance.check_results(home, [verdict.batch_id])}
    results = verdict.results
    if {r.rule_id for r in results} != told.keys() or len(results) != len(told):
        return verdict
    if not all(_says_the_same(told[r.rule_id], r) for r in results):
        return verdict
    kept = tuple(r.model_copy(update={"message": told[r.rule_id].message}) for r in results)
    digest = digest_of(kept, verdict.decision)
    return verdict.model_copy(update={"results": kept, "digest": digest})


def _says_the_same(before: CheckRow, now: CheckResult) -> bool:
    if any(getattr(before, name) != getattr(now, name) for name in _FACTS):
        return False
    return before.message == now.message or _is_older_text(before.message, now.message)


def _is_older_text(before: str, now: str) -> bool:
    """Tell whether a text of one string holds what is told in each language now."""
    words = Words.read(now)
    is_one_string = Words.read(before).zh == before
    numbers = set(_NUMBERS.findall(before))
    return is_one_string and words.zh != words.en and numbers == set(_NUMBERS.findall(words.en))
