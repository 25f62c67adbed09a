"""Longer texts of ``./jingshu share request``: an example to edit, and how data is read."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import click

from contracts.model import CITY_TZ
from contracts.words import Words, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sharing.requests.reading import Reading
    from sharing.requests.states import Action

#: Every step on the command line: its name, and what it does.
STEPS: Final[Mapping[Action, tuple[str, Words]]] = {
    "submit": (
        "submit",
        Words("由申请部门的首席数据官提交草稿。", "The asking body's CDO submits a draft."),
    ),
    "ask_supplement": (
        "supplement",
        Words("一次性告知须补正的全部内容。", "Say once, in full, what is missing."),
    ),
    "resubmit": (
        "resubmit",
        Words("再次提交，必要时更换申请文本。", "Hand it in again, in a new wording if need be."),
    ),
    "accept": (
        "accept",
        Words("受理申请；期限自提交之日起算。", "Take it up: the limit runs from its submission."),
    ),
    "agree": (
        "agree",
        Words(
            "由一个提供方的首席数据官同意；最后一个同意即为决定。",
            "One provider's CDO agrees; the last one decides.",
        ),
    ),
    "agree_as_authority": (
        "approve",
        Words("由数据主管部门核准（L3 及以上）。", "The data authority agrees (L3 and above)."),
    ),
    "refuse": (
        "refuse",
        Words("不予提供，并说明理由与法律依据。", "Refuse, with a reason and its law."),
    ),
    "extend": (
        "extend",
        Words(
            "由主管部门同意延期十个工作日，限一次。",
            "The authority allows ten more working days, once.",
        ),
    ),
    "suspend": (
        "suspend",
        Words(
            "因故暂停服务；授权立即终止。", "Stop the service for a cause; the grant ends at once."
        ),
    ),
    "resume": ("resume", Words("恢复被暂停的服务。", "Give back a service that was suspended.")),
    "withdraw": (
        "withdraw",
        Words(
            "由申请部门撤回尚未交付的申请。",
            "The asking body takes back what is not delivered yet.",
        ),
    ),
    "close": (
        "close",
        Words(
            "由申请部门办结使用；授权随之终止。",
            "The asking body ends its use; the grant ends with it.",
        ),
    ),
    "end_service": (
        "end-service",
        Words(
            "由提供方终止服务，须经协商并报主管部门备案（第二十七条）。",
            "A provider ends a service, after talks and on file at the authority (Article 27).",
        ),
    ),
    "stop_service": (
        "stop-service",
        Words(
            "由主管部门依法停止服务（第二十七条）。",
            "The authority stops a service, by law (Article 27).",
        ),
    ),
    "destroy": ("destroy", Words("证明数据已销毁。", "Prove that the data was disposed of.")),
    "dispute": (
        "dispute",
        Words(
            "提出争议；双方先行协商（第二十八条）。",
            "Open a dispute: both sides talk first (Article 28).",
        ),
    ),
    "settle_dispute": (
        "dispute-settle",
        Words("登记双方协商一致。", "Both sides settled the dispute."),
    ),
    "bring_to_authority": (
        "dispute-bring",
        Words("协商不成，提请主管部门协调。", "Talks failed: ask the data authority."),
    ),
    "rule_on_dispute": (
        "dispute-rule",
        Words("由主管部门协调争议。", "The authority settles the dispute."),
    ),
    "refer_to_government": (
        "dispute-refer",
        Words("由主管部门报请政府决定。", "The authority asks the government."),
    ),
    "note_government_ruling": (
        "dispute-note",
        Words("登记政府的决定。", "Record what the government decided."),
    ),
}
OPTIONS: Final[Mapping[str, str]] = {
    "reason": text("理由。", "Why."),
    "legal_basis": text("法律依据及条款。", "Law and article."),
    "missing": text("须补正的全部内容。", "All that is missing."),
    "method": text("销毁方式。", "How it was disposed of."),
    "proof": text("销毁凭据。", "What proves it."),
    "pia_id": text("个人信息保护影响评估编号（L4）。", "Id of the impact assessment (L4)."),
    "consultation": text(
        "协商情况：对象、时间与结果。",
        "With whom it was talked over, when, and the result.",
    ),
    "filing": text("主管部门备案号。", "Number under which the authority has it on file."),
    "outcome": text("协商或者决定的结果。", "What was settled or decided."),
    "document": text("决定的文号。", "Number of the decision."),
}
#: What examples say where it is not any words.
EXAMPLES: Final[Mapping[str, str]] = {
    "legal_basis": "政务数据共享条例 第十四条",
    "pia_id": "PIA-2026-0012",
}
_EXAMPLE: Final = """\
# {about}
title: 高温应对
recipient: med_ins            # {recipient}
body: med_ins                 # {body}
purpose: 高温期间医保值守
legal_basis: 突发事件应对法 第七条
scenario: 值守席每日查看
scope: 医保局应急处
mode: api                     # api | batch | file
until: {until}
sources:
  - {contract: emergency.heat_readiness, policy: demo}
# sources:                    # {several}
#   - {contract: civil.elder_service, key: elder_id}
#   - {contract: health.disease_case, key: person_id, rows: "icd10 LIKE 'T67%'"}
# by: [street_code]
"""
#: What the example explains.
_NOTES: Final[Mapping[str, Words]] = {
    "about": Words(
        "一件申请（国务院令第 809 号第二十条）：按键关联多个来源，或申请一个共享策略。",
        "One request (Decree 809, Article 20): join several sources by key, or ask for one policy.",
    ),
    "recipient": Words("谁来读：接收方名。", "Who reads: a recipient's name."),
    "body": Words("哪一部门申请。", "Which body asks."),
    "several": Words(
        "多部门关联，按街道计数，至少 20 人。",
        "Several providers, counted by street, 20 persons or more.",
    ),
}


def example() -> str:
    """Return the example, good until the end of next year."""
    from contracts.moment import utc_now

    last_day = date(utc_now().astimezone(CITY_TZ).year + 1, 12, 31)
    written = _EXAMPLE.replace("{until}", last_day.isoformat())
    for name, note in _NOTES.items():
        written = written.replace(f"{{{name}}}", text(note.zh, note.en))
    return written


def show_reading(reading: Reading) -> None:
    """Print a delivered request's table, the command for its profile, and code to copy."""
    click.echo(f"{text('表', 'table')}: {reading.table}")
    click.echo(f"{text('凭证', 'profile')}: {reading.profile_command}")
    for tool, code in reading.code.items():
        click.echo(f"\n# {tool}\n{code}", nl=False)
