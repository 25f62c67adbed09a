"""Share reads in evidence: an hour that is over leaves one leaf a table, once."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import rfc8785
from click.testing import CliRunner
from sqlalchemy import delete, func, select

from cli.main import jingshu
from contracts.errors import UsageError
from contracts.layout import ROOT
from contracts.loading import load_tree
from contracts.moment import utc_now
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from sharing.control import AccessRecord, Control
from sharing.gateway.reads import NO_TABLE, over_until, settle_reads, table_of
from sharing.gateway.retention import DEFAULT_DAYS, Retention, remove_old
from sharing.gateway.serving import GATEWAY
from sharing.serving import build_server
from sharing.verify.grants import grants as prove
from sharing.verify.lake import CityLake
from tests.support.sharing.served import TABLE, TABLE_URL

if TYPE_CHECKING:
    from contracts.layout import Home
    from tests.support.sharing.served import Served

#: On SQLite and on PostgreSQL.
pytestmark = pytest.mark.usefixtures("control_url")

NOON = datetime(2026, 7, 15, 12, tzinfo=UTC)
QUERY = f"{TABLE_URL}/query"


def asked(control: Control, at: datetime, path: str = QUERY, status: int = 200) -> None:
    with control.write() as session:
        session.add(
            AccessRecord(
                at=at,
                recipient="demo",
                method="POST",
                path=path,
                status=status,
                version=1,
                files=2,
            )
        )


def leaves(home: Home) -> list[Leaf]:
    found = (Leaf.parse(entry) for _, entry in EvidenceLog(home).entries())
    return [leaf for leaf in found if leaf.type == "reads"]


@pytest.mark.parametrize(
    ("path", "table"),
    [
        (QUERY, TABLE),
        (f"{TABLE_URL.upper().replace('/TABLES/', '/tables/')}/metadata", TABLE),
        (f"/files/demo/{TABLE}/3/abc.parquet", TABLE),
        ("/delta-sharing/shares", NO_TABLE),
        ("/delta-sharing/shares/jingshu/all-tables", NO_TABLE),
        ("/wp-login.php", NO_TABLE),
    ],
)
def test_a_request_s_table_is_told_by_its_path(path: str, table: str) -> None:
    assert table_of(path) == table


def test_an_hour_is_one_leaf_a_table(control: Control) -> None:
    for minute in range(3):
        asked(control, NOON + timedelta(minutes=minute))
    asked(control, NOON + timedelta(minutes=5), status=404)
    asked(control, NOON + timedelta(minutes=6), "/delta-sharing/shares")
    asked(control, NOON + timedelta(minutes=61))
    assert settle_reads(control, NOON + timedelta(hours=3)) == 3
    assert [leaf.subject for leaf in leaves(control.home)] == [
        f"{NO_TABLE}@2026-07-15T12Z",
        f"{TABLE}@2026-07-15T12Z",
        f"{TABLE}@2026-07-15T13Z",
    ]
    facts = leaves(control.home)[1].facts
    assert (facts["requests"], facts["answered"], facts["files"]) == (4, 3, 8)
    assert (facts["from"], facts["until"]) == ("2026-07-15T12:00:00Z", "2026-07-15T13:00:00Z")
    records: list[Any] = [
        {
            "id": number,
            "at": f"2026-07-15T12:0{minute}:00Z",
            "recipient": "demo",
            "method": "POST",
            "path": QUERY,
            "status": status,
            "version": 1,
            "files": 2,
        }
        for number, minute, status in ((1, 0, 200), (2, 1, 200), (3, 2, 200), (4, 5, 404))
    ]
    assert facts["records_sha256"] == hashlib.sha256(rfc8785.dumps(records)).hexdigest()


def test_hours_are_logged_once_and_an_hour_that_runs_not_at_all(control: Control) -> None:
    asked(control, NOON)
    assert settle_reads(control, NOON + timedelta(minutes=30)) == 0
    assert settle_reads(control, NOON + timedelta(hours=1)) == 0, "a record may still be on its way"
    assert settle_reads(control, NOON + timedelta(hours=2)) == 1
    asked(control, NOON + timedelta(hours=2))
    assert settle_reads(control, NOON + timedelta(hours=2, minutes=1)) == 0
    assert settle_reads(control, NOON + timedelta(hours=4)) == 1
    assert len(leaves(control.home)) == 2


def test_an_hour_that_a_crash_left_unmarked_is_logged_as_it_was(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(control, NOON)
    append = EvidenceLog.append

    def dies(log: EvidenceLog, made: list[Leaf]) -> None:
        append(log, made)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(EvidenceLog, "append", dies)
        with pytest.raises(KeyboardInterrupt):
            settle_reads(control, NOON + timedelta(hours=2))
    assert len(leaves(control.home)) == 1
    settle_reads(control, NOON + timedelta(hours=2))
    assert len(leaves(control.home)) == 1


def test_a_gateway_logs_what_is_over_when_it_starts(control: Control) -> None:
    asked(control, NOON)
    build_server(GATEWAY, control, 1)
    [leaf] = leaves(control.home)
    assert leaf.subject == f"{TABLE}@2026-07-15T12Z"


def test_a_running_gateway_logs_an_hour_when_it_has_passed(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert served.query().status == 200
    assert not leaves(served.home)
    later = over_until(utc_now() + timedelta(hours=2))
    monkeypatch.setattr("sharing.gateway.record.over_until", lambda _: later)
    monkeypatch.setattr("sharing.gateway.reads.over_until", lambda _: later)
    assert served.query().status == 200
    assert {leaf.facts["table"] for leaf in leaves(served.home)} == {TABLE}


def test_records_go_by_whole_hours_when_they_are_old_and_logged(control: Control) -> None:
    for hour in range(3):
        asked(control, NOON + timedelta(hours=hour))
        asked(control, NOON + timedelta(hours=hour, minutes=30))
    keep = Retention(days=10, most=1000)
    late = NOON + timedelta(days=10, hours=2, minutes=45)
    assert remove_old(control, keep, late).removed == 0, "what is not logged is not removed"
    settle_reads(control, NOON + timedelta(hours=5))
    assert remove_old(control, keep, NOON + timedelta(days=10)).removed == 0
    kept = remove_old(control, keep, late)
    assert (kept.removed, kept.rows, kept.oldest) == (4, 2, NOON + timedelta(hours=2))
    removal = leaves(control.home)[-1]
    assert removal.subject == "removed@2026-07-15T14Z"
    assert removal.facts == {"until": "2026-07-15T14:00:00Z", "records": 4, "requests": 4}
    assert remove_old(control, keep, late).removed == 0
    assert len(leaves(control.home)) == 4


def test_records_are_no_more_than_so_many_hours_of_them(control: Control) -> None:
    for minute in range(0, 300, 20):
        asked(control, NOON + timedelta(minutes=minute))
    settle_reads(control, NOON + timedelta(hours=4))
    kept = remove_old(control, Retention(days=200, most=7), NOON + timedelta(hours=6))
    assert (kept.rows, kept.oldest) == (6, NOON + timedelta(hours=3))
    # Hours that are not logged yet are kept, however many they hold.
    assert remove_old(control, Retention(days=200, most=1), NOON + timedelta(hours=6)).rows == 6


def test_verify_holds_after_a_removal_and_names_a_deletion(control: Control) -> None:
    def findings() -> list[str]:
        lake = CityLake(control.home, load_tree(ROOT / "contracts"))
        return [found.where for _, found in prove(lake) if found is not None]

    for hour in range(3):
        asked(control, NOON + timedelta(hours=hour))
    settle_reads(control, NOON + timedelta(hours=5))
    remove_old(control, Retention(days=1, most=1000), NOON + timedelta(days=1, hours=2))
    assert findings() == []
    with control.write() as session:
        session.execute(delete(AccessRecord))
    assert findings() == [f"evidence reads:{TABLE}@2026-07-15T14Z"]


def test_a_removal_that_a_crash_left_half_done_is_done_again(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(control, NOON)
    settle_reads(control, NOON + timedelta(hours=2))
    append = EvidenceLog.append

    def dies(log: EvidenceLog, made: list[Leaf]) -> None:
        append(log, made)
        raise KeyboardInterrupt

    late = NOON + timedelta(days=2)
    with monkeypatch.context() as broken:
        broken.setattr(EvidenceLog, "append", dies)
        with pytest.raises(KeyboardInterrupt):
            remove_old(control, Retention(1, 1000), late)
    lake = CityLake(control.home, load_tree(ROOT / "contracts"))
    assert not [found for _, found in prove(lake) if found is not None]
    assert remove_old(control, Retention(1, 1000), late).removed == 1
    assert len(leaves(control.home)) == 2


def test_a_row_that_stands_for_many_counts_as_many(control: Control) -> None:
    asked(control, NOON)
    with control.write() as session:
        row = AccessRecord(at=NOON, method="-", path="-", status=401, files=0, times=500)
        session.add(row)
    settle_reads(control, NOON + timedelta(hours=2))
    counted = {leaf.facts["table"]: leaf.facts["requests"] for leaf in leaves(control.home)}
    assert counted == {NO_TABLE: 500, TABLE: 1}


def test_the_command_says_what_is_kept(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JINGSHU_HOME", str(control.home.root))
    monkeypatch.setenv("JINGSHU_RECORDS_DAYS", "30")
    asked(control, NOON)
    told = CliRunner().invoke(jingshu, ["share", "records", "--json"])
    assert json.loads(told.output) == {
        "removed": 1, "rows": 0, "days": 30, "most": 10_000_000, "oldest": None
    }  # fmt: skip
    monkeypatch.setenv("JINGSHU_RECORDS_DAYS", "0")
    wrong = CliRunner().invoke(jingshu, ["share", "records"])
    assert isinstance(wrong.exception, UsageError)
    assert "JINGSHU_RECORDS_DAYS" in str(wrong.exception)


def test_a_gateway_removes_old_records_when_it_starts(control: Control) -> None:
    asked(control, utc_now() - timedelta(days=DEFAULT_DAYS + 1))
    asked(control, utc_now() - timedelta(days=DEFAULT_DAYS - 1))
    build_server(GATEWAY, control, 1)
    with control.read() as session:
        assert session.scalar(select(func.count()).select_from(AccessRecord)) == 1
