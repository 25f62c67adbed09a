"""What landing noticed of a batch, as results: its layout, and the rows that were announced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.words import Words, listed
from jobs.stages import CheckResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.stages import RefinedBatch


def landing_results(findings: Sequence[str], notes: Sequence[str]) -> list[CheckResult]:
    """Say that the schema held, or the batch would not be here, and what landing noticed.

    Only what the contract does not say is a failure: its footer is passed over as agreed.
    """
    noticed = listed(map(Words.read, findings))
    agreed = listed(map(Words.read, notes))
    zh, en = (f"（{agreed.zh}）", f" ({agreed.en})") if notes else ("", "")
    message = (
        Words(f"与契约不符：{noticed.zh}{zh}", f"not as in the contract: {noticed.en}{en}")
        if findings
        else Words(f"表头与编码如约{zh}", f"header and encoding as agreed{en}")
    )
    return [
        CheckResult(
            rule_id="table.layout",
            column=None,
            dimension="conformity",
            severity="warning",
            status="failed" if findings else "passed",
            checked=1,
            failed=1 if findings else 0,
            threshold=None,
            message=message.stored(),
            engine="land",
        )
    ]


def announced(refined: RefinedBatch) -> list[CheckResult]:
    """Hold the rows that landed against those that the provider's manifest announced."""
    told = refined.batch.rows_announced
    if told is None:
        return []
    differ = rows_differ(told, refined.rows_landed)
    return [
        CheckResult(
            rule_id="manifest.rows",
            column=None,
            dimension="completeness",
            severity="error",
            status="failed" if differ else "passed",
            checked=told,
            failed=abs(told - refined.rows_landed),
            threshold=0.0,
            message=(differ or _as_many(refined.rows_landed)).stored(),
            engine="land",
        )
    ]


def _as_many(rows: int) -> Words:
    return Words(f"清单与文件行数一致：{rows}", f"as many rows as announced: {rows}")


def rows_differ(announced: int | None, landed: int) -> Words | None:
    """Say in words that other rows landed than were announced; nothing where they agree."""
    if announced in (None, landed):
        return None
    return Words(
        f"清单称 {announced} 行，文件有 {landed} 行",
        f"{announced} rows announced, {landed} in the file",
    )
