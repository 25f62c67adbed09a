"""From facts to notices, without I/O: deliveries, batches, withdrawals, timers, changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from contracts.model import CITY_TZ
from sharing.notices.notice import Notice, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from jobs.governance import BatchRow, DeliveryRow
    from sharing.notices.notice import Kind

_LATE: Final = {"late": ("迟交", "late"), "missing": ("缺交", "missing")}
_REFUSED: Final = ("拒收", "refused")
_HELD: Final = {
    "held": ("暂扣待定", "held"),
    "rejected": ("已退回", "rejected"),
    "refused": _REFUSED,
}


@dataclass(frozen=True)
class Timer:
    """A deadline of a request, as its timers work it out; ``roles`` of ``body`` are to act.

    ``what`` names the duty, such as answer or delivery; ``due_at`` is when it ends, in UTC.
    """

    request: str
    what: Literal["answer", "delivery", "correction", "catalogue", "review", "disposal"]
    body: str
    roles: tuple[str, ...]
    due_at: datetime
    state: Literal["near", "over"]


@dataclass(frozen=True)
class BreakingChange:
    """A new version of a contract that breaks what readers of the old one do."""

    contract: str
    before: str
    after: str
    changes: int
    readers: tuple[str, ...]


_DUTIES: Final = {
    "answer": ("答复", "answer"),
    "delivery": ("提供数据", "delivery"),
    "correction": ("校核答复", "answer to a correction"),
    "catalogue": ("目录更新", "update of the catalogue"),
    "review": ("目录审核", "review of the catalogue"),
    "disposal": ("数据处置证明", "proof of disposal"),
}


def of_deliveries(rows: Iterable[DeliveryRow]) -> Iterator[Notice]:
    """Tell the provider's stewards of each delivery that is late or missing."""
    for row in rows:
        said = _LATE.get(row.state)
        if said is None:
            continue
        what = f"{plain(row.provider)}/{plain(row.dataset)} {row.business_date}"
        due = f"{row.due_at.astimezone(CITY_TZ):%Y-%m-%d %H:%M}"
        yield Notice(
            kind="late",
            fact=f"{row.provider}/{row.dataset}:{row.business_date}:{row.state}",
            body=row.provider,
            role="steward",
            subject=f"{said[0]} {said[1]}: {what}",
            text=_lines(
                f"{what} 应于 {due}（北京时间）前交付，现为{said[0]}。",
                f"{what} was due by {due} (UTC+8) and is {said[1]}.",
            ),
        )


def of_batches(rows: Iterable[BatchRow]) -> Iterator[Notice]:
    """Tell a provider of each batch that is held, rejected or refused: its steward and its CDO."""
    for row in rows:
        said = _HELD.get(row.status)
        if said is None:
            continue
        what = f"{plain(row.provider)}/{plain(row.dataset)} {row.business_date}"
        roles = ("steward", "cdo") if row.status == "held" else ("steward",)
        for role in roles:
            yield Notice(
                kind="held",
                fact=f"{row.provider}/{row.dataset}:{row.batch_id}:{row.status}",
                body=row.provider,
                role=role,
                subject=f"{said[0]} {said[1]}: {what}",
                text=_lines(
                    f"{what} 的批次 {plain(row.batch_id)}：{said[0]}，"
                    f"共 {row.rows_landed:,} 行。理由见门户或 ./jingshu batch list。",
                    f"Batch {plain(row.batch_id)} of {what} is {said[1]}:"
                    f" {row.rows_landed:,} rows. "
                    f"The portal and ./jingshu batch list say why.",
                ),
            )


def of_withdrawal(row: BatchRow, recipients: Sequence[str], tables: Sequence[str]) -> list[Notice]:
    """Tell who reads what a withdrawn batch fed, and its provider; ``tables`` are those shared."""
    what = f"{plain(row.provider)}/{plain(row.dataset)} {row.business_date}"
    fed = ", ".join(plain(t) for t in tables) or "—"
    text = _lines(
        f"{what} 的批次 {plain(row.batch_id)} 已撤回。由它而来的共享表：{fed}；请重新读取。",
        f"Batch {plain(row.batch_id)} of {what} was withdrawn. Shared tables made from it: {fed}; "
        "read them again.",
    )
    told = [(name, "") for name in dict.fromkeys(recipients)] + [(row.provider, "steward")]
    return [
        Notice(
            kind="withdrawal",
            fact=f"{row.provider}/{row.dataset}:{row.batch_id}",
            body=body,
            role=role,
            subject=f"已撤回 withdrawn: {what}",
            text=text,
        )
        for body, role in told
    ]


def of_timers(rows: Iterable[Timer]) -> Iterator[Notice]:
    """Tell who is to act of each deadline that is near, or over (Decree 809, Art. 21, 22, 26)."""
    for row in rows:
        zh, en = _DUTIES[row.what]
        due = f"{row.due_at.astimezone(CITY_TZ):%Y-%m-%d %H:%M}"
        kind: Kind = "overdue" if row.state == "over" else "deadline"
        how = ("已超期", "is overdue") if row.state == "over" else ("即将到期", "is due soon")
        request = plain(row.request)
        for role in row.roles:
            yield Notice(
                kind=kind,
                fact=f"{row.request}:{row.what}:{row.due_at.isoformat()}",
                body=row.body,
                role=role,
                subject=f"{zh}{how[0]} {en} {how[1]}: {request}",
                text=_lines(
                    f"申请 {request}：{zh}{how[0]}，期限 {due}（北京时间）。",
                    f"Request {request}: the {en} {how[1]}; the limit is {due} (UTC+8).",
                ),
            )


def of_breaking_change(change: BreakingChange) -> list[Notice]:
    """Tell each reader of a contract that its new version breaks the old one."""
    name, before, after = plain(change.contract), plain(change.before), plain(change.after)
    return [
        Notice(
            kind="breaking_change",
            fact=f"{change.contract}:{change.before}:{change.after}",
            body=reader,
            role="",
            subject=f"不兼容变更 breaking change: {name} {before} → {after}".replace("→", "->"),
            text=_lines(
                f"契约 {name} 由 {before} 变为 {after}，有 {change.changes} 处不兼容。",
                f"Contract {name} goes from {before} to {after} with {change.changes} breaking "
                "changes.",
            ),
        )
        for reader in dict.fromkeys(change.readers)
    ]


def _lines(zh: str, en: str) -> str:
    return f"{zh}\n\n{en}\n"
