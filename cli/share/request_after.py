"""``./jingshu share request use | correct | answer``: what follows a delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from cli.acting import local_user
from cli.share.request_acting import acting_for, ask_of
from cli.words import about, tell
from contracts.layout import Home
from contracts.requested import city_tree
from contracts.words import text

if TYPE_CHECKING:
    from sharing.requests.corrections import Answer


@click.command(
    **about(
        "登记一次使用；记录保存三年（国务院令第 809 号第二十九条）。",
        "Record one use; records are kept three years (Decree 809, Article 29).",
        "./jingshu share request use R2026-0001 --scenario 值守 --process 查看 --effect "
        "调派两车 --storage 不落地",
    )
)
@click.argument("ask_id", metavar="ID")
@click.option("--scenario", required=True, help=text("使用场景。", "For what."))
@click.option("--process", required=True, help=text("使用过程。", "How."))
@click.option("--effect", required=True, help=text("使用成效。", "With what effect."))
@click.option("--storage", required=True, help=text("存储位置。", "Where it is kept."))
@acting_for
def use(ask_id: str, as_body: str | None, as_roles: tuple[str, ...], **parts: str) -> None:
    """Record one use; records are kept three years (Decree 809, Article 29)."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.requests.records import Use, record_use

    with Control(Home.from_env()) as control:
        body = ask_of(control, ask_id).asked.body
        record_use(control, ask_id, Use(**parts), local_user(as_body or body, as_roles), utc_now())
    tell(f"已登记使用：{ask_id}。", f"Recorded: {ask_id}.")


@click.command(
    **about(
        "向提供方提出纠错；对方须在十个工作日内答复（第二十六条）。",
        "Open an issue at a provider: it owes an answer in ten working days (Article 26).",
        "./jingshu share request correct R2026-0001 --contract emergency.heat_readiness "
        "--provider emergency --said 人数不对",
    )
)
@click.argument("ask_id", metavar="ID")
@click.option(
    "--contract", required=True, metavar="C", help=text("哪一数据集的契约。", "Which contract.")
)
@click.option(
    "--provider", required=True, metavar="P", help=text("哪一提供方。", "Which provider.")
)
@click.option(
    "--said",
    "statement",
    required=True,
    help=text("错在哪里；勿写个人信息。", "What is wrong; name no persons."),
)
@acting_for
def correct(
    ask_id: str,
    contract: str,
    provider: str,
    statement: str,
    as_body: str | None,
    as_roles: tuple[str, ...],
) -> None:
    """Open an issue at a provider: it owes an answer in ten working days (Article 26)."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.requests.corrections import Fault, ask_correction

    home = Home.from_env()
    with Control(home) as control:
        body = ask_of(control, ask_id).asked.body
        who = local_user(as_body or body, as_roles)
        fault = Fault(contract, provider, statement)
        issue = ask_correction(control, city_tree(home), ask_id, fault, who, utc_now())
    tell(f"已登记纠错：{issue} → {provider}。", f"Opened: {issue} → {provider}.")


@click.command(
    "answer",
    **about(
        "答复并办结纠错：已改正，或附理由说明不成立。",
        "Close an issue: corrected, or rejected with the reason.",
        "./jingshu share request answer C2026-0001 --corrected --reason 已重算",
    ),
)
@click.argument("issue_id", metavar="ISSUE")
@click.option(
    "--corrected/--rejected",
    default=True,
    help=text("已改正，或异议不成立。", "Whether it was corrected or rejected."),
)
@click.option(
    "--reason", required=True, help=text("做了什么，或为何不改。", "What was done, or why not.")
)
@acting_for
def answer_(
    issue_id: str, corrected: bool, reason: str, as_body: str | None, as_roles: tuple[str, ...]
) -> None:
    """Close an issue: corrected, or rejected with the reason."""
    from contracts.moment import utc_now
    from sharing.control import Control
    from sharing.requests.corrections import answer_correction, list_corrections

    with Control(Home.from_env()) as control:
        provider = next((c.provider for c in list_corrections(control) if c.id == issue_id), "")
        who = local_user(as_body or provider, as_roles)
        how: Answer = "corrected" if corrected else "rejected"
        answer_correction(control, issue_id, how, reason, who, utc_now())
    tell(f"已答复：{issue_id}。", f"Answered: {issue_id}.")


AFTER: Final = (use, correct, answer_)
