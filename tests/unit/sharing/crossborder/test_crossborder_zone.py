"""The zone's negative list: an exact name decides, anything else asks people, nothing is let go."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from jobs.verify.report import Report
from sharing.control import Control
from sharing.crossborder import exports, papers
from sharing.crossborder.decide import Counters
from sharing.crossborder.exports import Circumstances, Export
from sharing.crossborder.papers import Paper
from sharing.crossborder.zone import add_list, parse_list
from sharing.people import ForbiddenError
from sharing.verify.lake import CityLake
from sharing.verify.rights import rights
from tests.support.sharing.abroad import AUTHORITY, CITY, COMPANY, TO, ready, scope
from tests.support.sharing.asking import MONDAY, person
from tests.support.sharing.lakes import BANK, publish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contracts.layout import Home
    from sharing.crossborder.exports import Decided

ISSUED: Final = date(2024, 8, 30)
ASSESS, CONTRACT = "security_assessment", "contract_or_certification"


@pytest.fixture
def control(home: Home) -> Iterator[Control]:
    publish(home, BANK, "T1")
    with Control(home) as opened:
        ready(opened)
        yield opened


def listed(control: Control, *rows: str, version: str = "1", on: date = ISSUED) -> None:
    lines = ["industry,scenario,field,threshold,route", *(f"养老,服务,{row}" for row in rows)]
    content = "\n".join([*lines, ""]).encode()
    add_list(control, content, parse_list(content, version, "公文", on), AUTHORITY, MONDAY)


def decided(control: Control, *columns: str, is_on_negative_list: bool = False) -> Decided:
    how = Circumstances(is_in_ftz=True, is_on_negative_list=is_on_negative_list)
    asked = Export(COMPANY, BANK, TO, columns, how)
    return exports.decide_export(control, CITY, asked, AUTHORITY, MONDAY)


def row(control: Control, *columns: str, is_on_negative_list: bool = False) -> tuple[int, str]:
    made = decided(control, *columns, is_on_negative_list=is_on_negative_list).decision
    return made.row, made.outcome


def said_outside(control: Control, on: date = ISSUED) -> None:
    paper = Paper("outside_zone_list", "对照 1", scope(), on)
    papers.record(control, CITY, paper, AUTHORITY, MONDAY)


def test_an_exact_name_has_its_route(control: Control) -> None:
    """A column's name, header or business name; width, case and spaces say nothing."""
    exact = (
        "account_token",
        "ACCOUNT_TOKEN",
        "ａｃｃｏｕｎｔ＿ｔｏｋｅｎ",
        "account_ token",
        "时间账户标识",
    )
    for number, name in enumerate(exact):
        issued = ISSUED + timedelta(days=number)
        listed(control, f"{name},0,{ASSESS}", version=str(number), on=issued)
        assert row(control, "account_token") == (14, ASSESS), name


NEAR: Final = (
    "account",  # a part of a column's name
    "account_token_of_the_holder",  # a column's name is a part of it
    "account-token",
    "account_tokens",
    "accounttoken",
    "账号标识",  # what the column is, in other words
    "health records",  # has nothing to do with it, as far as names tell
)


def test_a_name_that_is_not_exact_is_never_free(control: Control) -> None:
    for number, name in enumerate(NEAR):
        issued = ISSUED + timedelta(days=number)
        listed(control, f"{name},0,{CONTRACT}", version=str(number), on=issued)
        made = decided(control, "account_token")
        assert (made.decision.row, made.decision.outcome) == (16, "undetermined"), name
        assert "请数据主管部门对照清单" in made.reason
        assert not made.may_go
    assert exports.counters(control, COMPANY, 2026) == Counters(), "nothing went, nobody counts"
    # Nor below the number of persons from which a row holds, by its exact name.
    listed(control, f"account_token,100,{ASSESS}", version="few", on=ISSUED + timedelta(days=99))
    assert row(control, "account_token") == (16, "undetermined")


def test_an_exact_name_does_not_hide_a_stricter_one_that_is_near(control: Control) -> None:
    listed(control, f"account_token,0,{CONTRACT}", f"token,0,{ASSESS}")
    assert row(control, "account_token") == (16, "undetermined")
    listed(
        control, f"account_token,0,{ASSESS}", f"token,0,{CONTRACT}", version="2",
        on=ISSUED + timedelta(days=1),
    )  # fmt: skip
    assert row(control, "account_token") == (14, ASSESS)


def test_who_read_the_list_says_that_it_is_outside(home: Home, control: Control) -> None:
    listed(control, f"health records,0,{ASSESS}")
    paper = Paper("outside_zone_list", "对照 1", scope(), ISSUED)
    with pytest.raises(ForbiddenError):
        papers.record(control, CITY, paper, person(COMPANY, "requester"), MONDAY)
    other = replace(paper, scope=replace(scope(), destination=replace(TO, purpose="营销")))
    papers.record(control, CITY, other, AUTHORITY, MONDAY)
    said_outside(control, ISSUED - timedelta(days=1))
    assert row(control) == (16, "undetermined"), "of another purpose, or before the list"
    said_outside(control)
    assert row(control) == (6, "exempt")
    assert row(control, is_on_negative_list=True) == (16, "undetermined"), "the asker says it is on"
    # A later list is another one; and what an exact name asks is not lifted.
    listed(control, f"x,0,{ASSESS}", version="2", on=ISSUED + timedelta(days=1))
    assert row(control) == (16, "undetermined")
    said_outside(control, ISSUED + timedelta(days=2))
    assert row(control) == (6, "exempt")
    listed(control, f"account_token,0,{CONTRACT}", version="3", on=ISSUED + timedelta(days=2))
    assert row(control) == (15, CONTRACT)
    report = Report()
    report.add(rights(CityLake(home, CITY)))
    assert report.broken == []
