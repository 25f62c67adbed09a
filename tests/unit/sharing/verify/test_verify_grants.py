"""Every grant that opens a table is in the evidence log, or verify says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from deltalake import write_deltalake
from sqlalchemy import delete, select, update

from contracts.layout import ROOT
from contracts.loading import load_tree
from contracts.moment import utc_now
from sharing import owed
from sharing.control import Control, ForeignTable, Grant
from sharing.grants import grants
from sharing.tables import foreign
from sharing.tables.storage import Folder
from sharing.verify.grants import grants as prove
from sharing.verify.lake import CityLake
from tests.support.sharing.served import TABLE, districts

if TYPE_CHECKING:
    from pathlib import Path

    from contracts.layout import Home
    from jobs.verify import Finding

TREE = load_tree(ROOT / "contracts")


def checks(home: Home) -> list[Finding | None]:
    return [finding for _, finding in prove(CityLake(home, TREE))]


def spoil(control: Control, **values: Any) -> None:
    with control.write() as session:
        session.execute(update(Grant).values(**values))


def test_granted_and_revoked_are_proved(control: Control) -> None:
    """Each row by its leaf, and each leaf by its row."""
    grants.grant(control, "demo", TABLE, "应急值守", actor="test")
    assert checks(control.home) == [None] * 2
    grants.revoke(control, "demo", actor="test")
    assert checks(control.home) == [None] * 4


def test_no_database_is_no_grant(home: Home) -> None:
    assert checks(home) == []
    assert not home.control_db.exists()


def test_a_grant_written_behind_the_log_is_found(control: Control) -> None:
    grants.grant(control, "demo", TABLE, "应急值守", actor="test")
    with control.write() as session:
        honest = session.scalars(select(Grant)).one()
        forged = {c.key: getattr(honest, c.key) for c in Grant.__table__.columns}
        session.add(Grant(**forged | {"id": "f" * 32, "purpose": "另用"}))
    [finding] = filter(None, checks(control.home))
    assert "not in the evidence log" in finding.problem.en
    assert finding.invariant == 6
    assert not finding.is_recovering


def test_a_grant_moved_to_another_table_is_found(control: Control) -> None:
    grants.grant(control, "demo", TABLE, "应急值守", actor="test")
    spoil(control, table="heat__other")
    moved, gone = filter(None, checks(control.home))
    assert "heat__other" in moved.where
    assert "has no such grant any more" in gone.problem.en


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"purpose": "另用"}, "its purpose is not what its grant leaf says"),
        ({"until_at": utc_now()}, "its until is not what its grant leaf says"),
        ({"granted_by": "another"}, "its granted_by is not what its grant leaf says"),
        ({"granted_at": utc_now()}, "its time is not what its grant leaf says"),
    ],
    ids=["purpose", "until", "actor", "time"],
)
def test_a_grant_changed_behind_the_log_is_found(
    control: Control, values: dict[str, Any], problem: str
) -> None:
    grants.grant(control, "demo", TABLE, "应急值守", actor="test")
    spoil(control, **values)
    assert [f.problem.en for f in checks(control.home) if f] == [problem]


def test_a_grant_removed_and_a_revocation_undone_are_found(control: Control) -> None:
    grants.grant(control, "demo", TABLE, "应急值守", actor="test")
    grants.revoke(control, "demo", actor="test")
    spoil(control, revoked_at=None)
    [undone] = filter(None, checks(control.home))
    assert undone.where.startswith("evidence revoke:demo/")
    with control.write() as session:
        session.execute(delete(Grant))
    assert {f.where.partition(":")[0] for f in checks(control.home) if f} == {
        "evidence grant",
        "evidence revoke",
    }


def test_a_lost_database_is_missed(control: Control) -> None:
    grants.grant(control, "demo", TABLE, "应急值守", actor="test")
    control.close()
    control.home.control_db.unlink()
    [finding] = filter(None, checks(control.home))
    assert finding.where.startswith("evidence grant:demo/")


def test_a_revocation_without_its_leaf_is_found(control: Control) -> None:
    grants.grant(control, "demo", TABLE, "应急值守", actor="test")
    spoil(control, revoked_at=utc_now(), revoke_leaf_at=utc_now())
    assert [f.problem.en for f in checks(control.home) if f] == [
        "its revoke is not in the evidence log"
    ]


def test_a_leaf_that_is_still_owed_is_recovering(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    grants.grant(control, "demo", TABLE, "应急值守", actor="test")
    with monkeypatch.context() as patch:
        patch.setattr(owed, "settle", lambda *_: None)
        grants.revoke(control, "demo", actor="test")
    [finding] = filter(None, checks(control.home))
    assert finding.is_recovering


def test_a_revocation_that_only_the_database_knows_is_found(control: Control) -> None:
    grants.grant(control, "demo", TABLE, "应急值守", actor="test")
    spoil(control, revoked_at=utc_now())
    [finding] = filter(None, checks(control.home))
    assert not finding.is_recovering


@pytest.fixture
def shared_table(control: Control, tmp_path: Path) -> Control:
    """A table of others, shared by three names."""
    folder = tmp_path / "others"
    write_deltalake(folder, districts(("110101", "景山", 1)))
    foreign.add_table(control, Folder(folder), "partner", "x", "t", level=None, actor="test")
    return control


def test_a_table_of_others_is_proved_until_it_is_removed(shared_table: Control) -> None:
    assert checks(shared_table.home) == [None] * 2
    foreign.remove_table(shared_table, "partner.x.t", actor="test")
    assert checks(shared_table.home) == [None] * 4


@pytest.mark.parametrize(
    ("values", "changed"),
    [
        ({"level": "L1"}, "level"),
        ({"folder": "/elsewhere"}, "folder_sha256"),
        ({"keeps_deleted_rows": True}, "keeps_deleted_rows"),
        ({"added_by": "another"}, "by"),
        ({"added_at": utc_now()}, "time"),
    ],
)
def test_a_table_of_others_changed_behind_the_log_is_found(
    shared_table: Control, values: dict[str, Any], changed: str
) -> None:
    with shared_table.write() as session:
        session.execute(update(ForeignTable).values(**values))
    assert [f.problem.en for f in checks(shared_table.home) if f] == [
        f"its {changed} is not what its table leaf says"
    ]


def test_a_table_of_others_added_behind_the_log_is_found(shared_table: Control) -> None:
    with shared_table.write() as session:
        honest = session.scalars(select(ForeignTable)).one()
        forged = {c.key: getattr(honest, c.key) for c in ForeignTable.__table__.columns}
        session.add(ForeignTable(**forged | {"id": "f" * 32, "table": "u"}))
    [finding] = filter(None, checks(shared_table.home))
    assert finding.problem.en == "its table is not in the evidence log"
    assert not finding.is_recovering
