"""Every grant that opens a table is in the evidence log, or verify says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from contracts.layout import ROOT
from contracts.tree import load_tree
from sharing import grants
from sharing.control import Control, Grant, utc_now
from sharing.verify import grants as prove
from tests.unit.sharing.conftest import TABLE

if TYPE_CHECKING:
    from contracts.layout import Home
    from jobs.verify import Finding

TREE = load_tree(ROOT / "contracts")


def checks(home: Home) -> list[Finding | None]:
    return [finding for _, finding in prove(home, TREE)]


def spoil(control: Control, **values: Any) -> None:
    with control.write() as session:
        session.execute(update(Grant).values(**values))


def test_granted_and_revoked_are_proved(control: Control) -> None:
    grants.grant(control, "demo", TABLE, "应急值守", actor="test")
    assert checks(control.home) == [None]
    grants.revoke(control, "demo", actor="test")
    assert checks(control.home) == [None, None]


def test_no_database_is_no_grant(home: Home) -> None:
    assert checks(home) == []
    assert not home.control_db.exists()


def test_a_grant_written_behind_the_log_is_found(control: Control) -> None:
    grants.grant(control, "demo", TABLE, "应急值守", actor="test")
    with control.write() as session:
        honest = session.scalars(select(Grant)).one()
        forged = {c.key: getattr(honest, c.key) for c in Grant.__table__.columns}
        session.add(Grant(**forged | {"id": "f" * 32, "purpose": "另用"}))
    finding = checks(control.home)[-1]
    assert finding is not None
    assert "not in the evidence log" in finding.problem
    assert finding.invariant == 6
    assert not finding.is_recovering


def test_a_grant_moved_to_another_table_is_found(control: Control) -> None:
    grants.grant(control, "demo", TABLE, "应急值守", actor="test")
    spoil(control, table="heat__other")
    (finding,) = checks(control.home)
    assert finding is not None


def test_a_revocation_without_its_leaf_is_found(control: Control) -> None:
    grants.grant(control, "demo", TABLE, "应急值守", actor="test")
    spoil(control, revoked_at=utc_now(), revoke_leaf_at=utc_now())
    assert [f and f.problem for f in checks(control.home)] == [
        None,
        "its revoke is not in the evidence log",
    ]


def test_a_leaf_that_is_still_owed_is_recovering(control: Control) -> None:
    grants.grant(control, "demo", TABLE, "应急值守", actor="test")
    spoil(control, revoked_at=utc_now())
    finding = checks(control.home)[-1]
    assert finding is not None
    assert finding.is_recovering
