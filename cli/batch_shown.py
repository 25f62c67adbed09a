"""What is said of a batch to whoever looks at it: where it is, why, and what that means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from cli.words import shown, tell
from contracts.words import Words, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.record.governance import BatchRow, CheckRow, FindingRow
    from jobs.trial import BadRow

_SAMPLE: Final = 10
_MEANING: Final[Mapping[str, Words]] = {
    "landed": Words(
        "已入湖，尚未审核；正在处理，或中途停止",
        "landed and not judged yet; its run goes on, or was cut short",
    ),
    "published": Words(
        "合格行已可读，坏行在隔离区", "its good rows are visible, its bad rows in quarantine"
    ),
    "held": Words(
        "检查未达标，未对外可见，等人放行、退回或重试",
        "its checks failed, nothing of it is visible; a person releases, rejects or retries it",
    ),
    "rejected": Words(
        "未通过，未对外可见，原件已留存",
        "nothing of it is visible, its original bytes are kept",
    ),
    "refused": Words("什么都没有保存", "nothing of it was stored"),
    "failed": Words(
        "处理出错，与数据质量无关；排除后重试",
        "a task gave up, which says nothing about the data: mend the cause, then retry",
    ),
    "superseded": Words("同期更新的数据已取代它", "newer data of its period took its place"),
    "withdrawn": Words("已由人撤回，不再可见", "a person took it back: it is no longer visible"),
}


def meaning(row: BatchRow) -> Words:
    """Say in words what a batch's status means."""
    from portal.words import BATCH, word_for

    word, means = word_for(BATCH, row.status), _MEANING.get(row.status)
    if means is None:
        return Words(word.zh, word.en)
    return Words(f"{word.zh}：{means.zh}", f"{word.en}: {means.en}")


def show_batch(
    row: BatchRow,
    kept: tuple[str | None, str | None],
    failed: list[CheckRow],
    bad: tuple[BadRow, ...],
) -> None:
    """Print what is known of a batch: itself, its files, failed checks and bad rows."""
    _head(row)
    file, manifest = kept
    lost = text("（未留存）", "(not kept)")
    raw = file or f"{row.file_name} {lost}"
    tell(f"原文件：{raw}", f"raw: {raw}")
    listed = manifest or lost
    tell(f"清单：{listed}", f"manifest: {listed}")
    checks = [
        f"{c.severity:<8} {c.rule_id:<30} {c.failed or 0:,}/{c.checked or 0:,}  {shown(c.message)}"
        for c in failed
    ]
    show_list(text("未通过的检查", "Failed checks"), checks)
    show_list(text("坏行", "Bad rows"), _bad_lines(bad))


def _head(row: BatchRow) -> None:
    """Say which batch it is, where it is and why, and how many rows it has."""
    mark = f"{text('模拟数据', 'simulated')} · " if row.origin == "simulated" else ""
    revision = text(f"第 {row.revision} 版", f"revision {row.revision}")
    click.echo(f"{mark}{row.table} {row.business_date} {revision}")
    of = f"{row.batch_id} · {row.contract_id} {row.contract_version}"
    tell(f"批次 {of}", f"batch {of}")
    reason = Words.read(row.reason)
    tell(
        f"状态 {row.status}：{reason.zh}".rstrip("： "),
        f"state {row.status}: {reason.en}".rstrip(": "),
    )
    means = meaning(row)
    tell(f"　　 {means.zh}", f"      {means.en}")
    tell(
        f"落地 {row.rows_landed:,} · 发布 {row.rows_published:,}"
        f" · 隔离 {row.rows_quarantined:,} · 重复 {row.rows_duplicate:,}",
        f"landed {row.rows_landed:,} · published {row.rows_published:,}"
        f" · quarantined {row.rows_quarantined:,} · duplicate {row.rows_duplicate:,}",
    )


def _bad_lines(bad: tuple[BadRow, ...]) -> list[str]:
    line, rows = text("行", "line"), []
    for one in bad[:_SAMPLE]:
        for reason in one.reasons:
            value = "" if reason.value is None else f" = {reason.value!r}"
            why = f"{shown(reason.message)}{value}"
            rows.append(f"{line} {one.line:>6}  {reason.rule_id:<28} {why}")
    if len(bad) > _SAMPLE:
        more = len(bad) - _SAMPLE
        rows.append(text(f"… 另有 {more} 行", f"… {more} more"))
    return rows


def show_list(title: str, lines: list[str]) -> None:
    """Print lines under a title; nothing where there are none."""
    if lines:
        click.echo(f"\n{title}:")
    for line in lines:
        click.echo(f"  {line}")


def finding_line(finding: FindingRow) -> str:
    """Return what a batch holds that its contract does not say, and what is thought of it."""
    from portal.decisions import OF_FINDING, finding_sentence

    word, said = OF_FINDING[finding.status].word, finding_sentence(finding)
    return text(f"{word.zh}：{said.zh}", f"{word.en}: {said.en}")
