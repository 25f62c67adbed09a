"""What somebody planted that cannot be read is named, with the check; all else is still proved."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import inspect, text

from cli.main import main
from contracts.layout import ROOT
from sharing import migrations
from sharing.control import AttestedRow, Base, Control, Grant
from sharing.grants import grants
from sharing.readable import READS
from sharing.requests.tables import AskRow, StepRow
from sharing.rights.trades import SplitRuleRow
from sharing.verify import prove
from tests.support.sharing.asking import begun
from tests.support.sharing.planting import plant, planted
from tests.support.sharing.served import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contracts.layout import Home
    from jobs.verify.report import Checked
    from sharing.verify.lake import CityLake

migrations.declare_all()
KINDS = sorted((m.class_ for m in Base.registry.mappers), key=lambda kind: kind.__name__)
#: Every column whose text is read as more than text.
READ = [
    pytest.param(kind, column.key, id=f"{kind.__tablename__}.{column.key}")
    for kind in KINDS
    for column in inspect(kind).columns
    if READS in column.info
]
#: Tables that verify reads whose rows have a time of their own.
TIMED = [
    pytest.param(kind, id=kind.__tablename__)
    for kind in KINDS
    if (issubclass(kind, AttestedRow) or hasattr(kind, "leaf_at")) and hasattr(kind, "at")
]
Findings = list[dict[str, Any]]
UNNOTED = "and this home has no note that it owes it"


@pytest.fixture
def city(control: Control, monkeypatch: pytest.MonkeyPatch) -> Control:
    """A request that was made as it should be, and a planted grant that each proof must name."""
    monkeypatch.setenv("JINGSHU_HOME", str(control.home.root))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(ROOT / "contracts"))
    begun(control)
    grants.grant(control, "demo", TABLE, "值守", actor="test")
    plant(control, SplitRuleRow, planted(SplitRuleRow) | {"version": "rule"})
    plant(control, Grant, planted(Grant))
    return control


@pytest.fixture
def verified(capsys: pytest.CaptureFixture[str]) -> Callable[[], Findings]:
    """Runs the command, which must end in words and not hold; returns what it found."""

    def call() -> Findings:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main(["verify", "--json"])
        assert stopped.value.code == 1
        found: Findings = json.loads(capsys.readouterr().out)["findings"]
        return found

    return call


def of_row(found: Findings, kind: type[Base]) -> list[str]:
    return [
        f["problem"] for f in found if f["where"].startswith(f"control.db {kind.__tablename__}")
    ]


def is_still_proved(found: Findings) -> bool:
    """Tell whether the planted grant is named, by a check that can read its own records."""
    return any(UNNOTED in problem for problem in of_row(found, Grant))


@pytest.mark.parametrize("broken", ["{", "[[[]]]", "7", "", '{"a": {"b": 1}}', "[" * 100_000])
@pytest.mark.parametrize(("kind", "column"), READ)
def test_a_text_that_cannot_be_read_is_a_finding(
    city: Control, verified: Callable[[], Findings], kind: type[Base], column: str, broken: str
) -> None:
    plant(city, kind, planted(kind) | {column: broken})
    found = verified()
    named = [p for p in of_row(found, kind) if "cannot read" in p]
    assert named, found
    assert all(problem.startswith("check ") and f"{column}: " in problem for problem in named)
    assert is_still_proved(found)


@pytest.mark.parametrize("kind", TIMED)
def test_a_time_that_is_none_is_a_finding(
    city: Control, verified: Callable[[], Findings], kind: type[Base]
) -> None:
    plant(city, kind, planted(kind))
    with city.write() as session:
        session.connection().execute(text(f"UPDATE {kind.__tablename__} SET at = 'never'"))
    found = verified()
    assert [p for p in of_row(found, kind) if "cannot read it" in p], found
    assert is_still_proved(found)


def test_the_other_records_of_the_same_check_are_still_proved(
    city: Control, verified: Callable[[], Findings]
) -> None:
    plant(city, StepRow, planted(StepRow) | {"seq": 8, "said": "{"})
    plant(city, StepRow, planted(StepRow) | {"seq": 9})
    found = verified()
    problems = of_row(found, StepRow)
    assert any("said: " in problem for problem in problems)
    assert any(UNNOTED in problem for problem in problems)


def test_a_step_that_is_none_is_a_finding(city: Control, verified: Callable[[], Findings]) -> None:
    plant(city, StepRow, planted(StepRow) | {"seq": 9, "action": "planted"})
    found = verified()
    named = of_row(found, StepRow)
    assert any(problem.startswith("check requests cannot read it: ") for problem in named)
    assert all("KeyError" in problem for problem in named)
    assert is_still_proved(found)


def test_both_databases_tell_which_record_it_is(
    control_url: str, home: Home, verified: Callable[[], Findings], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert control_url
    monkeypatch.setenv("JINGSHU_HOME", str(home.root))
    monkeypatch.setenv("JINGSHU_CONTRACTS", str(ROOT / "contracts"))
    with Control(home) as control:
        begun(control)
        plant(control, StepRow, planted(StepRow) | {"seq": 8, "said": "{"})
        plant(control, SplitRuleRow, planted(SplitRuleRow) | {"shares": "[["})
    found = verified()
    assert [f["where"] for f in found if "check requests" in f["problem"]] == [
        "control.db share_ask_steps R2026-0001/8"
    ]
    assert [f["where"] for f in found if "check rights" in f["problem"]] == [
        "control.db share_split_rules planted"
    ]


def test_a_request_without_a_wording_is_a_finding(
    city: Control, verified: Callable[[], Findings]
) -> None:
    with city.write() as session:
        session.connection().execute(text("UPDATE share_ask_steps SET asked = NULL"))
    found = verified()
    [problem] = of_row(found, AskRow)
    assert problem == "no step words it"


def test_a_database_that_is_none_is_a_finding_of_each_check(
    city: Control, verified: Callable[[], Findings], home: Home
) -> None:
    city.close()
    for file in home.root.glob("control.db*"):
        file.unlink()
    home.control_db.write_bytes(b"no database at all" * 1000)
    found = verified()
    stopped = {f["where"] for f in found if f["problem"].startswith("it came to no end: ")}
    assert {"check grants", "check requests", "check rights", "check catalogue"} <= stopped


def test_a_check_of_the_lake_that_comes_to_no_end_is_a_finding_and_the_others_run(
    city: Control, verified: Callable[[], Findings], monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_logged(_: CityLake) -> Iterable[Checked]:
        raise RecursionError("too deep")

    as_logged.__module__ = "jobs.verify.events"
    monkeypatch.setattr(prove, "CHECKS", (as_logged, *prove.CHECKS))
    found = verified()
    [stopped] = [f for f in found if f["where"] == "check events.as_logged"]
    assert stopped["problem"] == "it came to no end: RecursionError: too deep"
    assert is_still_proved(found)


def test_nobody_reads_a_stored_text_past_its_column() -> None:
    """JSON of a row is read by the function that its column names, so that verify can ask it."""
    past = re.compile(r"(json\.loads|validate_json)\((row|trade|listed|\w*row)\.\w+")
    found = [
        str(file.relative_to(ROOT))
        for file in Path(ROOT / "sharing").rglob("*.py")
        if past.search(file.read_text(encoding="utf-8"))
    ]
    assert found == []
    assert len(READ) >= 8
