"""The control database: one shape, one writer at a time, times in UTC."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from contracts.layout import Home
from contracts.moment import utc_now
from sharing.control import Control, ControlError, Recipient

if TYPE_CHECKING:
    from pathlib import Path


def test_many_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    def open_and_count(_: int) -> int:
        with Control(Home(tmp_path)) as control, control.read() as session:
            return int(session.scalar(text("SELECT count(*) FROM share_alembic")) or 0)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(open_and_count, range(16))) == {1}


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    with Control(Home(tmp_path)) as control, control.write() as session:
        session.execute(text("UPDATE share_alembic SET version_num = '9999'"))
    with pytest.raises(ControlError, match="revision 9999"):
        Control(Home(tmp_path))


def test_the_jobs_tables_in_the_same_file_stay(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with sqlite3.connect(home.control_db) as jobs:
        jobs.execute("CREATE TABLE intents (id TEXT)")
        jobs.execute("INSERT INTO intents VALUES ('a')")
    with Control(home):
        assert jobs.execute("SELECT id FROM intents").fetchall() == [("a",)]
        assert jobs.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    jobs.close()


def test_times_come_back_in_utc(tmp_path: Path) -> None:
    beijing = timezone(timedelta(hours=8))
    noon = datetime(2026, 7, 15, 12, tzinfo=beijing)
    with Control(Home(tmp_path)) as control:
        with control.write() as session:
            session.add(Recipient(name="demo", created_at=noon, created_by="test"))
        with control.read() as session:
            found = session.scalars(select(Recipient.created_at)).one()
    assert (found, found.tzinfo) == (noon, UTC)


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    def add_and_fail(control: Control) -> None:
        with control.write() as session:
            session.add(Recipient(name="demo", created_at=utc_now(), created_by="test"))
            session.flush()
            raise LookupError

    with Control(Home(tmp_path)) as control:
        with pytest.raises(LookupError):
            add_and_fail(control)
        with control.read() as session:
            assert session.get(Recipient, "demo") is None


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    home = Home(tmp_path)

    def count_up(_: int) -> None:
        with Control(home) as control, control.write() as session:
            found = session.scalar(text("SELECT count(*) FROM share_recipients"))
            session.execute(text("UPDATE share_recipients SET created_by = created_by + 1"))
            assert found == 1

    with Control(home) as control:
        with control.write() as session:
            session.add(Recipient(name="demo", created_at=utc_now(), created_by="0"))
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(count_up, range(24)))
        with control.read() as session:
            assert session.scalars(select(Recipient.created_by)).one() == "24"


def test_another_database_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JINGSHU_CONTROL_URL", f"sqlite:///{tmp_path}/elsewhere.db")
    with Control(Home(tmp_path / "home")) as control, control.write() as session:
        session.add(Recipient(name="demo", created_at=utc_now(), created_by="test"))
    assert (tmp_path / "elsewhere.db").exists()
    assert not Home(tmp_path / "home").control_db.exists()


@pytest.mark.usefixtures("control_url")
def test_a_reader_sees_one_state_of_the_database(home: Home) -> None:
    names = select(Recipient.name)
    with Control(home) as control, control.read() as reader:
        assert reader.scalars(names).all() == []
        with control.write() as session:
            session.add(Recipient(name="demo", created_at=utc_now(), created_by="test"))
        assert reader.scalars(names).all() == []
