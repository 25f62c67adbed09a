"""Longer texts of ``./jingshu share request``: an example to edit, and how data is read."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import click

from contracts.model import CITY_TZ

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sharing.requests.reading import Reading
    from sharing.requests.states import Action

#: Every step on the command line: its words, and the options it takes beside those it needs.
STEPS: Final[Mapping[Action, tuple[str, str]]] = {
    "submit": ("submit", "提交 The asking body's CDO submits a draft."),
    "ask_supplement": ("supplement", "补正 Say once, in full, what is missing."),
    "resubmit": ("resubmit", "再交 Hand it in again, in a new wording if need be."),
    "accept": ("accept", "受理 Take it up: the limit runs from its submission."),
    "agree": ("agree", "同意 One provider's CDO agrees; the last one decides."),
    "agree_as_authority": ("approve", "核准 The data authority agrees (L3 and above)."),
    "refuse": ("refuse", "不予提供 Refuse, with a reason and its law."),
    "extend": ("extend", "延期 The authority allows ten more working days, once."),
    "suspend": ("suspend", "暂停 Stop the service for a cause; the grant ends at once."),
    "resume": ("resume", "恢复 Give it back."),
    "withdraw": ("withdraw", "撤回 The asking body takes back what is not delivered yet."),
    "close": ("close", "办结 The asking body ends its use; the grant ends with it."),
    "end_service": (
        "end-service",
        "终止 A provider ends a service, after talks and on file at the authority (Art. 27).",
    ),
    "stop_service": ("stop-service", "停止 The authority stops a service, by law (Art. 27)."),
    "destroy": ("destroy", "销毁 Prove that the data was disposed of."),
    "dispute": ("dispute", "争议 Open a dispute: both sides talk first (Art. 28)."),
    "settle_dispute": ("dispute-settle", "协商一致 Both sides settled it."),
    "bring_to_authority": ("dispute-bring", "提请协调 Talks failed: ask the data authority."),
    "rule_on_dispute": ("dispute-rule", "协调 The authority settles it."),
    "refer_to_government": ("dispute-refer", "报请 The authority asks the government."),
    "note_government_ruling": ("dispute-note", "决定 Record what the government decided."),
}
OPTIONS: Final[Mapping[str, str]] = {
    "reason": "理由 Why.",
    "legal_basis": "依据 Law and article.",
    "missing": "缺什么 All that is missing.",
    "method": "方式 How it was disposed of.",
    "proof": "凭据 What proves it.",
    "pia_id": "影响评估编号 Id of the impact assessment (L4).",
    "consultation": "协商情况 With whom it was talked over, when, and the result.",
    "filing": "备案号 Number under which the authority has it on file.",
    "outcome": "结果 What was settled or decided.",
    "document": "文号 Number of the decision.",
}
#: What examples say where it is not any words.
EXAMPLES: Final[Mapping[str, str]] = {"legal_basis": "政务数据共享条例 第十四条"}
_EXAMPLE: Final = """\
# 一件申请 One request (Decree 809, Art. 20). Join several sources by key, or ask for one policy.
title: 高温应对
recipient: med_ins            # 谁来读 who reads: a recipient's name
body: med_ins                 # 哪个部门申请 which body asks
purpose: 高温期间医保值守
legal_basis: 突发事件应对法 第七条
scenario: 值守席每日查看
scope: 医保局应急处
mode: api                     # api | batch | file
until: {until}
sources:
  - {contract: emergency.heat_readiness, policy: demo}
# sources:                    # 多部门关联 several providers, counted by street, 20 persons or more
#   - {contract: civil.elder_service, key: elder_id}
#   - {contract: health.disease_case, key: person_id, rows: "icd10 LIKE 'T67%'"}
# by: [street_code]
"""


def example() -> str:
    """Return the example, good until the end of next year."""
    from contracts.moment import utc_now

    last_day = date(utc_now().astimezone(CITY_TZ).year + 1, 12, 31)
    return _EXAMPLE.replace("{until}", last_day.isoformat())


def show_reading(reading: Reading) -> None:
    """Print a delivered request's table, the command for its profile, and code to copy."""
    click.echo(f"表 table: {reading.table}")
    click.echo(f"凭证 profile: {reading.profile_command}")
    for tool, code in reading.code.items():
        click.echo(f"\n# {tool}\n{code}", nl=False)
