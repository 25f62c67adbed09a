"""What Airflow's pages say about a DAG, from its contract.

Nobody knows who reads them, so they say everything in Chinese and then in English, each whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.words import Words

if TYPE_CHECKING:
    from contracts.model import Contract, Provider, Schedule
    from jobs.stages import Ended

_CYCLES = {
    "daily": Words("每日", "daily"),
    "weekly": Words("每周", "weekly"),
    "monthly": Words("每月", "monthly"),
    "quarterly": Words("每季", "quarterly"),
    "yearly": Words("每年", "yearly"),
    "adhoc": Words("不定期", "on occasion"),
}

#: What is no publication, in words; the rest of the states needs nobody's look.
_STATES = {
    "held": Words("暂扣待定", "held"),
    "rejected": Words("已退回", "rejected"),
    "refused": Words("拒收", "refused"),
    "missing": Words("缺报", "missing"),
    "expected": Words("未到", "not there yet"),
    "failed": Words("处理失败", "failed"),
}
_NOTE_CHARACTERS = 1000

_ONE_RUN = Words(
    "一次运行处理一个业务日期（分区键）。缺报、暂缓、拒收也会使该日期完结，并写明原因。",
    "One run handles one business date (its partition key). A missing, held or refused delivery"
    " completes the date too, with its reason.",
)
_ONCE_A_DATE = Words(
    "所有输入都完成某一业务日期后，该日期运行一次。",
    "Runs once for a business date, when every input has completed that date.",
)
_HEADINGS = (
    Words("字段", "Column"),
    Words("名称", "Name"),
    Words("类型", "Type"),
    Words("级别", "Level"),
)


def feed_title(contract: Contract, provider: Provider) -> str:
    """Return an ingest DAG's title: who delivers what, and the table's name.

    Airflow's search looks in the title only, once there is one.
    """
    return f"{provider.name} · {contract.title} · {contract.table(provider.id)}"


def product_title(product: Contract, what: Words) -> str:
    """Return the title of a product's DAG; ``what`` says whether it builds or shares."""
    return f"{what} · {product.title} · {product.dataset}"


def feed_doc(contract: Contract, provider: Provider) -> str:
    """Return the page of an ingest DAG: what comes, from whom, when, under which contract."""
    due, load = contract.schedule, contract.load.mode
    cycle, name_en = _CYCLES[due.cycle], provider.name_en or provider.name
    lines = [
        Words(
            f"提供方：{provider.name}（`{provider.id}`）", f"Provider: {name_en} (`{provider.id}`)"
        ),
        Words(f"周期：{cycle.zh}", f"Cycle: {cycle.en}"),
        _availability(due),
        Words(f"入库方式：`{load}`", f"Load: `{load}`"),
        *_shared_lines(contract),
    ]
    return _page(contract, lines, _ONE_RUN)


def product_doc(product: Contract) -> str:
    """Return the page of a product's DAGs: its inputs, its smallest cell, its policies."""
    plan = product.product_plan
    inputs = [f"`{name}`" for name in plan.inputs]
    policies = [f"`{policy.name}`" for policy in plan.policies]
    lines = [
        Words(f"输入：{'、'.join(inputs)}", f"Inputs: {', '.join(inputs)}"),
        Words(f"最小单元：k ≥ {plan.k}", f"Smallest cell: k ≥ {plan.k}"),
        Words(
            f"共享策略：{'、'.join(policies) or '无'}", f"Policies: {', '.join(policies) or 'none'}"
        ),
        *_shared_lines(product),
    ]
    return _page(product, lines, _ONCE_A_DATE)


def _page(contract: Contract, lines: list[Words], runs: Words) -> str:
    """Return a DAG's page: the list in Chinese, then in English; the columns once for both."""
    return "\n".join(
        [
            _title(contract),
            *(f"- {line.zh}" for line in lines),
            "",
            runs.zh,
            "",
            *(f"- {line.en}" for line in lines),
            "",
            runs.en,
            "",
            *_columns(contract),
        ]
    )


def outcome_note(ended: Ended) -> str:
    """Return the note of a run whose delivery stopped short of publication; empty if it was due so.

    Markdown, cut to what Airflow's note holds; the log of ``publish`` has the whole reason.
    """
    state, reason = _STATES.get(ended.state), Words.read(ended.reason)
    if state is None:
        return ""
    if ended.batch_id:
        look = f"`./jingshu batch show {ended.batch_id}`"
        last = Words(f"批次：{look}", f"Batch: {look}")
    else:
        look = f"`./jingshu batch list --date {ended.business_date}`"
        last = Words(f"交付：{look}", f"Delivery: {look}")
    # One line: Airflow's page shows the first of them.
    room = _NOTE_CHARACTERS - len(str(last)) - len(" \n\n")
    zh = f"**{state.zh}** {reason.zh}"[: room // 2]
    en = f"**{state.en}** {reason.en}"[: room - len(zh)]
    return f"{zh} {en}\n\n{last}"


def _availability(due: Schedule) -> Words:
    at, late = f"{due.available_at:%H:%M}", f"{due.latency_h:g}"
    return Words(
        f"可取：次日 {at}（Asia/Shanghai）；其后 {late} 小时算迟到",
        f"Available: next day {at} (Asia/Shanghai); late {late} h after that",
    )


def _title(contract: Contract) -> str:
    purpose = f"\n\n{contract.purpose}" if contract.purpose else ""
    return f"### {contract.title}{purpose}\n"


def _shared_lines(contract: Contract) -> list[Words]:
    name, limits = f"`{contract.id}` {contract.version}", contract.limitations
    lines = [
        Words(f"契约：{name}（`{contract.source}`）", f"Contract: {name} (`{contract.source}`)"),
        Words(f"级别：{contract.level}", f"Level: {contract.level}"),
    ]
    if limits:
        lines.append(Words(f"限制：{limits}", f"Limits: {limits}"))
    return lines


def _columns(contract: Contract) -> list[str]:
    rows = (
        f"| `{column.name}` | {column.business_name} | {column.type} | {column.effective_level} |"
        for column in contract.columns
    )
    return [f"| {' | '.join(map(str, _HEADINGS))} |", "|---|---|---|---|", *rows]
