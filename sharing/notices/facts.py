"""From facts to notices, without I/O: deliveries, batches, withdrawals, timers, runs, changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from contracts.model import CITY_TZ
from contracts.words import Words
from sharing.notices.notice import Notice, both, plain
from sharing.people import DATA_AUTHORITY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from contracts.words import Language
    from jobs.record.governance import BatchRow, DeliveryRow
    from sharing.notices.notice import Kind
    from sharing.notices.shape import Break, What
    from sharing.people import Role

_LATE: Final = {"late": Words("迟交", "late"), "missing": Words("缺交", "missing")}
_REFUSED: Final = Words("拒收", "refused")
_HELD: Final = {
    "held": Words("暂扣待定", "held"),
    "rejected": Words("已退回", "rejected"),
    "refused": _REFUSED,
}


@dataclass(frozen=True)
class Timer:
    """A deadline of a request, as its timers work it out; ``roles`` of ``body`` are to act.

    ``what`` names the duty, such as answer or delivery; ``due_at`` is when it ends, in UTC. Of an
    extension, ``request`` is the number of the security assessment; of a calendar, its year.
    """

    request: str
    what: Literal[
        "answer",
        "delivery",
        "correction",
        "catalogue",
        "review",
        "disposal",
        "extension",
        "calendar",
    ]
    body: str
    roles: tuple[str, ...]
    due_at: datetime
    state: Literal["near", "over"]


@dataclass(frozen=True)
class BreakingChange:
    """The ``number``-th change of a shared table, which breaks what its readers do.

    ``before`` and ``after`` are versions of its contract; ``after`` is None where the table is made
    no more. ``readers`` are the recipients that may read it now.
    """

    table: str
    number: int
    contract: str
    before: str
    after: str | None
    breaks: tuple[Break, ...]
    readers: tuple[str, ...]


@dataclass(frozen=True)
class RunOfDate:
    """A scheduler's run for a date that failed, or did not end in time.

    ``subject`` is the table or product, ``run`` the run's id, ``provider`` who delivers: empty of a
    product.
    """

    subject: str
    provider: str
    business_date: str
    run: str
    state: Literal["failed", "overdue"]


_DUTIES: Final = {
    "answer": Words("答复", "answer"),
    "delivery": Words("提供数据", "delivery"),
    "correction": Words("校核答复", "answer to a correction"),
    "catalogue": Words("目录更新", "update of the catalogue"),
    "review": Words("目录审核", "review of the catalogue"),
    "disposal": Words("数据处置证明", "proof of disposal"),
    "extension": Words("申请延长有效期", "application for its extension"),
    "calendar": Words("添加工作日历", "calendar of working days"),
}
_OVER: Final = Words("已超期", "is overdue")
_NEAR: Final = Words("即将到期", "is due soon")
#: What a duty is of.
_OF: Final = {
    "extension": Words("安全评估", "Security assessment"),
    "calendar": Words("年份", "Year"),
}
_REQUEST: Final = Words("申请", "Request")
_BREAKS: Final[Mapping[What, Words]] = {
    "gone": Words("不再生成", "it is made no more"),
    "version": Words("契约主版本提升", "major version of the contract"),
    "input": Words("输入停用", "an input is in force no more"),
    "rows": Words("行的筛选条件已变", "the condition that selects its rows changed"),
    "k": Words("最小组 k 提高", "smallest group k raised"),
    "l": Words("敏感值种类 l 提高", "distinct sensitive values l raised"),
    "column": Words("删除列", "column removed"),
    "type": Words("列的类型已变", "type of a column changed"),
    "empty": Words("列可能为空", "a column may now be empty"),
    "mask": Words("列的遮蔽已变", "a column shows less, or otherwise"),
    "level": Words("列的级别超出授权", "level of a column is above what a grant covers"),
}


def of_deliveries(rows: Iterable[DeliveryRow]) -> Iterator[Notice]:
    """Tell the provider's stewards of each delivery that is late or missing."""
    for row in rows:
        label = _LATE.get(row.state)
        if label is None:
            continue
        what = f"{plain(row.provider)}/{plain(row.dataset)} {row.business_date}"
        due = f"{row.due_at.astimezone(CITY_TZ):%Y-%m-%d %H:%M}"
        yield Notice(
            kind="late",
            fact=f"{row.provider}/{row.dataset}:{row.business_date}:{row.state}",
            body=row.provider,
            role="steward",
            subject=Words(f"{label.zh}：{what}", f"{label.en}: {what}").stored(),
            text=both(
                Words(
                    f"{what} 应于 {due}（北京时间）前交付，现为{label.zh}。",
                    f"{what} was due by {due} (UTC+8) and is {label.en}.",
                )
            ),
        )


def of_batches(rows: Iterable[BatchRow]) -> Iterator[Notice]:
    """Tell a provider of each batch that is held, rejected or refused: its steward and its CDO."""
    for row in rows:
        label = _HELD.get(row.status)
        if label is None:
            continue
        what = f"{plain(row.provider)}/{plain(row.dataset)} {row.business_date}"
        roles = ("steward", "cdo") if row.status == "held" else ("steward",)
        for role in roles:
            yield Notice(
                kind="held",
                fact=f"{row.provider}/{row.dataset}:{row.batch_id}:{row.status}",
                body=row.provider,
                role=role,
                subject=Words(f"{label.zh}：{what}", f"{label.en}: {what}").stored(),
                text=both(
                    Words(
                        f"{what} 的批次 {plain(row.batch_id)}：{label.zh}，"
                        f"共 {row.rows_landed:,} 行。理由见门户或 ./jingshu batch list。",
                        f"Batch {plain(row.batch_id)} of {what} is {label.en}:"
                        f" {row.rows_landed:,} rows. "
                        f"The portal and ./jingshu batch list say why.",
                    )
                ),
            )


def of_withdrawal(row: BatchRow, recipients: Sequence[str], tables: Sequence[str]) -> list[Notice]:
    """Tell who reads what a withdrawn batch fed, and its provider; ``tables`` are those shared."""
    what = f"{plain(row.provider)}/{plain(row.dataset)} {row.business_date}"
    fed = ", ".join(plain(t) for t in tables) or "—"
    text = both(
        Words(
            f"{what} 的批次 {plain(row.batch_id)} 已撤回。由它而来的共享表：{fed}；请重新读取。",
            f"Batch {plain(row.batch_id)} of {what} was withdrawn. Shared tables made from it:"
            f" {fed}; read them again.",
        )
    )
    told = [(name, "") for name in dict.fromkeys(recipients)] + [(row.provider, "steward")]
    return [
        Notice(
            kind="withdrawal",
            fact=f"{row.provider}/{row.dataset}:{row.batch_id}",
            body=body,
            role=role,
            subject=Words(f"已撤回：{what}", f"withdrawn: {what}").stored(),
            text=text,
        )
        for body, role in told
    ]


def of_timers(rows: Iterable[Timer]) -> Iterator[Notice]:
    """Tell who is to act of each deadline that is near, or over.

    Source: Decree 809, Art. 21, 22, 26; 促进和规范数据跨境流动规定 Art. 9.
    """
    for row in rows:
        duty = _DUTIES[row.what]
        due = f"{row.due_at.astimezone(CITY_TZ):%Y-%m-%d %H:%M}"
        kind: Kind = "overdue" if row.state == "over" else "deadline"
        how = _OVER if row.state == "over" else _NEAR
        request = plain(row.request)
        of = _OF.get(row.what, _REQUEST)
        for role in row.roles:
            yield Notice(
                kind=kind,
                fact=f"{row.request}:{row.what}:{row.due_at.isoformat()}",
                body=row.body,
                role=role,
                subject=Words(
                    f"{duty.zh}{how.zh}：{request}", f"{duty.en} {how.en}: {request}"
                ).stored(),
                text=both(
                    Words(
                        f"{of.zh} {request}：{duty.zh}{how.zh}，期限 {due}（北京时间）。",
                        f"{of.en} {request}: the {duty.en} {how.en}; the limit is {due} (UTC+8).",
                    )
                ),
            )


def of_run(row: RunOfDate) -> Iterator[Notice]:
    """Tell of a run that failed or is overdue: the system's administrators, a provider's steward.

    A failure is told for each run that failed; that a date is overdue is told once.
    """
    what = f"{plain(row.subject)} {plain(row.business_date)}"
    told: list[tuple[str, Role]] = [(DATA_AUTHORITY, "sysadmin")]
    if row.provider:
        told.append((row.provider, "steward"))
    if row.state == "failed":
        kind: Kind = "failed"
        fact = f"{row.subject}:{row.business_date}:{row.run}"
        subject = Words(f"处理失败：{what}", f"failed: {what}")
        text = both(
            Words(
                f"{what} 的处理在多次重试后失败。原因见 Airflow 运行 {plain(row.run)} 的任务日志。",
                f"Processing of {what} failed after its retries. The task logs of the Airflow run"
                f" {plain(row.run)} say why.",
            )
        )
    else:
        kind = "overdue"
        fact = f"{row.subject}:{row.business_date}:run"
        subject = Words(f"逾期未完成：{what}", f"not complete in time: {what}")
        text = both(
            Words(
                f"{what} 到期限仍未处理完成：数据尚未到达，或处理尚未结束。"
                f"见 Airflow 运行 {plain(row.run)}。",
                f"{what} is not complete by its limit: its data has not come, or is still"
                f" processed. See the Airflow run {plain(row.run)}.",
            )
        )
    for body, role in told:
        yield Notice(
            kind=kind, fact=fact, body=body, role=role, subject=subject.stored(), text=text
        )


def of_breaking_change(change: BreakingChange) -> Iterator[Notice]:
    """Tell each reader of a shared table what changed in it, and what can be done."""
    table, contract = plain(change.table), plain(change.contract)
    before, after = plain(change.before), plain(change.after or "")
    if change.after is None:
        zh, en = f"{before} 起不再生成它", f"({before}) makes it no more"
        zh_do = "已有数据不再更新，请停止依赖此表"
        en_do = "What is there is not updated: stop relying on it"
    else:
        is_same = before == after
        zh = f"版本仍为 {before}，内容已变" if is_same else f"由 {before} 变为 {after}"
        en = f"is still {before}, but changed" if is_same else f"goes from {before} to {after}"
        zh_do = "变更后生成的数据按新契约，请在下次读取前调整程序"
        en_do = "Data made since follows the new contract: adapt what you run before you read again"
    text = both(
        Words(
            f"您有权读取的共享表 {table}：契约 {contract} {zh}，以下改动不兼容：\n"
            f"{_listed(change.breaks, 'zh')}\n{zh_do}；仍需原有内容的，可重新申请："
            "./jingshu share request draft，或与提供部门联系。",
            f"The shared table {table} that you may read: its contract {contract} {en}. "
            f"These changes break what relied on it:\n{_listed(change.breaks, 'en')}\n"
            f"{en_do}. If you still need what it was, ask anew (./jingshu share request draft), "
            "or speak to its provider.",
        )
    )
    for reader in dict.fromkeys(change.readers):
        yield Notice(
            kind="breaking_change",
            fact=f"{change.table}#{change.number}",
            body=reader,
            role="",
            subject=Words(f"不兼容变更：{table}", f"breaking change: {table}").stored(),
            text=text,
        )


def _listed(found: Sequence[Break], language: Language) -> str:
    lines = []
    for one in found:
        name = f" {plain(one.name)}" if one.name else ""
        how = f": {plain(one.before)} -> {plain(one.after)}" if one.after else ""
        lines.append(f"- {_BREAKS[one.what].to(language)}{name}{how}")
    return "\n".join(lines)
