"""Only what this home noted with its row is logged; what somebody plants in a table is named."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text

from contracts.layout import ROOT
from contracts.loading import load_tree
from jobs.verify.report import Report
from lineage.evidence.leaf import Leaf
from lineage.evidence.log import EvidenceLog
from portal.web.serving import PORTAL
from sharing import owed
from sharing.control import Base, Control, Grant, OwedLeaf
from sharing.gateway.serving import GATEWAY
from sharing.grants import grants
from sharing.requests.tables import StepRow
from sharing.rights.trades import SplitRuleRow
from sharing.serving import build_server
from sharing.verify.attested import attested
from sharing.verify.catalogue import catalogue
from sharing.verify.grants import grants as granted
from sharing.verify.lake import CityLake
from sharing.verify.requests import requests
from sharing.verify.rights import rights
from tests.support.sharing.asking import begun
from tests.support.sharing.planting import ALL_TO_ONE, AT, plant, planted
from tests.support.sharing.served import TABLE

if TYPE_CHECKING:
    from contracts.layout import Home
    from jobs.verify import Finding
    from sharing.serving import Service

TREE = load_tree(ROOT / "contracts")
KINDS = sorted(owed.declared(), key=lambda kind: kind.__name__)
UNNOTED = "and this home has no note that it owes it"


def findings(home: Home) -> list[Finding]:
    report, lake = Report(), CityLake(home, TREE)
    for prove in (granted, requests, rights, catalogue, attested):
        report.add(prove(lake))
    return report.findings


def test_every_leaf_is_declared_in_a_process_that_imported_nothing_else() -> None:
    """A server's process imports what it serves by: that must not decide what it settles."""
    told = "from sharing import owed; print(*sorted(k.__name__ for k in owed.declared()))"
    alone = subprocess.run([sys.executable, "-c", told], capture_output=True, check=True, text=True)
    assert alone.stdout.split() == [kind.__name__ for kind in KINDS]


@pytest.fixture
def city(control: Control) -> Control:
    """A recipient, a request and a split rule that were made as they should be."""
    begun(control)
    grants.grant(control, "demo", TABLE, "值守", actor="test")
    with control.write() as session:
        session.add(SplitRuleRow(version="rule", shares=ALL_TO_ONE, actor="test", at=AT))
    owed.settle(control, SplitRuleRow)
    assert findings(control.home) == []
    return control


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_planted_row_is_never_logged_and_is_named(city: Control, kind: type[Base]) -> None:
    plant(city, kind, planted(kind))
    size = EvidenceLog(city.home).size
    with city.read() as session:
        [leaf] = [leaf for _, _, leaf in owed.read_owing(session, kind)]
    for _ in range(2):
        owed.settle(city, *KINDS)
    assert EvidenceLog(city.home).size == size
    [named] = [f for f in findings(city.home) if UNNOTED in f.problem.en]
    assert named.where.endswith(f" {leaf.subject}")
    assert not named.is_recovering


def test_a_planted_grant_opens_nothing(control: Control) -> None:
    grants.grant(control, "demo", TABLE, "值守", actor="test")
    grants.revoke(control, "demo", actor="test")
    plant(control, Grant, planted(Grant))
    owed.settle(control, Grant)
    assert grants.granted_tables(control, "demo") == frozenset()
    grants.revoke(control, "demo", actor="test")
    named = [f for f in findings(control.home) if UNNOTED in f.problem.en]
    assert [f.problem.en.partition(" ")[2].partition(" ")[0] for f in named] == ["grant"], (
        "its end is ours, and makes no grant of it"
    )


def test_a_planted_note_is_none(control: Control) -> None:
    grants.grant(control, "demo", TABLE, "值守", actor="test")
    plant(control, Grant, planted(Grant))
    with control.read() as session:
        [(_, _, leaf)] = owed.read_owing(session, Grant)
    plant(control, OwedLeaf, {"leaf": leaf.canonical().decode(), "mac": "f" * 64})
    owed.settle(control, Grant)
    assert EvidenceLog(control.home).find(leaf.key) is None
    assert "it was not written by this home" in {f.problem.en for f in findings(control.home)}


def cut(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grant, and die before the leaf is logged."""
    with monkeypatch.context() as patch:
        patch.setattr(owed, "settle", lambda *_: None)
        grants.grant(control, "demo", TABLE, "值守", actor="test")


def test_a_crash_before_the_log_is_recovering_and_heals(
    home: Home, control_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert control_url
    with Control(home) as control:
        cut(control, monkeypatch)
        assert [f.is_recovering for f in findings(home)] == [True]
        owed.settle(control, Grant)
        assert findings(home) == []
        assert grants.granted_tables(control, "demo") == {TABLE}
        with control.read() as session:
            assert session.scalars(select(OwedLeaf.id)).all() == []


def test_a_crash_after_the_log_heals(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    append = EvidenceLog.append

    def append_and_die(log: EvidenceLog, leaves: Any) -> None:
        append(log, leaves)
        raise KeyboardInterrupt

    cut(control, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(EvidenceLog, "append", append_and_die)
        with pytest.raises(KeyboardInterrupt):
            owed.settle(control, Grant)
    owed.settle(control, Grant)
    assert findings(control.home) == []
    assert grants.granted_tables(control, "demo") == {TABLE}


@pytest.mark.parametrize("service", [GATEWAY, PORTAL], ids=lambda service: service.program)
def test_each_server_settles_every_kind_at_its_start_whatever_was_planted(
    control: Control, monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(owed, "settle", lambda *_: None)
        begun(control)
        grants.grant(control, "demo", TABLE, "值守", actor="test")
        with control.write() as session:
            session.add(SplitRuleRow(version="rule", shares=ALL_TO_ONE, actor="test", at=AT))
    plant(control, StepRow, planted(StepRow) | {"seq": 99, "action": "no step at all"})
    plant(control, Grant, planted(Grant) | {"purpose": "no time"})
    with control.write() as session:
        session.execute(text("UPDATE share_grants SET granted_at = 'x' WHERE purpose = 'no time'"))
    build_server(service, control, 1)
    logged = {Leaf.parse(entry).type for _, entry in EvidenceLog(control.home).entries()}
    assert {"grant", "request", "trade"} <= logged
    with control.read() as session:
        assert session.scalars(select(StepRow.seq).where(StepRow.leaf_at.is_(None))).all() == [99]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE share_grants SET purpose = 'mine'", UNNOTED),
        ("DELETE FROM share_owed_leaves", UNNOTED),
        ("DELETE FROM share_grants", "no row of the control database owes the grant:"),
    ],
    ids=["row changed", "note removed", "row removed"],
)
def test_what_changes_between_note_and_log_is_named(
    control: Control, monkeypatch: pytest.MonkeyPatch, change: str, found: str
) -> None:
    cut(control, monkeypatch)
    with control.write() as session:
        session.connection().execute(text(change))
    size = EvidenceLog(control.home).size
    owed.settle(control, Grant)
    assert EvidenceLog(control.home).size == size
    assert [f for f in findings(control.home) if found in f.problem.en and not f.is_recovering]
    assert grants.granted_tables(control, "demo") == frozenset()


def test_every_marker_has_a_leaf() -> None:
    """A new table with a marker fails here, and at its first flush, until its leaf is declared."""
    marked = {
        mapper.class_
        for mapper in Base.registry.mappers
        if any(column.key.endswith(owed.MARKER) for column in mapper.columns)
    }
    assert marked == set(KINDS)
    for kind in KINDS:
        assert owed.dues(kind)
