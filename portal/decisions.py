"""What a chief data officer has to decide or chase, gravest first, with the command for it.

Pure: everything comes from the governance tables and the contracts. No I/O, no clock.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.words import Words
from jobs.record.conservation import account
from portal.words import CONTENT, Word, word_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from contracts.model import Contract, Provider
    from jobs.record.governance import BatchRow, CheckRow, DeliveryRow, FindingRow
    from portal.deliveries import Line


@dataclass(frozen=True)
class Kind:
    """A sort of decision: what has happened, and what it asks for."""

    word: Word
    action: Words


REFUSED: Final = Kind(
    Word("拒收", "refused", "bad"),
    Words("排除原因，重新交付", "remove the cause, deliver again"),
)
HELD: Final = Kind(Word("暂扣待定", "held", "bad"), Words("放行或退回", "release or reject"))
UNBALANCED: Final = Kind(Word("行数对不上", "rows do not add up", "bad"), Words("核验", "verify"))
FAILED: Final = Kind(Word("处理失败", "failed", "bad"), Words("重试", "retry"))
MISSING: Final = Kind(
    Word("缺交", "missing", "bad"), Words("催报；到了再跑", "chase; run when it is there")
)
REJECTED: Final = Kind(
    Word("已退回", "rejected", "bad"), Words("要求更正重交", "ask for a correction")
)
DRIFT: Final = Kind(
    Word("结构有变", "layout drift", "warn"),
    Words("修订契约或要求恢复", "amend contract or revert"),
)
QUALITY: Final = Kind(
    Word("检查不合格", "failed checks", "warn"), Words("要求整改", "ask for a fix")
)
LEVEL: Final = Kind(
    Word("内容高于定级", "holds more than its level", "bad"),
    Words("提高定级，或要求去除", "raise the level, or have it removed"),
)
PERSONAL: Final = Kind(
    Word("未约定的个人信息", "unexpected personal information", "warn"),
    Words("写入契约，或要求去除", "name it in the contract, or have it removed"),
)
OVER: Final = Kind(Word("定级偏高", "graded too high"), Words("复核定级", "review the level"))
LATE: Final = Kind(Word("迟交", "late", "warn"), Words("提醒", "remind"))
OF_FINDING: Final[Mapping[str, Kind]] = {
    "under_graded": LEVEL,
    "unexpected_personal_information": PERSONAL,
    "over_graded": OVER,
}
_ORDER: Final = (
    REFUSED,
    HELD,
    LEVEL,
    UNBALANCED,
    FAILED,
    MISSING,
    REJECTED,
    PERSONAL,
    DRIFT,
    QUALITY,
    LATE,
    OVER,
)
OF_STATUS: Final[Mapping[str, Kind]] = {
    "refused": REFUSED,
    "held": HELD,
    "failed": FAILED,
    "rejected": REJECTED,
}
OF_STATE: Final[Mapping[str, Kind]] = {"refused": REFUSED, "missing": MISSING, "late": LATE}
_SHOWN_REASONS: Final = 3


@dataclass(frozen=True)
class Owner:
    """Who answers: the user names of the chief data officer and the steward, where known."""

    cdo: str
    steward: str


@dataclass(frozen=True)
class Decision:
    """One thing to decide: what, whose, why, since when, and how."""

    kind: Kind
    provider: Provider
    dataset: str
    title: str
    dates: tuple[date, ...]
    """The business dates it is about: one today, several where it stays open."""
    why: tuple[Words, ...]
    more: int
    """Further reasons that the details list."""
    since: datetime
    owner: Owner
    commands: tuple[str, ...]
    is_simulated: bool
    anchor: str | None

    @property
    def is_urgent(self) -> bool:
        """Tell whether data waits for it; what is not urgent is for following up."""
        return self.kind.word.tone == "bad"


def owner_of(contract: Contract | None, provider: Provider) -> Owner:
    """Read who answers from the contract's team; a shared contract names none for a provider."""
    members = contract.members if contract else ()
    found = {
        kind: next((m.username for m in members if any(w in m.role.lower() for w in words)), "")
        for kind, words in {
            "cdo": ("首席数据官", "cdo"),
            "steward": ("数据管家", "steward"),
        }.items()
    }
    is_shared = contract is not None and len(contract.servers) > 1
    cdo = (provider.cdo or found["cdo"]) if is_shared else (found["cdo"] or provider.cdo)
    return Owner(cdo, found["steward"])


def decisions(
    of_date: Sequence[Line], checks: Iterable[CheckRow], findings: Iterable[FindingRow] = ()
) -> tuple[Decision, ...]:
    """Return what the date asks to be decided."""
    of_batch: dict[tuple[str, str, str], list[CheckRow]] = defaultdict(list)
    for check in checks:
        of_batch[check.provider, check.dataset, check.batch_id].append(check)
    seen: dict[tuple[str | None, Kind], list[FindingRow]] = defaultdict(list)
    for finding in findings:
        seen[finding.batch_id, OF_FINDING[finding.status]].append(finding)
    found = [
        decision
        for line in of_date
        for decision in _of_line(
            line, of_batch[line.delivery.provider, line.delivery.dataset, _batch_id(line)]
        )
    ]
    return gravest_first([*found, *(d for line in of_date for d in _of_content(line, seen))])


def _of_content(
    line: Line, seen: Mapping[tuple[str | None, Kind], Sequence[FindingRow]]
) -> Iterator[Decision]:
    """Yield what a scan of the batch disagrees with its contract about."""
    batch = line.own_batch
    for kind in OF_FINDING.values():
        rows = seen.get((batch.batch_id, kind), ()) if batch is not None else ()
        if batch is not None and rows:
            why = tuple(finding_sentence(r) for r in rows)
            yield _decision(line, kind, why, batch.finished_at, finding_commands(batch))


def finding_sentence(finding: FindingRow) -> Words:
    """Say what a column holds and how it is graded: never a value."""
    word = word_for(CONTENT, finding.kind)
    where = finding.column or finding.table_name
    counted = f"{finding.matching:,}/{finding.checked:,}"
    level: str = finding.declared_level
    if finding.proposed_level != finding.declared_level:
        level = f"{level} → {finding.proposed_level}"
    return Words(
        f"{where} 含{word.zh}（{counted}）：{level}",
        f"{where} holds {word.en} ({counted}): {level}",
    )


def _batch_id(line: Line) -> str:
    return line.own_batch.batch_id if line.own_batch else ""


def _of_line(line: Line, checks: Sequence[CheckRow]) -> Iterator[Decision]:
    batch, delivery = line.own_batch, line.delivery
    failed = sorted(
        (c for c in checks if c.status in ("failed", "error") and c.severity == "error"),
        key=lambda c: (-(c.failed or 0), c.rule_id),
    )
    drift = [c for c in checks if _is_drift(c)]
    stopped = OF_STATUS.get(batch.status) if batch else None
    if batch is not None and stopped is not None:
        # The failed checks are the grounds of this very decision: one item, not two.
        why = (*line.reasons, *(_sentence(c) for c in failed if not _is_drift(c)))
        yield _decision(line, stopped, why, batch.finished_at, batch_commands(batch))
    elif batch is not None and (quality := [c for c in failed if not _is_drift(c)]):
        show = (_command("batch", "show", batch.batch_id),)
        why = tuple(_sentence(c) for c in quality)
        if batch.rows_quarantined:
            count = f"{batch.rows_quarantined:,}"
            why = (Words(f"隔离 {count} 行", f"{count} rows in quarantine"), *why)
        yield _decision(line, QUALITY, why, batch.finished_at, show)
    state = OF_STATE.get(delivery.state)
    if state is not None and state is not stopped:
        since = delivery.recorded_at if state is REFUSED else delivery.due_at
        why = (Words.read(delivery.reason),) if delivery.reason else ()
        yield _decision(line, state, why, since, delivery_commands(delivery, batch))
    if batch is not None and drift:
        command = (_command("contract", "show", delivery.contract_id),)
        why = tuple(_sentence(c) for c in drift)
        yield _decision(line, DRIFT, why, batch.finished_at, command)
    if batch is not None and account(batch).lost:
        commands = (_command("verify"), _command("batch", "show", batch.batch_id))
        yield _decision(line, UNBALANCED, (_sums(batch),), batch.finished_at, commands)


def _sums(batch: BatchRow) -> Words:
    """Say which rows do not add up."""
    landed, published = batch.rows_landed, batch.rows_published
    quarantined, duplicate = batch.rows_quarantined, batch.rows_duplicate
    return Words(
        f"落地 {landed} ≠ 发布 {published} + 隔离 {quarantined} + 重复 {duplicate}",
        f"landed {landed} ≠ published {published} + quarantined {quarantined}"
        f" + duplicate {duplicate}",
    )


def _is_drift(check: CheckRow) -> bool:
    """Tell whether landing found another layout than the contract's."""
    return check.status == "failed" and (check.engine == "land" or "drift" in check.rule_id)


def _sentence(check: CheckRow) -> Words:
    """Say what failed, by rule and count: never a value."""
    told = Words.read(check.message or check.rule_id)
    if check.checked and check.failed:
        counted = f"({check.failed:,}/{check.checked:,})"
        return Words(f"{told.zh} {counted}", f"{told.en} {counted}")
    return told


def _decision(
    line: Line, kind: Kind, why: Iterable[Words], since: datetime, commands: tuple[str, ...]
) -> Decision:
    reasons = tuple(dict.fromkeys(why))
    return Decision(
        kind=kind,
        provider=line.provider,
        dataset=line.delivery.dataset,
        title=line.title,
        dates=(line.delivery.business_date,),
        why=reasons[:_SHOWN_REASONS],
        more=max(0, len(reasons) - _SHOWN_REASONS),
        since=since,
        owner=owner_of(line.contract, line.provider),
        commands=commands,
        is_simulated=line.is_simulated,
        anchor=line.anchor,
    )


def _command(*words: str) -> str:
    return shlex.join(("./jingshu", *words))


def _run_again(row: DeliveryRow | BatchRow) -> str:
    return _command("run", "--date", row.business_date.isoformat(), "--providers", row.provider)


def batch_commands(batch: BatchRow) -> tuple[str, ...]:
    """Return the commands that settle a batch which stopped."""
    show = _command("batch", "show", batch.batch_id)
    if batch.status == "held":
        return (
            show,
            _command("batch", "release", batch.batch_id, "--reason", "…"),
            _command("batch", "reject", batch.batch_id, "--reason", "…"),
        )
    if batch.status == "failed":
        return (show, _command("batch", "retry", batch.batch_id))
    return (show, _run_again(batch))


def finding_commands(batch: BatchRow) -> tuple[str, ...]:
    """Return the commands that show a batch, and the contract that says otherwise."""
    return (
        _command("batch", "show", batch.batch_id),
        _command("contract", "show", batch.contract_id),
    )


def delivery_commands(delivery: DeliveryRow, batch: BatchRow | None) -> tuple[str, ...]:
    """Return the commands for a delivery that came late or not at all."""
    if delivery.state == "late" and batch is not None:
        return (_command("batch", "show", batch.batch_id),)
    return (_run_again(delivery),)


def gravest_first(found: Iterable[Decision]) -> tuple[Decision, ...]:
    """Sort decisions by gravity, then by how long they have been waiting."""
    return tuple(
        sorted(
            found,
            key=lambda d: (
                _ORDER.index(d.kind),
                d.since,
                d.provider.code,
                d.provider.id,
                d.dataset,
            ),
        )
    )
