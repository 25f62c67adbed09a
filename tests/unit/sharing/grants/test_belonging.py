"""Whose a recipient is: no body asks for another's; the security administrator alone moves it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from contracts.errors import UsageError
from contracts.layout import ROOT
from contracts.loading import load_tree
from contracts.moment import utc_now
from jobs.verify.report import Report
from sharing.accounts.tables import AccountEvent
from sharing.grants import grants, recipients
from sharing.grants.belonging import RecipientHeldError, adopt, give_body, list_recipients
from sharing.grants.recipients import NotItsRecipientError
from sharing.grants.returned import grant_returned
from sharing.people import ForbiddenError
from sharing.requests import seeds
from sharing.requests.tables import read_asks
from sharing.verify.lake import CityLake
from sharing.verify.requests import requests
from tests.support.returning import returning_tree
from tests.support.sharing.asking import (
    CDO_ASKER,
    CDO_OWNER,
    MONDAY,
    asked,
    begun,
    bring_to,
    person,
)
from tests.support.sharing.served import TABLE, districts, write_shared

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from sharing.control import Control

SECADMIN = person("gov_data", "secadmin")
TREE = load_tree(ROOT / "contracts")


def whose(control: Control) -> dict[str, str | None]:
    return {r.name: r.body for r in list_recipients(control)}


@pytest.fixture
def shared(home: Home) -> Home:
    write_shared(home, "heat_readiness__demo", districts(("110101", "110101001", 30)))
    return home


@pytest.mark.usefixtures("control_url")
def test_a_draft_makes_the_recipient_its_bodys_own(control: Control) -> None:
    begun(control)
    assert whose(control) == {"med_ins": "med_ins"}


def test_no_body_asks_for_anothers_recipient(control: Control) -> None:
    begun(control, asked(recipient="shared_name"))
    with pytest.raises(NotItsRecipientError, match="is med_ins's, not health's"):
        begun(control, asked(recipient="shared_name", body="health"))
    with control.read() as session:
        assert len(read_asks(session)) == 1


def test_the_id_of_another_body_is_not_to_be_had(control: Control) -> None:
    """Else what is returned to a district would be read by whoever drafted its name first."""
    with pytest.raises(NotItsRecipientError, match="haidian is another body's id"):
        begun(control, asked(recipient="haidian"))
    assert whose(control) == {}


def test_a_recipient_made_by_hand_waits_for_its_body(control: Control) -> None:
    recipients.create_recipient(control, "med_ins", "test")
    with pytest.raises(NotItsRecipientError, match="share body med_ins med_ins"):
        begun(control)
    give_body(control, "med_ins", "med_ins", SECADMIN, utc_now())
    assert begun(control).state == "draft"


def test_a_new_recipient_is_made_with_its_body(control: Control) -> None:
    give_body(control, "office", "health", SECADMIN, utc_now())
    grants.grant(control, "clinic", TABLE, "演示", actor="test", body="health")
    assert whose(control) == {"office": "health", "clinic": "health"}
    grants.grant(control, "clinic", TABLE, "另一用途", actor="test")
    with pytest.raises(NotItsRecipientError, match="is health's"):
        grants.grant(control, "clinic", TABLE, "演示", actor="test", body="civil")


def test_what_is_no_body_is_given_nothing(control: Control) -> None:
    with pytest.raises(UsageError, match="names no body"):
        give_body(control, "office", "No Body", SECADMIN, utc_now())
    with pytest.raises(UsageError, match="names no body"):
        grants.grant(control, "office", TABLE, "演示", actor="test", body="No Body")
    assert whose(control) == {}


def test_only_the_security_administrator_gives_bodies(control: Control) -> None:
    for role in ("cdo", "authority", "sysadmin", "auditor", "requester"):
        with pytest.raises(ForbiddenError):
            give_body(control, "office", "health", person("health", role), utc_now())
    assert whose(control) == {}


@pytest.mark.usefixtures("shared")
def test_one_that_may_read_is_not_moved(control: Control) -> None:
    city = bring_to(begun(control), "delivered")
    with pytest.raises(RecipientHeldError, match="holds 1 active grants"):
        give_body(control, "med_ins", "health", SECADMIN, city.at)
    give_body(control, "med_ins", "med_ins", SECADMIN, city.at)
    city.act("close", CDO_ASKER, reason="用毕")
    give_body(control, "med_ins", "health", SECADMIN, city.at)
    assert whose(control) == {"med_ins": "health"}


def test_an_old_one_that_reads_is_given_its_first_body(control: Control) -> None:
    grants.grant(control, "demo", TABLE, "演示", actor="test")
    token = recipients.issue_profile(control, "demo").token
    give_body(control, "demo", "health", SECADMIN, utc_now())
    assert whose(control) == {"demo": "health"}
    assert recipients.authenticate(control, token) == "demo"


def test_who_held_the_token_reads_no_more_once_it_is_moved(control: Control) -> None:
    recipients.create_recipient(control, "demo", "test", "civil")
    token = recipients.issue_profile(control, "demo").token
    key = recipients.invite(control, "demo", "test")
    at = utc_now()
    give_body(control, "demo", "health", SECADMIN, at)
    assert recipients.authenticate(control, token, at) is None
    assert recipients.activate(control, key, at) is None
    new = recipients.issue_profile(control, "demo", at=at).token
    assert recipients.authenticate(control, new, at + timedelta(hours=1)) == "demo"


def test_who_moved_it_is_on_record(control: Control) -> None:
    recipients.create_recipient(control, "demo", "test", "civil")
    give_body(control, "demo", "health", SECADMIN, utc_now())
    give_body(control, "demo", "health", SECADMIN, utc_now())
    with control.read() as session:
        (row,) = session.scalars(select(AccountEvent))
        assert (row.actor, row.action) == (SECADMIN.name, "recipient_body")
        assert row.detail == "demo: civil -> health"


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(("state", "step"), [("draft", "submit"), ("agreed", "deliver")])
def test_a_request_does_not_deliver_to_what_was_moved_meanwhile(
    control: Control, state: str, step: str
) -> None:
    city = bring_to(begun(control), state)  # type: ignore[arg-type]  # a state
    give_body(control, "med_ins", "health", SECADMIN, city.at)
    actor = CDO_ASKER if step == "submit" else CDO_OWNER
    with pytest.raises(NotItsRecipientError, match="is health's, not med_ins's"):
        city.act(step, actor)  # type: ignore[arg-type]  # an action
    assert (city.state, grants.list_grants(control)) == (state, [])


def test_verify_names_a_grant_to_another_bodys_recipient(control: Control, shared: Home) -> None:
    bring_to(begun(control), "delivered")
    with control.write() as session:
        session.execute(text("UPDATE share_recipients SET body = 'health'"))
    report = Report()
    report.add(requests(CityLake(shared, TREE)))
    (found,) = [f.problem.en for f in report.broken]
    assert found == "med_ins is health's, and its request R2026-0001 med_ins's"


def test_what_is_returned_goes_to_the_districts_own(control: Control, tmp_path: Path) -> None:
    tree = load_tree(returning_tree(tmp_path / "tree"))
    for name in ("haidian", "miyun"):
        write_shared(control.home, f"returned_pharmacy__{name}", districts(("110108", "中关村", 1)))
    recipients.create_recipient(control, "haidian", "test", "health")
    with pytest.raises(NotItsRecipientError, match="haidian is health's"):
        grant_returned(control, tree)
    assert [g.recipient for g in grants.list_grants(control)] == ["miyun"]
    assert whose(control) == {"haidian": "health", "miyun": "miyun"}
    give_body(control, "haidian", "haidian", SECADMIN, utc_now())
    assert grant_returned(control, tree) == [("haidian", "returned_pharmacy__haidian")]


def test_only_what_the_same_made_is_adopted(control: Control) -> None:
    recipients.create_recipient(control, "old", "system")
    recipients.create_recipient(control, "by_hand", "somebody")
    recipients.create_recipient(control, "owned", "system", "health")
    for name in ("old", "by_hand", "owned", "unknown"):
        adopt(control, name, "haidian", "system")
    assert whose(control) == {"old": "haidian", "by_hand": None, "owned": "health"}


@pytest.mark.usefixtures("shared")
def test_seeds_go_on_with_a_demo_of_earlier_versions(control: Control) -> None:
    recipients.create_recipient(control, "demo", "sandbox")
    seeds.seed(control, TREE, MONDAY)
    assert whose(control) == {"demo": "med_ins"}
    assert grants.granted_tables(control, "demo", MONDAY) == {"heat_readiness__demo"}


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("body", [None, "health"])
def test_seeds_leave_a_demo_that_is_somebodys(control: Control, body: str | None) -> None:
    recipients.create_recipient(control, "demo", "somebody", body)
    seeds.seed(control, TREE, MONDAY)
    with control.read() as session:
        assert read_asks(session) == []
