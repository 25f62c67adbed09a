"""Longer texts of ``./jingshu share request``: an example to edit, and how data is read."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import click

from contracts.model import CITY_TZ

if TYPE_CHECKING:
    from sharing.requests.reading import Reading

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
    from sharing.control import utc_now

    last_day = date(utc_now().astimezone(CITY_TZ).year + 1, 12, 31)
    return _EXAMPLE.replace("{until}", last_day.isoformat())


def show_reading(reading: Reading) -> None:
    """Print a delivered request's table, the command for its profile, and code to copy."""
    click.echo(f"表 table: {reading.table}")
    click.echo(f"凭证 profile: {reading.profile_command}")
    for tool, code in reading.code.items():
        click.echo(f"\n# {tool}\n{code}", nl=False)
