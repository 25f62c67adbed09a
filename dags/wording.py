"""What Airflow's pages say about a DAG, in Chinese and English, from its contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contracts.model import Contract, Provider, Schedule
    from jobs.stages import Ended

_CYCLES = {
    "daily": "每日 daily",
    "weekly": "每周 weekly",
    "monthly": "每月 monthly",
    "quarterly": "每季 quarterly",
    "yearly": "每年 yearly",
    "adhoc": "不定期 on occasion",
}

#: What is no publication, in words; the rest of the states needs nobody's look.
_STATES = {
    "held": "暂扣待定 held",
    "rejected": "已退回 rejected",
    "refused": "拒收 refused",
    "missing": "缺报 missing",
    "expected": "未到 not there yet",
    "failed": "处理失败 failed",
}
_NOTE_CHARACTERS = 1000

_ONE_RUN = (
    "一次运行处理一个业务日期（分区键）。缺报、暂缓、拒收也会使该日期完结，并写明原因。  \n"
    "One run handles one business date (its partition key). A missing, held or refused delivery "
    "completes the date too, with its reason."
)


def feed_title(contract: Contract, provider: Provider) -> str:
    """Return an ingest DAG's title: who delivers what, and the table's name.

    Airflow's search looks in the title only, once there is one.
    """
    return f"{provider.name} · {contract.title} · {contract.table(provider.id)}"


def product_title(product: Contract, what: str) -> str:
    """Return the title of a product's DAG; ``what`` says whether it builds or shares."""
    return f"{what} · {product.title} · {product.dataset}"


def feed_doc(contract: Contract, provider: Provider) -> str:
    """Return the page of an ingest DAG: what comes, from whom, when, under which contract."""
    due = contract.schedule
    return "\n".join(
        [
            _title(contract),
            f"- 提供方 Provider: {provider.name} {provider.name_en} (`{provider.id}`)",
            f"- 周期 Cycle: {_CYCLES[due.cycle]}",
            _availability(due),
            f"- 入库方式 Load: `{contract.load.mode}`",
            *_shared_lines(contract),
            "",
            _ONE_RUN,
            "",
            *_columns(contract),
        ]
    )


def product_doc(product: Contract) -> str:
    """Return the page of a product's DAGs: its inputs, its smallest cell, its policies."""
    plan = product.product_plan
    policies = "、".join(f"`{policy.name}`" for policy in plan.policies) or "无 none"
    return "\n".join(
        [
            _title(product),
            f"- 输入 Inputs: {', '.join(f'`{name}`' for name in plan.inputs)}",
            f"- 最小单元 Smallest cell: k ≥ {plan.k}",
            f"- 共享策略 Policies: {policies}",
            *_shared_lines(product),
            "",
            "所有输入都完成某一业务日期后，该日期运行一次。  ",
            "Runs once for a business date, when every input has completed that date.",
            "",
            *_columns(product),
        ]
    )


def outcome_note(ended: Ended) -> str:
    """Return the note of a run whose delivery stopped short of publication; empty if it was due so.

    Markdown, cut to what Airflow's note holds; the log of ``publish`` has the whole reason.
    """
    words = _STATES.get(ended.state)
    if words is None:
        return ""
    if ended.batch_id:
        last = f"批次 Batch: `./jingshu batch show {ended.batch_id}`"
    else:
        last = f"交付 Delivery: `./jingshu batch list --date {ended.business_date}`"
    head = f"**{words}** {ended.reason}"  # one line: Airflow's page shows the first of them
    return f"{head[: _NOTE_CHARACTERS - len(last) - 2]}\n\n{last}"


def _availability(due: Schedule) -> str:
    return (
        f"- 可取 Available: 次日 next day {due.available_at:%H:%M} (Asia/Shanghai); "
        f"{due.latency_h:g} 小时后算迟到 late {due.latency_h:g} h after that"
    )


def _title(contract: Contract) -> str:
    purpose = f"\n\n{contract.purpose}" if contract.purpose else ""
    return f"### {contract.title}{purpose}\n"


def _shared_lines(contract: Contract) -> list[str]:
    lines = [
        f"- 契约 Contract: `{contract.id}` {contract.version} (`{contract.source}`)",
        f"- 级别 Level: {contract.level}",
    ]
    if contract.limitations:
        lines.append(f"- 限制 Limits: {contract.limitations}")
    return lines


def _columns(contract: Contract) -> list[str]:
    rows = (
        f"| `{column.name}` | {column.business_name} | {column.type} | {column.effective_level} |"
        for column in contract.columns
    )
    return ["| 字段 Column | 名称 Name | 类型 Type | 级别 Level |", "|---|---|---|---|", *rows]
