"""Grants: what opens a table, what closes it, and the evidence each leaves."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from contracts.errors import UsageError
from contracts.model import CITY_TZ
from contracts.moment import utc_now
from lineage.evidence.log import EvidenceLog
from sharing import owed
from sharing.control import Control, Grant
from sharing.grants import grants
from sharing.tables.ceiling import NotServedError
from tests.support.sharing.served import TABLE, districts, write_shared

if TYPE_CHECKING:
    from contracts.layout import Home

#: On SQLite and on PostgreSQL.
pytestmark = pytest.mark.usefixtures("control_url")

FULL = f"jingshu.city.{TABLE}"


def leaves(home: Home) -> list[dict[str, Any]]:
    found = (json.loads(entry) for _, entry in EvidenceLog(home).entries())
    return [leaf for leaf in found if leaf["type"] in {"grant", "revoke"}]


def states(control: Control) -> list[str]:
    return [g.state for g in grants.list_grants(control)]


def give(control: Control, table: str = TABLE, until: date | None = None) -> None:
    grants.grant(control, "demo", table, "应急值守", grants.Reach(until), actor="test")


@pytest.mark.parametrize("name", [TABLE, TABLE.upper(), FULL, FULL.upper()])
def test_a_grant_opens_one_table_for_one_recipient(control: Control, name: str) -> None:
    write_shared(control.home, "other__x", districts(("110101", "景山", 1)))
    give(control, name)
    assert grants.granted_tables(control, "demo") == {TABLE}
    assert grants.granted_tables(control, "other") == frozenset()


def test_a_grant_and_its_end_each_leave_a_leaf(control: Control) -> None:
    give(control, until=date(2999, 12, 31))
    grants.revoke(control, "demo", TABLE, actor="test")
    granted, revoked = leaves(control.home)
    assert (granted["type"], revoked["type"]) == ("grant", "revoke")
    assert granted["subject"] == revoked["subject"]
    assert granted["subject"].startswith(f"demo/{FULL}#")
    assert granted["facts"] == {
        "recipient": "demo",
        "table": FULL,
        "purpose": "应急值守",
        "until": "2999-12-31",
        "granted_by": "test",
    }
    assert revoked["facts"] == {"recipient": "demo", "table": FULL, "revoked_by": "test"}
    assert granted["at"] <= revoked["at"]


def test_the_same_grant_again_changes_nothing(control: Control) -> None:
    for _ in range(3):
        give(control)
    assert (states(control), len(leaves(control.home))) == (["active"], 1)


def test_the_same_grant_at_once_from_everywhere_is_one(control: Control) -> None:
    def from_a_process_of_its_own(_: int) -> None:
        with Control(control.home) as own:
            give(own)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(from_a_process_of_its_own, range(12)))
    assert (states(control), len(leaves(control.home))) == (["active"], 1)


def test_another_end_replaces_the_grant(control: Control) -> None:
    give(control)
    give(control, until=date(2999, 1, 1))
    assert sorted(states(control)) == ["active", "revoked"]
    assert [leaf["type"] for leaf in leaves(control.home)] == ["grant", "revoke", "grant"]
    assert grants.granted_tables(control, "demo") == {TABLE}


def test_two_purposes_are_two_grants_and_end_together(control: Control) -> None:
    give(control)
    grants.grant(control, "demo", TABLE, "科研", actor="test")
    assert states(control) == ["active", "active"]
    assert grants.revoke(control, "demo", TABLE, actor="test") == [FULL]
    assert states(control) == ["revoked", "revoked"]


def test_a_grant_lasts_to_the_end_of_its_day_in_beijing(control: Control) -> None:
    last_day = datetime.now(CITY_TZ).date() + timedelta(days=1)
    give(control, until=last_day)
    midnight = datetime(last_day.year, last_day.month, last_day.day, 16, tzinfo=UTC)
    before = midnight - timedelta(microseconds=1)
    assert grants.granted_tables(control, "demo", before) == {TABLE}
    assert grants.granted_tables(control, "demo", midnight) == frozenset()
    assert [g.state for g in grants.list_grants(control, midnight)] == ["expired"]
    assert [g.until for g in grants.list_grants(control)] == [last_day]


def test_today_is_still_to_come_and_yesterday_is_over(control: Control) -> None:
    today = datetime.now(CITY_TZ).date()
    give(control, until=today)
    with pytest.raises(UsageError, match="is over"):
        give(control, until=today - timedelta(days=1))


@pytest.mark.parametrize("purpose", ["", " \n ", "x" * 1001])
def test_a_grant_says_what_it_is_for(control: Control, purpose: str) -> None:
    with pytest.raises(UsageError, match="purpose"):
        grants.grant(control, "demo", TABLE, purpose, actor="test")
    assert states(control) == []


@pytest.mark.parametrize("table", ["nothing__here", f"other.city.{TABLE}", f"city.{TABLE}", ""])
def test_an_unknown_table_is_named_with_those_there_are(control: Control, table: str) -> None:
    with pytest.raises(UsageError, match=FULL):
        give(control, table)


@pytest.mark.parametrize("recipient", ["", "Demo", "a b", "../x", "-a", "a" * 64, "东城"])
def test_a_recipients_name_is_a_plain_word(control: Control, recipient: str) -> None:
    with pytest.raises(UsageError, match="cannot name a recipient"):
        grants.grant(control, recipient, TABLE, "x", actor="test")
    assert states(control) == []


def test_a_table_above_the_ceiling_cannot_be_granted(control: Control) -> None:
    write_shared(control.home, "raw__x", districts(("110101", "景山", 1), level="L3"))
    with pytest.raises(NotServedError, match=r"elders \(L3\)"):
        give(control, "raw__x")
    assert states(control) == []


def test_revoking_one_table_leaves_the_others(control: Control) -> None:
    write_shared(control.home, "other__x", districts(("110101", "景山", 1)))
    give(control)
    give(control, "other__x")
    assert grants.revoke(control, "demo", FULL.upper(), actor="test") == [FULL]
    assert grants.granted_tables(control, "demo") == {"other__x"}
    assert grants.revoke(control, "demo", actor="test") == ["jingshu.city.other__x"]
    assert grants.granted_tables(control, "demo") == frozenset()


def test_revoking_nothing_is_said(control: Control) -> None:
    give(control)
    with pytest.raises(grants.NothingToRevokeError, match="no open grant of heat__districs"):
        grants.revoke(control, "demo", "heat__districs", actor="test")
    with pytest.raises(UsageError, match=r"no recipient 'deno'.*Known: demo\."):
        grants.revoke(control, "deno", actor="test")
    assert states(control) == ["active"]


def test_a_table_that_is_gone_can_still_be_revoked(control: Control) -> None:
    give(control)
    control.home.table("shared", TABLE).rename(control.home.root / "away")
    assert grants.revoke(control, "demo", TABLE, actor="test") == [FULL]


def test_a_revoked_grant_can_be_given_again(control: Control) -> None:
    give(control)
    grants.revoke(control, "demo", actor="test")
    give(control)
    assert states(control) == ["active", "revoked"]
    assert [leaf["type"] for leaf in leaves(control.home)] == ["grant", "revoke", "grant"]


def test_without_its_leaf_a_grant_opens_nothing_until_it_is_settled(control: Control) -> None:
    blocker = control.home.evidence
    blocker.write_text("a file where the log's folder should be")
    with pytest.raises(OSError, match=str(blocker)):
        give(control)
    assert states(control) == ["pending"]
    assert grants.granted_tables(control, "demo") == frozenset()
    blocker.unlink()
    owed.settle(control, Grant)
    assert states(control) == ["active"]
    assert [leaf["type"] for leaf in leaves(control.home)] == ["grant"]


def test_a_revocation_works_even_where_its_leaf_cannot_be_written(control: Control) -> None:
    give(control)
    control.home.evidence.rename(control.home.root / "away")
    control.home.evidence.write_text("a file where the log's folder should be")
    with pytest.raises(OSError, match="evidence"):
        grants.revoke(control, "demo", actor="test")
    assert grants.granted_tables(control, "demo") == frozenset()
    control.home.evidence.unlink()
    (control.home.root / "away").rename(control.home.evidence)
    owed.settle(control, Grant)
    assert [leaf["type"] for leaf in leaves(control.home)] == ["grant", "revoke"]


def test_settling_again_adds_nothing(control: Control) -> None:
    give(control)
    with control.write() as session:
        for row in session.scalars(select(Grant)):
            row.grant_leaf_at = None  # as after a crash between the two commits
    owed.settle(control, Grant)
    owed.settle(control, Grant)
    assert len(leaves(control.home)) == 1
    assert grants.granted_tables(control, "demo", utc_now()) == {TABLE}
